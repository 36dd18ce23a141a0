"""全社閲覧用ID: looks at the data of several policyholders, one at a time, and changes nothing."""

import pytest

from contracts.nexi import Administrator, GroupViewerGranted
from deploy.local.outsiders import secret_in
from deploy.local.seed import branch
from tests.portal.desks import Desk, Town
from tests.portal.errands import administrator, register_account
from tests.support import unique

pytestmark = pytest.mark.browser


@pytest.mark.requirement("R91", "N2")
async def test_a_group_viewer_chooses_whose_data_are_shown(desk: Desk, town: Town) -> None:
    office = await administrator(town)
    other = await administrator(town, profile=branch("100000002", "b@sample.com").profile)
    await desk.enter(other)
    await register_account(desk, "7654321")
    email, user_id = f"{unique.word('v')}@sample.com", f"{office.code}900"
    person = Administrator(name="閲覧　太郎", email=email)
    coming = unique.policyholder_code()
    codes = (coming, office.code, other.code)
    event = GroupViewerGranted(user_id=user_id, person=person, policyholder_codes=codes, issued_at=unique.now())
    await town.outside.say(event)
    mail = await town.outside.mail_to(email, "初期パスワード")
    await desk.enter(await town.settled(user_id, email, secret_in(mail["text"])))
    for path, words in (("/policyholder", "大阪支店"), ("/accounts", "7654321")):
        await desk.open(path)
        assert await desk.page.locator("#company").input_value() == coming, "who is not registered yet hides nobody"
        assert ("まだ登録されていません" in await desk.text()) == (path == "/policyholder")
        await desk.page.locator("#company").select_option(office.code)
        await desk.press("表示する")
        assert words not in await desk.text()
        await desk.page.locator("#company").select_option(other.code)
        await desk.press("表示する")
        assert words in await desk.text()
        assert await desk.page.get_by_role("radio").count() == 0
    await desk.press("口座番号の降順")
    assert "7654321" in await desk.text(), "sorting keeps the policyholder"
    await desk.open("/accounts?company=999999999")
    assert await desk.page.locator("#company").input_value() in codes
    await desk.open("/accounts/new")
    assert await desk.title() == "ご利用いただけません"
