"""No cell of a file runs as a formula, every file is RFC 4180, and both encodings hold what they can (H6, B-5)."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from audit.rules.files import Writer
from contracts.operations import Operation
from tests.audit.conftest import Company

HOSTILE = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠x", " =1", "\u3000=1", "\ufeff=1",
    "\u00a0+1", "−1", "﹢1", "=cmd|' /C calc'!A0", '="x"', "-2+3+cmd|' /C calc'!A0", "@", "=",
]  # fmt: skip
HARMLESS = [
    "日本, 太郎",
    '日本 "太郎"',
    "日本\n太郎",
    "日本\r\n太郎",
    "a=b",
    "1-1",
    "'quoted'",
    "\\N",
    "\\.",
    ";",
    "𠮷野家",
]


async def names(company: Company, words: list[str], encoding: str) -> list[list[str]]:
    """The records of a file in which each of these words was a name, read back as a spreadsheet reads them."""
    start = datetime.now(UTC) - timedelta(hours=1)
    await company.did(
        *(
            (company.operator(name=word, department=word[:25], title=""), Operation.LOGIN, start + timedelta(seconds=n))
            for n, word in enumerate(words)
        )
    )
    days = [f"{moment + timedelta(hours=9):%Y-%m-%d}" for moment in (start, datetime.now(UTC))]
    body = await company.download(await company.search(*days, encoding=encoding))
    text = body.decode("utf-8-sig" if encoding == "utf-8" else "cp932")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]


@pytest.mark.requirement("H6", "B-5")
@pytest.mark.parametrize("encoding", ["utf-8", "windows-31j"])
async def test_no_cell_starts_a_formula(company: Company, encoding: str) -> None:
    records = await names(company, HOSTILE, encoding)
    assert len(records) == len(HOSTILE)
    for record, word in zip(records, HOSTILE, strict=True):
        assert len(record) == 6
        for cell in record[3:5]:
            assert cell.startswith("'")
        if encoding == "utf-8":
            assert record[3] == "'" + word
        assert record[5] == ""


@pytest.mark.requirement("H6")
async def test_harmless_cells_come_as_they_are(company: Company) -> None:
    records = await names(company, HARMLESS, "utf-8")
    assert [record[3] for record in records] == HARMLESS


@pytest.mark.requirement("H6")
async def test_windows_31j_holds_what_it_can_and_marks_what_it_cannot(company: Company) -> None:
    words = ["髙橋　﨑子", "①㈱№", "𠮷野家", "a〜b", "カナｶﾅ", "表示\\能", "x—y‖z", "😀"]
    records = await names(company, words, "windows-31j")
    assert [record[3] for record in records] == [
        "髙橋　﨑子", "①㈱№", "〓野家", "a～b", "カナｶﾅ", "表示\\能", "x―y∥z", "〓",
    ]  # fmt: skip


@pytest.mark.requirement("H6")
@pytest.mark.parametrize("encoding", ["utf-8", "windows-31j"])
def test_pieces_may_be_cut_anywhere(encoding: str) -> None:
    text = 'a,"日本\n太郎",c\n"x ""y"" z\n",,\n日本,\n'.encode()
    whole = Writer(encoding).write(text)
    assert whole.decode(encoding if encoding == "utf-8" else "cp932") == (
        'a,"日本\n太郎",c\r\n"x ""y"" z\n",,\r\n日本,\r\n'
    )
    for cut in range(len(text) + 1):
        for second in range(cut, len(text) + 1, 5):
            writer = Writer(encoding)
            assert writer.write(text[:cut]) + writer.write(text[cut:second]) + writer.write(text[second:]) == whole


@pytest.mark.requirement("R311", "H6")
async def test_rows_are_in_the_order_that_the_file_shows(company: Company) -> None:
    """By the printed second, then user ID; one user's own rows by their moment, ties by arrival."""
    second = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    done = [
        (2, Operation.LOGIN, 100), (1, Operation.LOGIN, 900_000), (1, Operation.BUYER_ENTRY, 500_000),
        (1, Operation.BUYER_APPLICATION, 500_000), (0, Operation.LOGIN, 1_000_000),
    ]  # fmt: skip
    for serial, operation, microseconds in done:
        await company.did((company.operator(serial), operation, second + timedelta(microseconds=microseconds)))
    days = [f"{second + timedelta(hours=9):%Y-%m-%d}", f"{datetime.now(UTC) + timedelta(hours=9):%Y-%m-%d}"]
    body = await company.download(await company.search(*days, form="by_time"))
    records = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))[1:]
    assert [(record[1][-3:], record[2][1:4]) for record in records] == [
        ("001", "2-1"), ("001", "2-2"), ("001", "1-1"), ("002", "1-1"), ("000", "1-1"),
    ]  # fmt: skip
