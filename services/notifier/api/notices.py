"""お知らせ for every signed-in user (R19, N3)."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from chassis.http import NotFound, Routes, View
from chassis.sql import Database
from contracts.permissions import Permission
from notifier.store import notices

routes = Routes(tag="notices")

NEWEST = 3
MOST = 1000

NoticeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,40}$")]


class NoticeLine(View):
    """A notice in a list."""

    notice_id: str
    title: str
    published_from: AwareDatetime


class Notice(NoticeLine):
    """A notice with its text."""

    body: str


class Notices(View):
    """Notices, newest first."""

    notices: list[NoticeLine]


@routes.get("/notices/newest", needs=Permission.USE, step_up=False)
async def list_newest_notices(database: Database) -> Notices:
    """The newest 3, for the user page, which is shown before a one-time password is entered (R19, O3)."""
    return await _shown(database, NEWEST)


@routes.get("/notices", needs=Permission.USE)
async def list_notices(database: Database) -> Notices:
    """掲載中のお知らせ一覧: all that are published now (R19)."""
    return await _shown(database, MOST)


@routes.get("/notices/{notice_id}", needs=Permission.USE, raises=[NotFound])
async def show_notice(notice_id: NoticeId, database: Database) -> Notice:
    """One notice that is published now."""
    row = await notices.one(database, notice_id, datetime.now(UTC))
    if row is None:
        raise NotFound
    return Notice(**row)


async def _shown(database: Database, limit: int) -> Notices:
    rows = await notices.shown(database, datetime.now(UTC), limit)
    return Notices(notices=[NoticeLine(**row) for row in rows])
