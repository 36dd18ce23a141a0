"""Commands about access tokens: one for an operator or a system, and new keys to sign with."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.tokens import AUDIENCE, ISSUER
from contracts.actions import Operator
from contracts.caller import Caller
from contracts.permissions import Permission, Role
from identity import keyring
from identity.commands.operating import Operating, Run, command

MAY = {Role.OPERATOR: Permission.OPERATE, Role.PARTNER: Permission.REPORT}


def token(parser: ArgumentParser) -> Run:
    """Print an access token for an operator or one of NEXI's systems; `rotate-keys` ends all of them."""
    parser.add_argument(
        "--role",
        choices=[Role.OPERATOR, Role.PARTNER],
        required=True,
        help="operator: our people; partner: NEXI's systems",
    )
    parser.add_argument("--name", required=True, help="for whom; the trail shows it")
    parser.add_argument(
        "--days", type=int, default=1, choices=range(1, 31), metavar="1..30", help="how long it is valid (default: 1)"
    )

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
        async with means.database.transaction() as tx:
            means.record(tx, f"token {name} for {chosen.days} days")
        return await means.keyring.sign(claims)

    return command(parser, work)


def rotate_keys(parser: ArgumentParser) -> Run:
    """Make a new key for access tokens; the old one verifies until its tokens have lapsed."""

    async def work(means: Operating, _chosen: Namespace) -> Mapping[str, Any]:
        notice = means.settings.signing_key_notice
        async with means.database.transaction() as tx:
            key_id = await keyring.rotate(tx, means.secrets, notice)
            means.record(tx, f"rotate-keys {key_id}")
        return {"key_id": key_id, "signs_from": datetime.now(UTC) + notice}

    return command(parser, work)
