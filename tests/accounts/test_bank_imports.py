"""An import of banks is all or nothing, tells every row's error, and marks what vanished instead of deleting it."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.command_line import DEMO
from accounts.rules.bank_files import COLUMNS, Master, read
from chassis.sql import Database
from contracts.accounts import OperatorActed
from tests.accounts import messages
from tests.accounts.conftest import Terminal
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.unique import policyholder_code

HEADER = ",".join(COLUMNS)
ROWS = [f"0001,甲銀行,コウギンコウ,{n:03d},第{n}支店,ダイ{n}シテン" for n in range(1, 31)]


def written(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> str:
    """A CSV file with these rows."""
    path = folder / "banks.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
    return str(path)


async def listed(database: Database) -> list[Any]:
    """The codes that are listed."""
    return [tuple(row) for row in await database.fetch(
        "select bank_code, code, name from branches where removed_at is null order by bank_code, code"
    )]  # fmt: skip


@pytest.mark.requirement("F5")
async def test_an_import_adds_changes_marks_and_brings_back(
    apart: Platform, tmp_path: Path, terminal: Terminal
) -> None:
    async with apart.owner("accounts") as owner:
        status, out, _ = await terminal(
            "banks", "import", written(tmp_path, *ROWS, encoding="cp932"), "--encoding", "cp932"
        )
        assert (status, out) == (0, "1 banks, 30 branches, 0 removed\n")
        async with apart.running("accounts") as runtime:
            wish = {"bank_code": "0001", "branch_code": "030"}
            await apart.say("applications", messages.registration(policyholder_code(), **wish))
            await eventually(lambda: runtime.database.fetchval("select true from bank_accounts"))
        fewer = [*ROWS[1:29], "0002,乙銀行,オツギンコウ,001,本店,ホンテン", ROWS[0].replace("第1支店", "新支店")]
        status, out, _ = await terminal("banks", "import", written(tmp_path, *fewer))
        assert (status, out) == (
            0, "2 banks, 30 branches, 1 removed\n1 registered accounts are at branches that are not listed any more\n"
        )  # fmt: skip
        assert ("0001", "001", "新支店") in await listed(owner) and ("0002", "001", "本店") in await listed(owner)
        assert await owner.fetchval("select removed_at is not null from branches where code = '030'")
        await terminal("banks", "import", written(tmp_path, *ROWS))
        assert [code for _, code, _ in await listed(owner)] == [f"{n:03d}" for n in range(1, 31)]
        assert await owner.fetchval("select removed_at is not null from banks where code = '0002'")
    status, out, _ = await terminal("banks", "status")
    said = json.loads(out)
    assert (status, said["listed_branches"]) == (0, 30)
    assert [one["removed"] for one in said["imports"]] == [1, 1, 0] and said["imports"][0]["source"] == "banks.csv"


async def test_a_dry_run_and_a_shrunken_file_change_nothing(
    apart: Platform, tmp_path: Path, terminal: Terminal
) -> None:
    async with apart.owner("accounts") as owner:
        status, out, _ = await terminal("banks", "import", written(tmp_path, *ROWS), "--dry-run")
        assert status == 0 and "1 banks, 30 branches" in out and await listed(owner) == []
        await terminal("banks", "import", written(tmp_path, *ROWS))
        before = await listed(owner)
        status, _, errors = await terminal("banks", "import", written(tmp_path, *ROWS[:20]))
        assert status == 1 and "--remove-many" in errors and await listed(owner) == before
        status, out, _ = await terminal(
            "banks", "import", written(tmp_path, *ROWS[:20]), "--remove-many", "--by", "aki"
        )
        assert status == 0 and "10 removed" in out and len(await listed(owner)) == 20
        said = await owner.fetch("select data from outbox where type = $1 order by place", OperatorActed.wire_type())
        whole, last = [OperatorActed.model_validate_json(row["data"]) for row in said]
        assert (whole.command, whole.about, last.operator.user_id) == ("banks import", "banks.csv", "operator:aki")


async def test_every_error_is_told_and_nothing_is_imported(apart: Platform, tmp_path: Path, terminal: Terminal) -> None:
    wrong = [
        "1,甲銀行,コウ,001,本店,ホンテン",
        "０００１,甲銀行,コウ,001,本店,ホンテン",
        "0002,乙銀行,オツ,1,本店,ホンテン",
        "0002,,オツ,001,本店,ホンテン",
        f"0002,乙銀行,{'オ' * 101},001,本店,ホンテン",
        "0002,乙銀行,オツ,001,本\u202e店,ホンテン",
        "0003,丙銀行,ヘイ,001",
        "0001,乙銀行,コウギンコウ,900,本店,ホンテン",
        ROWS[0],
    ]
    status, out, errors = await terminal("banks", "import", written(tmp_path, *ROWS, *wrong))
    assert (status, out) == (1, "")
    assert [line.split(":")[0] for line in errors.splitlines()[:-1]] == [f"line {32 + n}" for n in range(len(wrong))]
    assert errors.splitlines()[-1] == f"{len(wrong)} errors; nothing was imported."
    (tmp_path / "banks.csv").write_text(HEADER, encoding="utf-16")
    status, _, errors = await terminal("banks", "import", str(tmp_path / "banks.csv"))
    assert status == 1 and "cannot be read" in errors
    assert (await terminal("banks", "demo", "x.csv"))[0] == 2
    async with apart.owner("accounts") as owner:
        assert await listed(owner) == []


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([HEADER], "lists nothing"),
        (["a,b,c", ROWS[0]], "first line"),
        ([], "first line"),
        ([HEADER, '0001,"甲'], "not CSV"),
        ([HEADER, "0001,甲\0,コウ,001,本店,ホンテン"], "cannot be printed"),
        ([HEADER, "0001," + "甲" * 200_000], "not CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(lines: list[str], word: str) -> None:
    master = Master()
    list(read(lines, master))
    assert [word in reason for _, reason in master.errors] == [True]


async def test_the_demo_set_and_the_package_can_be_imported(apart: Platform, terminal: Terminal) -> None:
    status, out, _ = await terminal("banks", "demo")
    rows = len(DEMO.read_text(encoding="utf-8").splitlines()) - 1
    assert (status, out) == (0, f"15 banks, {rows} branches, 0 removed\n")
    pytest.importorskip("zengin_code")
    status, out, errors = await terminal("banks", "zengin", "--remove-many")
    assert status == 0 and f"{rows} removed" in out and "rows read" in errors
