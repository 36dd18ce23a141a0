"""`python -m audit verify` and `verify-csv`: programs for auditors, who have a public key and need no service."""

import argparse
import asyncio
import json
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from audit.proof.checkpoints import problems, read_file, restarts, standing
from audit.proof.keys import key_id, load_public
from audit.proof.manifests import read_manifest
from audit.proof.sources import from_database, from_export
from audit.proof.verify import verify
from audit.proof.verify_csv import findings


def verify_log(arguments: Sequence[str]) -> int:
    """Read the whole history and find any change. Status 0: as it was signed, 1: changed, 2: it could not be read."""
    chosen = _log_parser().parse_args(arguments)
    try:
        keys = {key_id(key): key for key in map(load_public, chosen.public_key)}
        signed = [one for path in chosen.checkpoints for one in read_file(path)]
    except (OSError, ValueError) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 2
    started = time.perf_counter()
    notes: list[str] = [] if signed else ["there is no checkpoint: only the inner consistency can be checked"]
    notes += problems(signed, keys)
    for text in restarts(signed):
        print(text)
    signed = standing(signed)
    if chosen.database:
        blocks = from_database(chosen.database, chosen.archive, notes)
    else:
        blocks = from_export(chosen.export, chosen.archive, notes)
    try:
        result = asyncio.run(verify(blocks, signed, notes))
    except (OSError, EOFError, zlib.error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for text in result.found[: chosen.show]:
        print(text)
    verdict = {
        "verdict": "changed" if result.found else "as signed",
        "findings": len(result.found),
        "rows": result.rows,
        "blocks": result.blocks,
        "restarts": sum(one.because is not None for one in signed),
        "checkpoints_confirmed": result.confirmed,
        "rows_after_last_checkpoint": result.rows - max((one.rows for one in signed), default=0),
        "head": result.head.hex(),
        "seconds": round(time.perf_counter() - started, 2),
    }
    print(json.dumps(verdict))
    return 1 if result.found else 0


def _log_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit verify", description=verify_log.__doc__)
    parser.add_argument("--public-key", type=Path, required=True, action="append", help="PEM; repeat for older keys")
    parser.add_argument("--checkpoints", type=Path, required=True, action="append", help="file(s) kept outside")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--database", help="PostgreSQL with a role that may read")
    source.add_argument("--export", type=Path, help="file written by `python -m audit dump`")
    parser.add_argument("--show", type=int, default=50, help="how many findings to print at most")
    parser.add_argument("--archive", type=Path, action="append", default=[], help="files of archived months")
    return parser


def verify_file(arguments: Sequence[str]) -> int:
    """Check a downloaded file without any network. Status 0: as it was delivered, 1: not, 2: it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m audit verify-csv", description=verify_file.__doc__)
    parser.add_argument("file", type=Path, help="the downloaded CSV")
    parser.add_argument("manifest", type=Path, help="the JSON that belongs to it")
    parser.add_argument("--public-key", type=Path, required=True, action="append", help="PEM; repeat for older keys")
    parser.add_argument("--checkpoints", type=Path, action="append", default=[], help="file(s) kept outside")
    chosen = parser.parse_args(arguments)
    try:
        keys = {key_id(key): key for key in map(load_public, chosen.public_key)}
        manifest = read_manifest(chosen.manifest)
        file = chosen.file.read_bytes()
        checkpoints = [one for path in chosen.checkpoints for one in read_file(path)]
    except (OSError, ValueError) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 2
    found = findings(file, manifest, keys, checkpoints)
    for text in found:
        print(text)
    if not found:
        print(
            f"as delivered: {manifest['records']} records of {manifest['first_day']} to {manifest['last_day']}, "
            f"taken when the log had {manifest['log_rows']} rows"
        )
    return 1 if found else 0
