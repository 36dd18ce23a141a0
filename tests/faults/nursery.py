"""A process that has everything imported and forks one service process for each line it reads: a start costs little.

A line is JSON: `service`, `environment`, and perhaps `death`: the label of a point and the visit at which to die there.
The answer is the pid. What the children write goes to the file that `log` names.
"""

import ctypes
import importlib
import json
import os
import random
import signal
import sys
import traceback
from typing import Any

from chassis import command_line
from chassis.service import Service
from tests.faults import dying, victim
from tests.support.platform import services

PR_SET_PDEATHSIG = 1


def known() -> dict[str, Service]:
    """Every service that can be born here."""
    return {**services(), victim.service.name: victim.service}


def main() -> None:
    """Until standard input ends."""
    importlib.import_module("uvloop")
    every = known()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps; whoever wants to know watches the pid
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(every[order["service"]], order)
        print(pid, flush=True)


def _live(service: Service, order: dict[str, Any]) -> None:
    """Be the service, as its own command line runs it; does not return."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody outlives a test run that was killed
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(ours, theirs)
    random.seed()
    os.environ.update(order["environment"])
    if death := order.get("death"):
        dying.die_at(*death)
    status = 1
    try:
        command_line.main(service, ["serve"])
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
