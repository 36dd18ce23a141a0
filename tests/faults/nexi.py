"""NEXI's systems, who go on publishing whatever happens to their connection."""

import asyncio

from chassis.messages import Message
from tests.faults.journal import Outcome
from tests.support.platform import Speaker


class Nexi:
    """One connection that is opened again when it is lost."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._turn = asyncio.Lock()
        self._open = False

    async def say(self, message: Message) -> Outcome:
        """Publish; `unknown` when the confirm did not come."""
        async with self._turn:
            try:
                if not self._open:
                    await self._speaker.__aenter__()
                    self._open = True
                await self._speaker.publish(message)
            except (Exception, asyncio.CancelledError) as error:
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise
                await self.close()
                return "unknown"
        return "ok"

    async def close(self) -> None:
        """Hang up."""
        self._open = False
        try:
            async with asyncio.timeout(2):
                await self._speaker.__aexit__()
        except (Exception, asyncio.CancelledError):  # it was lost, or never there
            pass
