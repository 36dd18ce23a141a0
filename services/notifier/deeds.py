"""What operators do with mails, letters and addresses: kept beside them, and said to the security trail."""

from chassis.sql import Tx
from contracts.actions import Operator
from contracts.notifier import OperatorActed
from notifier.store import operations


async def record(
    tx: Tx, by: Operator, command: str, about: str, *, policyholder_code: str = "", about_user_id: str | None = None
) -> None:
    """With the same commit as the deed itself; `about` is the id of the mail or letter, or the address.

    It belongs to the trail of the company that it concerns, if it concerns one.
    """
    await operations.record(tx, by.user_id, command, about)
    concerned = by.model_copy(update={"policyholder_code": policyholder_code})
    tx.emit(OperatorActed(operator=concerned, command=command, about=about, about_user_id=about_user_id))
