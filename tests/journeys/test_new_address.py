"""An administrator's new e-mail address, from the form to the mailed link to the address in force."""

import asyncio
import re
from datetime import datetime, timedelta

import pytest

from deploy.local.outsiders import Outside, secret_in
from deploy.local.seed import first_login, head_office
from tests.support import unique
from tests.support.eventually import eventually


@pytest.mark.requirement("R115", "R116", "R117", "E1", "E2", "E3", "L10")
async def test_an_address_changes_by_the_mailed_link_and_not_before(outside: Outside) -> None:
    code = unique.policyholder_code()
    old, new = f"old-{code}@sample.com", f"new-{code}@sample.com"
    await outside.say(head_office(code, old))
    letter = await outside.letter_to(f"{code}000")
    person, password = await first_login(outside, f"{code}000", secret_in(letter))

    shown = await person.call("GET", "identity", "/administrator")
    form = {name: shown[name] for name in ("version", "name", "phone", "department", "title", "one_time_password")}
    wish = form | {"email": new, "current_password": password}
    changed = await person.call("PUT", "identity", "/administrator", json=wish)
    assert changed["administrator"]["email"] == old

    mail, notice = await asyncio.gather(
        outside.mail_to(new, "メールアドレス変更の確認"), outside.mail_to(old, "メールアドレス変更手続きのお知らせ")
    )
    token = re.search(r"/email-confirmation#token=([\w-]{43})\s", mail["text"])
    assert token is not None
    assert token[1] not in notice["text"]

    async def accepted() -> dict[str, str] | None:
        pending = (await person.call("GET", "identity", "/administrator"))["pending_email"]
        return pending if pending["mail"] == "accepted" else None

    pending = await eventually(accepted)
    waited = datetime.fromisoformat(pending["expires_at"]) - datetime.fromisoformat(pending["requested_at"])
    assert timedelta(hours=24) < waited < timedelta(hours=24, minutes=1), "counted from the mail server's acceptance"

    confirmation = {"json": {"token": token[1]}}
    assert (await outside.call("POST", "identity", "/email-changes/confirmation", **confirmation))["state"] == "done"
    again = await outside.call("POST", "identity", "/email-changes/confirmation", **confirmation)
    assert again["state"] == "already_done"
    assert (await person.call("GET", "identity", "/administrator"))["email"] == new

    await outside.call("POST", "identity", "/password-reissues", json={"user_id": f"{code}000", "email": new})
    assert secret_in((await outside.mail_to(new, "パスワード再発行"))["text"])
