"""Where a request comes from, and how much it may still ask for."""

from ipaddress import ip_address

from aiohttp import hdrs, web

from chassis.sql import Database
from identity.api.problems import TooManyRequests
from identity.settings import IdentitySettings
from identity.store import source_limits

USER_AGENT_LENGTH = 200


def source_of(request: web.Request, settings: IdentitySettings) -> str:
    """The address of the person: what a trusted front end says in X-Forwarded-For, else who connected to us."""
    peer = request.remote or ""
    hops = [hop.strip() for value in request.headers.getall(hdrs.X_FORWARDED_FOR, ()) for hop in value.split(",")]
    for hop in reversed(hops):
        if not _trusted(peer, settings) or not _is_address(hop):
            break
        peer = hop
    return peer


def user_agent_of(request: web.Request) -> str:
    """What the browser calls itself, cut to a sane length, printable letters only."""
    given = request.headers.get(hdrs.USER_AGENT, "")[:USER_AGENT_LENGTH]
    return "".join(letter for letter in given if letter.isprintable())


async def take(database: Database, kind: str, source: str, most: int, per_minute: float) -> None:
    """Count one request of this address. Raises TooManyRequests."""
    if not await source_limits.take(database, kind, source, most, per_minute):
        raise TooManyRequests


def _trusted(peer: str, settings: IdentitySettings) -> bool:
    if not _is_address(peer):
        return False
    address = ip_address(peer)
    return any(address in network for network in settings.trusted_proxies if network.version == address.version)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
