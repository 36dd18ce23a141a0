"""Looks for secrets in all that the servers keep: database files, write-ahead logs, broker folders, logs, dumps."""

import asyncio
import base64
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import asyncpg

from deploy.local.postgres import find_binaries
from deploy.local.state import open_state
from tests.support.platform import Platform

AT_ONCE = 1_000
"""Secrets of one pass; grep holds all their spellings in memory."""
PART_OF_A_NUMBER = b"0123456789abcdefABCDEF-."


def places(platform: Platform) -> list[Path]:
    """The folders of the test's PostgreSQL and RabbitMQ with their logs, and the platform's own."""
    return [open_state().part("test").folder, platform.folder]


def parts(paths: Iterable[Path], where: Sequence[Path]) -> set[str]:
    """Which parts of these places the files lie in."""
    return {path.relative_to(next(place for place in where if place in path.parents)).parts[0] for path in paths}


async def settle(platform: Platform) -> None:
    """Let PostgreSQL write what it has in memory, and dump every database of the platform."""
    server = await asyncpg.connect(platform.cluster.postgres_url)
    await server.execute("checkpoint")
    await server.close()
    for name in platform.services:
        dump = platform.folder / f"{name}.dump.sql"
        await _run(str(find_binaries(open_state()) / "pg_dump"), "--file", str(dump), platform.owner_database(name))


async def found(secrets: Sequence[str], where: Sequence[Path]) -> dict[str, set[Path]]:
    """The secrets that rest somewhere in some spelling, and the files that hold them."""
    while True:
        try:
            return await _found(secrets, where)
        except FileNotFoundError:  # PostgreSQL renamed a segment of its log between the search and the second look
            continue


async def _found(secrets: Sequence[str], where: Sequence[Path]) -> dict[str, set[Path]]:
    hits: dict[str, set[Path]] = {}
    for start in range(0, len(secrets), AT_ONCE):
        spelled = {form: secret for secret in secrets[start : start + AT_ONCE] for form in spellings(secret)}
        for path, offset, form in await _search(list(spelled), where):
            secret = spelled[form]
            if not (form == secret.encode() and secret.isdigit() and _in_a_number(path, offset, len(form))):
                hits.setdefault(secret, set()).add(path)
    return hits


def spellings(secret: str) -> set[bytes]:
    """Raw, UTF-16, base64 (at any place of a longer text), hex, URL- and JSON-escaped."""
    raw = secret.encode()
    texts = {raw, secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    forms = texts | {
        one for text in texts for one in (*_base64(text), text.hex().encode(), text.hex().upper().encode())
    }
    return forms | {quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}


def _base64(text: bytes) -> Iterator[bytes]:
    """The letters that depend on nothing before or after the text, wherever it begins, in both alphabets."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text)
        core = whole[(0, 2, 3)[before] : (before + len(text)) * 8 // 6]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


async def _search(forms: Sequence[bytes], where: Sequence[Path]) -> list[tuple[Path, int, bytes]]:
    with tempfile.NamedTemporaryFile() as patterns:
        patterns.write(b"\n".join(forms))
        patterns.flush()
        options = ("-r", "-a", "-o", "-b", "-F", "-H", "-Z", "-f", patterns.name)
        output = await _run("grep", *options, *map(str, where), fine=(0, 1, 2))  # 2: a file vanished meanwhile
    hits = []
    for line in output.splitlines():
        path, _, rest = line.partition(b"\0")
        offset, _, form = rest.partition(b":")
        hits.append((Path(os.fsdecode(path)), int(offset), form))
    return hits


def _in_a_number(path: Path, offset: int, length: int) -> bool:
    """Eight digits are met by chance inside times, versions and UUIDs; such a hit says nothing."""
    with path.open("rb") as file:
        file.seek(max(offset - 1, 0))
        around = file.read(length + 2)
    before, after = around[:1] if offset else b"", around[length + bool(offset) :][:1]
    return any(one and one in PART_OF_A_NUMBER for one in (before, after))


async def _run(*command: str, fine: Sequence[int] = (0,)) -> bytes:
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}
    )
    output, errors = await child.communicate()
    assert child.returncode in fine, errors.decode(errors="replace")[-2000:]
    return output
