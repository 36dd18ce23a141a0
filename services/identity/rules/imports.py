"""Reads a CSV file of applicants as spreadsheets write it: UTF-8 or Windows-31J, Japanese header, a row each."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.permissions import APPLICATION_DATA_LABELS, CONTRACT_DATA_LABELS, ENTRY_LABELS
from identity.rules.applicants import LABELS, Broken

MOST_BYTES = 512 * 1024
MOST_REPORTED = 1000
"""Errors of a header; one with more is hopeless and is better looked at as a whole."""

COLUMNS = (
    "email", "name", "phone", "department", "title", "entry", "contract_data", "rider_codes", "application_data"
)  # fmt: skip
_MANDATORY = frozenset({"email", "name", "entry", "contract_data", "application_data"})
_CHOICES: dict[str, dict[str, StrEnum]] = {
    "entry": {label: value for value, label in ENTRY_LABELS.items()},
    "contract_data": {label: value for value, label in CONTRACT_DATA_LABELS.items()},
    "application_data": {label: value for value, label in APPLICATION_DATA_LABELS.items()},
}
HEADER = tuple(LABELS[name] for name in COLUMNS)
_NAMES = {label: name for name, label in zip(COLUMNS, HEADER, strict=True)}
_SEPARATORS = str.maketrans(dict.fromkeys("、,;；・", " "))
"""What people type between rider codes in one cell; blanks and line breaks part them anyway."""


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in a cell. Row 1 is the header, as a spreadsheet counts; column None means the row as a whole."""

    row: int
    column: str | None
    rule: str
    message: str

    @classmethod
    def of(cls, row: int, broken: Broken) -> "RowError":
        """A broken rule of a field, in its row."""
        return cls(row, broken.field.partition(".")[0], broken.rule, broken.message)


@dataclass(frozen=True, slots=True)
class Row:
    """One applicant as the file says it; the choices are read, the texts not yet checked."""

    number: int
    values: dict[str, object]


@dataclass(slots=True)
class Sheet:
    """The file, read. `records`: how many rows are not empty, good or not."""

    records: int = 0
    rows: list[Row] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def read(content: bytes, most_rows: int) -> Sheet:
    """The rows of a file, and what is wrong with its form. Never raises because of what the file says."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _read_text(text, most_rows)
    return _hopeless("encoding", "UTF-8またはWindows-31J（Shift_JIS）のCSVファイルを指定してください。")


def template() -> bytes:
    """A file with the header row only, as spreadsheets recognise it."""
    return ("\ufeff" + ",".join(HEADER) + "\r\n").encode()


def _hopeless(rule: str, message: str, row: int = 1) -> Sheet:
    return Sheet(errors=[RowError(row, None, rule, message)])


def _read_text(text: str, most_rows: int) -> Sheet:
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    sheet = Sheet()
    number = 0
    try:
        header = next(records, [])
        names, wrong = _header(header)
        if wrong:
            return Sheet(errors=wrong)
        for number, cells in enumerate(records, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if sheet.records == most_rows:
                return _hopeless("too_many_rows", f"一度に登録できるのは{most_rows}件までです。", number)
            sheet.records += 1
            _take(number, cells, names, sheet)
    except csv.Error:
        sheet.errors.append(RowError(number + 1, None, "csv", "CSVとして読み取れない行です。"))
    if not sheet.rows and not sheet.errors:
        return _hopeless("empty", "登録する申込者の行がありません。", 2)
    return sheet


def _header(cells: Sequence[str]) -> tuple[list[str], list[RowError]]:
    """The fields in the order of the file's columns; every column once, those that may be empty may be missing."""
    labels = [cell.strip() for cell in cells]
    wrong = [
        RowError(1, None, "unknown_column", f"{place}列目の列名は使用できません。")
        for place, label in enumerate(labels, start=1)
        if label not in _NAMES
    ]
    names = [_NAMES[label] for label in labels if label in _NAMES]
    wrong += [
        RowError(1, name, "repeated_column", f"列「{LABELS[name]}」が重複しています。")
        for name in COLUMNS
        if names.count(name) > 1
    ]
    wrong += [
        RowError(1, name, "missing_column", f"列「{LABELS[name]}」がありません。")
        for name in COLUMNS
        if name in _MANDATORY and name not in names
    ]
    return names, wrong[:MOST_REPORTED]


def _take(number: int, cells: Sequence[str], names: Sequence[str], sheet: Sheet) -> None:
    if len(cells) != len(names):
        message = f"列の数が{len(names)}ではなく{len(cells)}です。"
        sheet.errors.append(RowError(number, None, "column_count", message))
        return
    values: dict[str, object] = {}
    for name, cell in zip(names, cells, strict=True):
        if name == "rider_codes":
            values[name] = tuple(cell.translate(_SEPARATORS).split())
        elif name in _CHOICES:
            values.update(_choice(number, name, cell.strip(), sheet.errors))
        else:
            values[name] = cell
    sheet.rows.append(Row(number, values))


def _choice(number: int, name: str, label: str, errors: list[RowError]) -> Iterator[tuple[str, object]]:
    chosen = _CHOICES[name].get(label.replace("＋", "+"))
    if chosen is not None:
        yield name, chosen
    else:
        message = "次のいずれかを入力してください: " + "、".join(_CHOICES[name])
        errors.append(RowError(number, name, "choice", message))
