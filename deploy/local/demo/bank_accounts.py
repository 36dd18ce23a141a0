"""The chapter about bank accounts: registered, changed and deleted, each done when the answer comes."""

from __future__ import annotations

from typing import Any

from deploy.local.demo.narration import Story
from deploy.local.outsiders import Person

ACCOUNT = {
    "bank_code": "9985",
    "branch_code": "001",
    "deposit_type": "ordinary",
    "account_number": "1111111",
    "holder": "株式会社見本商事",
    "holder_kana": "カ）ミホンショウジ",
    "use": "premium_refund",
}


async def register_change_delete(story: Story, person: Person, mail: str) -> None:
    """口座登録, 口座情報変更, 口座情報削除; the list shows each at once."""
    story.chapter("A bank account is registered, changed and deleted")
    await carry_out(story, person, "account_registration", ACCOUNT)
    account = await show(story, person)
    identified = {"account_id": account["id"], "account_version": account["version"]}
    await carry_out(story, person, "account_change", {**ACCOUNT, **identified, "branch_code": "101"})
    account = await show(story, person)
    identified = {"account_id": account["id"], "account_version": account["version"]}
    await carry_out(story, person, "account_deletion", identified)
    left = await person.call("GET", "accounts", "/accounts")
    story.tell(f"the list shows {len(left)} accounts")
    with story.hop("security notice by mail"):
        await person.outside.mail_to(mail, "口座情報の変更に関する重要なお知らせ（口座情報削除）")


async def carry_out(story: Story, person: Person, procedure: str, content: dict[str, Any]) -> None:
    """Confirm and submit; the answer comes when the account service has applied it."""
    wish = {"procedure": procedure, "content": content}
    draft = await person.call("POST", "applications", "/applications", json=wish)
    path = f"/applications/{draft['number']}/submission"
    with story.hop(f"{draft['procedure_label']} submitted and applied"):
        done = await person.call("POST", "applications", path, json={"version": draft["version"], "acknowledged": True})
    story.tell(f"{draft['number']} {done['state_label']}: {done['message']}")


async def show(story: Story, person: Person) -> dict[str, Any]:
    """The one account of the list."""
    (account,) = await person.call("GET", "accounts", "/accounts")
    story.tell(
        f"{account['use_label']} {account['bank_code']} {account['bank_name']} {account['branch_code']}"
        f" {account['branch_name']} {account['deposit_type_label']} {account['account_number']} {account['holder']}"
    )
    return dict(account)
