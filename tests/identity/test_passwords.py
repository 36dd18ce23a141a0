"""A password is changed by who knows the current one, to one that is hard to guess (R94 to R98, L4, L9)."""

import asyncio
from typing import Any

import pytest

from identity.api.authentication import LONGEST
from identity.rules import passwords
from identity.rules.common_passwords import is_common
from identity.rules.passwords import broken_rules, normalised
from identity.rules.temporary_passwords import ALPHABET, LENGTH, temporary_password
from tests.identity.conftest import trust
from tests.identity.people import GOOD, People, new_password

GOOD_TWELVE = "tR7#kq9Zm!vL"


def rules_of(password: str, **facts: Any) -> list[str]:
    """The names of the rules that a password breaks."""
    given: dict[str, Any] = {"user_id": "123456789000", "current": "the current one", "shortest": 12, "longest": 128}
    return [one.rule for one in broken_rules(password, **(given | facts))]


@pytest.mark.requirement("L4")
@pytest.mark.parametrize(
    ("password", "broken"),
    [
        (GOOD_TWELVE, []),
        (GOOD_TWELVE[:11], ["too_short"]),
        ("貿易の帳簿は毎朝八時に開く", []),
        ("貿易の帳簿は毎朝八時に", ["too_short"]),
        ("correct otter piano 42", []),
        ("k9" + "あいうえおかき" * 18, []),
        ("k9" + "あいうえおかき" * 18 + "!", ["too_long"]),
        ("\U0001f40d python Zoo 88", []),
        ("the current one", ["current"]),
        ("x-123456789000-y", ["contains_user_id"]),
        ("tR7#kq9Zm!v\x07", ["unprintable"]),
        ("tR7#kq9Zm!v\x00", ["unprintable"]),
        ("tR7#kq9Zm!v\u200b", ["unprintable"]),
        ("tR7#kq9Zm!v\u202e", ["unprintable"]),
        ("tR7#kq9Zm!v\ud800", ["unprintable"]),
        ("password1234", ["common"]),
        ("P@ssw0rd2026!", ["common"]),
        ("Nexi2026Hoken!", ["common"]),
        ("qwertyuiop12", ["common"]),
        ("123456789012", ["common"]),
        ("abcabcabcabc", ["common"]),
        ("パスワードパスワード12", ["common"]),
        ("", ["too_short", "common"]),
    ],
)
def test_each_broken_rule_of_a_password_is_named(password: str, broken: list[str]) -> None:
    assert rules_of(password) == broken


@pytest.mark.requirement("L4")
def test_several_broken_rules_are_all_named() -> None:
    assert rules_of("aaaa\x07", current="aaaa\x07") == ["too_short", "unprintable", "current", "common"]


@pytest.mark.requirement("L4")
def test_full_width_and_composed_letters_are_the_same_password() -> None:
    assert normalised("Ａｂｃ１２３") == normalised("Abc123")
    assert normalised("か\u3099") == normalised("が")


@pytest.mark.requirement("L4")
async def test_what_was_accepted_as_a_password_opens_however_it_is_typed(people: People) -> None:
    person = await people.administrator()
    typed = "ﾎﾟｽﾄのｶｷﾞ４２" + "ｶﾞ" * 110
    assert len(typed) > 128 > len(normalised(typed))
    answer = await person.change_password(typed)
    assert answer.status == 200, answer.body
    await person.keep(answer.body)
    for way in (typed, normalised(typed)):
        assert (await person.elsewhere().try_login(way)).status == 201
        shown = (await person.ask("GET", "/administrator")).body
        form = {name: shown[name] for name in ("version", "email", "name", "phone", "one_time_password")}
        wish = form | {"email": f"{len(way)}@sample.com", "current_password": way}
        answer = await person.ask("PUT", "/administrator", json=wish)
        assert answer.status == 200, answer.body
        await person.refresh()
    assert (await person.change_password(new_password(), current=typed)).status == 200


@pytest.mark.requirement("L4")
async def test_the_longest_password_fits_through_every_door(people: People) -> None:
    person = await people.administrator()
    longest = "".join(chr(0x1F300 + number % 200) for number in range(1000))
    assert (await person.elsewhere().try_login(longest)).status == 401
    answer = await person.change_password(longest, current=longest)
    assert [error["rule"] for error in answer.body["errors"]] == ["too_long", "current"]


@pytest.mark.requirement("L4")
def test_a_million_letters_are_judged_quickly() -> None:
    assert "too_long" in rules_of("ab1!" * 250_000)
    assert is_common("a" * 1_000_000)


@pytest.mark.requirement("L4")
def test_letters_that_unfold_into_many_are_not_compared_with_common_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr(passwords, "is_common", compared.append)
    typed = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * LONGEST
    assert rules_of(normalised(typed)) == ["too_long"]
    assert rules_of(normalised("a" * 30)) == []
    assert compared == ["a" * 30], "the time that it takes would be the sender's to choose"


@pytest.mark.requirement("L5")
def test_a_temporary_password_has_sixteen_letters_that_cannot_be_confused() -> None:
    import secrets

    made = {temporary_password(secrets.choice) for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {LENGTH} == {16}
    assert not set("".join(made)) & set("0Oo1lIi")
    assert len(set(ALPHABET)) ** LENGTH > 2**90


@pytest.mark.requirement("R29", "R87", "R89", "R94", "R96", "R98", "L9")
async def test_a_change_ends_every_earlier_session_and_opens_a_new_one(people: People) -> None:
    person = await people.administrator()
    other, old = person.elsewhere(), person.elsewhere()
    await other.log_in()
    old.session_token, old.access_token = person.session_token, person.access_token
    async with people.platform.running("identity") as elsewhere:
        await trust(people.platform, elsewhere)
        assert (await other.ask("GET", "/me", to=elsewhere)).status == 200
        answer = await person.change_password(new := new_password())
        assert (answer.status, answer.body["in_force_from"]) == (200, None)
        for earlier in (other, old):
            assert (await earlier.ask("GET", "/me", to=elsewhere)).status == 401
            assert (await earlier.ask("GET", "/me")).status == 401
            assert (await earlier.ask("POST", "/access-tokens")).status == 401
    await person.keep(answer.body)
    assert (await person.ask("GET", "/me")).status == 200
    assert (await person.elsewhere().try_login()).status == 401
    assert (await person.elsewhere().try_login(new)).status == 201


@pytest.mark.requirement("R97", "L4")
async def test_the_current_password_is_no_new_one(people: People) -> None:
    person = await people.administrator()
    answer = await person.change_password(person.password)
    assert answer.status == 422
    assert [error["rule"] for error in answer.body["errors"]] == ["current"]
    assert answer.body["errors"][0]["message"] == "現在のパスワードはご利用いただけません。"


@pytest.mark.requirement("R97", "L5")
async def test_the_temporary_password_is_no_new_one(people: People) -> None:
    person = await people.register()
    await person.log_in()
    answer = await person.change_password(person.password)
    assert [error["rule"] for error in answer.body["errors"]] == ["current"]


@pytest.mark.requirement("L4")
async def test_all_broken_rules_come_with_a_sentence(people: People) -> None:
    person = await people.administrator()
    answer = await person.change_password("aaa")
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == ["body.new_password"] * 2
    assert [error["rule"] for error in answer.body["errors"]] == ["too_short", "common"]
    assert "12文字以上" in answer.body["errors"][0]["message"]


@pytest.mark.requirement("L1")
async def test_guessing_the_current_password_in_a_session_locks_like_a_login(people: People) -> None:
    person = await people.administrator()
    tries = [await person.change_password(new_password(), current="wrong wrong wrong") for _ in range(6)]
    assert [one.status for one in tries] == [403] * 6
    assert [one.body["type"] for one in tries] == ["/problems/wrong-password"] * 4 + ["/problems/password-locked"] * 2
    assert (await person.elsewhere().try_login()).status == 403


@pytest.mark.requirement("L5")
async def test_a_session_on_a_temporary_password_may_do_nothing_else(people: People) -> None:
    person = await people.register()
    await person.log_in()
    for method, path in [
        ("GET", "/me"),
        ("GET", "/sessions"),
        ("DELETE", "/sessions/others"),
        ("GET", "/logins"),
        ("POST", "/one-time-passwords"),
    ]:
        assert (await person.ask(method, path)).status == 403, path
    wrong = await person.change_password(new_password(), current="not the temporary one")
    assert (wrong.status, wrong.body["type"]) == (403, "/problems/wrong-password")


@pytest.mark.requirement("O3")
async def test_only_the_forced_change_is_free_of_the_one_time_password(people: People) -> None:
    person = await people.register()
    await people.use_one_time_passwords(person.user_id[:9])
    await person.settle_in()
    gated = await person.change_password(new_password())
    assert (gated.status, gated.body["type"]) == (403, "/problems/step-up-required")


async def test_two_changes_at_once_leave_one_winner(people: People) -> None:
    person = await people.administrator()
    first, second = new_password(), new_password()
    answers = await asyncio.gather(person.change_password(first), person.change_password(second))
    assert sorted(one.status for one in answers)[0] == 200
    assert sorted(one.status for one in answers)[1] in (401, 403)
    works = [(await person.elsewhere().try_login(one)).status for one in (first, second)]
    assert sorted(works) == [201, 401]


async def test_a_reset_wins_over_a_forced_change_that_is_under_way(people: People) -> None:
    person = await people.register()
    await person.log_in()
    await people.behind.execute(
        "update sessions set ended_at = now(), end_reason = 'reset' where user_id = $1", person.user_id
    )
    assert (await person.change_password(GOOD + "zzz")).status == 401
