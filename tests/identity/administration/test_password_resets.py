"""A reset ends what the applicant had and brings a new password to the administrator."""

import pytest

from contracts.identity import PasswordReset
from contracts.notifier import SendMail
from tests.identity.administration.firms import Firm
from tests.support import callers, sealing
from tests.support.platform import Platform


@pytest.mark.requirement("R90", "R163", "R165", "L5", "L7")
async def test_the_old_password_dies_and_the_new_one_goes_to_the_administrator(firm: Firm, platform: Platform) -> None:
    user_id = (await firm.register())["user_id"]
    await firm.database.execute("update users set password_hash = 'x' where user_id = $1", user_id)
    await firm.database.execute(
        "insert into sessions (session_id, token_hash, user_id, source_address) values ($1, $2, $1, '::1')",
        user_id, user_id.encode(),
    )  # fmt: skip
    token = await firm.headers(callers.applicant(firm.code, 1))
    async with platform.hears(SendMail) as mails, platform.hears(PasswordReset) as events:
        answer = await firm.ask("POST", f"/applicants/{user_id}/password-reset")
        mail = await mails.next(about_user_id=user_id, template="password_reset")
        event = await events.next(about_user_id=user_id)
    assert (answer.status, answer.body["in_force_from"]) == (200, None)
    assert answer.body["password_sent_to"] == "ad***@sample.com"
    assert mail["data"]["recipient"] == "admin@sample.com"
    assert len(sealing.secret_of(mail)) == 16
    assert event["data"]["operator"]["user_id"] == f"{firm.code}000"
    assert await firm.database.fetchval("select password_hash from users where user_id = $1", user_id) is None
    assert await firm.database.fetchval("select ended_at from sessions where user_id = $1", user_id) is not None
    kept = await firm.database.fetchrow("select reason, expires_at - issued_at as life from temporary_passwords where user_id = $1", user_id)  # fmt: skip  # noqa: E501
    assert (kept["reason"], kept["life"].total_seconds()) == ("reset", 24 * 3600)
    assert (await firm.ask("GET", "/menu", headers=token)).status == 401


@pytest.mark.requirement("L5")
async def test_a_second_reset_leaves_one_live_password(firm: Firm, platform: Platform) -> None:
    user_id = (await firm.register())["user_id"]
    async with platform.hears(SendMail) as mails:
        for _ in range(2):
            assert (await firm.ask("POST", f"/applicants/{user_id}/password-reset")).status == 200
        first, second = [await mails.next(about_user_id=user_id, template="password_reset") for _ in range(2)]
    assert sealing.secret_of(first) != sealing.secret_of(second)
    assert first["data"]["supersedes"] == second["data"]["supersedes"]
    assert await firm.database.fetchval("select count(*) from temporary_passwords where user_id = $1", user_id) == 1


@pytest.mark.requirement("L8")
async def test_a_disabled_applicant_gets_no_new_password(firm: Firm) -> None:
    shown = await firm.register()
    await firm.ask("PUT", f"/applicants/{shown['user_id']}", firm.change_of(shown, enabled=False))
    refused = await firm.ask("POST", f"/applicants/{shown['user_id']}/password-reset")
    assert (refused.status, refused.problem) == (409, "applicant-disabled")
