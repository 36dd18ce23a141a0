"""Whoever reads what a command prints may leave before its end, as `| head` does: the command then ends quietly."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LEFT = 128 + signal.SIGPIPE
"""The exit status that a shell reports for other programs whose reader left; no verdict of ours has it."""


@contextmanager
def may_leave() -> Iterator[None]:
    """Around a whole program. The signal itself stays ignored: it would end us for any connection that breaks."""
    try:
        try:
            yield
        except SystemExit:
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):  # Python writes what is left of both at its end
            os.dup2(nowhere, stream.fileno())
        sys.exit(LEFT)
