"""What a Web user may do: the three axes an administrator sets, and the permissions that follow from them."""

from collections.abc import Collection
from dataclasses import dataclass

from contracts.permissions import ApplicationData, ContractData, Entry, Permission, Role


@dataclass(frozen=True, slots=True)
class Rights:
    """The three axes of one user (W4) and the rider codes listed for `listed_riders` (W5)."""

    entry: Entry
    contract_data: ContractData
    application_data: ApplicationData
    rider_codes: tuple[str, ...] = ()


GREATEST = Rights(Entry.ENTER_AND_APPLY, ContractData.ALL, ApplicationData.ALL)
"""The administrator's own (R75)."""

READ_CONTRACTS = Rights(Entry.NONE, ContractData.ALL, ApplicationData.NONE)
"""A group viewer looks at contracts, of several policyholders, and does nothing else (R91, N2)."""


def effective_riders(rights: Rights, *, uses_comprehensive: bool, company_codes: Collection[str]) -> tuple[str, ...]:
    """The listed codes that count: a code that NEXI withdrew stays listed without effect (W5)."""
    if rights.contract_data is not ContractData.LISTED_RIDERS or not uses_comprehensive:
        return ()
    return tuple(code for code in rights.rider_codes if code in company_codes)


def may(
    role: Role, rights: Rights, *, effective: Collection[str] = (), must_change_password: bool = False
) -> frozenset[Permission]:
    """What routes may be asked for by a Web user with these rights; `effective` as `effective_riders` answers.

    A session on a temporary password may only choose a password (L5).
    """
    allowed = {Permission.CHANGE_PASSWORD}
    if must_change_password:
        return frozenset(allowed)
    allowed.add(Permission.USE)
    if rights.entry in (Entry.ENTER, Entry.ENTER_AND_APPLY):
        allowed.add(Permission.ENTER)
    if rights.entry is Entry.ENTER_AND_APPLY:
        allowed.add(Permission.APPLY)
    if rights.application_data is not ApplicationData.NONE:
        allowed.add(Permission.SEE_APPLICATIONS)
    if rights.contract_data is ContractData.ALL or (rights.contract_data is ContractData.LISTED_RIDERS and effective):
        allowed.add(Permission.SEE_CONTRACTS)
    if role is Role.ADMINISTRATOR:
        allowed.add(Permission.ADMINISTER)
    return frozenset(allowed)
