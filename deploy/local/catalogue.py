"""The services of this house, found where they live; the launcher starts those that are there."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.local.refusals import Refusal
from deploy.local.state import ROOT

KNOWN = ("portal", "identity", "accounts", "applications", "notifier", "audit")  # the order in which they are shown
FRONT_ENDS = ("portal",)  # they have no database and no broker user, only the gateways' addresses
NEEDED_BY_DEMO = ("identity", "accounts", "applications", "notifier", "audit")
PARTNER = "nexi"  # the broker user of NEXI's systems, and their virtual host
PLATFORM = "platform"  # the virtual host of the services


def present() -> list[str]:
    """The services that can be started from this checkout."""
    return [name for name in KNOWN if (ROOT / "services" / name / "service.py").exists()]


def behind(services: Sequence[str]) -> list[str]:
    """Those of them that have a database and a place on the broker."""
    return [name for name in services if name not in FRONT_ENDS]


def chosen(only: str | None) -> list[str]:
    """The services of `--only a,b`, or all."""
    if only is None:
        return present()
    names = [name.strip() for name in only.split(",")]
    check(names)
    return [name for name in present() if name in names]


def process_names(services: Sequence[str], counts: Sequence[str]) -> list[tuple[str, str]]:
    """(process, service) for each process to run; `counts` are like `audit=2`, whose second process is `audit-2`."""
    wanted = {}
    for text in counts:
        name, _, count = text.partition("=")
        check([name])
        if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= 16:
            raise Refusal(f"--processes {text} is wrong: write a service and a number from 1 to 16, like audit=2.")
        wanted[name] = int(count)
    numbered = [(service, number) for service in services for number in range(1, wanted.get(service, 1) + 1)]
    return [(service if number == 1 else f"{service}-{number}", service) for service, number in numbered]


def check(names: Sequence[str]) -> None:
    """Refuse a name that is no service here."""
    for name in names:
        if name not in present():
            raise Refusal(f"{name!r} is no service of this checkout: name one of {', '.join(present())}.")
