"""How a profile comes into force, whoever caused it: worked out anew, kept as a version, said to everybody."""

from accounts.rules.profiles import in_force
from accounts.store import profiles
from chassis.sql import Tx
from contracts.accounts import ProfileChanged


def unknown_policyholder(code: str) -> str:
    """The key under which events wait for the registration of their policyholder."""
    return f"policyholder:{code}"


async def apply_change(tx: Tx, code: str, number: str) -> None:
    """A completed change takes effect now."""
    held = await profiles.hold(tx, code)
    assert held is not None
    await profiles.mark_applied(tx, number, held.version + 1)
    await put_in_force(tx, code, source="application", number=number)


async def put_in_force(tx: Tx, code: str, *, source: str, number: str | None = None) -> None:
    """Work out the profile of a policyholder and make it the version in force."""
    held = await profiles.hold(tx, code)
    assert held is not None
    profile = in_force(held.profile, held.stated_at, await profiles.applied_changes(tx, code, held.stated_at))
    version = held.version + 1
    await profiles.add_version(tx, code, version, profile, source, number)
    tx.emit(ProfileChanged(policyholder_code=code, profile=profile, version=version, number=number))
