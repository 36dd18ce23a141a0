"""Commands about one user: show what state it is in, unlock it, end its sessions."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from chassis.sql import Tx
from contracts.identity import SessionsEnded, UserUnlocked
from identity import access
from identity.commands.operating import Operating, Refused, Run, command
from identity.store import attempts, operators, users
from identity.store.users import User


def user(parser: ArgumentParser) -> Run:
    """Show a user's state: enabled, locked, which passwords there are, sessions."""
    parser.add_argument("action", choices=["show"], help="what to do")
    parser.add_argument("user_id", help="WebユーザーID, 12 digits")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        async with means.database.transaction() as tx:
            told = means.settings
            row = await operators.state(tx, chosen.user_id, told.session_idle, told.session_most)
            if row is None:
                raise Refused(f"There is no user {chosen.user_id}.")
            means.record(tx, "user show", chosen.user_id, row["policyholder_code"])
        return dict(row)

    return command(parser, work)


def unlock(parser: ArgumentParser) -> Run:
    """End a user's lock early."""
    parser.add_argument("user_id", help="WebユーザーID, 12 digits")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        async with means.database.transaction() as tx:
            known = await _user(tx, chosen.user_id)
            locked = await attempts.clear(tx, known.user_id)
            means.record(tx, "unlock", known.user_id, known.policyholder_code)
            if locked:
                operator = means.operator.model_copy(update={"policyholder_code": known.policyholder_code})
                tx.emit(UserUnlocked(operator=operator, about_user_id=known.user_id))
        return {"user_id": known.user_id, "was_locked": locked}

    return command(parser, work)


def end_sessions(parser: ArgumentParser) -> Run:
    """End all sessions of a user, everywhere."""
    parser.add_argument("user_id", help="WebユーザーID, 12 digits")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        async with means.database.transaction() as tx:
            known = await _user(tx, chosen.user_id)
            count, event = await access.end_all(tx, known.policyholder_code, known.user_id, "ended_by_operator")
            means.record(tx, "end-sessions", known.user_id, known.policyholder_code)
            operator = means.operator.model_copy(update={"policyholder_code": known.policyholder_code})
            tx.emit(
                SessionsEnded(operator=operator, about_user_id=known.user_id, reason="ended_by_operator", count=count)
            )
        return {"user_id": known.user_id, "ended": count, "in_force_from": await means.in_force(event)}

    return command(parser, work)


async def _user(tx: Tx, user_id: str) -> User:
    known = await users.lock(tx, user_id)
    if known is None:
        raise Refused(f"There is no user {user_id}.")
    return known
