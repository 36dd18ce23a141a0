"""How fast the verifier reads (A-2): rows a second over a chained history, against psql's COPY of the same columns."""

import argparse
import asyncio
import time
from pathlib import Path

from audit.proof.checkpoints import append, as_line, read_file, statement
from audit.proof.keys import Signer
from audit.proof.sources import from_database
from audit.proof.verify import verify
from audit.rules.lines import COLUMNS
from audit.store import log
from bench.audit_stage import stage
from bench.audit_year import chain
from chassis.sql import Database


async def measure(rows: int) -> None:
    """Record, sign, verify; then only read."""
    async with stage() as platform:
        dsn = platform.owner_database("audit")
        print(f"chained at {await chain(dsn, rows, 200, 25):,.0f} rows/s", flush=True)
        folder: Path = platform.folder
        database = await Database.connect(dsn, source="audit", size=1)
        end = await log.end(database)
        await database.close()
        signed = Signer.from_folder(folder).sign(statement(end["rows"], end["blocks"], end["head"], "now", None))
        append(folder / "checkpoints.jsonl", as_line(signed))
        begun = time.perf_counter()
        result = await verify(from_database(dsn, [], []), read_file(folder / "checkpoints.jsonl"), [])
        seconds = time.perf_counter() - begun
        assert (result.found, result.rows, result.confirmed) == ([], rows, 1)
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            "psql", dsn, "-qc", f"copy (select number, {', '.join(COLUMNS)} from history order by number) to stdout",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0
        reference = time.perf_counter() - begun
        print(f"verified {rows / seconds:,.0f} rows/s; psql COPY alone {rows / reference:,.0f} rows/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    asyncio.run(measure(parser.parse_args().rows))
