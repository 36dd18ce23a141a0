"""The chapters about the policyholder's data: a change from draft to completion, a rejection, an early completion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from contracts.nexi import ProcedureCompleted, ProcedureRejected
from deploy.local.demo.narration import Story
from deploy.local.outsiders import Person

TOKYO = timezone(timedelta(hours=9))
NEW_PHONE = "03-9876-5432"


async def change(story: Story, person: Person, mail: str) -> None:
    """Draft, number, correction, submission, receipt; NEXI's completion; in force; mail."""
    story.chapter("The policyholder's data is changed, and NEXI completes it")
    draft = await confirm(person, address="東京都千代田区丸の内２－２")
    number = draft["number"]
    story.tell(f"at the confirmation screen it was saved as Web申込番号 {number}; the browser is closed")
    resumed = await listed(person, number)
    story.tell(f"resumed from Web申込状況一覧: {resumed['state_label']}; one more item is changed")
    content = {**draft["content"], "phone": NEW_PHONE}
    wish = {"version": draft["version"], "content": content}
    draft = await person.call("PUT", "applications", f"/applications/{number}", json=wish)
    for item in await person.call("GET", "applications", f"/applications/{number}/changes"):
        if item["changes"]:
            story.tell(f"  {item['label']}: {item['now']} → {item['wished']}")
    await submit(story, person, draft)
    with story.hop("receipt mail (申込受付)"):
        await person.outside.mail_to(mail, f"申込受付のお知らせ（{number}）")
    await person.outside.say(ProcedureCompleted(issued_at=datetime.now(UTC), number=number))
    story.tell("NEXI's systems said: procedure completed")

    async def in_force() -> bool:
        profile = (await person.call("GET", "accounts", "/profile"))["profile"]
        return bool(profile["phone"] == NEW_PHONE)

    await story.wait("the change is in force", in_force)
    with story.hop("completion mail (手続完了)"):
        await person.outside.mail_to(mail, f"手続完了のお知らせ（{number}）")


async def meet_rejection_and_early_completion(story: Story, person: Person, mail: str) -> None:
    """NEXI refuses one application, and completes another before it was submitted."""
    story.chapter("NEXI rejects one application, and completes another one too early")
    refused, early = await confirm(person, phone="03-1111-1111"), await confirm(person, phone="03-2222-2222")
    await submit(story, person, refused)
    reason = "登記事項証明書の提出が必要です。"
    await person.outside.say(
        ProcedureRejected(issued_at=datetime.now(UTC), number=refused["number"], reason=reason),
        ProcedureCompleted(issued_at=datetime.now(UTC), number=early["number"]),
    )
    with story.hop("mail about the rejection"):
        await person.outside.mail_to(mail, f"お手続きができなかったお知らせ（{refused['number']}）")
    story.tell(f"the completion of {early['number']} waits: {(await listed(person, early['number']))['state_label']}")
    await submit(story, person, early)

    async def completed() -> bool:
        found = await person.call("GET", "applications", f"/applications/{early['number']}")
        return bool(found["state"] == "completed")

    await story.wait("submitted, and matched with the completion that had come before", completed)
    states = [await person.call("GET", "applications", f"/applications/{one['number']}") for one in (refused, early)]
    story.tell(", ".join(f"{one['number']} {one['state_label']}" for one in states))


async def confirm(person: Person, **items: str) -> dict[str, Any]:
    """Arrive at the confirmation screen with these items."""
    content = {"wished_date": datetime.now(TOKYO).date().isoformat(), **items}
    wish = {"procedure": "policyholder_change", "content": content}
    return dict(await person.call("POST", "applications", "/applications", json=wish))


async def submit(story: Story, person: Person, draft: dict[str, Any]) -> dict[str, Any]:
    """申込み."""
    path = f"/applications/{draft['number']}/submission"
    done = await person.call("POST", "applications", path, json={"version": draft["version"]})
    story.tell(f"{draft['number']} submitted at {done['submitted_at_shown']}: {done['message']}")
    return dict(done)


async def listed(person: Person, number: str) -> dict[str, Any]:
    """The application as Web申込状況一覧 shows it."""
    page = await person.look_at_applications(number)
    return dict(page["items"][0])
