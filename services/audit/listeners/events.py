"""Everything that is said on the platform and by NEXI's systems, recorded in batches."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from prometheus_client import Counter

from audit.listeners.rows import row_of
from audit.months import Months
from audit.proof.keys import Signer
from audit.rules.rows import Refused, Row
from audit.store import log, sequences
from chassis.amqp import Listeners
from chassis.messages import Envelope, OutboxPosition, explain
from chassis.sql import Tx
from contracts.audit import RecordContradicted
from contracts.nexi import OperationPerformed

BATCH = 5000
PREFETCH = 100
POSITION = f".{OutboxPosition.NAME}"
PERFORMED = OperationPerformed.wire_type()
NEXI = PERFORMED.partition(".")[0] + "."
FOREIGN = "type: not NEXI's to say"
CONTRADICTED = "id: recorded before with another content"

ROWS = Counter("audit_rows_total", "Actions recorded", ["view"])
CONTRADICTIONS = Counter("audit_contradictions_total", "Events that came again with another content")

Refusals = list[tuple[Envelope, str]]
"""What cannot be recorded, each with the reason."""

logger = structlog.get_logger()
events = Listeners("events", prefetch=PREFETCH)
nexi = Listeners("nexi", prefetch=PREFETCH)


@events.batch(("events", "#"), most=BATCH)
async def record_events(batch: Sequence[Envelope], tx: Tx, months: Months, signer: Signer) -> Refusals:
    """Everything the platform's services say; their dense numbers are kept, so that a missing one is noticed."""
    positions = [envelope for envelope in batch if envelope.type.endswith(POSITION)]
    said = [envelope for envelope in batch if not envelope.type.endswith(POSITION)] if positions else batch
    refused = await _record(said, tx, months, signer)
    numbers: dict[str, set[int]] = defaultdict(set)
    for envelope in said:
        if envelope.sequence is not None:
            numbers[envelope.type.partition(".")[0]].add(envelope.sequence)
    await sequences.heard(tx, numbers)
    return refused + await _keep_positions(positions, tx)


async def _keep_positions(positions: Sequence[Envelope], tx: Tx) -> Refusals:
    """How far each producer says it is: what was not heard up to there is missing, although nothing came after it."""
    last: dict[str, int] = {}
    refused = []
    for envelope in positions:
        producer = envelope.type.partition(".")[0]
        try:
            said = OutboxPosition.model_validate(envelope.data)
        except ValueError as error:
            refused.append((envelope, explain(error)))
        else:
            last[producer] = max(last.get(producer, 0), said.last)
    await sequences.announced(tx, last)
    return refused


@nexi.batch(("nexi", "#"), most=BATCH)
async def record_operations(batch: Sequence[Envelope], tx: Tx, months: Months, signer: Signer) -> Refusals:
    """Operations that other systems carried out for a Web user (H1); what else NEXI says is no action of a person."""
    foreign = [envelope for envelope in batch if not envelope.type.startswith(NEXI)]
    performed = [envelope for envelope in batch if envelope.type == PERFORMED]
    return [(envelope, FOREIGN) for envelope in foreign] + await _record(performed, tx, months, signer)


async def _record(batch: Sequence[Envelope], tx: Tx, months: Months, signer: Signer) -> Refusals:
    now = datetime.now(UTC)
    rows: list[Row] = []
    refused: Refusals = []
    for envelope in batch:
        try:
            row = row_of(envelope, now)
        except Refused as reason:
            refused.append((envelope, str(reason)))
        else:
            if row is not None:
                rows.append(row)
    await months.ensure(tx, {row.day for row in rows})
    recorded = await log.record(tx, rows, signer.seal)
    in_catalogue = sum(row.in_catalogue for row in recorded.new)
    ROWS.labels("history").inc(in_catalogue)
    ROWS.labels("trail").inc(len(recorded.new) - in_catalogue)
    if recorded.contradicted:
        refused += _contradicted(batch, recorded.contradicted, tx)
    return refused


def _contradicted(batch: Sequence[Envelope], rows: Sequence[Row], tx: Tx) -> Refusals:
    """Say it aloud, and put the later content aside; the first one stays as it was recorded."""
    ids = {row.id for row in rows}
    CONTRADICTIONS.inc(len(ids))
    for event_id in ids:
        logger.critical("integrity_alarm", reason=CONTRADICTED, id=event_id)
        tx.emit(RecordContradicted(event_id=UUID(event_id)))
    leaves = {row.leaf for row in rows}
    now = datetime.now(UTC)
    found = []
    for envelope in batch:
        if str(envelope.id) in ids:
            row = row_of(envelope, now)
            if row is not None and row.leaf in leaves:
                found.append((envelope, CONTRADICTED))
    return found
