"""Operators can help when somebody calls, and every command of theirs is in the security trail."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from contracts.identity import AddressChanged, OperatorActed, SessionsEnded, UserUnlocked
from contracts.nexi import Administrator, GroupViewerGranted
from identity.commands import COMMANDS
from identity.keyring import Keyring
from identity.settings import IdentitySettings
from tests.identity.conftest import trust
from tests.identity.people import People, Person, registered
from tests.identity.test_sessions import claims
from tests.support import sealing, unique
from tests.support.eventually import eventually


class Desk:
    """An operator at a terminal."""

    def __init__(self, people: People, screen: pytest.CaptureFixture[str]) -> None:
        self._people, self._screen = people, screen

    async def run(self, *words: str, **settings: Any) -> tuple[int, str, str]:
        """Give a command; answers status, what was printed, and what was complained about."""
        parser = ArgumentParser()
        run = COMMANDS[words[0]](parser)
        told = self._people.platform.settings("identity", **settings)
        assert isinstance(told, IdentitySettings)
        self._screen.readouterr()
        status = await run(told, parser.parse_args([*words[1:], "--by", "desk"]))
        out, err = self._screen.readouterr()
        return status, "\n".join(line for line in out.splitlines() if not line.startswith("20")), err

    async def told(self, *words: str) -> Any:
        """Give a command that succeeds; what it answered."""
        status, out, err = await self.run(*words)
        assert status == 0, err
        return json.loads(out)


@pytest.fixture
def desk(people: People, capsys: pytest.CaptureFixture[str]) -> Desk:
    """An operator."""
    return Desk(people, capsys)


async def test_an_operators_token_may_operate_and_nothing_else(people: People, desk: Desk) -> None:
    async with people.platform.hears(OperatorActed) as spy:
        status, token, _ = await desk.run("token", "--role", "operator", "--name", "yamada", "--days", "2")
        acted = await spy.next(command="token operator:yamada for 2 days")
    assert status == 0
    assert acted["data"]["operator"]["user_id"] == "operator:desk"
    said = claims(token.strip())
    assert said["caller"]["may"] == ["operate"]
    assert said["exp"] - said["iat"] == 2 * 86400
    header = {"Authorization": f"Bearer {token.strip()}"}
    async with people.client.get(f"{people.identity.url}/me", headers=header) as answer:
        assert answer.status == 403, "known, but not a Web user"


async def test_a_users_state_is_shown_without_secrets(people: People, desk: Desk) -> None:
    person = await people.administrator()
    state = await desk.told("user", "show", person.user_id)
    assert state["enabled"] is True
    assert state["has_own_password"] is True
    assert state["open_sessions"] == 1
    assert not re.search(r"argon2|hash|verifier", json.dumps(state))
    await people.let_time_pass(person, minutes=31)
    assert (await desk.told("user", "show", person.user_id))["open_sessions"] == 0, "it timed out"


@pytest.mark.requirement("L1")
async def test_unlock_ends_a_lock_and_says_so(people: People, desk: Desk) -> None:
    person = await people.administrator()
    for _ in range(5):
        await person.try_login("wrong wrong wrong")
    async with people.platform.hears(UserUnlocked, OperatorActed) as spy:
        assert await desk.told("unlock", person.user_id) == {"user_id": person.user_id, "was_locked": True}
        assert (await spy.next(command="unlock"))["data"]["about_user_id"] == person.user_id
        assert (await spy.next(about_user_id=person.user_id))["data"]["operator"]["user_id"] == "operator:desk"
    assert (await person.try_login()).status == 201


@pytest.mark.requirement("L9")
async def test_end_sessions_is_in_force_when_the_command_answers(people: People, desk: Desk) -> None:
    person = await people.administrator()
    async with people.platform.hears(SessionsEnded) as spy:
        answer = await desk.told("end-sessions", person.user_id)
        assert (await person.ask("GET", "/me")).status == 401
        assert (await spy.next(about_user_id=person.user_id))["data"]["count"] == 1
    assert (answer["ended"], answer["in_force_from"]) == (1, None)


@pytest.mark.requirement("L8", "L9")
async def test_a_disabled_administrator_is_out_and_an_enabled_one_may_return(people: People, desk: Desk) -> None:
    person = await people.administrator()
    code = person.user_id[:9]
    assert (await desk.told("administrator", "disable", code))["changed"] is True
    assert (await person.ask("GET", "/me")).status == 401
    assert (await person.try_login()).status == 401
    assert (await desk.told("administrator", "disable", code))["changed"] is False
    assert (await desk.told("administrator", "enable", code))["changed"] is True
    assert (await person.elsewhere().try_login()).status == 201


@pytest.mark.requirement("W3", "N1")
async def test_an_administrator_can_be_made_for_a_company_without_one(people: People, desk: Desk) -> None:
    code = unique.policyholder_code()
    given = ["--name", "日本　花子", "--email", "hanako@sample.com"]
    place = ["--postal-code", "111-1111", "--address", "東京都千代田区西神田"]
    status, _, complaint = await desk.run("administrator", "create", code, *given, *place)
    assert (status, "is not registered" in complaint) == (1, True)
    await people.platform.nexi.publish(registered(code, terms_agreed=False))

    async def there() -> Any:
        return await people.behind.fetchval("select true from companies where policyholder_code = $1", code)

    await eventually(there)
    status, _, complaint = await desk.run("administrator", "create", code, *given[:2], "--email", "no", *place)
    assert (status, complaint.startswith("email")) == (1, True)
    async with people.platform.hears(OperatorActed) as spy:
        assert (await desk.told("administrator", "create", code, *given, *place))["user_id"] == f"{code}000"
        await spy.next(command="administrator create", about_user_id=f"{code}000")
    letter = await people.letters.next(policyholder_code=code)
    assert len(sealing.secret_of(letter)) == 16
    status, _, complaint = await desk.run("administrator", "create", code, *given, *place)
    assert (status, "already" in complaint) == (1, True)


@pytest.mark.requirement("L10", "L9", "N1")
async def test_a_replaced_administrator_is_out_and_the_successor_comes_in_with_the_letter(
    people: People, desk: Desk
) -> None:
    person = await people.administrator()
    code = person.user_id[:9]
    shown = (await person.ask("GET", "/administrator")).body
    form = {name: shown[name] for name in ("version", "email", "name", "one_time_password")}
    wish = form | {"email": "pending@sample.com", "current_password": person.password}
    assert (await person.ask("PUT", "/administrator", json=wish)).status == 200
    pending = sealing.secret_of(await people.mails.next(template="email_confirmation", about_user_id=person.user_id))
    await desk.told("administrator", "disable", code)
    await desk.told("administrator", "enable", code)
    await person.log_in()
    for _ in range(5):
        await person.elsewhere().try_login("wrong wrong wrong")

    given = ["--name", "後任　花子", "--email", "hanako@sample.com", "--title", "課長"]
    place = ["--postal-code", "222-2222", "--address", "東京都港区"]
    async with people.platform.hears(OperatorActed, AddressChanged) as spy:
        answer = await desk.told("administrator", "replace", code, *given, *place)
        assert (await person.ask("GET", "/me")).status == 401
        acted = await spy.next(command="administrator replace", about_user_id=person.user_id)
        assert (await spy.next(user_id=person.user_id))["data"]["address"] == "hanako@sample.com"
    assert (answer["user_id"], answer["in_force_from"]) == (person.user_id, None)
    assert acted["data"]["operator"]["policyholder_code"] == code
    assert (await person.elsewhere().try_login()).status == 401, "neither the password nor the lock is left"
    token = {"token": pending.partition("#token=")[2]}
    assert (await person.elsewhere().ask("POST", "/email-changes/confirmation", json=token)).status == 410

    letter = await people.letters.next(policyholder_code=code)
    assert (letter["data"]["addressee"], letter["data"]["postal_code"]) == ("後任　花子", "222-2222")
    successor = await Person(people, person.user_id, sealing.secret_of(letter)).settle_in()
    shown = (await successor.ask("GET", "/administrator")).body
    assert [shown[name] for name in ("name", "email", "phone", "title")] == [
        "後任　花子",
        "hanako@sample.com",
        "",
        "課長",
    ]


async def test_nobody_is_replaced_where_nobody_is(desk: Desk) -> None:
    given = ["--name", "後任　花子", "--email", "hanako@sample.com", "--postal-code", "222-2222", "--address", "東京都"]
    status, _, complaint = await desk.run("administrator", "replace", unique.policyholder_code(), *given)
    assert (status, "has no administrator" in complaint) == (1, True)


@pytest.mark.requirement("N2", "L10")
async def test_a_group_viewer_who_has_the_id_is_no_administrator_to_be_replaced(people: People, desk: Desk) -> None:
    code = unique.policyholder_code()
    viewer = Administrator(name="全社　花子", email="viewer@sample.com")
    granted = GroupViewerGranted(
        user_id=f"{code}000", issued_at=unique.now(), person=viewer, policyholder_codes=(code,)
    )
    await people.platform.nexi.publish(registered(code, terms_agreed=False), granted)
    await people.mails.next(template="group_viewer_password", about_user_id=f"{code}000")
    given = ["--name", "後任　花子", "--email", "hanako@sample.com", "--postal-code", "222-2222", "--address", "東京都"]
    status, _, complaint = await desk.run("administrator", "replace", code, *given)
    assert (status, "has no administrator" in complaint) == (1, True)
    assert await people.behind.fetchval("select email from users where user_id = $1", f"{code}000") == viewer.email


@pytest.mark.parametrize(
    ("words", "recorded"),
    [
        (["user", "show", "{user}"], "user show"),
        (["unlock", "{user}"], "unlock"),
        (["end-sessions", "{user}"], "end-sessions"),
        (["administrator", "disable", "{code}"], "administrator disable"),
        (["administrator", "enable", "{code}"], "administrator enable"),
    ],
)
async def test_every_command_about_a_user_is_in_the_companys_trail(
    people: People, desk: Desk, words: list[str], recorded: str
) -> None:
    person = await people.administrator()
    code = person.user_id[:9]
    async with people.platform.hears(OperatorActed) as spy:
        await desk.told(*(word.format(user=person.user_id, code=code) for word in words))
        said = (await spy.next(command=recorded))["data"]
    assert said["about_user_id"] == person.user_id
    assert (said["operator"]["user_id"], said["operator"]["policyholder_code"]) == ("operator:desk", code)


@pytest.mark.parametrize("command", ["rotate-keys", "administrator replace"])
async def test_a_command_without_the_databases_key_file_is_refused_and_changes_nothing(
    people: People, desk: Desk, tmp_path: Path, command: str
) -> None:
    person = await people.administrator()
    words = command.split()
    if "replace" in words:
        words += [person.user_id[:9], "--name", "後任　花子", "--email", "hanako@sample.com"]
        words += ["--postal-code", "222-2222", "--address", "東京都港区"]
    keys = await people.behind.fetchval("select count(*) from signing_keys")
    status, out, complaint = await desk.run(*words, state=tmp_path)
    assert (status, out, complaint) == (1, "", "the key file and the database do not belong together\n")
    assert await people.behind.fetchval("select count(*) from signing_keys") == keys, "another key stops the service"
    assert (await person.elsewhere().try_login()).status == 201


async def test_unknown_users_are_refused_with_a_sentence(desk: Desk) -> None:
    for words in (("user", "show"), ("unlock",), ("end-sessions",)):
        status, out, complaint = await desk.run(*words, "999999999999")
        assert (status, out, complaint) == (1, "", "There is no user 999999999999.\n")


async def test_after_a_rotation_old_and_new_tokens_count_side_by_side(people: People, desk: Desk) -> None:
    person = await people.administrator()
    old = person.access_token
    notice = people.platform.settings("identity")
    assert isinstance(notice, IdentitySettings)
    async with people.platform.hears(OperatorActed) as spy:
        rotated = await desk.told("rotate-keys")
        await spy.next(command=f"rotate-keys {rotated['key_id']}")
    await people.behind.execute("update signing_keys set signs_from = now() where key_id = $1", rotated["key_id"])
    keyring = people.identity.provides[Keyring]
    assert isinstance(keyring, Keyring)
    keyring._read_at = float("-inf")
    published = await person.ask("GET", "/.well-known/jwks.json")
    ids = [key["kid"] for key in published.body["keys"]]
    assert rotated["key_id"] in ids and len(ids) >= 2
    assert all("d" not in key for key in published.body["keys"])
    await trust(people.platform, people.identity)
    await person.refresh()
    assert person.access_token != old
    for token in (old, person.access_token):
        person.access_token = token

        async def accepted() -> bool:
            return (await person.ask("GET", "/me")).status == 200

        await eventually(accepted)

    await people.behind.execute("update signing_keys set verify_until = now() where verify_until is not null")
    keyring._read_at = float("-inf")
    assert [key["kid"] for key in (await person.ask("GET", "/.well-known/jwks.json")).body["keys"]] == [
        rotated["key_id"]
    ]
