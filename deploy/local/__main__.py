"""The launcher's commands: `python -m deploy.local run`, `stop`, `status`, `test-cluster start` and the others."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from chassis.readers import may_leave
from deploy.local import catalogue, cluster, operations
from deploy.local.refusals import Refusal
from deploy.local.run import run
from deploy.local.state import State, open_state
from deploy.local.supervisor import Supervisor


def main(arguments: list[str] | None = None) -> int:
    """Do one command; a refusal is one sentence on stderr and exit status 1."""
    try:
        options = parser().parse_args(arguments)
        return int(options.command(open_state(), options))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Every command and its options."""
    whole = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    starting = commands.add_parser("run", help="start everything and watch over it until Ctrl-C")
    starting.add_argument("--only", metavar="A,B", help="these services alone")
    starting.add_argument("--processes", metavar="SERVICE=N", action="append", default=[], help="more than one process")
    starting.set_defaults(command=start)
    for name, text, act in (
        ("stop", "stop it from another terminal", operations.stop),
        ("status", "show what runs", operations.status),
        ("reset", "throw all data away", operations.reset),
    ):
        commands.add_parser(name, help=text).set_defaults(command=lambda state, _, act=act: act(state))
    for name, text, act_on in (
        ("restart", "stop and start a service", operations.restart),
        ("kill", "kill -9 a process; it comes back", operations.kill),
    ):
        named = commands.add_parser(name, help=text)
        named.add_argument("service", help="as `status` names it: audit, audit-2, rabbitmq, …")
        named.set_defaults(command=lambda state, options, act=act_on: act(state, options.service))
    operating = commands.add_parser("operate", help="a service's own command, e.g. `operate identity parked list`")
    operating.add_argument("service", help="whose command")
    operating.add_argument("arguments", nargs=argparse.REMAINDER, help="as after `python -m SERVICE`")
    operating.set_defaults(command=lambda state, options: operations.operate(state, options.service, options.arguments))
    test = commands.add_parser("test-cluster", help="the PostgreSQL and RabbitMQ of the tests: start, stop or status")
    test.add_argument("action", choices=["start", "stop", "status"], help="start one that stays, end it, or show it")
    test.set_defaults(command=test_cluster)
    return whole


def start(state: State, options: argparse.Namespace) -> int:
    """Run until stopped."""
    run(state, catalogue.process_names(catalogue.chosen(options.only), options.processes))
    return 0


def test_cluster(whole: State, options: argparse.Namespace) -> int:
    """Keep a cluster between test runs; status prints its JSON."""
    state = whole.part("test")
    with state.lock(wait=True):
        found = cluster.running(state)
        if options.action == "stop":
            cluster.stop(state)
            return 0
        if options.action == "start":
            found = cluster.keep(state) if found else cluster.start(state, keep=True, report=Supervisor(state).report)
    print(json.dumps(asdict(found), indent=2) if found else "no test cluster is running")
    return 0 if found else 1


if __name__ == "__main__":
    with may_leave():
        sys.exit(main())
