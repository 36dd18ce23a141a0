"""Signed statements about the end of the log, one a line, each containing the digest of the one before."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.proof.keys import signed_by

KIND = "audit-checkpoint-1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """When the log had `rows` rows in `blocks` blocks, its head was `head`."""

    rows: int
    blocks: int
    head: bytes
    line: str
    previous: str | None

    @classmethod
    def read(cls, line: str) -> "Checkpoint":
        """From its line. Raises ValueError."""
        said = json.loads(line)
        if not isinstance(said, dict) or said.get("kind") != KIND:
            raise ValueError("not a checkpoint")
        try:
            rows, blocks, head = int(said["rows"]), int(said["blocks"]), bytes.fromhex(said["head"])
            return cls(rows, blocks, head, line, said["previous"])
        except (KeyError, TypeError) as error:
            raise ValueError("not a checkpoint") from error

    @property
    def digest(self) -> str:
        """What the next one contains."""
        return hashlib.sha256(self.line.encode()).hexdigest()


def statement(rows: int, blocks: int, head: bytes, at: str, previous: Checkpoint | None) -> dict[str, Any]:
    """What is to be signed."""
    before = None if previous is None else previous.digest
    return {"kind": KIND, "rows": rows, "blocks": blocks, "head": head.hex(), "at": at, "previous": before}


def as_line(signed: Mapping[str, Any]) -> str:
    """A signed statement as it stands in the file."""
    return json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_file(path: Path) -> list[Checkpoint]:
    """All checkpoints of a file in order; a last line that was cut by a crash does not count. Raises ValueError."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return [Checkpoint.read(line) for line in whole.splitlines()]


def append(path: Path, line: str) -> None:
    """Add a line and wait until it is on the disk; what a crash left of an earlier one is cut off first."""
    with path.open("a+b") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def problems(checkpoints: Iterable[Checkpoint], keys: Mapping[str, Ed25519PublicKey]) -> list[str]:
    """What is wrong with the checkpoints themselves: signatures, order, missing ones in between."""
    found = []
    known = sorted({one.line: one for one in checkpoints}.values(), key=lambda one: one.rows)
    digests = {one.digest for one in known}
    for place, one in enumerate(known):
        said = json.loads(one.line)
        key = keys.get(said.get("key_id"))
        if key is None:
            found.append(f"checkpoint at row {one.rows}: signed with an unknown key {said.get('key_id')}")
        elif not signed_by(key, said):
            found.append(f"checkpoint at row {one.rows}: the signature is wrong")
        if place and one.rows == known[place - 1].rows and one.head != known[place - 1].head:
            found.append(f"checkpoint at row {one.rows}: there are two that contradict each other")
        if place and one.previous not in digests:
            found.append(f"checkpoint at row {one.rows}: the one before it is missing")
    return found
