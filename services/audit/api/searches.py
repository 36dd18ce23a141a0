"""アクセス履歴出力: how much a download would bring, for the history and for the security trail (R242 to R253)."""

from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field

from audit.rules import files, sizes, windows
from audit.rules.windows import Window
from audit.store import searches
from chassis.http import Body, Invalid, Routes, View, source_of
from chassis.messages import new_id
from chassis.sql import Database, Tx
from contracts.audit import HistorySearched
from contracts.caller import Caller
from contracts.permissions import Permission

NOTHING = "対象データがありません"

history = Routes(tag="access history")
trail = Routes(tag="security trail")


class Form(StrEnum):
    """WebユーザーID単位 or アクセス日時単位 (R248)."""

    BY_USER = "by_user"
    BY_TIME = "by_time"


class Encoding(StrEnum):
    """UTF-8 with a byte order mark, or Windows-31J (H6)."""

    UTF_8 = "utf-8"
    WINDOWS_31J = "windows-31j"


class Question(Body):
    """Period, target and form. Days are Japanese calendar days, both included."""

    first_day: date = Field(description="対象期間（開始日）")
    last_day: date = Field(description="対象期間（終了日）")
    user_id: str | None = Field(
        None, min_length=1, max_length=64, description="WebユーザーID; null: （全ユーザー指定）"
    )
    form: Form = Form.BY_USER
    encoding: Encoding = Encoding.UTF_8


class Served(View):
    """What of the asked period is served (H4); `until` is now when the last day is today."""

    first_day: date
    last_day: date
    since: AwareDatetime
    until: AwareDatetime


class Found(View):
    """What the download of this search will deliver, exactly."""

    id: UUID
    records: int = Field(description="レコード件数, exact")
    bytes: int = Field(description="おおよそのファイルサイズ, within 10 %")
    window: Served | None = Field(description="null when no day of the period is served")
    user_id: str | None
    form: Form
    encoding: Encoding
    file_name: str | None
    advice: str | None = Field(description="shown when more than 5 MB are expected")
    message: str | None = Field(description="「対象データがありません」, else null")


class UserId(View):
    """A user ID that appears in the history; also of users who are disabled now (H3)."""

    user_id: str
    last_day: date


@history.post("/access-history/searches", needs=Permission.ADMINISTER, status=201)
async def search_history(body: Question, caller: Caller, request: web.Request, tx: Tx) -> Found:
    """How many records the access history has for these conditions, and how large the file will be."""
    return await _search("history", body, caller, request, tx)


@trail.post("/security-trail/searches", needs=Permission.ADMINISTER, status=201)
async def search_trail(body: Question, caller: Caller, request: web.Request, tx: Tx) -> Found:
    """The same for everything that is not in the catalogue of operations (H2)."""
    return await _search("trail", body, caller, request, tx)


@history.get("/access-history/user-ids", needs=Permission.ADMINISTER)
async def list_user_ids(caller: Caller, database: Database) -> list[UserId]:
    """The user IDs that have something recorded within the last year, to choose the target from."""
    today = windows.japanese_day(datetime.now(UTC))
    window = Window(windows.one_year_before(today), today)
    return [UserId(**row) for row in await searches.user_ids(database, caller.operator.policyholder_code, window)]


async def _search(view: searches.View, asked: Question, caller: Caller, request: web.Request, tx: Tx) -> Found:
    if asked.first_day > asked.last_day:
        raise Invalid.field("body.last_day", "reversed", "終了日は開始日以降の日付を指定してください。")
    now = datetime.now(UTC)
    window = windows.served(asked.first_day, asked.last_day, now)
    search_id = new_id()
    records = bytes_ = 0
    if window is not None:
        code = caller.operator.policyholder_code
        records, bytes_, up_to = await _measure(view, asked, code, window, tx)
        await searches.keep(
            tx,
            {
                "id": search_id, "view": view, "policyholder_code": code, "asked_by": caller.operator.user_id,
                "target_user_id": asked.user_id, "form": asked.form.value, "encoding": asked.encoding.value,
                "first_day": window.first_day, "last_day": window.last_day, "up_to": up_to,
                "records": records, "bytes": bytes_, "asked_at": now,
            },
        )  # fmt: skip
    tx.emit(_asked(asked, caller, request, window, now, records))
    return Found(
        id=search_id,
        records=records,
        bytes=bytes_,
        window=None if window is None else _served(window, now),
        user_id=asked.user_id,
        form=asked.form,
        encoding=asked.encoding,
        file_name=files.name(view, window.first_day, window.last_day)[1] if window and records else None,
        advice=sizes.advice(bytes_),
        message=None if records else NOTHING,
    )


async def _measure(
    view: searches.View, asked: Question, policyholder_code: str, window: Window, tx: Tx
) -> tuple[int, int, int]:
    """Records, bytes of the file, and the row up to which both count."""
    total = await searches.measure(tx, view, policyholder_code, asked.user_id, window)
    if not total["records"]:
        return 0, 0, total["up_to"]
    size = sizes.estimate(asked.encoding, total["bytes"], total["letters"])
    return total["records"], size + files.head_bytes(asked.encoding, view, asked.form), total["up_to"]


def _served(window: Window, now: datetime) -> Served:
    return Served(
        first_day=window.first_day,
        last_day=window.last_day,
        since=window.starts_at,
        until=min(window.ends_before, now),
    )


def _asked(
    asked: Question, caller: Caller, request: web.Request, window: Window | None, now: datetime, records: int
) -> HistorySearched:
    """Searches are part of the trail, also those that found nothing; without a window, the asked days are kept."""
    days = window or Window(_bounded(asked.first_day), _bounded(asked.last_day))
    return HistorySearched(
        operator=caller.operator,
        session_id=caller.session_id,
        source_address=source_of(request),
        window_from=days.starts_at,
        window_to=days.ends_before if window is None else min(window.ends_before, now),
        target_user_id=asked.user_id,
        records=records,
    )


def _bounded(day: date) -> date:
    """Far years have no readable moments in Japan time."""
    return min(max(day, date(2000, 1, 1)), date(2999, 1, 1))
