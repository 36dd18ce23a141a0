"""The launcher's commands: `python -m deploy.local run`, `stop`, `status`, `test-cluster start` and the others."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from deploy.local import cluster
from deploy.local.refusals import Refusal
from deploy.local.state import open_state


def main(arguments: list[str] | None = None) -> int:
    """Do one command; a refusal is one sentence on stderr and exit status 1."""
    try:
        options = parser().parse_args(arguments)
        return int(options.command(options))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Every command and its options."""
    whole = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    test = commands.add_parser("test-cluster", help="the PostgreSQL and RabbitMQ of the tests: start, stop or status")
    test.add_argument("action", choices=["start", "stop", "status"])
    test.set_defaults(command=test_cluster)
    return whole


def test_cluster(options: argparse.Namespace) -> int:
    """Keep a cluster between test runs; status prints its JSON."""
    state = open_state().part("test")
    with state.lock(wait=True):
        found = cluster.running(state)
        if options.action == "stop":
            cluster.stop(state)
            return 0
        if options.action == "start":
            found = cluster.keep(state) if found else cluster.start(state, keep=True, report=progress)
    print(json.dumps(asdict(found), indent=2) if found else "no test cluster is running")
    return 0 if found else 1


def progress(who: str, what: str) -> None:
    """One line of progress on stderr."""
    print(f"  {who:<14}{what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
