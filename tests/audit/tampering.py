"""What somebody with all rights on the database could do to the history, each a kind of its own."""

import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from audit.listeners.rows import row_of
from audit.proof.sources import parse
from audit.rules import chain
from audit.rules.lines import leaf
from audit.store import log, verification
from chassis.messages import Envelope, new_id
from chassis.sql import Tx
from contracts.actions import Operator
from contracts.identity import LoginSucceeded

ROWS = 600
"""How many rows the history has that is tampered with."""

Change = Callable[[Any, random.Random, range], Awaitable[Any]]
"""Given a pool of connections and the numbers of the rows that it may touch."""


async def edit(db: Any, chance: random.Random, rows: range) -> None:
    """One column of one row."""
    column = chance.choice(
        ["name", "department", "title", "user_id", "policyholder_code", "type", "outcome", "source_address"]
    )
    await db.execute(
        f"update history set {column} = coalesce({column}, '') || 'x' where number = $1", chance.choice(rows)
    )


async def re_date(db: Any, chance: random.Random, rows: range) -> None:
    """By a second, within the month."""
    seconds = chance.choice([-1, 1])
    await db.execute(
        "update history set performed_at = performed_at + $2 * interval '1 microsecond' where number = $1",
        chance.choice(rows), seconds,
    )  # fmt: skip


async def re_code(db: Any, chance: random.Random, rows: range) -> None:
    """From one view to the other."""
    await db.execute(
        "update history set operation = case when operation is null then '1-1' end where number = $1",
        chance.choice(rows),
    )


async def detail(db: Any, chance: random.Random, rows: range) -> None:
    """The details."""
    await db.execute("update history set details = '{\"a\":1}' where number = $1", chance.choice(rows))


async def delete(db: Any, chance: random.Random, rows: range) -> None:
    """One row."""
    await db.execute("delete from history where number = $1", chance.choice(rows))


async def insert(db: Any, chance: random.Random, rows: range) -> None:
    """A copy under another id, among the others."""
    await _insert(db, chance.choice(rows), chance.choice(rows))


async def add(db: Any, chance: random.Random, rows: range) -> None:
    """A copy under another id, before the first row or beyond the end."""
    await _insert(db, chance.choice(rows), chance.choice([0, ROWS + 1]))


async def _insert(db: Any, model: int, number: int) -> None:
    columns = "type, policyholder_code, user_id, name, department, title, operation, outcome, details"
    await db.execute(
        f"insert into history (number, id, performed_at, {columns})"
        f" select $2, gen_random_uuid(), performed_at + interval '1 microsecond', {columns}"
        " from history where number = $1",
        model, number,
    )  # fmt: skip


async def swap(db: Any, chance: random.Random, rows: range) -> None:
    """Two neighbours change places."""
    number = chance.choice(rows[:-1])
    for before, after in ((number, -1), (number + 1, number), (-1, number + 1)):
        await db.execute("update history set number = $2 where number = $1", before, after)


async def cut(db: Any, chance: random.Random, rows: range) -> None:
    """The last blocks, and the log's end set back as if they had never been."""
    keep = await db.fetchrow(
        "select * from blocks where block < (select max(block) from blocks) order by random() limit 1"
    )
    last = keep["first"] + keep["rows"] - 1
    await db.execute("delete from history where number > $1", last)
    await db.execute("delete from entries where number > $1", last)
    await db.execute("delete from blocks where block > $1", keep["block"])
    await db.execute("update log set rows = $1, blocks = $2, head = $3", last, keep["block"], keep["head"])


async def edit_and_chain_anew(db: Any, chance: random.Random, rows: range) -> None:
    """The insider who knows the method: edits a row and computes every digest after it anew."""
    await edit(db, chance, rows)
    async with db.acquire() as connection:
        await connection.execute(verification.SESSION)
        last = await connection.fetchval("select rows from log")
        lines = list(parse(await verification.lines(connection, 1, last)))
    head = chain.EMPTY
    for block in await db.fetch("select * from blocks order by block"):
        first, count = block["first"], block["rows"]
        root = chain.root(leaf(text) for number, text in lines if first <= number < first + count)
        head = chain.head(head, block["block"], first, count, block["recorded_at"], root)
        await db.execute("update blocks set root = $2, head = $3 where block = $1", block["block"], root, head)
    await db.execute("update log set head = $1", head)


async def forge_block(db: Any, chance: random.Random, rows: range) -> None:
    """When a block was recorded, or how many rows it has."""
    column = chance.choice(["recorded_at = recorded_at + interval '1 second'", "rows = rows + 1", "first = -first"])
    await db.execute(f"update blocks set {column} where $1 between first and first + rows - 1", chance.choice(rows))


async def miscount(db: Any, chance: random.Random, rows: range) -> None:
    """What the searches go by: a day's records, a user's or everybody's, counted elsewhere; their sum stays."""
    change = chance.choice(["day = day - 400", "records = records - 1, trail_records = trail_records + 1"])
    whose = chance.choice(["user_id > ''", "user_id = ''"])
    one = chance.choice(await db.fetch(f"select * from days where {whose} order by policyholder_code, user_id, day"))
    await db.execute(f"update days set {change} where policyholder_code = $1 and user_id = $2 and day = $3", *one[:3])


async def hide(db: Any, chance: random.Random, rows: range) -> None:
    """What a user did on a day is counted as somebody else's, so that no download reads it."""
    one = chance.choice(await db.fetch("select * from days where user_id > '' order by policyholder_code, user_id"))
    await db.execute(
        "update days set user_id = 'x', day = day - 1 where policyholder_code = $1 and user_id = $2 and day = $3",
        *one[:3],
    )


async def append_block(db: Any, chance: random.Random, rows: range) -> None:
    """Rows at the end as if they had been recorded: numbered, chained and counted, all plain digests agreeing."""
    who = Operator(policyholder_code="700000001", user_id="700000001001", name="偽　者")
    said = LoginSucceeded(operator=who).model_dump(mode="json")
    now = datetime.now(UTC)
    row = row_of(Envelope(new_id(), LoginSucceeded.wire_type(), "/identity", now, said), now)
    assert row is not None
    async with db.acquire() as connection, connection.transaction():
        await connection.set_type_codec(
            "json", encoder=partial(json.dumps, default=str), decoder=json.loads, schema="pg_catalog"
        )
        await log.record(Tx(connection), [row], bytes)


LOCAL: tuple[Change, ...] = (edit, re_date, re_code, detail, delete, insert, swap, forge_block)
"""They touch one block; the verifier names it."""

CHANGES_KNOWN: tuple[Change, ...] = (
    *LOCAL,
    add,
    miscount,
    hide,
    cut,
    edit_and_chain_anew,
)
