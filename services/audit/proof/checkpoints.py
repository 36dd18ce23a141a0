"""Signed statements about the end of the log, one a line, each containing the digest of the one before."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.proof.keys import signed_by

KIND = "audit-checkpoint-1"
END_BYTES = 64 * 1024
"""How much of a file is read to find its last line, of a few hundred bytes; a year's file has hundreds of megabytes."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """When the log had `rows` rows in `blocks` blocks, its head was `head`."""

    rows: int
    blocks: int
    head: bytes
    line: str
    previous: str | None
    sealed: bool = False
    """Whether every block since the checkpoint before was sealed by the service; from then on every block must be."""
    because: str | None = None
    """Why the log ends here again, although more of it, or something else, was signed before: an operator's words."""

    @classmethod
    def read(cls, line: str) -> "Checkpoint":
        """From its line. Raises ValueError."""
        said = json.loads(line)
        if not isinstance(said, dict) or said.get("kind") != KIND:
            raise ValueError("not a checkpoint")
        try:
            rows, blocks, head = int(said["rows"]), int(said["blocks"]), bytes.fromhex(said["head"])
            return cls(rows, blocks, head, line, said["previous"], said.get("sealed") is True, said.get("because"))
        except (KeyError, TypeError) as error:
            raise ValueError("not a checkpoint") from error

    @property
    def digest(self) -> str:
        """What the next one contains."""
        return hashlib.sha256(self.line.encode()).hexdigest()


def statement(
    rows: int,
    blocks: int,
    head: bytes,
    at: str,
    previous: Checkpoint | None,
    *,
    sealed: bool = False,
    because: str | None = None,
) -> dict[str, Any]:
    """What is to be signed."""
    before = None if previous is None else previous.digest
    place = {"rows": rows, "blocks": blocks, "head": head.hex(), "sealed": sealed}
    return {"kind": KIND, **place, "at": at, "previous": before, **({"because": because} if because else {})}


def as_line(signed: Mapping[str, Any]) -> str:
    """A signed statement as it stands in the file."""
    return json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_file(path: Path) -> list[Checkpoint]:
    """All checkpoints of a file in order, without a last line that a crash cut. Raises ValueError, OSError."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [Checkpoint.read(line.rstrip("\n")) for line in file if line.endswith("\n")]


def read_last(path: Path) -> Checkpoint | None:
    """The last checkpoint of a file; only the end of the file is read. Raises ValueError."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        _, end = _whole_end(file)
    line = end.rstrip(b"\n").rpartition(b"\n")[2]
    return Checkpoint.read(line.decode()) if line else None


def append(path: Path, line: str) -> None:
    """Add a line and wait until it is on the disk; what a crash left of an earlier one is cut off first."""
    with path.open("a+b") as file:
        before, end = _whole_end(file)
        file.truncate(before + len(end))
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _whole_end(file: BinaryIO) -> tuple[int, bytes]:
    """How many bytes were not read, and what comes after them up to the last line end."""
    before = max(0, file.seek(0, os.SEEK_END) - END_BYTES)
    file.seek(before)
    end = file.read()
    whole = end[: end.rfind(b"\n") + 1]
    if before and not whole:
        raise ValueError("not a file of checkpoints")
    return before, whole


def standing(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Those that a later restart did not give up: on the way back from it, what was signed of the rows after it."""
    known = {one.digest: one for one in checkpoints}
    given_up = set()
    for restart in [one for one in known.values() if one.because]:
        one = known.get(restart.previous or "")
        while one is not None and one.rows >= restart.rows:
            if (one.rows, one.head) != (restart.rows, restart.head):
                given_up.add(one.digest)
            one = known.get(one.previous or "")
    return [one for digest, one in known.items() if digest not in given_up]


def restarts(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """What every verification says aloud: where an operator had the log continued, and what was given up by it."""
    found = []
    known = {one.digest: one for one in checkpoints}
    for one in known.values():
        if one.because:
            before = known.get(one.previous or "")
            signed = f"; {before.rows} rows had been signed" if before else ""
            found.append(f"RESTARTED at row {one.rows}, {json.loads(one.line)['at']}{signed}. Reason: {one.because}")
    return found


def problems(checkpoints: Iterable[Checkpoint], keys: Mapping[str, Ed25519PublicKey]) -> list[str]:
    """What is wrong with the checkpoints themselves: signatures, order, missing ones in between."""
    found = []
    known = sorted({one.line: one for one in checkpoints}.values(), key=lambda one: one.rows)
    digests = {one.digest for one in known}
    valid = {one.digest for one in standing(known)}
    for place, one in enumerate(known):
        said = json.loads(one.line)
        key = keys.get(said.get("key_id"))
        if key is None:
            found.append(f"checkpoint at row {one.rows}: signed with an unknown key {said.get('key_id')}")
        elif not signed_by(key, said):
            found.append(f"checkpoint at row {one.rows}: the signature is wrong")
        before = known[place - 1]
        both_valid = {one.digest, before.digest} <= valid
        if place and both_valid and one.rows == before.rows and one.head != before.head:
            found.append(f"checkpoint at row {one.rows}: there are two that contradict each other")
    # A file may begin anywhere, but only once; after a restart what it begins with is not what has the fewest rows.
    begins = [one for one in known if one.previous not in digests]
    return found + [f"checkpoint at row {one.rows}: the one before it is missing" for one in begins[1:]]
