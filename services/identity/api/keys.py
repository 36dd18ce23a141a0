"""The public keys of access tokens (JWKS, RFC 7517)."""

from aiohttp import web

from chassis.http import PUBLIC, Routes
from identity.keyring import Keyring

routes = Routes(tag="keys")


@routes.get("/.well-known/jwks.json", needs=PUBLIC)
async def publish_keys(keyring: Keyring) -> web.Response:
    """The keys that verify access tokens now: the signing one, its successor, and those of tokens not yet lapsed."""
    return web.json_response({"keys": [key.public for key in await keyring.keys()]})
