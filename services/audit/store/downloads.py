"""Rows as lines of CSV, written by PostgreSQL itself (COPY … TO STDOUT)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from audit.rules.parts import Part
from audit.rules.windows import Window

COPY_SECONDS = 600.0

_RISKY = ",".join(str(ord(letter)) for letter in "=+-@\t\r\n＝＋－＠−﹣﹢﹦﹫")
"""What a spreadsheet may take for the beginning of a formula (H6), also in its full-width and small forms."""


def _cell(column: str) -> str:
    """The text; with an apostrophe before it when it could start a formula, also after blanks; NULL when empty."""
    blanks = r"E' \u3000\u00a0\ufeff'"
    return (
        f"case when ascii(ltrim({column}, {blanks})) in ({_RISKY}) then '''' || {column} else nullif({column}, '') end"
    )


_TIME = "to_char(performed_at at time zone 'Asia/Tokyo', 'YYYY/MM/DD HH24:MI:SS')"
_NAMES = f"{_cell('name')}, {_cell('department')}, {_cell('title')}"
_WHO = _cell("user_id")
_DOING = "printed.text"
_MORE = f"outcomes.text, {_NAMES}, {_cell('source_address')}, {_cell('details::text')}"
_COLUMNS = {
    ("history", "by_user"): f"{_WHO}, {_TIME}, {_DOING}, {_NAMES}",
    ("history", "by_time"): f"{_TIME}, {_WHO}, {_DOING}, {_NAMES}",
    ("trail", "by_user"): f"{_WHO}, {_TIME}, coalesce({_DOING}, type), {_MORE}",
    ("trail", "by_time"): f"{_TIME}, {_WHO}, coalesce({_DOING}, type), {_MORE}",
}
_NAMED = "unnest($1::text[], $2::text[])"
_SOURCE = {
    "history": f"history join {_NAMED} printed (code, text) on printed.code = operation",
    "trail": (
        f"history left join {_NAMED} printed (code, text) on printed.code = type"
        " left join unnest($8::text[], $9::text[]) outcomes (code, text) on outcomes.code = outcome"
    ),
}
_ORDER = {
    "by_user": "user_id, performed_at, number",
    # By the second that is printed, so that the file is in the order it shows.
    "by_time": "date_trunc('second', performed_at), user_id, performed_at, number",
}


def question(view: str, form: str) -> str:
    """The SELECT of a part: $1, $2 names of operations, $3 policyholder, $4 users, $5, $6 period, $7 snapshot."""
    in_view = "is not null" if view == "history" else "is null"
    return f"""
        select {_COLUMNS[view, form]}
          from {_SOURCE[view]}
         where policyholder_code = $3 and user_id = any($4::text[])
           and performed_at >= $5 and performed_at < $6 and number <= $7 and operation {in_view}
         order by {_ORDER[form]}
    """


async def copy(
    connection: Any,
    search: Any,
    part: Part,
    names: Mapping[str, str],
    outcomes: Mapping[str, str],
    sink: Callable[[bytes], Awaitable[None]],
) -> int:
    """Write a part's lines (LF ends) to `sink`; answers how many records they were."""
    window = Window(part.first_day, part.last_day)
    arguments: list[object] = [
        list(names), list(names.values()), search["policyholder_code"], list(part.users),
        window.starts_at, window.ends_before, search["up_to"],
    ]  # fmt: skip
    if search["view"] == "trail":
        arguments += [list(outcomes), list(outcomes.values())]
    answer = await connection.copy_from_query(
        question(search["view"], search["form"]), *arguments, output=sink, format="csv", timeout=COPY_SECONDS
    )
    return int(answer.rpartition(" ")[2])
