"""The order of the chapters, from NEXI's registration to the access history on the screen."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone

from deploy.local.demo import addresses, bank_accounts, company, people
from deploy.local.demo.narration import Story
from deploy.local.outsiders import Outside, Person
from deploy.local.refusals import Refusal

TOKYO = timezone(timedelta(hours=9))
FORMS = (("by_user", "WebユーザーID単位"), ("by_time", "アクセス日時単位"))


async def tell(story: Story, outside: Outside) -> list[str]:
    """The whole story of one new policyholder; answers the lines of the history by user."""
    before, day = outside.operations, japans_day()
    code = f"{secrets.randbelow(900_000_000) + 100_000_000}"
    mail = f"taro-{code}@sample.com"
    administrator = await people.register_policyholder(story, outside, code, mail)
    await people.use_one_time_passwords(story, administrator, mail)
    colleague = await people.register_applicant(story, administrator, mail)
    await company.change(story, administrator, mail)
    await company.meet_rejection_and_early_completion(story, administrator, mail)
    await bank_accounts.register_change_delete(story, administrator, mail)
    await people.lock_and_reset(story, administrator, colleague, mail)
    await people.disable(story, administrator, colleague)
    password = await people.reissue(story, administrator, mail)
    mail = await addresses.change(story, administrator, password, mail)
    await addresses.grant_group_viewer(story, administrator)
    lines = await show_history(story, administrator, mail, day, outside.operations - before)
    story.chapter("How long the asynchronous steps took")
    story.table()
    return lines


def japans_day() -> str:
    """Today, as the access history counts days."""
    return datetime.now(TOKYO).date().isoformat()


async def show_history(story: Story, administrator: Person, mail: str, first_day: str, expected: int) -> list[str]:
    """The access history since `first_day` in both forms (アクセス履歴出力); all `expected` operations are in it.

    A story that begins just before midnight ends on another day.
    """
    story.chapter("The access history (アクセス履歴出力)")
    await administrator.enter_one_time_password(mail)

    async def found(form: str) -> dict[str, str]:
        question = {"first_day": first_day, "last_day": japans_day(), "form": form}
        return dict(await administrator.call("POST", "audit", "/access-history/searches", json=question))

    async def complete() -> bool:
        records = int((await found("by_user"))["records"])
        if records > expected:
            raise Refusal(f"The history has {records} records, but only {expected} operations were carried out.")
        return records == expected

    await story.wait(f"all {expected} operations are in the history", complete)
    by_form: dict[str, list[str]] = {}
    for form, label in FORMS:
        search = await found(form)
        csv = await administrator.call("GET", "audit", f"/access-history/searches/{search['id']}/csv")
        story.tell(f"[{label}] {search['records']} records, about {search['bytes']} bytes:")
        by_form[form] = csv.decode("utf-8-sig").splitlines()
        for line in by_form[form]:
            story.tell(f"  {line}")
    return by_form["by_user"]
