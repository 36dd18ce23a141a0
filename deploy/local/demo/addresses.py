"""The chapters about addresses: the administrator moves to a new one; a group viewer's password comes by mail."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from contracts.nexi import Administrator, GroupViewerGranted
from deploy.local.demo.narration import Story
from deploy.local.outsiders import Person, secret_in
from deploy.local.refusals import Refusal


async def change(story: Story, administrator: Person, password: str, mail: str) -> str:
    """A link to the new address, a notice to the old one, and the change in force after the button; answers it."""
    story.chapter("The administrator's mail address changes, when the new one has been confirmed")
    outside, new = administrator.outside, f"new-{mail}"
    await administrator.enter_one_time_password(mail)
    own = await administrator.call("GET", "identity", "/administrator")
    form = {name: own[name] for name in ("version", "name", "phone", "department", "title", "one_time_password")}
    wish = form | {"email": new, "current_password": password}
    with story.hop("asked for; a link to the new address, and a notice to the old one"):
        await administrator.call("PUT", "identity", "/administrator", json=wish)
        message = await outside.mail_to(new, "メールアドレス変更の確認")
        await outside.mail_to(mail, "メールアドレス変更手続きのお知らせ")
    found = re.search(r"#token=([\w-]+)", message["text"])
    if found is None:
        raise Refusal("The confirmation mail holds no link.")
    token = {"token": found[1]}
    done = await outside.call("POST", "identity", "/email-changes/confirmation", json=token)
    own = await administrator.call("GET", "identity", "/administrator")
    story.tell(f"the link's button was pressed: {done['state']}; mails go to {own['email']} from now on")
    return new


async def grant_group_viewer(story: Story, administrator: Person) -> None:
    """NEXI's event, and the first password by mail."""
    story.chapter("NEXI grants a group viewer ID (全社閲覧用ID), whose password comes by mail")
    outside, code = administrator.outside, administrator.user_id[:9]
    viewer = f"{secrets.randbelow(900_000_000) + 100_000_000}001"
    person = Administrator(name="全社　閲子", email=f"viewer-{code}@sample.com", department="経理部", title="部長")
    granted = GroupViewerGranted(
        issued_at=datetime.now(UTC), user_id=viewer, person=person, policyholder_codes=(code,)
    )  # fmt: skip
    with story.hop("granted, and the password mailed"):
        await outside.say(granted)
        message = await outside.mail_to(person.email, "全社閲覧用ID")
    story.tell(f"{viewer} may log in with {secret_in(message['text'])} and read the data of {code}")
