"""The chapters about people: first password by post, one-time passwords, a colleague, lock-out, disabling, reissue."""

from __future__ import annotations

from typing import Any

from deploy.local.demo.narration import Story
from deploy.local.outsiders import Outside, Person, new_password, secret_in
from deploy.local.seed import APPLICANTS, first_login, head_office

WRONG = "this-is-not-the-password"
MOST_FAILURES = 5


async def register_policyholder(story: Story, outside: Outside, code: str, mail: str) -> Person:
    """NEXI's event, the letter, the first login and the forced change."""
    story.chapter("NEXI registers a policyholder; the administrator's first password comes by post")
    await outside.say(head_office(code, mail))
    story.tell(f"NEXI's systems said over AMQP: policyholder {code} registered, terms agreed to")
    with story.hop("letter at the mail room, printed and posted by operator commands"):
        first = secret_in(await outside.letter_to(f"{code}000"))
    story.tell(f"the letter (PDF) brings the temporary password {first}")
    person, _ = await first_login(outside, f"{code}000", first)
    me = await person.call("GET", "identity", "/me")
    story.tell(f"{person.user_id} logged in with it and had to choose a password before anything else")
    story.tell(f"welcome {me['name']}, {me['policyholder_name']}（{me['policyholder_code']}）")
    return person


async def use_one_time_passwords(story: Story, person: Person, mail: str) -> None:
    """Switched on for the whole policyholder: the protected gateways close at once, and open after the entry."""
    story.chapter("One-time passwords are switched on, for the whole policyholder and at once")
    own = await person.call("GET", "identity", "/administrator")
    form = {name: own[name] for name in ("email", "name", "phone", "department", "title", "version")}
    await person.call("PUT", "identity", "/administrator", json={**form, "one_time_password": True})
    await person.refresh()
    status, problem = await person.try_to("GET", "applications", "/applications")
    story.tell(f"Web申込状況一覧 now answers {status}: {problem['detail']}")
    with story.hop("one-time password asked for, mailed, read and entered"):
        code = await person.enter_one_time_password(mail)
    story.tell(f"{code}, entered once, opens everything until logout")


async def register_applicant(story: Story, administrator: Person, mail: str) -> Person:
    """A colleague gets an ID; the password goes to the administrator, who passes it on."""
    story.chapter("The administrator registers a colleague")
    form = APPLICANTS[0]
    await administrator.call("POST", "identity", "/applicants/validation", json=form)
    with story.hop("registered, and the password mailed to the administrator"):
        user_id = (await administrator.call("POST", "identity", "/applicants", json=form))["user_id"]
        message = await administrator.outside.mail_to(mail, "初期パスワード")
    colleague, _ = await first_login(administrator.outside, user_id, secret_in(message["text"]))
    story.tell(f"WebユーザーID(申込者用) {user_id}: logged in, own password chosen")
    await colleague.enter_one_time_password(str(form["email"]))
    return colleague


async def lock_and_reset(story: Story, administrator: Person, colleague: Person, mail: str) -> None:
    """Too many wrong passwords lock; the administrator's reset ends it."""
    story.chapter("The colleague forgets the password: lock-out, and its end by a reset")
    for _ in range(MOST_FAILURES):
        status, problem = await colleague.try_password(WRONG)
    story.tell(f"after {MOST_FAILURES} wrong passwords: {status} {problem['detail']}")
    with story.hop("reset, and the new password mailed to the administrator"):
        await administrator.call("POST", "identity", f"/applicants/{colleague.user_id}/password-reset")
        message = await administrator.outside.mail_to(mail, "パスワードリセット")
    back, _ = await first_login(colleague.outside, colleague.user_id, secret_in(message["text"]))
    await back.enter_one_time_password(str(APPLICANTS[0]["email"]))
    colleague.session_token, colleague.tokens = back.session_token, back.tokens
    story.tell("the colleague is back with a password of their own")


async def disable(story: Story, administrator: Person, colleague: Person) -> None:
    """A disabled user's next request fails at once, in another service too."""
    story.chapter("The colleague leaves: disabled, and out of every service with the answer")
    status, _ = await colleague.try_to("GET", "accounts", "/accounts")
    story.tell(f"before: the account list answers {status}")
    shown = await administrator.call("GET", "identity", f"/applicants/{colleague.user_id}")
    wish: dict[str, Any] = {name: shown[name] for name in (*APPLICANTS[0], "version")} | {"enabled": False}
    wish["rider_codes"] = [one["rider_code"] for one in shown["rider_codes"]]
    path = f"/applicants/{colleague.user_id}"
    with story.hop("disabled, and every gateway has heard of it"):
        changed = await administrator.call("PUT", "identity", path, json=wish)
    status, problem = await colleague.try_to("GET", "accounts", "/accounts")
    since = changed["in_force_from"] or "now, everywhere"
    story.tell(f"in force from {since}; the same access token now gets {status}: {problem['detail']}")


async def reissue(story: Story, administrator: Person, mail: str) -> str:
    """The administrator forgot the password and helps themselves, without login; answers the new one."""
    story.chapter("The administrator forgets the password, and has a new one mailed")
    outside = administrator.outside
    asked = {"user_id": administrator.user_id, "email": mail}
    with story.hop("asked for without login, and mailed"):
        answer = await outside.call("POST", "identity", "/password-reissues", json=asked)
        message = await outside.mail_to(mail, "パスワード再発行")
    story.tell(answer["message"])
    temporary, password = secret_in(message["text"]), new_password()
    await administrator.log_in(temporary)
    await administrator.change_password(temporary, password)
    story.tell("logged in with it, and a new password chosen")
    return password
