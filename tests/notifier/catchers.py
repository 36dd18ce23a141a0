"""A mail server as a process of its own, which can be killed: it writes each mail down before it says 250."""

import asyncio
import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.notifier.relays import BadRelay, Taken, obedient
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


class Journal(list[Taken]):
    """What was taken, also in a file that survives the process."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file.open("ab", buffering=0)

    def append(self, taken: Taken) -> None:
        """One write, so that a kill leaves a whole line or none."""
        line = {"recipients": taken.recipients, "raw": base64.b64encode(taken.raw).decode()}
        self._file.write(json.dumps(line).encode() + b"\n")


async def serve(port: int, file: Path) -> None:
    """Until killed."""
    relay = BadRelay(obedient, taken=Journal(file))
    server = await asyncio.start_server(relay.serve, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


@dataclass
class Catcher:
    """The server, seen from the test; it comes back on the same port."""

    file: Path
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it answers."""
        self.port = self.port or free_port()
        path = ":".join(str(ROOT / part) for part in (".", "services", "shared"))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.notifier.catchers", str(self.port), str(self.file),
            stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": path},
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            assert await self.process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    def taken(self) -> list[Taken]:
        """Everything that any of its lives took."""
        lines = [json.loads(line) for line in self.file.read_bytes().splitlines()]
        return [Taken(tuple(line["recipients"]), base64.b64decode(line["raw"])) for line in lines]


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
