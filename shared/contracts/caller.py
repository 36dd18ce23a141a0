"""Who is calling a gateway: what identity writes into an access token and every gateway reads."""

from pydantic import BaseModel, ConfigDict, Field

from contracts.actions import Operator
from contracts.permissions import ApplicationData, ContractData, Entry, Permission, Role


class Caller(BaseModel):
    """The claims of an access token. Tenant and identity of a request come from here alone (law 5)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    operator: Operator = Field(description="snapshot that this caller's actions carry")
    policyholder_codes: tuple[str, ...] = Field(
        (), description="all codes that may be looked at; a group viewer has several"
    )
    role: Role
    entry: Entry = Entry.NONE
    contract_data: ContractData = ContractData.NONE
    application_data: ApplicationData = ApplicationData.NONE
    rider_codes: tuple[str, ...] = Field((), description="effective rider codes under listed_riders")
    may: frozenset[Permission] = Field(description="what routes may ask for")
    stepped_up: bool = Field(description="no one-time password is in use, or it has been entered in this session")
    session_id: str = Field(description="public handle of the session")
