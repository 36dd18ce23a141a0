"""What was heard of each producer's dense numbering, and the holes in it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from chassis.sql import Reader, Tx


async def heard(tx: Tx, numbers: Mapping[str, Iterable[int]]) -> None:
    """Remember these numbers of each producer; the first that is expected is 1."""
    for producer in sorted(numbers):
        await tx.execute(
            """
            insert into producers as known (producer, heard) values ($1, $2::text::int8multirange)
                on conflict (producer) do update set heard = known.heard + excluded.heard, heard_at = now()
            """,
            producer, _ranges(numbers[producer]),
        )  # fmt: skip


def _ranges(numbers: Iterable[int]) -> str:
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number <= found[-1][1]:
            found[-1][1] = max(found[-1][1], number + 1)
        else:
            found.append([number, number + 1])
    return "{" + ",".join(f"[{first},{after})" for first, after in found) + "}"


HOLES = """
select producer, hole
  from producers, unnest(int8multirange(int8range(1, upper(heard))) - heard) as hole
"""


async def look(tx: Tx) -> None:
    """Bring the table of gaps up to date: new holes in, filled ones closed, narrowed ones narrowed."""
    await tx.execute(
        f"""
        with holes as materialized ({HOLES})
        update gaps set closed_at = now()
         where closed_at is null
           and not exists (select from holes where holes.producer = gaps.producer and hole && missing)
        """
    )
    await tx.execute(
        f"""
        with holes as materialized ({HOLES})
        update gaps set missing = hole
          from holes
         where closed_at is null and holes.producer = gaps.producer and hole && missing
           and lower(hole) <> lower(missing)
           and not exists (select from gaps other where other.producer = gaps.producer and other.closed_at is null
                                                    and lower(other.missing) = lower(hole))
           and hole = (select min(one.hole) from holes one where one.producer = gaps.producer and one.hole && missing)
        """
    )
    await tx.execute(
        f"""
        insert into gaps (producer, missing)
        select producer, hole from ({HOLES}) holes
         where not exists (select from gaps
                            where gaps.producer = holes.producer and closed_at is null and missing && hole)
        on conflict do nothing
        """
    )


async def due(tx: Tx, age: timedelta) -> list[Any]:
    """Gaps that are older than `age` and were not reported: producer, first, last; now they count as reported."""
    return await tx.fetch(
        """
        update gaps set reported_at = now()
         where closed_at is null and reported_at is null and explanation is null and found_at < now() - $1::interval
        returning producer, lower(missing) as first, upper(missing) - 1 as last
        """,
        age,
    )


async def open_gaps(reader: Reader) -> list[Any]:
    """All holes that are open now, oldest first."""
    return await reader.fetch(
        """
        select number, producer, lower(missing) as first, upper(missing) - 1 as last, found_at, reported_at, explanation
          from gaps where closed_at is null order by number
        """
    )


async def explain(tx: Tx, number: int, explanation: str) -> bool:
    """An operator accepts the hole; it stays listed, explained. False when there is none of this number."""
    return bool(
        await tx.execute(
            "update gaps set explanation = $2 where number = $1 and closed_at is null", number, explanation
        )
    )


async def producers(reader: Reader) -> list[Any]:
    """How far each producer was heard."""
    return await reader.fetch("select producer, upper(heard) - 1 as last, heard_at from producers order by producer")
