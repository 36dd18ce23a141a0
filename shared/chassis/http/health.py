"""What operators ask a process: does it live, can it work, how has it done."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import pydantic_core
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0

Check = Callable[[], Awaitable[str | None]]
"""Looks at one part of the house: None when it is well, else what is wrong. Raising counts as wrong too."""

CHECK_SECONDS: Final = 2.0


async def live(_: web.Request) -> web.Response:
    """The event loop turns."""
    return web.Response(text="live")


def ready(checks: Mapping[str, Check]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Each check by name; 503 when one fails or takes longer than 2 s."""

    async def answer(_: web.Request) -> web.Response:
        faults = await asyncio.gather(*(_fault(check) for check in checks.values()))
        passed = not any(faults)
        told = {"ready": passed, "checks": {name: fault or "ok" for name, fault in zip(checks, faults, strict=True)}}
        body = pydantic_core.to_json(told)
        return web.Response(body=body, status=200 if passed else 503, content_type="application/json")

    return answer


def metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The counters, in Prometheus' text format."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_1_0_0})

    return answer


async def _fault(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except Exception as error:
        return type(error).__name__
