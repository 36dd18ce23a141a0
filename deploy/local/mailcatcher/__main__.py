"""Runs the mail catcher: `python -m deploy.local.mailcatcher --smtp-port 2525 --web-port 8025 --directory mails`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailcatcher.inbox import Inbox
from deploy.local.mailcatcher.mailbox import Mailbox

LOOPBACK = "127.0.0.1"


class Receiver:
    """What aiosmtpd asks when a mail has arrived."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Store it; the sender's 250 is a promise."""
        content = envelope.original_content or b""
        await self.mailbox.keep(envelope.mail_from or "", envelope.rcpt_tos, content)
        return "250 2.0.0 Kept"


async def main() -> None:
    """Serve both ports until SIGTERM or Ctrl-C."""
    options = arguments()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    mailbox = Mailbox(options.directory)
    receiver = Receiver(mailbox)
    smtp = await loop.create_server(
        lambda: SMTP(receiver, hostname="mailcatcher", enable_SMTPUTF8=True, loop=loop), options.host, options.smtp_port
    )
    runner = web.AppRunner(Inbox(mailbox).application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, options.host, options.web_port).start()
    await stop.wait()
    smtp.close()
    await runner.cleanup()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mailcatcher", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on; in a container 0.0.0.0")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="where the mails are kept")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
