"""Serving an application on a port, and ending in order."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from chassis.http.connections import KEEPALIVE_SECONDS, GatewayRunner, check_parser
from chassis.http.guard import LEAVING

DRAIN_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A gateway that answers at `url`."""

    host: str
    port: int
    _runner: web.AppRunner = field(repr=False)

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def leave(self, seconds: float) -> None:
        """Still answer for so long, or until nobody is connected; each answer sends its client to another connection.

        A connection that ends while a request is on its way leaves the client in doubt whether it was carried out.
        """
        self._runner.app[LEAVING].set()
        until = asyncio.get_running_loop().time() + seconds
        while self._runner.server and self._runner.server.connections and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Accept nothing more, let running requests finish for up to 4 s (then cancel them), close every connection."""
        await self._runner.cleanup()


async def serve(application: web.Application, host: str, port: int) -> Serving:
    """Begin to answer. `port` 0 takes a free one. Raises OSError when the port is taken.

    Work that must outlive the requests (consumers, pools) is closed by its owner after `stop` has come back.
    """
    check_parser()
    runner = GatewayRunner(
        application,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=DRAIN_SECONDS,
        handler_cancellation=False,
        auto_decompress=False,
        lingering_time=2.0,
        max_headers=64,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=512).start()
    except BaseException:
        await runner.cleanup()
        raise
    return Serving(host, int(runner.addresses[0][1]), runner)
