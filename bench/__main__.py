"""`make bench`: run every measurement, one after the other, and write the tables to a file."""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent
KEPT = FOLDER.parent / ".local"
NOT_BY_ITSELF = {"hops", "audit_year"}  # the one needs `make run`, the other fills a database that is named


def names() -> list[str]:
    """Every measurement of this folder."""
    return sorted(
        path.stem
        for path in FOLDER.glob("*.py")
        if not path.stem.startswith("_") and 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
    )


def main() -> int:
    """Run the named ones, or all that need no running platform; the exit status is that of the worst."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names())}; default: all that run by themselves")
    chosen = parser.parse_args().names or [name for name in names() if name not in NOT_BY_ITSELF]
    if unknown := set(chosen) - set(names()):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    KEPT.mkdir(exist_ok=True)
    table = KEPT / f"bench-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt"
    worst = 0
    with table.open("w", encoding="utf-8") as file:
        for name in chosen:
            print(f"\n## {name}", flush=True)
            run = subprocess.run([sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True)
            print(run.stdout, flush=True)
            file.write(f"## {name}\n{run.stdout}\n")
            worst = max(worst, abs(run.returncode))  # negative: the signal that ended it
    print(f"written to {table}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
