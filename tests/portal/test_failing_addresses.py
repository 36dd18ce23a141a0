"""What the portal says to an administrator about addresses that mail does not reach."""

import pytest

from tests.portal.desks import Desk, Town
from tests.support.eventually import eventually

pytestmark = pytest.mark.browser


@pytest.mark.requirement("N4")
async def test_an_address_that_fails_is_told_where_it_is_looked_at_and_changed(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    applicant = await town.applicant(admin)
    await desk.enter(admin)
    for path in ("/mails", "/applicants", "/administrator"):
        await desk.open(path)
        text = await desk.text()
        assert not any(words in text for words in ("不達", "届いていません")), path
    async with town.platform.owner("notifier") as database:
        question = "select count(distinct user_id) = 2 from addresses where user_id = any($1)"
        await eventually(lambda: database.fetchval(question, [admin.user_id, applicant.user_id]))
    token = (await town.outside.operate("identity", "token", "--role", "operator", "--name", "suzuki")).split()[-1]
    for address in (admin.email, applicant.email):
        bounce = {"recipient": address, "reason": "5.1.1 nobody here"}
        headers = {"Authorization": f"Bearer {token}"}
        await town.outside.call("POST", "notifier", "/bounces", json=bounce, headers=headers)
    await desk.open("/mails")
    told = await desk.page.get_by_role("alert").inner_text()
    assert "次のメールアドレスにはメールが届いていません" in told
    for user in (admin, applicant):
        assert f"{user.user_id} " in told
        assert user.email in told

    async def badge() -> bool:
        await desk.open("/applicants")
        return "不達" in await desk.page.locator("tr", has_text=applicant.email).inner_text()

    await eventually(badge)

    async def notice() -> bool:
        await desk.open("/administrator")
        return "登録されているメールアドレスにメールが届いていません" in await desk.text()

    await eventually(notice)
