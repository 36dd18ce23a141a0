"""What is remembered about policyholders: NEXI's statement, the completed changes, the versions in force."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from accounts.rules.profiles import Change
from chassis.sql import Database, Reader, Tx
from contracts.applications import PolicyholderWish
from contracts.nexi import Profile


@dataclass(frozen=True, slots=True)
class Stated:
    """What NEXI stated last, and the number of the version in force."""

    profile: Profile
    stated_at: datetime
    version: int


async def register(tx: Tx, code: str, profile: Profile, stated_at: datetime) -> bool:
    """Remember a new policyholder; False when it is known already."""
    return bool(
        await tx.execute(
            "insert into policyholders (code, stated, stated_at) values ($1, $2, $3) on conflict do nothing",
            code, profile.model_dump(mode="json"), stated_at,
        )
    )  # fmt: skip


async def hold(tx: Tx, code: str) -> Stated | None:
    """What NEXI stated, locked until the end of the transaction; None for an unknown policyholder."""
    row = await tx.fetchrow("select stated, stated_at from policyholders where code = $1 for update", code)
    if row is None:
        return None
    version = await tx.fetchval("select max(version) from profiles where policyholder_code = $1", code)
    return Stated(Profile.model_validate(row["stated"]), row["stated_at"], version or 0)


async def restate(tx: Tx, code: str, profile: Profile, stated_at: datetime) -> None:
    """NEXI states a whole new profile."""
    await tx.execute(
        "update policyholders set stated = $2, stated_at = $3 where code = $1",
        code, profile.model_dump(mode="json"), stated_at,
    )  # fmt: skip


async def add_version(tx: Tx, code: str, version: int, profile: Profile, source: str, number: str | None) -> None:
    """A profile is in force from now on."""
    await tx.execute(
        "insert into profiles (policyholder_code, version, profile, source, number) values ($1, $2, $3, $4, $5)",
        code, version, profile.model_dump(mode="json"), source, number,
    )  # fmt: skip


async def add_change(tx: Tx, code: str, change: Change, *, effective_date: date, completed_at: datetime) -> bool:
    """Remember a completed change; False when it is known already."""
    return bool(
        await tx.execute(
            """
            insert into profile_changes (number, policyholder_code, wish, effective_date, completed_at, due_at)
            values ($1, $2, $3, $4, $5, $6) on conflict do nothing
            """,
            change.number, code, change.wish.model_dump(mode="json"), effective_date, completed_at, change.due_at,
        )
    )  # fmt: skip


async def claim_due(tx: Tx, except_numbers: list[str]) -> Any:
    """Number and policyholder of the change that is due the longest, locked; None when there is none to be had."""
    return await tx.fetchrow(
        """
        select number, policyholder_code from profile_changes
         where applied_at is null and discarded_by is null and due_at <= now() and number <> all($1)
         order by due_at, number limit 1 for update skip locked
        """,
        except_numbers,
    )


async def is_due(tx: Tx, number: str) -> bool:
    """Whether a change waits no longer, by the database's clock."""
    return bool(await tx.fetchval("select due_at <= now() from profile_changes where number = $1", number))


async def mark_applied(tx: Tx, number: str, version: int) -> None:
    """The change led to this version."""
    await tx.execute(
        "update profile_changes set applied_at = now(), version = $2, failure = null where number = $1", number, version
    )


async def note_failure(database: Database, number: str, failure: str) -> None:
    """The change could not be applied on its day, and why; most tries fail as the one before, which writes nothing."""
    await database.execute(
        """
        update profile_changes set failure = $2
         where number = $1 and applied_at is null and failure is distinct from $2
        """,
        number, failure,
    )  # fmt: skip


async def discard_failing(tx: Tx, number: str, operator: str) -> str | None:
    """An operator gives a change up; answers whose it was, None unless it is one that could not be applied."""
    code: str | None = await tx.fetchval(
        """
        update profile_changes set discarded_by = $2
         where number = $1 and applied_at is null and failure is not null and discarded_by is null
        returning policyholder_code
        """,
        number, operator,
    )  # fmt: skip
    return code


async def applied_changes(tx: Tx, code: str, after: datetime) -> list[Change]:
    """The changes that were applied and took effect after a moment."""
    rows = await tx.fetch(
        """
        select number, due_at, wish from profile_changes
         where policyholder_code = $1 and applied_at is not null and due_at > $2
        """,
        code, after,
    )  # fmt: skip
    return [Change(row["number"], row["due_at"], PolicyholderWish.model_validate(row["wish"])) for row in rows]


async def versions(reader: Reader, code: str, *, before: int | None = None, limit: int = 1) -> list[Any]:
    """Versions that were in force, the present one first."""
    return await reader.fetch(
        """
        select v.version, v.in_force_from, v.source, v.number, v.profile, c.effective_date
          from profiles v left join profile_changes c on c.number = v.number
         where v.policyholder_code = $1 and ($2::integer is null or v.version < $2)
         order by v.version desc limit $3
        """,
        code, before, limit,
    )  # fmt: skip


async def waiting(reader: Reader, code: str) -> list[Any]:
    """The changes that wait for their day, the next one first."""
    return await reader.fetch(
        """
        select number, effective_date, completed_at, due_at, wish from profile_changes
         where policyholder_code = $1 and applied_at is null and discarded_by is null order by due_at, number
        """,
        code,
    )


async def waiting_of_all(reader: Reader, limit: int = 200) -> list[Any]:
    """The changes of all policyholders that wait for their day, the next one first; failing ones with the reason."""
    return await reader.fetch(
        """
        select number, policyholder_code, effective_date, due_at, failure from profile_changes
         where applied_at is null and discarded_by is null order by due_at, number limit $1
        """,
        limit,
    )
