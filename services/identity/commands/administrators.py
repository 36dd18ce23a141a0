"""A company's administrator made, replaced, disabled or enabled by an operator, beside NEXI's events."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from chassis.messages import explain
from chassis.sql import Tx
from contracts import fields
from contracts.identity import WebUserProvisioned
from contracts.nexi import Administrator
from contracts.permissions import Role
from identity import access
from identity.addresses import announce
from identity.commands.operating import Operating, Refused, Run, command
from identity.credentials import NoSealingKey, Reason, new_temporary_password
from identity.letters import send_letter
from identity.rules.permissions import GREATEST
from identity.rules.web_user_ids import administrator_id
from identity.store import administrators, companies, email_changes, passwords, users
from identity.store.users import User

_POSTAL_CODE: TypeAdapter[str] = TypeAdapter(fields.PostalCode)
_ADDRESS: TypeAdapter[str] = TypeAdapter(fields.Address)


def administrator(parser: ArgumentParser) -> Run:
    """Create a company's administrator, or hand over to another person (the password goes out as a letter); disable,
    or enable again."""
    parser.add_argument("action", choices=["create", "replace", "disable", "enable"], help="what to do")
    parser.add_argument("policyholder_code", help="保険利用者コード, 9 digits")
    created = parser.add_argument_group("for create and replace")
    for name in ("name", "email", "postal-code", "address", "phone", "department", "title"):
        created.add_argument(f"--{name}", default="", help="of the administrator, as on the letter")

    async def work(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
        if chosen.action == "create":
            return await _create(means, chosen)
        if chosen.action == "replace":
            return await _replace(means, chosen)
        return await _switch(means, chosen.policyholder_code, chosen.action == "enable")

    return command(parser, work)


async def _create(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
    """For a registered company without one; the password leaves as a letter (N1). Raises Refused."""
    code = chosen.policyholder_code
    person, postal_code, address = _read(chosen)
    async with means.database.transaction() as tx:
        company = await companies.lock(tx, code)
        if company is None:
            raise Refused(f"The policyholder {code} is not registered.")
        user = await users.create(
            tx,
            user_id=administrator_id(code),
            policyholder_code=code,
            role=Role.ADMINISTRATOR,
            **person.model_dump(),
            rights=GREATEST,
        )
        if user is None:
            raise Refused(f"The policyholder {code} has an administrator already.")
        valid_until = await _post_password(tx, means, user, company.name, postal_code, address)
        announce(tx, user)
        tx.emit(WebUserProvisioned(policyholder_code=code, user_id=user.user_id, role=user.role))
        means.record(tx, "administrator create", user.user_id, code)
    return {"user_id": user.user_id, "letter_valid_until": valid_until}


async def _replace(means: Operating, chosen: Namespace) -> Mapping[str, Any]:
    """Hand-over: the ID stays, nothing of the person before opens it any more (L10, L9). Raises Refused."""
    code = chosen.policyholder_code
    person, postal_code, address = _read(chosen)
    async with means.database.transaction() as tx:
        user = await users.lock(tx, administrator_id(code))
        company = await companies.find(tx, code)
        if user is None or user.role is not Role.ADMINISTRATOR or company is None:  # a group viewer may have the ID
            raise Refused(f"The policyholder {code} has no administrator.")
        await administrators.change(tx, user.user_id, **person.model_dump(exclude={"email"}))
        user = await administrators.set_address(tx, user.user_id, person.email)
        user = await users.set_enabled(tx, user.user_id, True) or user
        await email_changes.withdraw(tx, user.user_id)
        await email_changes.note_working(tx, user.user_id)
        await passwords.kill(tx, user.user_id)
        valid_until = await _post_password(tx, means, user, company.name, postal_code, address)
        _, event = await access.end_all(tx, code, user.user_id, "replaced")
        announce(tx, user)
        means.record(tx, "administrator replace", user.user_id, code)
    return {
        "user_id": user.user_id,
        "letter_valid_until": valid_until,
        "in_force_from": await means.in_force(event),
    }


async def _post_password(
    tx: Tx, means: Operating, user: User, company: str, postal_code: str, address: str
) -> datetime:
    """A temporary password by letter; answers when it lapses (N1, L5). Raises Refused."""
    temporary = await new_temporary_password(
        tx, means.secrets, user.user_id, Reason.INITIAL_LETTER, means.settings.letter_password_life
    )
    try:
        await send_letter(tx, company, postal_code, address, user, temporary)
    except NoSealingKey:
        raise Refused("No key of the notifier is known yet: is the notifier running?") from None
    return temporary.expires_at


async def _switch(means: Operating, code: str, enabled: bool) -> Mapping[str, Any]:
    """Disable (sessions end at once, L8) or enable again. Raises Refused."""
    event = None
    async with means.database.transaction() as tx:
        known = await users.administrator(tx, code)
        if known is None:
            raise Refused(f"The policyholder {code} has no administrator.")
        changed = await users.set_enabled(tx, known.user_id, enabled)
        if changed is not None:
            announce(tx, changed)
            if not enabled:
                _, event = await access.end_all(tx, code, known.user_id, "disabled")
        means.record(tx, f"administrator {'enable' if enabled else 'disable'}", known.user_id, code)
    in_force_from = await means.in_force(event) if event else None
    return {
        "user_id": known.user_id,
        "enabled": enabled,
        "changed": changed is not None,
        "in_force_from": in_force_from,
    }


def _read(chosen: Namespace) -> tuple[Administrator, str, str]:
    """The person, the postal code and the address of the letter. Raises Refused naming the fields."""
    try:
        person = Administrator(
            name=chosen.name,
            email=chosen.email,
            phone=chosen.phone,
            department=chosen.department,
            title=chosen.title,
        )
        return person, _POSTAL_CODE.validate_python(chosen.postal_code), _ADDRESS.validate_python(chosen.address)
    except ValidationError as error:
        raise Refused(explain(error)) from None
