"""A stand-in for identity's published keys, so that one service can be tested with callers of any kind."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OKPKey

from chassis.tokens import ALGORITHM, AUDIENCE, ISSUER
from contracts.caller import Caller

NEWEST = 1_000_000  # a version that no test reaches


class Signer:
    """Signs access tokens the way identity does."""

    def __init__(self) -> None:
        self.url = ""
        self._others: list[dict[str, str]] = []
        self.replace_key()

    def replace_key(self) -> None:
        """Sign with another key from now on, and publish the earlier one no more."""
        self._key = OKPKey.generate_key("Ed25519", {"kid": "test"}, private=True)

    def token(self, caller: Caller, versions: Mapping[str, int] | None = None, *, lapses_in: float = 3600) -> str:
        """A token for `caller`; by default of a running session, with the newest rights of its user and company.

        When identity runs beside, it revokes what it hears about: a token of older rights would be refused.
        """
        operator = caller.operator
        newest = {
            f"session:{caller.session_id}": 0,
            f"user:{operator.user_id}": NEWEST,
            f"policyholder:{operator.policyholder_code}": NEWEST,
        }
        now = time.time()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": operator.user_id,
            "iat": int(now),
            "exp": int(now + lapses_in),
            "caller": caller.model_dump(mode="json"),
            "versions": newest if versions is None else dict(versions),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": "test"}, claims, self._key, algorithms=[ALGORITHM])

    def headers(self, caller: Caller, versions: Mapping[str, int] | None = None) -> dict[str, str]:
        """The request header that carries a token."""
        return {"Authorization": f"Bearer {self.token(caller, versions)}"}

    @asynccontextmanager
    async def published(self) -> AsyncIterator["Signer"]:
        """Serve the key set on a free port while inside."""
        application = web.Application()
        application.router.add_get("/jwks.json", self._answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
        try:
            yield self
        finally:
            await runner.cleanup()

    def trust(self, keys: list[dict[str, str]]) -> None:
        """Publish these public keys too, so that the tokens of a real identity count beside ours."""
        self._others = [*(one for one in self._others if one not in keys), *keys]

    async def _answer(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self._key.as_dict(private=False), *self._others]})
