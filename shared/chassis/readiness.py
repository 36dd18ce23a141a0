"""Whether a process can do its work: named checks, behind /ready and /serving."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from aiohttp import web

from chassis.amqp.consumer import Consumer
from chassis.http.guard import LEAVING
from chassis.revocations import Revocations
from chassis.sql import Database

Check = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else what is wrong."""

SERVING = ("database", "access")
OLD_SECONDS = 300


def can_work(database: Database, revocations: Revocations, consumers: Sequence[Consumer]) -> Mapping[str, Check]:
    """For operators and orchestrators: everything that a process does."""

    async def database_answers() -> str | None:
        await database.fetchval("select 1")
        return None

    async def sessions_known() -> str | None:
        return None if revocations.caught_up.is_set() else "ended sessions are not known yet"

    async def listening() -> str | None:
        missing = [consumer.queue for consumer in consumers if not consumer.attached]
        return f"not attached: {', '.join(missing)}" if missing else None

    async def outbox_young() -> str | None:
        refused = await database.fetchrow("select type, refused from outbox where refused is not null limit 1")
        if refused is not None:
            return f"the broker refuses {refused['type']}: {refused['refused']}"
        age = await database.fetchval("select extract(epoch from now() - min(occurred_at)) from outbox")
        return f"oldest unpublished event is {age:.0f} s old" if age and age > OLD_SECONDS else None

    return {"database": database_answers, "access": sessions_known, "broker": listening, "outbox": outbox_young}


def can_serve(application: web.Application, ready: Mapping[str, Check]) -> Mapping[str, Check]:
    """For load balancers: without its broker a service cannot do its whole work, and still answers every request."""
    return {name: ready[name] for name in SERVING} | {"leaving": partial(_leaving, application)}


async def _leaving(application: web.Application) -> str | None:
    return "about to stop" if application[LEAVING].is_set() else None
