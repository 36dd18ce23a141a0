"""People (and systems) as an access token describes them."""

import secrets

from contracts.actions import Operator
from contracts.caller import Caller
from contracts.permissions import ApplicationData, ContractData, Entry, Permission, Role


def administrator(code: str, *, stepped_up: bool = True, name: str = "日本　太郎") -> Caller:
    """The administrator of a policyholder: the greatest of every permission (R75)."""
    return Caller(
        operator=Operator(
            policyholder_code=code, user_id=f"{code}000", name=name, department="見本事業部", title="事業部長"
        ),
        policyholder_codes=(code,),
        role=Role.ADMINISTRATOR,
        entry=Entry.ENTER_AND_APPLY,
        contract_data=ContractData.ALL,
        application_data=ApplicationData.ALL,
        may=frozenset(
            {
                Permission.CHANGE_PASSWORD,
                Permission.USE,
                Permission.ENTER,
                Permission.APPLY,
                Permission.SEE_APPLICATIONS,
                Permission.SEE_CONTRACTS,
                Permission.ADMINISTER,
            }
        ),
        stepped_up=stepped_up,
        session_id=secrets.token_hex(8),
    )


def applicant(
    code: str,
    serial: int = 1,
    *,
    entry: Entry = Entry.ENTER_AND_APPLY,
    contract_data: ContractData = ContractData.NONE,
    application_data: ApplicationData = ApplicationData.OWN,
    stepped_up: bool = True,
) -> Caller:
    """An applicant with the given axes."""
    may = {Permission.CHANGE_PASSWORD, Permission.USE}
    may |= {Permission.ENTER} if entry is not Entry.NONE else set()
    may |= {Permission.APPLY} if entry is Entry.ENTER_AND_APPLY else set()
    may |= {Permission.SEE_APPLICATIONS} if application_data is not ApplicationData.NONE else set()
    may |= {Permission.SEE_CONTRACTS} if contract_data is not ContractData.NONE else set()
    return Caller(
        operator=Operator(
            policyholder_code=code, user_id=f"{code}{serial:03d}", name="貿易　花子", department="見本課"
        ),
        policyholder_codes=(code,),
        role=Role.APPLICANT,
        entry=entry,
        contract_data=contract_data,
        application_data=application_data,
        may=frozenset(may),
        stepped_up=stepped_up,
        session_id=secrets.token_hex(8),
    )


def group_viewer(codes: tuple[str, ...]) -> Caller:
    """全社閲覧用ID over several policyholders."""
    return Caller(
        operator=Operator(policyholder_code=codes[0], user_id=f"{codes[0]}900", name="全社　閲覧"),
        policyholder_codes=codes,
        role=Role.GROUP_VIEWER,
        contract_data=ContractData.ALL,
        may=frozenset({Permission.CHANGE_PASSWORD, Permission.USE, Permission.SEE_CONTRACTS}),
        stepped_up=True,
        session_id=secrets.token_hex(8),
    )


def operator(name: str = "operator:test") -> Caller:
    """One of NEXI's operators of the platform."""
    return _system(name, Role.OPERATOR, Permission.OPERATE)


def partner(name: str = "partner:test") -> Caller:
    """One of NEXI's systems over HTTP."""
    return _system(name, Role.PARTNER, Permission.REPORT)


def _system(name: str, role: Role, permission: Permission) -> Caller:
    return Caller(
        operator=Operator(policyholder_code="", user_id=name),
        role=role,
        may=frozenset({permission}),
        stepped_up=True,
        session_id=name,
    )
