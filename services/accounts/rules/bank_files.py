"""The file of banks and branches: read row by row, every row checked, all errors told at once."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from accounts.rules.search_keys import search_key

COLUMNS: Final = ("bank_code", "bank_name", "bank_kana", "branch_code", "branch_name", "branch_kana")
LONGEST: Final = 100
_BANK_CODE: Final = re.compile(r"[0-9]{4}")
_BRANCH_CODE: Final = re.compile(r"[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank as listed."""

    code: str
    name: str
    kana: str

    @property
    def search_name(self) -> str:
        """The name as searched for."""
        return search_key(self.name)

    @property
    def search_kana(self) -> str:
        """The kana as searched for."""
        return search_key(self.kana)


@dataclass(frozen=True, slots=True)
class Branch(Bank):
    """A branch as listed."""

    bank_code: str


@dataclass(slots=True)
class Master:
    """All banks and branches of a file, and what is wrong with it, by line."""

    banks: dict[str, Bank] = field(default_factory=dict)
    branches: dict[tuple[str, str], Branch] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)
    rows: int = 0

    def add(self, line: int, row: list[str]) -> None:
        """Take one row of the file."""
        self.rows += 1
        wrong = list(_wrong(row))
        if not wrong:
            bank = Bank(row[0], row[1], row[2])
            branch = Branch(row[3], row[4], row[5], bank_code=row[0])
            if self.banks.setdefault(bank.code, bank) != bank:
                wrong.append(f"bank {bank.code} was named otherwise in an earlier row")
            if self.branches.setdefault((bank.code, branch.code), branch) is not branch:
                wrong.append(f"branch {bank.code}-{branch.code} was listed in an earlier row")
        self.errors += [(line, one) for one in wrong]


def read(lines: Iterable[str], master: Master) -> Iterator[int]:
    """Read CSV lines, the first one with the COLUMNS, into `master`; yields the number of rows so far, row by row."""
    reader = csv.reader(lines, strict=True)
    try:
        if tuple(cell.strip() for cell in next(reader, [])) != COLUMNS:
            master.errors.append((1, f"the first line must be {','.join(COLUMNS)}"))
            return
        for row in reader:
            if row:
                master.add(reader.line_num, [cell.strip() for cell in row])
                yield master.rows
    except csv.Error as error:
        master.errors.append((reader.line_num, f"not CSV: {error}"))
    if not master.rows and not master.errors:
        master.errors.append((reader.line_num, "the file lists nothing"))


def _wrong(row: list[str]) -> Iterator[str]:
    if len(row) != len(COLUMNS):
        yield f"{len(row)} columns instead of {len(COLUMNS)}"
        return
    for name, cell in zip(COLUMNS, row, strict=True):
        if name == "bank_code":
            if not _BANK_CODE.fullmatch(cell):
                yield "bank_code: four digits"
        elif name == "branch_code":
            if not _BRANCH_CODE.fullmatch(cell):
                yield "branch_code: three digits"
        elif not 0 < len(cell) <= LONGEST:
            yield f"{name}: 1 to {LONGEST} letters"
        elif any(unicodedata.category(letter).startswith("C") for letter in cell):
            yield f"{name}: letters that cannot be printed"
