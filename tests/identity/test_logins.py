"""A password opens a session, a wrong one opens nothing and says nothing."""

import pytest

from contracts.identity import LoginFailed, LoginSucceeded, PasswordChanged, UserLocked
from tests.identity.people import People, Person, new_password


@pytest.mark.requirement("R33", "R34", "R62", "R65", "L5", "N1")
async def test_the_first_login_with_the_letters_password_leads_to_an_own_one(people: People) -> None:
    person = await people.register()
    session = await person.log_in()
    assert session["password_change_required"] is True
    assert session["last_login_at"] is None
    assert (await person.ask("GET", "/me")).status == 403

    temporary, person.password = person.password, new_password()
    async with people.platform.hears(PasswordChanged) as spy:
        answer = await person.change_password(person.password, current=temporary)
        assert answer.status == 200, answer
        event = await spy.next(forced=True)
    assert event["data"]["operation"] == "1-2"
    assert event["data"]["operator"]["user_id"] == person.user_id
    assert answer.body["password_change_required"] is False
    await person.keep(answer.body)
    me = await person.ask("GET", "/me")
    assert me.status == 200, me

    fresh = person.elsewhere()
    assert (await fresh.try_login(temporary)).status == 401
    assert (await fresh.log_in())["password_change_required"] is False
