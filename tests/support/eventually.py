"""Waiting for what happens elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T]], timeout: float = 15.0) -> T:
    """Ask until the answer is truthy; fails after `timeout` seconds with the last answer."""
    answer: T | None = None
    try:
        async with asyncio.timeout(timeout):
            while not (answer := await ask()):
                await asyncio.sleep(0.02)
            return answer
    except TimeoutError:
        raise AssertionError(f"did not happen within {timeout} s; last answer: {answer!r}") from None
