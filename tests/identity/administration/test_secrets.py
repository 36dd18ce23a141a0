"""No password and no link of the administrator's functions can be read at rest."""

import pytest

from contracts.notifier import SendMail
from tests.identity.administration.firms import PASSWORD, Firm
from tests.identity.administration.test_administrator import put
from tests.support import sealing
from tests.support.platform import Platform


@pytest.mark.requirement("S-1", "L5", "E3")
async def test_no_table_holds_a_secret_in_clear(
    firm: Firm, platform: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    async with platform.hears(SendMail) as mails:
        user_id = (await firm.register())["user_id"]
        await firm.ask("POST", f"/applicants/{user_id}/password-reset")
        await put(firm, email="new@sample.com", current_password=PASSWORD)
        commands = [
            await mails.next(about_user_id=user_id, template="initial_password"),
            await mails.next(about_user_id=user_id, template="password_reset"),
            await mails.next(about_user_id=f"{firm.code}000", template="email_confirmation"),
        ]
    secrets = [sealing.secret_of(one).rpartition("#token=")[2] for one in commands]
    assert {len(one) for one in secrets} == {16, 43}
    tables = await firm.database.fetch("select tablename from pg_tables where schemaname = 'public'")
    everything = ""
    for table in tables:
        rows = await firm.database.fetch(f'select t::text from "{table["tablename"]}" t')
        everything += "\n".join(row[0] for row in rows)
    assert f"{firm.code}000" in everything
    said = str(commands) + everything + "".join(capfd.readouterr())
    for secret in secrets:
        for form in (secret, secret.encode().hex(), secret.encode("utf-16-le").hex()):
            assert form not in said
