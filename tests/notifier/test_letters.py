"""The administrator's first password leaves as a letter: sealed until it is drawn, encrypted until it is posted."""

import asyncio
import os
import stat
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pypdf
import pytest

from chassis.seals import Sealed
from contracts.notifier import LetterPosted, MailFailed, OperatorActed
from notifier.commands import letters as commands
from notifier.letters.spool import Gone, Spool
from notifier.service import service
from notifier.settings import Settings
from notifier.store import operations
from notifier.tasks import WRITTEN_DOWN, sweep
from tests.notifier.terminal import Command, printed, typed
from tests.notifier.wishes import Wishes
from tests.support import unique
from tests.support.eventually import eventually

PASSWORD = "Hk7mPw3xRt9vNc4d"


@pytest.fixture
def command(wishes: Wishes) -> Command:
    """`await command("print", letter_id, "--to", file, "--by", "me")` as on the command line."""
    return typed(wishes, commands.define)


async def letter(wishes: Wishes, letter_id: UUID, state: str = "waiting") -> Any:
    """The letter once it is in a state."""

    async def there() -> Any:
        query = "select * from letters where id = $1 and state = $2"
        return await wishes.runtime.database.fetchrow(query, letter_id, state)

    return await eventually(there)


def spool(wishes: Wishes) -> Spool:
    """The running service's."""
    found = wishes.runtime.provides[Spool]
    assert isinstance(found, Spool)
    return found


@pytest.mark.requirement("R65", "N1", "L5")
async def test_a_letter_is_drawn_printed_twice_at_most_and_destroyed_when_posted(
    wishes: Wishes, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = unique.policyholder_code()
    letter_id = await wishes.say(wishes.letter(code, PASSWORD))
    await letter(wishes, letter_id)
    await command("list")
    (line,) = [one for one in printed(capsys) if one["id"] == str(letter_id)]
    assert (line["about_user_id"], line["company"]) == (f"{code}000", "見本貿易株式会社")

    file = tmp_path / "letter.pdf"
    async with wishes.platform.hears(OperatorActed) as spy:
        assert await command("print", letter_id, "--to", file, "--by", "mail room") == 0
        said = (await spy.next(about=str(letter_id)))["data"]
        assert (said["command"], said["about_user_id"]) == ("print", f"{code}000")
        assert (said["operator"]["user_id"], said["operator"]["policyholder_code"]) == ("operator:mail room", code)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = pypdf.PdfReader(file).pages[0].extract_text()
    for words in (PASSWORD, f"{code}000", "〒101-0065", "見本貿易株式会社", "太郎　様"):
        assert words in text
    assert await command("print", letter_id, "--to", file, "--by", "mail room") == 0
    assert await command("print", letter_id, "--to", file, "--by", "mail room") == 1
    assert "2 times already" in capsys.readouterr().err

    async with wishes.platform.hears(LetterPosted) as spy:
        assert await command("posted", letter_id, "--by", "mail room") == 0
        said = await spy.next(letter_id=str(letter_id))
        assert said["data"]["about_user_id"] == f"{code}000"
    with pytest.raises(Gone):
        spool(wishes).take(letter_id)
    spool(wishes).put(letter_id, b"as after a crash right before the sheet was destroyed")
    assert await command("posted", letter_id, "--by", "mail room") == 0
    with pytest.raises(Gone):
        spool(wishes).take(letter_id)
    done = await wishes.runtime.database.fetch(
        "select operator, what from operations where about = $1 order by place", str(letter_id)
    )
    assert [tuple(row) for row in done] == [("operator:mail room", what) for what in ("print", "print", "posted")]


@pytest.mark.requirement("S-1", "N1")
async def test_nothing_of_a_letter_can_be_read_from_the_spool_or_the_database(wishes: Wishes) -> None:
    letter_id = await wishes.say(wishes.letter(unique.policyholder_code(), PASSWORD))
    row = await letter(wishes, letter_id)
    settings = wishes.runtime.provides[service.settings]
    assert isinstance(settings, Settings)
    (file,) = settings.spool.glob(f"{letter_id}*")
    assert b"PDF" not in file.read_bytes()[:64]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PASSWORD not in str(dict(row))
    assert spool(wishes).take(letter_id).startswith(b"%PDF")


async def test_a_letter_heard_twice_is_one_letter(wishes: Wishes) -> None:
    wish = wishes.letter(unique.policyholder_code(), PASSWORD)
    letter_id = await wishes.say(wish)
    await wishes.say(wish, ids=[letter_id])
    await letter(wishes, letter_id)
    assert await wishes.runtime.database.fetchval("select count(*) from letters where id = $1", letter_id) == 1


@pytest.mark.requirement("S-1")
async def test_a_letter_whose_secret_does_not_open_fails_and_says_so(wishes: Wishes) -> None:
    stranger = Sealed(key_id="password-20200101T000000Z-0123456789abcdef", ciphertext="AAAA")
    code = unique.policyholder_code()
    good = wishes.letter(code, PASSWORD)
    other = wishes.letter(unique.policyholder_code(), PASSWORD, secret=good.secret)
    async with wishes.platform.hears(MailFailed) as spy:
        for wish in (wishes.letter(code, PASSWORD, secret=stranger), other):
            letter_id = await wishes.say(wish)
            assert (await letter(wishes, letter_id, "failed"))["reason"].startswith("secret: ")
            said = (await spy.next(mail_id=str(letter_id)))["data"]
            assert (said["template"], said["outcome"]) == ("letter", "failed")
            assert said["operator"]["policyholder_code"] == said["policyholder_code"] == wish.policyholder_code


def test_a_changed_sheet_is_not_given_out(tmp_path: Path) -> None:
    place, letter_id = Spool(tmp_path / "spool", tmp_path / "keys"), uuid4()
    place.put(letter_id, b"%PDF")
    assert place.take(letter_id) == b"%PDF"
    file = tmp_path / "spool" / f"{letter_id}.letter"
    sealed = file.read_bytes()
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(Gone):
        place.take(letter_id)
    place.remove(letter_id)
    assert not list(tmp_path.rglob("*.letter")) + list(tmp_path.rglob("*.key"))


async def test_letters_with_every_kind_of_letter_are_drawn(wishes: Wishes) -> None:
    rare = {"company": "㈱𠮷野商事（仮）" * 5, "address": "北海道札幌市𩸽町" * 6, "addressee": "髙﨑　𠮷郎"}
    letter_id = await wishes.say(wishes.letter(unique.policyholder_code(), PASSWORD, **rare))
    await letter(wishes, letter_id)
    assert (await asyncio.to_thread(spool(wishes).take, letter_id)).startswith(b"%PDF")


@pytest.mark.requirement("R65", "L5")
async def test_a_print_is_used_up_only_with_a_sheet_and_leaves_nothing_else(
    wishes: Wishes,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    letter_id = await wishes.say(wishes.letter(unique.policyholder_code(), PASSWORD))
    await letter(wishes, letter_id)

    async def torn(*_: object) -> None:
        raise ConnectionError

    for to, rule in ((tmp_path, "name a file"), (tmp_path / "nowhere" / "letter.pdf", "there is no folder")):
        with pytest.raises(SystemExit):
            await command("print", letter_id, "--to", to, "--by", "mail room")
        said = capsys.readouterr().err.splitlines()[-1]
        assert "argument --to: " in said and rule in said
    with monkeypatch.context() as patched, pytest.raises(ConnectionError):
        patched.setattr(operations, "record", torn)
        await command("print", letter_id, "--to", tmp_path / "letter.pdf", "--by", "mail room")
    assert not list(tmp_path.iterdir())
    assert (await letter(wishes, letter_id))["prints"] == 0
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert await command("print", letter_id, "--to", "letter.pdf", "--by", "mail room") == 0
    assert f"{tmp_path / 'letter.pdf'}\n" in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["letter.pdf"]


@pytest.mark.requirement("R65", "L5")
async def test_a_letter_whose_password_has_lapsed_is_not_printed_and_its_sheet_is_destroyed(
    wishes: Wishes, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [await wishes.say(wishes.letter(unique.policyholder_code(), PASSWORD)) for _ in range(3)]
    lapsed, posted, good = ids
    for letter_id in ids:
        await letter(wishes, letter_id)
    async with wishes.platform.owner("notifier") as database:
        await database.execute("update letters set not_after = now(), state = 'printed' where id = $1", lapsed)
        await database.execute("update letters set state = 'posted' where id = $1", posted)
    assert await command("print", lapsed, "--to", tmp_path / "letter.pdf", "--by", "mail room") == 1
    assert "lapsed" in capsys.readouterr().err
    await command("list")
    listed = [line["id"] for line in printed(capsys)]
    assert str(posted) not in listed
    assert listed.index(str(good)) < listed.index(str(lapsed))

    settings = wishes.runtime.provides[service.settings]
    assert isinstance(settings, Settings)
    never, young = uuid4(), uuid4()
    for letter_id in (never, young):
        spool(wishes).put(letter_id, b"not written down, or not yet")
    long_ago = time.time() - 2 * WRITTEN_DOWN.total_seconds()
    for letter_id in (lapsed, posted, good, never):
        for folder in (settings.spool, settings.state / "letter-keys"):
            for file in folder.glob(f"{letter_id}.*"):
                os.utime(file, (long_ago, long_ago))
    await sweep(wishes.runtime.database, spool(wishes))

    async def destroyed() -> bool:  # by us, or by the service, which may be in the middle of it
        files = [*settings.spool.iterdir(), *(settings.state / "letter-keys").iterdir()]
        return {str(lapsed), str(posted), str(never)}.isdisjoint(file.stem for file in files)

    await eventually(destroyed)
    assert spool(wishes).take(good)
    assert spool(wishes).take(young)


async def test_processes_that_sweep_at_once_are_not_in_each_others_way(tmp_path: Path) -> None:
    place = Spool(tmp_path / "spool", tmp_path / "keys")
    for _ in range(100):
        place.put(uuid4(), b"nobody needs it")
    await asyncio.gather(*(asyncio.to_thread(place.sweep, (), timedelta(0)) for _ in range(4)))
    assert not [file for folder in ("spool", "keys") for file in (tmp_path / folder).iterdir()]


async def test_a_letter_that_nobody_printed_in_time_has_failed(wishes: Wishes) -> None:
    letter_id = await wishes.say(wishes.letter(unique.policyholder_code(), PASSWORD))
    await letter(wishes, letter_id)
    async with wishes.platform.hears(MailFailed) as spy, wishes.platform.owner("notifier") as database:
        await database.execute("update letters set not_after = now() where id = $1", letter_id)
        said = await spy.next(mail_id=str(letter_id))
        assert (said["data"]["template"], said["data"]["reason"]) == ("letter", "the deadline has passed")
    await letter(wishes, letter_id, "failed")
