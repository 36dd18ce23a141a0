"""What NEXI says: companies, their riders and group viewers (N1, N2, W5). By `issued_at` the later word wins."""

from chassis.amqp import Listeners, Park, wake
from chassis.messages import Unreadable
from chassis.sql import Tx
from contracts.identity import WebUserProvisioned
from contracts.nexi import (
    FROM_THE_FUTURE,
    GroupViewerGranted,
    GroupViewerWithdrawn,
    PolicyholderRegistered,
    RidersChanged,
)
from contracts.notifier import Template
from contracts.permissions import Role
from identity import access
from identity.addresses import announce
from identity.credentials import NoSealingKey, Reason, new_temporary_password, send_mail
from identity.letters import send_letter
from identity.listeners import keys
from identity.rules.permissions import GREATEST, READ_CONTRACTS
from identity.rules.web_user_ids import administrator_id, owner_of
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import companies, group_viewers, passwords, temporary_passwords, users
from identity.store.users import User

listeners = Listeners("nexi")


@listeners.on(PolicyholderRegistered)
async def register(message: PolicyholderRegistered, tx: Tx, secrets: Secrets, settings: IdentitySettings) -> None:
    """A company, and its administrator once the terms are agreed to (R62, R64, R92, R93)."""
    if message.is_from_the_future:
        raise Park(FROM_THE_FUTURE)
    if message.terms_agreed and message.administrator is None:
        raise Unreadable("administrator: mandatory when the terms were agreed to")
    code = message.policyholder_code
    taken = await companies.register(
        tx,
        policyholder_code=code,
        name=message.profile.name,
        issued_at=message.issued_at,
        terms_agreed=message.terms_agreed,
        uses_comprehensive_insurance=message.uses_comprehensive_insurance,
        rider_codes=sorted(set(message.rider_codes)),
    )
    if taken is None:
        return
    if taken is companies.Taken.CHANGED:  # nobody holds a token of a new one
        await access.revoke_company(tx, code)
    if message.terms_agreed and await users.administrator(tx, code) is None:
        await _provision_administrator(tx, message, secrets, settings)
    await wake(tx, keys.company(code))


@listeners.on(RidersChanged)
async def change_riders(message: RidersChanged, tx: Tx) -> None:
    """The riders as they are now; codes that are gone lose their effect at once (W5)."""
    if message.is_from_the_future:
        raise Park(FROM_THE_FUTURE)
    code = message.policyholder_code
    if await companies.find(tx, code) is None:
        raise Park("the policyholder is not registered yet", retry=True, key=keys.company(code))
    riders = sorted(set(message.rider_codes))
    if await companies.set_riders(tx, code, message.uses_comprehensive_insurance, riders, message.issued_at):
        await access.revoke_company(tx, code)


@listeners.on(GroupViewerGranted)
async def grant(message: GroupViewerGranted, tx: Tx, secrets: Secrets, settings: IdentitySettings) -> None:
    """A group viewer, new or with other companies or another person; whoever has no way in gets a password (R91)."""
    if message.is_from_the_future:
        raise Park(FROM_THE_FUTURE)
    own = owner_of(message.user_id, message.policyholder_codes)
    if await companies.find(tx, own) is None:
        raise Park("the policyholder is not registered yet", retry=True, key=keys.company(own))
    known = await users.lock(tx, message.user_id)
    if known is None:
        await _provision_group_viewer(tx, message, own, secrets, settings)
        await wake(tx, keys.user(message.user_id))
    elif known.role is not Role.GROUP_VIEWER:
        raise Park("the ID belongs to a Web user of another kind")
    else:
        changed = await group_viewers.change(
            tx, message.user_id, message.person, list(dict.fromkeys(message.policyholder_codes)), message.issued_at
        )
        if changed is not None:
            if not await group_viewers.can_log_in(tx, changed.user_id):
                await _send_group_viewer_password(tx, changed, secrets, settings)
            announce(tx, changed)
            await access.revoke_user(tx, changed.policyholder_code, changed.user_id)


@listeners.on(GroupViewerWithdrawn)
async def withdraw(message: GroupViewerWithdrawn, tx: Tx) -> None:
    """The group viewer may no longer log in; sessions end (L8). The ID may be granted to somebody else: nothing of this
    person opens it any more."""
    known = await users.lock(tx, message.user_id)
    if known is None:
        raise Park("the group viewer is not known yet", retry=True, key=keys.user(message.user_id))
    if known.role is not Role.GROUP_VIEWER:
        raise Park("the ID belongs to a Web user of another kind")
    # Not parked when it comes from the future: who must go goes at once, and only later grants outlive it.
    changed = await group_viewers.withdraw(tx, message.user_id, message.believable_issued_at)
    if changed is not None:
        await passwords.kill(tx, changed.user_id)
        await temporary_passwords.void(tx, changed.user_id)
        announce(tx, changed)
        await access.end_all(tx, changed.policyholder_code, changed.user_id, "withdrawn")


async def _provision_administrator(
    tx: Tx, message: PolicyholderRegistered, secrets: Secrets, settings: IdentitySettings
) -> None:
    """The administrator, whose temporary password goes out as a letter, never by mail (R65, N1)."""
    person = message.administrator
    assert person is not None
    user = await users.create(
        tx,
        user_id=administrator_id(message.policyholder_code),
        policyholder_code=message.policyholder_code,
        role=Role.ADMINISTRATOR,
        name=person.name,
        email=person.email,
        phone=person.phone,
        department=person.department,
        title=person.title,
        rights=GREATEST,
    )
    if user is None:
        raise Park("the administrator's ID is taken by a user of another kind")
    temporary = await new_temporary_password(
        tx, secrets, user.user_id, Reason.INITIAL_LETTER, settings.letter_password_life
    )
    try:
        await send_letter(
            tx, message.profile.name, message.profile.postal_code, message.profile.address, user, temporary
        )
    except NoSealingKey:
        raise keys.no_sealing_key() from None
    _say_provisioned(tx, user)


async def _provision_group_viewer(
    tx: Tx, message: GroupViewerGranted, own: str, secrets: Secrets, settings: IdentitySettings
) -> None:
    user = await users.create(
        tx,
        user_id=message.user_id,
        policyholder_code=own,
        role=Role.GROUP_VIEWER,
        name=message.person.name,
        email=message.person.email,
        phone=message.person.phone,
        department=message.person.department,
        title=message.person.title,
        rights=READ_CONTRACTS,
        viewed_companies=tuple(dict.fromkeys(message.policyholder_codes)),
        issued_at=message.issued_at,
    )
    assert user is not None
    await _send_group_viewer_password(tx, user, secrets, settings)
    _say_provisioned(tx, user)


async def _send_group_viewer_password(tx: Tx, user: User, secrets: Secrets, settings: IdentitySettings) -> None:
    """A temporary password by mail; an own one keeps working until it is used (L5)."""
    temporary = await new_temporary_password(
        tx, secrets, user.user_id, Reason.INITIAL_MAIL, settings.mail_password_life
    )
    try:
        await send_mail(
            tx,
            Template.GROUP_VIEWER_PASSWORD,
            user.email,
            user,
            {"user_id": user.user_id},
            secret=temporary.password,
            not_after=temporary.expires_at,
            supersedes=f"initial:{user.user_id}",
        )
    except NoSealingKey:
        raise keys.no_sealing_key() from None


def _say_provisioned(tx: Tx, user: User) -> None:
    announce(tx, user)
    tx.emit(WebUserProvisioned(policyholder_code=user.policyholder_code, user_id=user.user_id, role=user.role))
