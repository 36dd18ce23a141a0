"""Whoever has the public key and the checkpoints finds every change, without trusting the service or its database."""

import asyncio
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from prometheus_client import REGISTRY

from audit import archives
from audit.archives import archive_month
from audit.command_line import dump, work_on_checkpoints
from audit.listeners import checkpoints
from audit.proof import keys
from audit.proof.checkpoints import END_BYTES, Checkpoint, append, as_line, problems, read_last, statement
from audit.proof.command_line import verify_file, verify_log
from audit.proof.manifests import sign
from audit.rules.details import MOST_BYTES
from audit.rules.files import HEADERS
from audit.rules.windows import japanese_day
from audit.service import service
from audit.store import log
from bench.audit_year import chain
from chassis.leader import leading
from chassis.messages import Envelope, encode, new_id
from chassis.service import Service
from chassis.settings import Settings
from chassis.sql import Database
from contracts.caller import Caller
from contracts.identity import LoggedOut, LoginSucceeded
from contracts.operations import Operation
from deploy.local.cluster import Cluster
from deploy.local.databases import with_database
from tests.audit.conftest import Company
from tests.audit.tampering import CHANGES_KNOWN, LOCAL, ROWS, Change, append_block, cut, edit_and_chain_anew
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, Speaker
from tests.support.processes import Process, serving
from tests.support.scale import scaled

CHANGES = scaled(100, 1000)
ROOT = Path(__file__).parents[2]


class Evidence:
    """What an auditor holds: a key, checkpoints, and a read-only look at the database."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.folder = platform.folder / "audit"
        self.key = self.folder / "signing-key.pub"
        self.checkpoints = self.folder / "checkpoints.jsonl"

    def arguments(self) -> list[str]:
        """For the verifier."""
        return ["--public-key", str(self.key), "--checkpoints", str(self.checkpoints)]

    def program(self, *arguments: str) -> tuple[int, str]:
        """The verifier as a process of its own, without any of the service's settings."""
        done = subprocess.run(
            [sys.executable, "-m", "audit", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
            env={"PYTHONPATH": "services:shared", "PATH": ""},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
async def evidence(cluster: Cluster, signer: Signer, tmp_path_factory: Any) -> AsyncIterator[Evidence]:
    """A small history in many blocks, of two months, all of it signed; its service is stopped again."""
    folder: Path = tmp_path_factory.mktemp("proof")
    (folder / "silent").mkdir()
    identity = Service("identity", "identity", Caller, Settings, folder / "silent")
    async with Platform(cluster, folder, signer, of={"audit": service, "identity": identity}) as platform:
        async with platform.running("audit", checkpoint_seconds=0.5, checkpoint_rows=200):
            evidence = Evidence(platform)
            for rows in (ROWS // 3, 2 * ROWS // 3, ROWS):
                await record(platform, rows)

                async def signed(rows: int = rows) -> bool:
                    last = read_last(evidence.checkpoints)
                    async with platform.owner("audit") as database:  # the copy is made after the file
                        copy = await database.fetchval("select max(rows) from checkpoints")
                    return last is not None and last.rows == copy == rows

                await eventually(signed)
        yield evidence


async def record(platform: Platform, rows: int) -> None:
    """Log-ins and log-outs of some people, in messages of different sizes, until there are so many rows."""
    chance = random.Random(rows)
    people = [callers.applicant(f"{700000000 + n % 5}", n % 7 + 1).operator for n in range(35)]
    async with Speaker(platform.broker("identity"), "identity") as speaker:
        async with platform.owner("audit") as database:
            said = await database.fetchval("select rows from log")
        while said < rows:
            kind = chance.choice([LoginSucceeded, LoggedOut])
            count = min(rows - said, chance.choice([1, 3, 20, 40]))
            now = datetime.now(UTC) - timedelta(days=chance.choice([0, 40]))
            group = [
                (Envelope(new_id(), kind.wire_type(), "/identity", now, None),
                 kind(operator=chance.choice(people)).model_dump_json())
                for _ in range(count)
            ]  # fmt: skip
            await speaker.publish_raw(encode(group), "events", kind.wire_type())
            said += count

    async def all_there() -> bool:
        async with platform.owner("audit") as database:
            return bool(await database.fetchval("select rows from log") == rows)

    await eventually(all_there, timeout=60)


async def findings(evidence: Evidence, dsn: str) -> int:
    """The verifier's exit status on a database."""
    return await asyncio.to_thread(verify_log, [*evidence.arguments(), "--database", dsn])


async def test_an_untouched_history_is_as_signed(evidence: Evidence, tmp_path: Path) -> None:
    dsn = evidence.platform.database("audit")
    status, said = evidence.program("verify", *evidence.arguments(), "--database", dsn)
    assert status == 0, said
    verdict = json.loads(said.splitlines()[-1])
    assert (verdict["verdict"], verdict["rows"], verdict["rows_after_last_checkpoint"]) == ("as signed", ROWS, 0)
    assert verdict["checkpoints_confirmed"] >= 2


TABLES = ("history", "entries", "blocks", "log", "days")


@pytest.mark.chaos
@pytest.mark.requirement("A-1")
async def test_every_change_is_found(evidence: Evidence, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """100 of 100 in `make test`, 1,000 of 1,000 in `make chaos`, each in a fresh copy of the same short history."""
    chance = random.Random(11)
    missed = []
    async with copied(evidence, cluster) as dsn:
        changed = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
        for table in TABLES:
            await changed.execute(f"create table kept_{table} as table {table}")
        for place in range(CHANGES):
            change = CHANGES_KNOWN[place % len(CHANGES_KNOWN)]
            await change(changed, chance, range(1, ROWS + 1))
            if await findings(evidence, dsn) != 1:
                missed.append(change.__name__)
            await changed.execute(f"truncate {', '.join(TABLES)}")
            for table in TABLES:
                await changed.execute(f"insert into {table} select * from kept_{table}")
        await changed.close()
        assert await findings(evidence, dsn) == 0
    assert missed == []


@pytest.mark.chaos
@pytest.mark.requirement("A-1")
async def test_each_of_many_changes_in_a_long_history_is_named(
    cluster: Cluster, signer: Signer, tmp_path: Path
) -> None:
    """1,000 changes of 1,000,000 rows in `make chaos`, each in a block of its own; the verifier names every block."""
    rows, changes, in_block = scaled(10_000, 1_000_000), scaled(16, 1000), 500
    async with Platform(cluster, tmp_path, signer, of={"audit": service}) as platform:
        evidence, dsn, chance = Evidence(platform), platform.owner_database("audit"), random.Random(5)
        await chain(dsn, rows, 200, 25, in_block)
        await sign_the_end(platform, evidence)
        verify = ["verify", *evidence.arguments(), "--database", dsn, "--show", str(10 * changes)]
        assert (await asyncio.to_thread(evidence.program, *verify))[0] == 0
        blocks = sorted(chance.sample(range(1, rows // in_block + 1), changes))
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as database:
            for place, block in enumerate(blocks):
                numbers = range((block - 1) * in_block + 1, block * in_block + 1)
                await LOCAL[place % len(LOCAL)](database, chance, numbers)
        status, said = await asyncio.to_thread(evidence.program, *verify)
        assert status == 1
        assert set(blocks) <= {int(number) for number in re.findall(r"^block (\d+):", said, re.MULTILINE)}


async def sign_the_end(platform: Platform, evidence: Evidence) -> None:
    """A checkpoint over everything that is recorded."""
    evidence.folder.mkdir()
    async with platform.owner("audit") as database:
        end = await log.end(database)
    said = statement(end["rows"], end["blocks"], end["head"], datetime.now(UTC).isoformat(), None)
    append(evidence.checkpoints, as_line(keys.Signer.from_folder(evidence.folder).sign(said)))


@asynccontextmanager
async def copied(evidence: Evidence, cluster: Cluster) -> AsyncIterator[str]:
    """A copy of the database, for the superuser."""
    name = f"{evidence.platform.prefix}_audit_copy"
    server = await asyncpg.connect(cluster.postgres_url)
    try:
        await server.execute(f"create database {name} owner audit_owner template {evidence.platform.prefix}_audit")
        yield with_database(cluster.postgres_url, name)
    finally:
        await server.execute(f"drop database if exists {name} with (force)")
        await server.close()


async def test_a_restored_backup_is_found_and_the_service_signs_nothing_more(
    evidence: Evidence, cluster: Cluster, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    platform, later = evidence.platform, tmp_path / "later.jsonl"
    shutil.copy(evidence.checkpoints, later)
    async with copied(evidence, cluster) as dsn:
        restored = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
        await cut(restored, random.Random(1), range(1, ROWS + 1))
        await restored.close()
        assert await findings(evidence, dsn) == 1
        own = with_database(platform.database("audit"), dsn.rpartition("/")[2])
        before = later.read_bytes()
        async with serving(platform, "audit", database_url=own, checkpoints=later, checkpoint_seconds=0.2) as process:
            await alarmed(client, process)
            assert later.read_bytes() == before


async def test_after_a_restore_an_operator_has_the_log_continued_and_every_verification_shows_it(
    evidence: Evidence, cluster: Cluster, tmp_path: Path
) -> None:
    platform, later = evidence.platform, tmp_path / "later.jsonl"
    shutil.copy(evidence.checkpoints, later)
    async with copied(evidence, cluster) as dsn:
        own = with_database(platform.database("audit"), dsn.rpartition("/")[2])
        settings: Any = platform.settings("audit", database_url=own, checkpoints=later)
        run: Any = work_on_checkpoints(ArgumentParser())
        chosen = Namespace(action="restart", because="restored from the backup of noon", by="hanako")
        assert await run(settings, chosen) == 1  # nothing contradicts yet
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as restored:
            await cut(restored, random.Random(1), range(1, ROWS + 1))
            left = await restored.fetchval("select rows from log")
            await restored.execute("delete from checkpoints where rows > $1", left)
            await restored.execute("truncate days")
            await restored.execute(COUNTED_ANEW)
        assert await run(settings, chosen) is None
        async with platform.running("audit", database_url=own, checkpoints=later, checkpoint_seconds=0.2):
            await platform.say("identity", LoginSucceeded(operator=callers.applicant("700000001", 1).operator))

            async def signed() -> bool:
                last = read_last(later)
                return last is not None and left < last.rows <= ROWS and last.because is None

            await eventually(signed)
        verify = ["verify", "--public-key", str(evidence.key), "--checkpoints", str(later), "--database", dsn]
        status, said = await asyncio.to_thread(evidence.program, *verify)
        assert status == 0, said
        assert f"RESTARTED at row {left}, " in said
        assert f"{ROWS} rows had been signed. Reason: restored from the backup of noon (operator:hanako)" in said
        later.write_text("".join(line for line in later.read_text().splitlines(True) if "because" not in line))
        assert (await asyncio.to_thread(evidence.program, *verify))[0] == 1


def test_a_restart_may_go_back_before_the_first_checkpoint_and_cannot_be_left_out(tmp_path: Path) -> None:
    signer = keys.Signer.from_folder(tmp_path)
    public = {signer.key_id: keys.load_public(tmp_path / keys.PUBLIC_NAME)}
    signed: list[Checkpoint] = []
    for rows, because in ((200, None), (600, None), (3, "restored"), (5, None)):
        last = signed[-1] if signed else None
        said = statement(rows, rows, bytes([rows % 251]) * 32, "2026-11-26T00:00:00+00:00", last, because=because)
        signed.append(Checkpoint.read(as_line(signer.sign(said))))
    assert problems(signed, public) == []
    for left_out in (signed[1], signed[2]):
        found = problems([one for one in signed if one is not left_out], public)
        assert len(found) == 1 and found[0].endswith("the one before it is missing")


COUNTED_ANEW = """
insert into days (policyholder_code, user_id, day, records, trail_records)
select policyholder_code, whose.id, (performed_at at time zone 'Asia/Tokyo')::date,
       count(operation), count(*) - count(operation)
  from history, lateral (values (user_id), ('')) whose (id) group by 1, 2, 3
"""


async def alarmed(client: aiohttp.ClientSession, process: Process) -> None:
    """Wait until an audit says that the log is not the signed one; only in a process of its own it means its own."""

    async def said() -> bool:
        async with client.get(f"{process.url}/metrics") as response:
            return "audit_integrity_alarm 1.0" in await response.text()

    await eventually(said)


@pytest.mark.requirement("A-1")
@pytest.mark.parametrize("change", [cut, edit_and_chain_anew, append_block])
async def test_a_change_under_the_running_service_raises_the_alarm_and_nothing_more_is_signed(
    change: Change, evidence: Evidence, cluster: Cluster, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The row that is signed first, long before its time, shows that every so many rows are signed without waiting."""
    platform, later = evidence.platform, tmp_path / "later.jsonl"
    shutil.copy(evidence.checkpoints, later)
    async with copied(evidence, cluster) as dsn:
        own = with_database(platform.database("audit"), dsn.rpartition("/")[2])
        few = {"checkpoint_seconds": 3600.0, "checkpoint_rows": 2}
        async with serving(platform, "audit", database_url=own, checkpoints=later, **few) as process:
            await platform.say("identity", LoginSucceeded(operator=callers.applicant("700000001", 1).operator))

            async def signed() -> bool:
                last = read_last(later)
                return last is not None and last.rows > ROWS

            await eventually(signed)
            before = later.read_bytes()
            async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as changed:
                await change(changed, random.Random(1), range(1, ROWS + 1))
            await alarmed(client, process)
            assert later.read_bytes() == before


async def test_a_copy_of_a_checkpoint_that_we_did_not_sign_is_no_ground_to_continue_on(
    evidence: Evidence, cluster: Cluster, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The true head at the true row, so that nothing but the signature is wrong."""
    platform, later = evidence.platform, tmp_path / "later.jsonl"
    lines = evidence.checkpoints.read_text().splitlines(keepends=True)
    later.write_text("".join(lines[:-1]))
    async with copied(evidence, cluster) as dsn:
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as changed:
            await changed.execute(
                "update checkpoints set statement = $1 where rows = $2", lines[-1].strip().replace("T", " "), ROWS
            )
        own = with_database(platform.database("audit"), dsn.rpartition("/")[2])
        async with serving(platform, "audit", database_url=own, checkpoints=later, checkpoint_seconds=0.2) as process:
            await alarmed(client, process)
            assert later.read_text() == "".join(lines[:-1])


async def test_an_alarm_ends_also_in_a_process_that_is_not_the_one_that_signs_again(
    evidence: Evidence, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def newest(*_: object) -> None:
        raise checkpoints.Contradiction("the head at row 1 is not the one that was signed")

    async def says(alarm: float) -> bool:
        return REGISTRY.get_sample_value("audit_integrity_alarm") == alarm

    monkeypatch.setattr(checkpoints, "newest", newest)
    monkeypatch.setattr(checkpoints, "ALARMED_SECONDS", 0.5)
    settings: Any = evidence.platform.settings("audit")
    async with copied(evidence, cluster) as dsn:
        one, other = [await Database.connect(dsn, source="audit", size=2) for _ in range(2)]
        signing = checkpoints.sign_checkpoints(one, settings, keys.Signer.from_folder(tmp_path))
        task = asyncio.create_task(signing)
        try:
            await eventually(lambda: says(1))
            async with leading(other, "audit.checkpoints"):
                await eventually(lambda: says(0))
        finally:
            task.cancel()
            await asyncio.wait({task})


def test_a_process_that_died_while_it_made_the_key_keeps_no_other_from_making_one(tmp_path: Path) -> None:
    """In a container every process has the same number."""
    (tmp_path / f"{keys.PRIVATE_NAME}.{os.getpid()}").write_bytes(b"-----BEGIN")
    signer = keys.Signer.from_folder(tmp_path)
    assert keys.Signer.from_folder(tmp_path).key_id == signer.key_id


def test_the_end_of_a_long_file_is_found_without_reading_all_of_it(tmp_path: Path) -> None:
    """Also behind the piece of a line that a crash left."""
    path, signer = tmp_path / "checkpoints.jsonl", keys.Signer.from_folder(tmp_path)
    assert read_last(path) is None
    last: Checkpoint | None = None
    for rows in range(1, 400):
        last = Checkpoint.read(as_line(signer.sign(statement(rows, rows, bytes(32), "now", last))))
        append(path, last.line)
    assert path.stat().st_size > 2 * END_BYTES
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(b'{"kind":')
    assert read_last(path) == last
    assert last is not None
    append(path, last.line)
    assert path.read_bytes() == whole + last.line.encode() + b"\n"
    path.write_bytes(whole[:1000] + b"x" * 2 * END_BYTES)
    for read in (read_last, lambda path: append(path, "y")):
        with pytest.raises(ValueError, match="not a file of checkpoints"):
            read(path)


async def test_what_cannot_be_read_is_not_said_to_be_changed(evidence: Evidence, tmp_path: Path) -> None:
    dsn, cut_off = evidence.platform.database("audit"), tmp_path / "month.copy.gz"
    cut_off.write_bytes(gzip.compress(b"1\tx\n" * 1000)[:40])
    no_server = "postgresql://audit@127.0.0.1:1/audit"
    for arguments in (
        [*evidence.arguments(), "--database", no_server],
        [*evidence.arguments(), "--database", dsn + "_of_nobody"],
        [*evidence.arguments(), "--database", dsn, "--archive", str(tmp_path / "nothing")],
        [*evidence.arguments(), "--database", dsn, "--archive", str(cut_off)],
        [*evidence.arguments(), "--export", str(tmp_path / "nothing")],
        [*evidence.arguments(), "--checkpoints", str(tmp_path / "nothing"), "--database", dsn],
    ):
        status, said = await asyncio.to_thread(evidence.program, "verify", *arguments)
        assert (status, said[:16]) == (2, "cannot be read: "), arguments


async def test_checkpoints_that_were_touched_are_found(evidence: Evidence, tmp_path: Path) -> None:
    lines = evidence.checkpoints.read_text().splitlines()
    said = json.loads(lines[1])
    forged = {
        "a number": [lines[0], json.dumps(said | {"rows": said["rows"] + 1}), *lines[2:]],
        "one taken out": [lines[0], *lines[2:]],
        "another key": [json.dumps(json.loads(lines[0]) | {"key_id": "0" * 16}), *lines[1:]],
    }
    for name, content in forged.items():
        path = tmp_path / "forged.jsonl"
        path.write_text("\n".join(content) + "\n")
        status, said_aloud = evidence.program(
            "verify", "--public-key", str(evidence.key), "--checkpoints", str(path),
            "--database", evidence.platform.database("audit"),
        )  # fmt: skip
        assert status == 1, (name, said_aloud)


async def test_a_dump_verifies_on_a_machine_without_the_database(evidence: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "log.dump"
    await dump(ArgumentParser())(evidence.platform.settings("audit"), Namespace(file=path))  # type: ignore[arg-type]
    assert evidence.program("verify", *evidence.arguments(), "--export", str(path))[0] == 0
    lines = path.read_bytes().split(b"\n")
    for change in (lines[:-9], lines[:5] + lines[6:], [*lines[:5], lines[5] + b"x", *lines[6:]], [b"garbage"]):
        path.write_bytes(b"\n".join(change))
        assert evidence.program("verify", *evidence.arguments(), "--export", str(path))[0] == 1


async def killed(*_: object) -> None:
    """The process dies when the file is whole and the month still there."""
    raise RuntimeError


async def test_an_archived_month_still_verifies_with_its_file_a_dump_made_after_it_too(
    evidence: Evidence, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with copied(evidence, cluster) as dsn:
        database = await Database.connect(dsn, source="audit", size=1)
        oldest = await database.fetchval("select min(performed_at) from history")
        month = f"history_{japanese_day(oldest):%Y_%m}"
        by = callers.operator().operator
        with monkeypatch.context() as cut_short, pytest.raises(RuntimeError):
            cut_short.setattr(archives, "_drop", killed)
            await archive_month(database, month, tmp_path, by)
        verify = ["verify", *evidence.arguments(), "--database", dsn]
        (left,) = tmp_path.glob("*.gz")
        assert evidence.program(*verify, "--archive", str(left))[0] == 0
        path = (await archive_month(database, month, tmp_path, by)).file
        await database.close()
        assert evidence.program(*verify)[0] == 1
        assert evidence.program(*verify, "--archive", str(path))[0] == 0
        assert evidence.program(*verify, "--archive", str(left), "--archive", str(path))[0] == 0
        export = tmp_path / "log.dump"
        settings: Any = evidence.platform.settings("audit", database_url=dsn)
        await dump(ArgumentParser())(settings, Namespace(file=export))
        verify = ["verify", *evidence.arguments(), "--export", str(export)]
        assert evidence.program(*verify)[0] == 1
        assert evidence.program(*verify, "--archive", str(path))[0] == 0


async def test_a_downloaded_file_verifies_beside_its_manifest_and_no_other_does(
    platform: Platform, company: Company, tmp_path: Path
) -> None:
    await company.did(*((company.operator(n), Operation.LOGIN, datetime.now(UTC)) for n in range(3)))
    now = datetime.now(UTC) + timedelta(hours=9)
    found = await company.search(f"{now - timedelta(days=1):%Y-%m-%d}", f"{now:%Y-%m-%d}")
    body = await company.download(found)
    status, manifest = await company.get(f"/access-history/searches/{found['id']}/manifest")
    assert status == 200
    _, key = await company.get("/proofs/public-key")
    (tmp_path / "key.pub").write_text(json.loads(key)["pem"])
    csv, beside = tmp_path / "history.csv", tmp_path / "history.json"
    beside.write_bytes(manifest)

    def verified(content: bytes) -> int:
        csv.write_bytes(content)
        return verify_file([str(csv), str(beside), "--public-key", str(tmp_path / "key.pub")])

    assert verified(body) == 0
    for changed in (body[:-1], body.replace(b"000,", b"001,"), body + b"\r\n", body.rpartition(b"\n2")[0], b""):
        assert verified(changed) == 1
    said, own = json.loads(manifest), keys.Signer.from_folder(platform.folder / "audit")
    for head, expected in ((bytes.fromhex(said["log_head"]), 0), (bytes(32), 1)):
        outside = tmp_path / f"checkpoints-{expected}.jsonl"
        append(outside, as_line(own.sign(statement(said["log_rows"], 1, head, "now", None))))
        csv.write_bytes(body)
        arguments = [str(csv), str(beside), "--public-key", str(tmp_path / "key.pub"), "--checkpoints", str(outside)]
        assert verify_file(arguments) == expected
    beside.write_text(manifest.decode().replace('"records":3', '"records":2'))
    assert verified(body) == 1


def test_a_file_with_a_long_cell_is_read_and_what_is_no_manifest_is_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row's details may have hundreds of thousands of letters; Python's reader refuses such a cell by itself."""
    signer, csv, beside = keys.Signer.from_folder(tmp_path), tmp_path / "trail.csv", tmp_path / "trail.json"
    cells = [",".join(HEADERS["trail", "by_user"]), "1,2,3,4,5,6,7,8," + "x" * 200 * MOST_BYTES]
    body = "".join(f"{one}\r\n" for one in cells).encode("utf-8-sig")
    csv.write_bytes(body)
    day = datetime(2026, 4, 1, tzinfo=UTC)
    search = {
        "view": "trail", "form": "by_user", "encoding": "utf-8", "policyholder_code": "1", "target_user_id": None,
        "first_day": day.date(), "last_day": day.date(), "asked_at": day, "records": 1, "up_to": 1,
    }  # fmt: skip
    beside.write_text(sign(signer, search, sha256(body).hexdigest(), bytes(32)).model_dump_json())
    arguments = [str(csv), str(beside), "--public-key", str(tmp_path / keys.PUBLIC_NAME)]
    assert verify_file(arguments) == 0
    for other in (as_line(signer.sign(statement(1, 1, bytes(32), "now", None))), "[]", "1"):
        beside.write_text(other)
        capsys.readouterr()
        assert verify_file(arguments) == 2
        assert capsys.readouterr().err == f"cannot be read: {beside} is not a manifest\n"
