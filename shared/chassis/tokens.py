"""Who is calling: access tokens (Ed25519 JWT, five minutes) verified locally with the issuer's published keys."""

import asyncio
import time
from collections import OrderedDict
from typing import Any, Generic, NamedTuple, TypeVar

import aiohttp
import structlog
from aiohttp import web
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from chassis.http import Busy, Unauthenticated
from chassis.revocations import TOKEN_LIFE, Revocations

log = structlog.get_logger()

ALGORITHM = "Ed25519"
ISSUER = "identity"
AUDIENCE = "gateways"
CACHED_TOKENS = 20_000
REFRESH_PAUSE_SECONDS = 2.0
TRUSTED_SECONDS = TOKEN_LIFE.total_seconds()
"""After so long tokens and keys are looked at again: an operator's token lives for days, and a key may be replaced."""
LEEWAY_SECONDS = 5

CallerT = TypeVar("CallerT", bound=BaseModel)


class _Known(NamedTuple, Generic[CallerT]):
    """A token that was checked; `lapses` by the clock, `checked_at` by the loop's."""

    caller: CallerT
    versions: dict[str, int]
    lapses: float
    checked_at: float


class Verifier(Generic[CallerT]):
    """Checks a token once, then remembers it for a while: the signature check costs more than the request."""

    def __init__(self, caller_type: type[CallerT], keys_url: str, revocations: Revocations) -> None:
        self._caller_type = caller_type
        self._keys_url = keys_url
        self._revocations = revocations
        self._keys = KeySet([])
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._known: OrderedDict[str, _Known[CallerT]] = OrderedDict()

    async def __call__(self, request: web.Request) -> CallerT:
        """The caller of a request. Raises Unauthenticated, or Busy while ended sessions are not known yet."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        if not self._revocations.caught_up.is_set():
            raise Busy
        known = self._known.get(token)
        if known is None or known.checked_at + TRUSTED_SECONDS < asyncio.get_running_loop().time():
            known = await self._verify(token)
        if known.lapses < time.time() or self._revocations.stale(known.versions):
            self._known.pop(token, None)
            raise Unauthenticated
        return known.caller

    async def _verify(self, token: str) -> _Known[CallerT]:
        self._known.pop(token, None)
        try:
            claims = await self._claims(token)
            caller = self._caller_type.model_validate(claims["caller"])
            now = asyncio.get_running_loop().time()
            known = _Known(caller, dict(claims["versions"]), float(claims["exp"]), now)
        except (JoseError, ValidationError, ValueError, KeyError, TypeError) as error:
            raise Unauthenticated from error
        self._known[token] = known
        if len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return known

    async def _claims(self, token: str) -> dict[str, Any]:
        if self._asked_at + TRUSTED_SECONDS < asyncio.get_running_loop().time():
            await self._refresh()
        try:
            decoded = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            # Perhaps signed with a key that was published since we last asked.
            await self._refresh()
            decoded = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
        ).validate(decoded.claims)
        return decoded.claims

    async def _refresh(self) -> None:
        """Ask for the keys unless somebody just did; whoever waited here meanwhile goes on with that answer, or none.

        Raises Busy while no keys are known.
        """
        now = asyncio.get_running_loop().time
        async with self._asking:
            if now() - self._asked_at >= REFRESH_PAUSE_SECONDS:
                try:
                    await self._fetch()
                except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                    log.warning("keys_not_fetched", error=type(error).__name__)
                finally:
                    self._asked_at = now()  # the pause begins with the answer: waiting for one may last as long
        if not self._keys.keys:
            raise Busy

    async def _fetch(self) -> None:
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._keys_url) as response:
            response.raise_for_status()
            self._keys = KeySet.import_key_set(await response.json())
