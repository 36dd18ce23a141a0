"""Work that dies ends its process, and is not quoted in the log."""

import asyncio

import pytest
from structlog.testing import capture_logs

from chassis.background import background


async def test_work_that_dies_ends_the_process_and_the_log_names_the_place_and_no_value() -> None:
    async def insert() -> None:
        raise ValueError("Key (secret)=(12345678) already exists.")

    with capture_logs() as entries, pytest.raises(asyncio.CancelledError):
        async with background() as work:
            work.start("work", insert())
            await asyncio.sleep(10)
    task = asyncio.current_task()
    assert task is not None and task.uncancel() == 0
    (said,) = entries
    assert (said["event"], said["work"], said["error"]) == ("background_work_died", "work", "builtins.ValueError")
    assert "insert" in said["at"][-1]
    assert "12345678" not in repr(entries)
