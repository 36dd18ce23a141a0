"""What a request says about the browser it comes from, and how much its address may still ask for."""

from aiohttp import hdrs, web

from chassis.sql import Database
from identity.api.problems import TooManyRequests
from identity.store import source_limits

USER_AGENT_LENGTH = 200


def user_agent_of(request: web.Request) -> str:
    """What the browser calls itself, cut to a sane length, printable letters only."""
    given = request.headers.get(hdrs.USER_AGENT, "")[:USER_AGENT_LENGTH]
    return "".join(letter for letter in given if letter.isprintable())


async def take(database: Database, kind: str, source: str, most: int, per_minute: float) -> None:
    """Count one request of this address. Raises TooManyRequests."""
    if not await source_limits.take(database, kind, source, most, per_minute):
        raise TooManyRequests
