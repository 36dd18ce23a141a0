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


async def announced(tx: Tx, positions: Mapping[str, int]) -> None:
    """Remember that these producers have said everything up to these numbers."""
    for producer in sorted(positions):
        await tx.execute(
            """
            insert into producers as known (producer, heard, announced) values ($1, '{}', $2)
                on conflict (producer) do update
               set announced = greatest(known.announced, excluded.announced), heard_at = now()
            """,
            producer, positions[producer],
        )  # fmt: skip


def _ranges(numbers: Iterable[int]) -> str:
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number <= found[-1][1]:
            found[-1][1] = max(found[-1][1], number + 1)
        else:
            found.append([number, number + 1])
    return "{" + ",".join(f"[{first},{after})" for first, after in found) + "}"


_MISSING = "(int8multirange(int8range(1, greatest(upper(heard), announced + 1))) - heard)"
"""All numbers of a producer up to the greatest that is known, less those that were heard."""
HOLES = f"select producer, hole from producers, unnest({_MISSING}) as hole"


async def look(tx: Tx) -> None:
    """Bring the table of gaps up to date: filled ones are closed, what is newly missing is entered.

    A hole may grow: only its new part is entered, so that each number is found, and reported, in one gap.
    """
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
        insert into gaps (producer, missing)
        select producer, fresh
          from producers, unnest({_MISSING} - {_known("closed_at is null")}) as fresh
            on conflict (producer, lower(missing)) where closed_at is null do nothing  -- a former leader may look, too
        """
    )


def _known(condition: str) -> str:
    """What stands in the gaps of a producer, those of a condition."""
    return f"""
        coalesce((select range_agg(gaps.missing) from gaps
                   where gaps.producer = producers.producer and {condition}), '{{}}')"""


async def due(tx: Tx, age: timedelta) -> list[Any]:
    """What is missing in gaps that are not reported yet, of producers that said something when a gap was older than
    `age`: producer, first, last.

    Whoever says nothing is not judged: after an outage the relays say first what was never confirmed.
    """
    return await tx.fetch(
        f"""
        with due as (
            update gaps set reported_at = now() from producers
             where closed_at is null and reported_at is null and explanation is null
               and producers.producer = gaps.producer and heard_at > found_at + $1::interval
            returning gaps.producer, missing
        ), holes as materialized ({HOLES})
        select producer, lower(hole * missing) as first, upper(hole * missing) - 1 as last
          from due join holes using (producer) where hole && missing order by 1, 2
        """,
        age,
    )


async def missing(reader: Reader) -> list[Any]:
    """How many numbers of each producer are missing now, explained ones aside."""
    return await reader.fetch(
        f"""
        select producer, (select coalesce(sum(upper(hole) - lower(hole)), 0)::bigint
                            from unnest({_MISSING} - {_known("explanation is not null")}) as hole) as missing
          from producers
        """
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
    """How far each producer was heard, and how far it says it is."""
    return await reader.fetch(
        "select producer, upper(heard) - 1 as last, announced, heard_at from producers order by producer"
    )
