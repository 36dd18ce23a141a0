"""Ports for what tests start."""

import os

from deploy.local.ports import choose

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
OURS = range(10_000, 20_000)[WORKER % 4 :: 4]
"""Ports that neither the kernel lends nor a platform remembers while it is down, nor another worker takes."""
GIVEN: set[int] = set()
"""Those that were given, whether somebody listens there just now or not."""


def free_port() -> int:
    """A port of loopback that nobody uses right now; it stays so until it is used, however long that takes.

    The kernel's own choice would not: whoever asks it for any port next, in another worker too, may get the same one.
    """
    port = choose(taken=GIVEN, among=OURS)
    GIVEN.add(port)
    return port
