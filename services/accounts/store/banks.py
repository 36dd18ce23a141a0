"""The master of banks and branches."""

from collections.abc import Sequence
from typing import Any

from accounts.rules.bank_files import Bank, Branch
from chassis.sql import Reader, Tx

IMPORT_LOCK = 0x6261_6E6B


async def find_banks(reader: Reader, key: str, *, prefix: bool, after: str, limit: int) -> list[Any]:
    """Banks whose code begins with `key`, or whose name or kana begins with it or holds it, by code."""
    return await reader.fetch(
        """
        select code, name, kana from banks
         where removed_at is null and code > $3
           and (starts_with(code, $1)
                or case when $2 then starts_with(search_name, $1) or starts_with(search_kana, $1)
                        else strpos(search_name, $1) > 0 or strpos(search_kana, $1) > 0 end)
         order by code limit $4
        """,
        key, prefix, after, limit,
    )  # fmt: skip


async def find_branches(reader: Reader, bank_code: str, key: str, *, prefix: bool, after: str, limit: int) -> list[Any]:
    """Branches of a bank, found like banks."""
    return await reader.fetch(
        """
        select code, name, kana from branches
         where bank_code = $1 and removed_at is null and code > $4
           and (starts_with(code, $2)
                or case when $3 then starts_with(search_name, $2) or starts_with(search_kana, $2)
                        else strpos(search_name, $2) > 0 or strpos(search_kana, $2) > 0 end)
         order by code limit $5
        """,
        bank_code, key, prefix, after, limit,
    )  # fmt: skip


async def bank(reader: Reader, code: str) -> Any:
    """One listed bank, or None."""
    return await reader.fetchrow("select code, name, kana from banks where code = $1 and removed_at is null", code)


async def branch(reader: Reader, bank_code: str, code: str) -> Any:
    """One listed branch, or None."""
    return await reader.fetchrow(
        """
        select r.code, r.name, r.kana from branches r join banks b on b.code = r.bank_code and b.removed_at is null
         where r.bank_code = $1 and r.code = $2 and r.removed_at is null
        """,
        bank_code, code,
    )  # fmt: skip


async def hold(tx: Tx) -> None:
    """One import at a time."""
    await tx.execute("select pg_advisory_xact_lock($1)", IMPORT_LOCK)


async def listed(reader: Reader) -> int:
    """How many branches are listed."""
    return int(await reader.fetchval("select count(*) from branches where removed_at is null"))


async def put_banks(tx: Tx, banks: Sequence[Bank]) -> None:
    """Add these, or bring them up to date."""
    await tx.execute(
        """
        insert into banks (code, name, kana, search_name, search_kana)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
            on conflict (code) do update
           set name = excluded.name, kana = excluded.kana, search_name = excluded.search_name,
               search_kana = excluded.search_kana, removed_at = null
         where (banks.name, banks.kana, banks.search_name, banks.search_kana, banks.removed_at)
               is distinct from (excluded.name, excluded.kana, excluded.search_name, excluded.search_kana, null)
        """,
        *_columns(banks, "code", "name", "kana", "search_name", "search_kana"),
    )


async def put_branches(tx: Tx, branches: Sequence[Branch]) -> None:
    """Add these, or bring them up to date."""
    await tx.execute(
        """
        insert into branches (bank_code, code, name, kana, search_name, search_kana)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
            on conflict (bank_code, code) do update
           set name = excluded.name, kana = excluded.kana, search_name = excluded.search_name,
               search_kana = excluded.search_kana, removed_at = null
         where (branches.name, branches.kana, branches.search_name, branches.search_kana, branches.removed_at)
               is distinct from (excluded.name, excluded.kana, excluded.search_name, excluded.search_kana, null)
        """,
        *_columns(branches, "bank_code", "code", "name", "kana", "search_name", "search_kana"),
    )


async def remove_others(tx: Tx, branches: Sequence[Branch]) -> int:
    """Mark all that is not among these as removed; answers how many branches that were."""
    gone = await tx.execute(
        """
        update branches set removed_at = now()
         where removed_at is null
           and not exists (select from unnest($1::text[], $2::text[]) as new (bank_code, code)
                            where new.bank_code = branches.bank_code and new.code = branches.code)
        """,
        *_columns(branches, "bank_code", "code"),
    )
    await tx.execute(
        "update banks set removed_at = now() where removed_at is null and code <> all($1::text[])",
        [one.bank_code for one in branches],
    )
    return gone


async def accounts_without_branch(reader: Reader) -> int:
    """How many live bank accounts are at a branch that is not listed any more."""
    return int(
        await reader.fetchval(
            """
            select count(*) from bank_accounts a join branches r on r.bank_code = a.bank_code and r.code = a.branch_code
             where a.deleted_at is null and r.removed_at is not null
            """
        )
    )


async def record_import(tx: Tx, source: str, *, banks: int, branches: int, removed: int) -> None:
    """An import was done."""
    await tx.execute(
        "insert into bank_imports (source, banks, branches, removed) values ($1, $2, $3, $4)",
        source, banks, branches, removed,
    )  # fmt: skip


async def imports(reader: Reader, limit: int = 5) -> list[Any]:
    """The newest imports."""
    return await reader.fetch(
        "select done_at, source, banks, branches, removed from bank_imports order by place desc limit $1", limit
    )


def _columns(rows: Sequence[Bank] | Sequence[Branch], *names: str) -> list[list[str]]:
    return [[getattr(row, name) for row in rows] for name in names]
