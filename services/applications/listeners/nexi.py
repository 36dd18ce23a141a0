"""What NEXI's systems say about submitted applications (P6)."""

from applications import outcomes
from applications.settings import Clock
from chassis.amqp import Listeners
from chassis.sql import Tx
from contracts.nexi import ProcedureCompleted, ProcedureRejected

listeners = Listeners("nexi", prefetch=4)  # an event may carry a document of some megabytes


@listeners.on(ProcedureCompleted)
async def completed(message: ProcedureCompleted, tx: Tx, clock: Clock) -> None:
    """All of NEXI's checks are complete."""
    await outcomes.complete_by_nexi(tx, message, clock.now())


@listeners.on(ProcedureRejected)
async def rejected(message: ProcedureRejected, tx: Tx, clock: Clock) -> None:
    """NEXI refused."""
    await outcomes.reject_by_nexi(tx, message, clock.now())
