"""How mails ended, written down and said to the other services in one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter

from chassis.sql import Tx
from contracts.notifier import ITSELF, AddressFailing, MailAccepted, MailFailed
from notifier.store import addresses, deliveries
from notifier.store.deliveries import Ended

ENDED = Counter("mails_ended_total", "Ends of attempts, by template and what became of the mail", ["template", "state"])


async def record(tx: Tx, sender: int, ended: Sequence[Ended]) -> None:
    """Ends of attempts of this process."""
    refused = {one.id: one.reason for one in ended if one.refused_address}
    reached = []
    for row in await deliveries.settle(tx, sender, ended):
        ENDED.labels(row["template"], row["state"]).inc()
        if row["state"] == "sent":
            tx.emit(
                MailAccepted(
                    mail_id=str(row["id"]), template=row["template"], policyholder_code=row["policyholder_code"],
                    about_user_id=row["about_user_id"], accepted_at=row["accepted_at"] or datetime.now(UTC),
                )
            )  # fmt: skip
            reached += [row["recipient"]] if row["failing"] else []
        say_failure(tx, row)
        if row["id"] in refused:
            say_failing(
                tx, await addresses.mark_failing(tx, [row["recipient"]], "refused", refused[row["id"]]), failing=True
            )
    if reached:
        say_failing(tx, await addresses.mark_reached(tx, reached, "refused"), failing=False)


def say_failure(tx: Tx, row: Any) -> None:
    """Emit MailFailed for a mail that has come to an end without having been sent."""
    if row["state"] in ("failed", "expired", "superseded"):
        code = row["policyholder_code"]
        tx.emit(
            MailFailed(
                operator=ITSELF.model_copy(update={"policyholder_code": code}), policyholder_code=code,
                mail_id=str(row["id"]), template=row["template"], about_user_id=row["about_user_id"],
                state=row["state"], reason=row["reason"],
            )
        )  # fmt: skip


def say_failing(tx: Tx, users: Sequence[Any], *, failing: bool) -> None:
    """Emit AddressFailing for users whose present address bounces, or is reached again."""
    for user in users:
        tx.emit(AddressFailing(policyholder_code=user["policyholder_code"], user_id=user["user_id"], failing=failing))
