"""A secret opens for one mail, while its key lives, and never rests anywhere in clear (law 6)."""

import base64
import itertools
import json
import logging
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.seals import Sealed, seal
from contracts.notifier import SealingKeysPublished, SealingPurpose, SendMail, Template
from notifier.keys import KeyRing, NotOpened, Period
from tests.notifier.conftest import against, sending_to
from tests.notifier.relays import only
from tests.notifier.wishes import Wishes, address
from tests.support.mailbox import Mailbox, text_of
from tests.support.platform import Platform

PASSWORD = "Zq8vXk2mWp5tRn7c"
PERIODS = {
    SealingPurpose.CODE: Period(timedelta(minutes=15), timedelta(minutes=30), 8),
    SealingPurpose.PASSWORD: Period(timedelta(days=1), timedelta(days=7), 3),
}
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def seal_to(ring: KeyRing, purpose: SealingPurpose, now: datetime, place: tuple[str, ...] = ("p",)) -> Sealed:
    """A secret sealed to the key of that moment."""
    (key,) = [key for key in ring.renew(now) if key.purpose is purpose and key.use_from <= now < key.use_until]
    return seal(PASSWORD, key_id=key.key_id, public_key=base64.b64decode(key.public_key), place=place)


@pytest.mark.requirement("S-1")
def test_keys_are_ready_ahead_rotate_and_die(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys", PERIODS)
    early = seal_to(ring, SealingPurpose.CODE, NOW)
    for minutes in range(0, 24 * 60, 7):
        now = NOW + timedelta(minutes=minutes)
        published = ring.renew(now)
        for purpose in SealingPurpose:
            own = sorted((key.use_from, key.use_until) for key in published if key.purpose is purpose)
            assert own[0][0] <= now
            assert own[-1][1] >= now + PERIODS[purpose].life * (PERIODS[purpose].ahead - 1)
            assert all(before[1] == after[0] for before, after in itertools.pairwise(own))
    with pytest.raises(NotOpened, match="destroyed"):
        ring.open(early, ("p",), now)
    assert len(list((tmp_path / "keys").glob("*.json"))) < 20


@pytest.mark.requirement("S-1")
def test_after_a_clock_that_was_a_year_ahead_there_are_keys_for_now(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, PERIODS)
    ring.renew(NOW + timedelta(days=365))
    for purpose in SealingPurpose:
        sealed = seal_to(ring, purpose, NOW)
        assert ring.open(sealed, ("p",), NOW) == PASSWORD
        seal_to(ring, purpose, NOW - timedelta(minutes=4))
    assert ring.renew(NOW) == ring.renew(NOW)


@pytest.mark.requirement("S-1")
def test_a_destroyed_key_opens_nothing_even_if_a_process_still_remembers_it(tmp_path: Path) -> None:
    writer, reader = KeyRing(tmp_path, PERIODS), KeyRing(tmp_path, PERIODS)
    sealed = seal_to(writer, SealingPurpose.CODE, NOW)
    assert reader.open(sealed, ("p",), NOW + timedelta(minutes=44)) == PASSWORD
    with pytest.raises(NotOpened, match="destroyed"):
        reader.open(sealed, ("p",), NOW + timedelta(minutes=45, seconds=1))
    writer.renew(NOW + timedelta(hours=1))
    assert not (tmp_path / f"{sealed.key_id}.json").exists()


def test_keys_are_in_files_that_only_the_notifier_reads(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys", PERIODS)
    ring.renew(NOW)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").glob("*.json")} == {0o600}


def test_processes_that_start_at_once_make_one_set_of_keys(tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def renew(_: int) -> list[str]:
        ring = KeyRing(tmp_path, PERIODS)  # the lock is the file's, so threads stand for processes
        start.wait()
        return [key.key_id for key in ring.renew(NOW)]

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(renew, range(4)))
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize(
    "key_id", ["../../etc/passwd", "code-20260401T000000Z-0000000000000000", "", "code/x", "a" * 64]
)
def test_a_key_id_from_the_wire_never_becomes_another_path(tmp_path: Path, key_id: str) -> None:
    with pytest.raises(NotOpened, match="unknown"):
        KeyRing(tmp_path, PERIODS).open(Sealed(key_id=key_id, ciphertext=""), (), NOW)


def test_a_key_of_another_folder_is_out_of_reach(tmp_path: Path) -> None:
    sealed = seal_to(KeyRing(tmp_path / "other", PERIODS), SealingPurpose.CODE, NOW)
    beside = sealed.model_copy(update={"key_id": f"../other/{sealed.key_id}"})
    with pytest.raises(NotOpened, match="unknown"):
        KeyRing(tmp_path / "own", PERIODS).open(beside, ("p",), NOW)


@pytest.mark.requirement("S-1")
async def test_the_keys_are_told_at_the_start_and_again(apart: Platform, mailbox: Mailbox) -> None:
    async with apart.hears(SealingKeysPublished) as spy:
        life = {"code_key_life": timedelta(seconds=30)}
        async with sending_to(apart, mailbox.port, state=apart.folder / "own-keys", **life):
            keys = (await spy.next())["data"]["keys"]
            assert {key["purpose"] for key in keys} == {"code", "password"}
            assert "private" not in str(keys)
            more = (await spy.next(timeout=45))["data"]["keys"]
            assert keys != more


@pytest.mark.requirement("S-1")
async def test_secrets_that_are_not_for_here_fail_with_a_reason_and_others_go_on(
    wishes: Wishes, mailbox: Mailbox
) -> None:
    good = wishes.mail(Template.PASSWORD_REISSUED, address(), secret=PASSWORD)
    assert good.secret is not None
    sealed = base64.b64decode(good.secret.ciphertext)
    turned = base64.b64encode(sealed[:-1] + bytes([sealed[-1] ^ 1])).decode()
    old_key = good.secret.model_copy(update={"key_id": "password-20200101T000000Z-0123456789abcdef"})
    bad = {
        "tampered": changed(good, secret=Sealed(key_id=good.secret.key_id, ciphertext=turned)),
        "redirected": changed(good, recipient=address()),
        "re-templated": changed(good, template=Template.GROUP_VIEWER_PASSWORD),
        "prolonged": changed(good, not_after=good.not_after + timedelta(days=1)),
        "old key": changed(good, secret=old_key),
        "not base64": changed(good, secret=Sealed(key_id=good.secret.key_id, ciphertext="?")),
    }
    for case, wish in bad.items():
        # Each in front of the good one, so that it is not refused as a replay instead.
        mail_id = await wishes.say(wish)
        row = await wishes.end(mail_id)
        assert (row["state"], row["attempts"]) == ("failed", 1), case
        assert row["reason"].startswith("secret: "), case
        async with wishes.platform.owner("notifier") as database:
            await database.execute("update mails set secret = null where id = $1", mail_id)
    await wishes.say(good)
    assert PASSWORD in text_of(await mailbox.next_to(good.recipient))


def changed(wish: SendMail, **given: Any) -> SendMail:
    """The same command with something else in it."""
    return wish.model_copy(update=given)


@pytest.mark.requirement("S-1")
async def test_a_replayed_secret_is_refused(wishes: Wishes, mailbox: Mailbox) -> None:
    wish = wishes.mail(Template.PASSWORD_REISSUED, address(), secret=PASSWORD)
    await wishes.end(await wishes.say(wish), "sent")
    again = await wishes.end(await wishes.say(wish))
    assert (again["state"], again["secret"]) == ("failed", None)
    assert again["reason"] == "replayed: its secret came in another mail before"
    assert len(mailbox.to(wish.recipient)) == 1


@pytest.mark.requirement("S-1")
async def test_no_secret_is_found_in_the_database_or_the_logs(
    apart: Platform, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosmtplib").setLevel(logging.DEBUG)
    found: list[str] = []
    to = address()
    async with against(apart, only(to, "TEXT", "550 no")) as (relay, wishes):
        secrets = [f"{PASSWORD}{number:02d}" for number in range(8)]
        ids = [
            await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to if number % 2 else address(), secret=secret))
            for number, secret in enumerate(secrets)
        ]
        states = [(await wishes.end(mail_id))["state"] for mail_id in ids]
        assert states == ["sent", "failed"] * 4
        assert sum(PASSWORD in taken.message.get_content() for taken in relay.taken) == 4
        await wishes.end(await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret=PASSWORD, facts={})))
        async with apart.owner("notifier") as database:
            for table in await database.fetch("select tablename from pg_tables where schemaname = 'public'"):
                rows = await database.fetch(f"select to_jsonb(t)::text as row from {table['tablename']} t")
                found += [row["row"] for row in rows]
    said = capfd.readouterr()
    found += [caplog.text, said.out, said.err]
    assert shows(relay.taken[0].raw.decode()), "a mail as it is sent would be noticed"
    assert shows(json.dumps(relay.taken[0].raw.decode()))
    assert not [text for text in found if shows(text)]


def shows(text: str) -> bool:
    """Whether the password can be read from a text, also in a part of a mail, whose base64 begins anywhere."""
    packed = re.sub(r"\\[rn]|\s", "", text).lower()
    spellings = [PASSWORD, PASSWORD.encode().hex()]
    for before in range(3):
        whole = base64.b64encode(bytes(before) + PASSWORD.encode()).decode()
        # The first and the last letters depend on what stands beside the password.
        spellings.append(whole[(8 * before + 5) // 6 : 8 * (before + len(PASSWORD)) // 6])
    return any(spelling.lower() in packed for spelling in spellings)
