"""Asking the services' gateways, and what their refusals and their silence become."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn

import aiohttp
import structlog

from chassis import trace
from chassis.http import once
from portal.settings import PortalSettings

log = structlog.get_logger()
MOST_CONNECTIONS: Final = 200
IDLE_SECONDS: Final = 1.5
"""An idle connection is given up before a process that leaves (`leaving_seconds`) closes it under a request."""


class Gateway(StrEnum):
    """The five services."""

    IDENTITY = "identity"
    ACCOUNTS = "accounts"
    APPLICATIONS = "applications"
    NOTIFIER = "notifier"
    AUDIT = "audit"


class Unavailable(Exception):
    """A gateway does not answer, or says that it cannot just now; what it was asked to do may have been done."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.gateway = gateway


class Refused(Exception):
    """A gateway said no, and why (RFC 9457): `kind` is the last part of the problem's type, e.g. `stale-version`."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.kind = str(problem.get("type", "")).rsplit("/", 1)[-1]
        self.detail = str(problem.get("detail") or "この操作は受け付けられませんでした。")
        self.problem = problem
        super().__init__(status, self.kind)

    @property
    def fields(self) -> dict[str, list[str]]:
        """The sentences of a 422 by field: `body.rider_codes.0` counts as `rider_codes`."""
        found: dict[str, list[str]] = {}
        for error in self.problem.get("errors") or []:
            parts = [part for part in str(error["field"]).split(".") if part not in ("body", "query")]
            name = ".".join(part for part in parts if not part.isdigit())
            sentences = found.setdefault(name, [])
            if error["message"] not in sentences:
                sentences.append(error["message"])
        return found


class Gateways:
    """One HTTP client for all of them."""

    def __init__(self, settings: PortalSettings) -> None:
        self._urls = {one: str(getattr(settings, f"{one}_url")).rstrip("/") for one in Gateway}
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=settings.gateway_seconds),
            connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def ask(self, gateway: Gateway, method: str, path: str, headers: Mapping[str, str], **request: Any) -> Any:
        """The JSON of a 2xx answer (None without one). Raises Refused for a problem, Unavailable for everything else.

        `request` is aiohttp's: `json=`, `params=`, `data=`.
        """
        url, told = self._urls[gateway] + path, _with_trace(headers)
        middlewares = [] if method == "GET" else [once]  # reading may be repeated
        try:
            async with self._http.request(method, url, headers=told, middlewares=middlewares, **request) as answer:
                if answer.status < 300:
                    return await answer.json() if "json" in answer.content_type else await answer.read() or None
                await refuse(gateway, answer)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            log.warning("gateway_silent", gateway=gateway, error=type(error).__name__)
            raise Unavailable(gateway) from error

    async def open(self, gateway: Gateway, path: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """A download that has begun; whoever reads it closes it. Raises like `ask`."""
        try:
            timeout = aiohttp.ClientTimeout(total=None, connect=self._http.timeout.total, sock_read=60)
            answer = await self._http.get(self._urls[gateway] + path, headers=_with_trace(headers), timeout=timeout)
            if answer.status >= 300:
                async with answer:
                    await refuse(gateway, answer)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise Unavailable(gateway) from error
        return answer


async def refuse(gateway: Gateway, answer: aiohttp.ClientResponse) -> NoReturn:
    """Raise what an answer that is no success means."""
    if answer.status >= 500 or "json" not in answer.content_type:
        log.warning("gateway_failed", gateway=gateway, status=answer.status)
        raise Unavailable(gateway)
    raise Refused(answer.status, await answer.json())


def _with_trace(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "traceparent": trace.current_traceparent()}
