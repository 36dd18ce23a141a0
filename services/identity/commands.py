"""Operators' commands: what a desk needs when somebody calls; each is recorded in the security trail."""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.tokens import AUDIENCE, ISSUER
from contracts.actions import Operator
from contracts.caller import Caller
from contracts.identity import SessionsEnded, UserUnlocked
from contracts.permissions import Permission, Role
from identity import access, keyring
from identity.administrators import create_administrator, switch_administrator
from identity.keyring import Keyring
from identity.operating import Operating, operating
from identity.settings import IdentitySettings
from identity.store import attempts, operators, users
from identity.store.users import User

Run = Callable[[IdentitySettings, Namespace], Awaitable[int]]
MAY = {Role.OPERATOR: Permission.OPERATE, Role.PARTNER: Permission.REPORT}


class Refused(Exception):
    """The command cannot be carried out; the text is for the operator."""


def _command(parser: ArgumentParser, work: Callable[[Operating, Namespace], Awaitable[Any]]) -> Run:
    """Let `work` run with its means; what it answers is printed as JSON, a text as it is."""
    parser.add_argument("--by", metavar="NAME", help="who gives the command (default: the system's user)")

    async def run(settings: IdentitySettings, chosen: Namespace) -> int:
        try:
            async with operating(settings, chosen.by) as means:
                answer = await work(means, chosen)
        except Refused as refusal:
            print(refusal, file=sys.stderr)  # noqa: T201 - a command speaks to its terminal
            return 1
        shown = answer if isinstance(answer, str) else json.dumps(answer, default=str, ensure_ascii=False, indent=2)
        print(shown)  # noqa: T201
        return 0

    return run


def token(parser: ArgumentParser) -> Run:
    """Print an access token for an operator or one of NEXI's systems; `rotate-keys` ends all of them."""
    parser.add_argument("--role", choices=[Role.OPERATOR, Role.PARTNER], required=True)
    parser.add_argument("--name", required=True, help="for whom; the trail shows it")
    parser.add_argument("--days", type=int, default=1, choices=range(1, 31), metavar="1..30")

    async def work(means: Operating, chosen: Namespace) -> str:
        role, name = Role(chosen.role), f"{chosen.role}:{chosen.name}"[:64]
        caller = Caller(
            operator=Operator(policyholder_code="", user_id=name),
            role=role,
            may=frozenset({MAY[role]}),
            stepped_up=True,
            session_id=name,
        )
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": name,
            "iat": now,
            "exp": now + int(timedelta(days=chosen.days).total_seconds()),
            "caller": caller.model_dump(mode="json"),
            "versions": {f"session:{name}": 0},
        }
        keys = Keyring(means.database, means.secrets)
        await keys.prepare()
        async with means.database.transaction() as tx:
            means.record(tx, f"token {name} for {chosen.days} days")
        return await keys.sign(claims)

    return _command(parser, work)


def user(parser: ArgumentParser) -> Run:
    """Show a user's state: enabled, locked, which passwords there are, sessions."""
    parser.add_argument("action", choices=["show"])
    parser.add_argument("user_id")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        async with means.database.transaction() as tx:
            row = await operators.state(tx, chosen.user_id)
            if row is None:
                raise Refused(f"There is no user {chosen.user_id}.")
            means.record(tx, "user show", chosen.user_id, row["policyholder_code"])
        return dict(row)

    return _command(parser, work)


def unlock(parser: ArgumentParser) -> Run:
    """End a user's lock early."""
    parser.add_argument("user_id")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        async with means.database.transaction() as tx:
            known = await _user(means, tx, chosen.user_id)
            locked = await attempts.clear(tx, known.user_id)
            means.record(tx, "unlock", known.user_id, known.policyholder_code)
            if locked:
                operator = means.operator.model_copy(update={"policyholder_code": known.policyholder_code})
                tx.emit(UserUnlocked(operator=operator, about_user_id=known.user_id))
        return {"user_id": known.user_id, "was_locked": locked}

    return _command(parser, work)


def end_sessions(parser: ArgumentParser) -> Run:
    """End all sessions of a user, everywhere."""
    parser.add_argument("user_id")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        async with means.database.transaction() as tx:
            known = await _user(means, tx, chosen.user_id)
            count, event = await access.end_all(tx, known.policyholder_code, known.user_id, "ended_by_operator")
            means.record(tx, "end-sessions", known.user_id, known.policyholder_code)
            operator = means.operator.model_copy(update={"policyholder_code": known.policyholder_code})
            tx.emit(
                SessionsEnded(operator=operator, about_user_id=known.user_id, reason="ended_by_operator", count=count)
            )
        return {"user_id": known.user_id, "ended": count, "in_force_from": await means.in_force(event)}

    return _command(parser, work)


def rotate_keys(parser: ArgumentParser) -> Run:
    """Make a new key for access tokens; the old one verifies until its tokens have lapsed."""

    async def work(means: Operating, _chosen: Namespace) -> Mapping[str, Any]:
        notice = means.settings.signing_key_notice
        async with means.database.transaction() as tx:
            key_id = await keyring.rotate(tx, means.secrets, notice)
            means.record(tx, f"rotate-keys {key_id}")
        return {"key_id": key_id, "signs_from": datetime.now(UTC) + notice}

    return _command(parser, work)


def administrator(parser: ArgumentParser) -> Run:
    """Create a company's administrator (the password goes out as a letter), disable, or enable again."""
    parser.add_argument("action", choices=["create", "disable", "enable"])
    parser.add_argument("policyholder_code")
    created = parser.add_argument_group("for create")
    for name in ("name", "email", "postal-code", "address", "phone", "department", "title"):
        created.add_argument(f"--{name}", default="")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        try:
            if chosen.action == "create":
                return await create_administrator(means, chosen)
            return await switch_administrator(means, chosen.policyholder_code, chosen.action == "enable")
        except ValueError as error:
            raise Refused(str(error)) from None

    return _command(parser, work)


COMMANDS = {
    "token": token,
    "user": user,
    "unlock": unlock,
    "end-sessions": end_sessions,
    "rotate-keys": rotate_keys,
    "administrator": administrator,
}


async def _user(means: Operating, tx: Any, user_id: str) -> User:
    known = await users.lock(tx, user_id)
    if known is None:
        raise Refused(f"There is no user {user_id}.")
    return known
