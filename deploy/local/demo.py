"""`make demo`: the main story on a running platform, told while it happens, with nothing but what outsiders have."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp

from contracts.nexi import ProcedureCompleted
from deploy.local.operations import demand
from deploy.local.outsiders import Outside, Person, secret_in
from deploy.local.refusals import Refusal
from deploy.local.seed import APPLICANTS, first_login, head_office
from deploy.local.state import open_state

TOKYO = timezone(timedelta(hours=9))
PATIENCE_SECONDS = 30.0


@dataclass
class Story:
    """Tells what happens, and how long each asynchronous step took."""

    hops: list[tuple[str, float]] = field(default_factory=list)

    def chapter(self, text: str) -> None:
        """A new part."""
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)

    def tell(self, text: str) -> None:
        """One thing that happened."""
        print(f"  {text}", flush=True)

    async def wait(self, what: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for something asynchronous, and remember how long it took."""
        began = time.perf_counter()
        while time.perf_counter() - began < PATIENCE_SECONDS:
            if found := await ask():
                took = (time.perf_counter() - began) * 1000
                self.hops.append((what, took))
                self.tell(f"→ {what} ({took:.0f} ms)")
                return found
            await asyncio.sleep(0.01)
        raise Refusal(f"{what}: did not happen within {PATIENCE_SECONDS:.0f} s.")


async def demo(outside: Outside) -> None:
    """The story of one new policyholder."""
    story = Story()
    code = f"{secrets.randbelow(900_000_000) + 100_000_000}"
    mail = f"taro-{code}@sample.com"
    administrator = await register(story, outside, code, mail)
    await use_one_time_passwords(story, administrator, mail)
    await register_applicant(story, administrator, mail)
    await change_policyholder(story, outside, administrator, mail)
    await show_history(story, administrator)
    story.chapter("How long the asynchronous steps took")
    for what, took in story.hops:
        story.tell(f"{took:7.0f} ms  {what}")


async def register(story: Story, outside: Outside, code: str, mail: str) -> Person:
    """NEXI's event, the letter, the first login and the forced change."""
    story.chapter("1. NEXI registers a policyholder; the administrator's first password comes by post")
    await outside.say(head_office(code, mail))
    story.tell(f"NEXI's systems said over AMQP: policyholder {code} registered, terms agreed to")
    began = time.perf_counter()
    letter = await outside.letter_to(f"{code}000")
    story.hops.append(("NEXI's event → letter printed by the mail room", (time.perf_counter() - began) * 1000))
    first = secret_in(letter)
    story.tell(f"the mail room printed and posted the letter (PDF); its temporary password is {first}")
    person, _ = await first_login(outside, f"{code}000", first)
    story.tell(f"{person.user_id} logged in with it and had to choose a password before anything else")
    me = await person.call("GET", "identity", "/me")
    story.tell(f"welcome {me['name']}, {me['policyholder_name']}（{me['policyholder_code']}）")
    return person


async def use_one_time_passwords(story: Story, person: Person, mail: str) -> None:
    """Switched on for the whole policyholder: the protected gateways close at once, and open after the entry."""
    story.chapter("2. One-time passwords are switched on, for the whole policyholder and at once")
    own = await person.call("GET", "identity", "/administrator")
    form = {name: own[name] for name in ("email", "name", "phone", "department", "title", "version")}
    await person.call("PUT", "identity", "/administrator", json={**form, "one_time_password": True})
    await person.refresh()
    async with person.outside.http.get(
        person.outside.gateway("applications") + "/applications", headers=person.headers()
    ) as answer:
        story.tell(f"Web申込状況一覧 now answers {answer.status}: {(await answer.json())['detail']}")
    began = time.perf_counter()
    code = await person.enter_one_time_password(mail)
    story.hops.append(("one-time password asked → mailed, read and entered", (time.perf_counter() - began) * 1000))
    story.tell(f"the mail brought {code}; entered once, it opens everything until logout")


async def register_applicant(story: Story, person: Person, mail: str) -> None:
    """A colleague gets an ID; the password goes to the administrator, who passes it on."""
    story.chapter("3. The administrator registers a colleague")
    form = APPLICANTS[0]
    await person.call("POST", "identity", "/applicants/validation", json=form)
    registered = await person.call("POST", "identity", "/applicants", json=form)
    user_id = registered["user_id"]
    story.tell(f"WebユーザーID(申込者用) {user_id}")
    message = await story.wait(
        "its password mailed to the administrator", lambda: mail_about(person, mail, "初期パスワード")
    )
    await first_login(person.outside, user_id, secret_in(message["text"]))
    story.tell("the colleague logged in with it and chose a password of their own")


async def change_policyholder(story: Story, outside: Outside, person: Person, mail: str) -> None:
    """Draft, number, confirmation, submission, receipt; NEXI's completion; applied; mail."""
    story.chapter("4. The policyholder's data is changed, and NEXI completes it")

    async def profile_known() -> Any:
        async with outside.http.get(outside.gateway("accounts") + "/profile", headers=person.headers()) as answer:
            return answer.status == 200

    await story.wait("the profile is there", profile_known)
    today = datetime.now(TOKYO).date().isoformat()
    content = {"wished_date": today, "address": "東京都千代田区丸の内２－２", "phone": "03-9876-5432"}
    draft = await person.call(
        "POST", "applications", "/applications", json={"procedure": "policyholder_change", "content": content}
    )
    number = draft["number"]
    story.tell(f"confirmed and saved as Web申込番号 {number}")
    for change in await person.call("GET", "applications", f"/applications/{number}/changes"):
        if change["changes"]:
            story.tell(f"  {change['label']}: {change['now']} → {change['wished']}")
    done = await person.call(
        "POST", "applications", f"/applications/{number}/submission", json={"version": draft["version"]}
    )
    story.tell(f"submitted at {done['submitted_at_shown']}: {done['message']}")
    await story.wait("receipt mail (申込受付)", lambda: mail_about(person, mail, "申込受付", number))
    await outside.say(ProcedureCompleted(issued_at=datetime.now(UTC), number=number))
    story.tell("NEXI's systems said: procedure completed")

    async def applied() -> Any:
        return (await person.call("GET", "accounts", "/profile"))["profile"]["phone"] == "03-9876-5432"

    await story.wait("the change is in force", applied)
    await story.wait("completion mail (手続完了)", lambda: mail_about(person, mail, "手続完了", number))
    listed = await person.call("GET", "applications", "/applications")
    states = ", ".join(f"{one['number']} {one['state_label']}" for one in listed["items"])
    story.tell(f"Web申込状況一覧: {states}")


async def mail_about(person: Person, address: str, subject: str, body: str = "") -> dict[str, Any] | None:
    """The newest mail to an address with these words, if it has come."""
    asked = {"recipient": address, "subject": subject, "body": body}
    async with person.outside.http.get(f"{person.outside.known['inbox_url']}api/messages", params=asked) as answer:
        return next(iter((await answer.json())["messages"]), None)


async def show_history(story: Story, person: Person) -> None:
    """The access history, in both forms."""
    story.chapter("5. The access history (アクセス履歴出力)")
    today = datetime.now(TOKYO).date().isoformat()

    async def complete() -> Any:
        question = {"first_day": today, "last_day": today, "form": "by_user"}
        found = await person.call("POST", "audit", "/access-history/searches", json=question)
        return found if found["records"] >= EXPECTED_ROWS else None

    await story.wait("all operations are in the history", complete)
    for form, label in (("by_user", "WebユーザーID単位"), ("by_time", "アクセス日時単位")):
        question = {"first_day": today, "last_day": today, "form": form}
        found = await person.call("POST", "audit", "/access-history/searches", json=question)
        csv = await person.call("GET", "audit", f"/access-history/searches/{found['id']}/csv")
        story.tell(f"[{label}] {found['records']} records, about {found['bytes']} bytes:")
        for line in csv.decode("utf-8-sig").splitlines():
            story.tell(f"  {line}")


EXPECTED_ROWS = 5  # two logins and two password changes, and the look at the list of Web applications


@asynccontextmanager
async def outside_of(known: dict[str, Any]) -> AsyncIterator[Outside]:
    """The running platform from outside."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        yield Outside(known, http)


async def run() -> None:
    """Tell the story on this checkout's running platform."""
    async with outside_of(demand(open_state())) as outside:
        await demo(outside)


if __name__ == "__main__":
    try:
        asyncio.run(run())
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
