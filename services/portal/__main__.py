"""The portal's command line: `python -m portal serve`."""

import argparse
import asyncio
import signal
import sys

import uvloop

from chassis import logs
from chassis.settings import read
from portal.service import running
from portal.settings import PortalSettings


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; status 2 when a setting is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m portal", description="The manual's screens in a browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("serve", help="Run the portal until SIGTERM or Ctrl-C.")
    parser.parse_args()
    settings = read(PortalSettings)
    logs.configure("portal", settings.log_level, settings.log_format)
    uvloop.run(_serve(settings))
    return 0


async def _serve(settings: PortalSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings):
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
