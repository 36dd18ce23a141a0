"""Where a request comes from: the address of the person, behind front ends that are believed."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from aiohttp import hdrs, web

Network = IPv4Network | IPv6Network

TRUSTED_PROXIES: Final = web.AppKey("trusted-proxies", Sequence[Network])
"""The front ends whose X-Forwarded-For is believed."""


def source_of(request: web.Request) -> str:
    """The address of the person: what a trusted front end says in X-Forwarded-For, else who connected to us."""
    peer, trusted = request.remote or "", request.app[TRUSTED_PROXIES]
    hops = [hop.strip() for value in request.headers.getall(hdrs.X_FORWARDED_FOR, ()) for hop in value.split(",")]
    for hop in reversed(hops):
        if not _is_trusted(peer, trusted) or not _is_address(hop):
            break
        peer = hop
    return peer


def _is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    if not _is_address(peer):
        return False
    address = ip_address(peer)
    return any(address in network for network in trusted if network.version == address.version)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
