"""python -m notifier preview: a mail or the letter with sample facts."""

import argparse
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from chassis.command_line import file_to_write
from notifier.keys import write_private
from notifier.letters.sheets import Letter, draw
from notifier.mails.catalogue import CATALOGUE, preview
from notifier.settings import Settings

Run = Callable[[Settings, argparse.Namespace], Awaitable[int | None]]

SAMPLE_LETTER = Letter(
    postal_code="101-0065",
    address="東京都千代田区西神田三丁目８番１号　千代田ファーストビル東館",
    company="見本貿易株式会社",
    addressee="髙﨑　太郎",
    user_id="123456789000",
    password="Hk7mPw3xRt9vNc4d",  # noqa: S106 - a sample
    written_at=datetime(2026, 4, 1, 1, 30, tzinfo=UTC),
)


def define(parser: argparse.ArgumentParser) -> Run:
    """Print a mail with sample facts, or write the letter's PDF."""
    parser.add_argument("template", nargs="?", choices=[*CATALOGUE, "letter"], help="without one: list them")
    parser.add_argument("--to", type=file_to_write, default=Path("letter.pdf"), help="file for the letter")
    return _run


async def _run(_settings: Settings, chosen: argparse.Namespace) -> None:
    if chosen.template == "letter":
        write_private(chosen.to, draw(SAMPLE_LETTER))
        sys.stdout.write(f"{chosen.to.absolute()}\n")
    elif chosen.template:
        text = preview(chosen.template)
        sys.stdout.write(f"Subject: {text.subject}\n\n{text.body}")
    else:
        sys.stdout.write("".join(f"{name}\t{preview(name).subject}\n" for name in CATALOGUE) + "letter\n")
