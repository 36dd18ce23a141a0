"""What the databases of the services must agree on, whatever died between them (R-4)."""

from collections import Counter
from typing import Any

from tests.faults.crowd import Crowd
from tests.faults.findings import Findings


async def rows_of(crowd: Crowd, service: str, query: str) -> list[Any]:
    async with crowd.house.platform.owner(service) as database:
        return [tuple(row) for row in await database.fetch(query)]


async def compare(crowd: Crowd, findings: Findings, what: str, one: tuple[str, str], other: tuple[str, str]) -> None:
    """The same rows in two databases."""
    left, right = Counter(await rows_of(crowd, *one)), Counter(await rows_of(crowd, *other))
    findings.inconsistent += [(what, "only in", one[0], *row) for row in left - right]
    findings.inconsistent += [(what, "only in", other[0], *row) for row in right - left]


async def applications(crowd: Crowd, findings: Findings) -> None:
    """R-4: a step was taken if and only if the history has it."""
    steps = {"draft_saved": ("confirm", "correct", "attach", "detach"), "%_submitted": ("submit",)}
    for event, taken in steps.items():
        named = ", ".join(f"'{step}'" for step in taken)
        await compare(
            crowd, findings, event,
            ("applications", f"select user_name from steps where step in ({named})"),
            ("audit", f"select name from history where type like 'applications.{event}'"),
        )  # fmt: skip


async def accounts(crowd: Crowd, findings: Findings) -> None:
    """Every outcome is the same on both sides, and the profile in force is everywhere the same."""
    await compare(
        crowd, findings, "account procedures",
        ("accounts", "select number, reason is null from account_procedures"),
        ("applications", "select number, state = 'completed' from applications"
                         " where procedure like 'account%' and state in ('completed', 'rejected')"),
    )  # fmt: skip
    await compare(
        crowd, findings, "profile changes",
        ("accounts", "select number from profile_changes"),
        ("applications", "select number from applications where procedure = 'policyholder_change'"
                         " and state = 'completed'"),
    )  # fmt: skip
    await compare(
        crowd, findings, "profiles",
        ("accounts", "select policyholder_code, max(version) from profiles group by 1"),
        ("applications", "select policyholder_code, version from profiles"),
    )  # fmt: skip
    twice = "select number from profiles where number is not null group by number having count(*) > 1"
    findings.duplicated += await rows_of(crowd, "accounts", twice)


async def identity(crowd: Crowd, findings: Findings) -> None:
    """A session is there if and only if its login is in the history."""
    await compare(
        crowd, findings, "logins",
        ("identity", "select session_id from sessions"),
        ("audit", "select session_id from history where type = 'identity.login_succeeded'"),
    )  # fmt: skip
    await compare(
        crowd, findings, "logouts",
        ("identity", "select session_id from sessions where ended_at is not null"),
        ("audit", "select session_id from history where type = 'identity.logged_out'"),
    )  # fmt: skip


async def mails(crowd: Crowd, findings: Findings) -> None:
    """What was to be mailed was, to the right one, with one Message-ID; what came twice is the same to the byte."""
    await compare(
        crowd, findings, "receipts",
        ("audit", "select id from history where type like 'applications.%_submitted'"),
        ("notifier", "select id from mails where template = 'application_received'"),
    )  # fmt: skip
    await compare(
        crowd, findings, "completions",
        ("applications", "select number from applications where state = 'completed'"),
        ("notifier", "select application_number from mails where template = 'application_completed'"),
    )  # fmt: skip
    issued = await rows_of(
        crowd, "audit", "select count(*) from history where type = 'identity.one_time_password_issued'"
    )
    mailed = await rows_of(crowd, "notifier", "select count(*) from mails where template = 'one_time_password'")
    if issued != mailed:
        findings.inconsistent.append(("one-time passwords", issued, mailed))
    letters = "select about_user_id from letters"
    administrators = "select user_id from users where role = 'administrator'"
    await compare(crowd, findings, "letters", ("identity", administrators), ("notifier", letters))
    await delivered(crowd, findings)


async def delivered(crowd: Crowd, findings: Findings) -> None:
    rows = await rows_of(crowd, "notifier", "select id, recipient, state from mails")
    taken: dict[str, list[Any]] = {}
    for mail in crowd.house.relay.taken:
        taken.setdefault(str(mail.message["Message-ID"]).strip("<>").partition("@")[0], []).append(mail)
    for mail_id, recipient, state in rows:
        came = taken.pop(str(mail_id), [])
        if state == "sent" and not came:
            findings.lost.append(("mail", mail_id))
        if state not in ("sent", "superseded", "expired"):
            findings.inconsistent.append(("mail", mail_id, state))
        if any(mail.recipients != (recipient,) or mail.raw != came[0].raw for mail in came):
            findings.inconsistent.append(("mail", mail_id, "differs"))
        findings.repeated_mails += max(0, len(came) - 1)
    findings.unexpected += [("mail", mail_id) for mail_id in taken]
