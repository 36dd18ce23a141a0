"""What identity says: who logged in, who may do what, whose sessions ended, where mail reaches somebody."""

from typing import Literal

from pydantic import AwareDatetime

from chassis.messages import Event
from chassis.revocations import Revocation
from contracts import actions, fields
from contracts.actions import Action, Outcome
from contracts.operations import Operation
from contracts.permissions import Role


class AccessRevoked(Event):
    """Tokens issued before no longer count: a logout, a disabled user, a changed right, a switched OTP setting (L9)."""

    policyholder_code: str
    revoked: tuple[Revocation, ...]


class AddressChanged(Event):
    """Mail for this user now goes here. `version` grows with each change of the user; the greatest wins."""

    policyholder_code: str
    user_id: str
    role: Role
    name: str
    address: fields.EmailAddress
    enabled: bool
    version: int


class LoginSucceeded(Action):
    """A session began."""

    operation: Literal[Operation.LOGIN] = Operation.LOGIN


class LoginFailed(Action):
    """A login was refused; for an ID that does not exist the operator has no policyholder (it costs the same, G-1)."""

    outcome: Outcome = Outcome.FAILED
    reason: Literal["wrong_password", "locked", "disabled", "expired"]


class UserLocked(Action):
    """The prescribed number of consecutive failures was reached (L1)."""

    outcome: Outcome = Outcome.REFUSED
    until: AwareDatetime


class UserUnlocked(Action):
    """An operator ended a lock early; `operator` is that operator."""

    about_user_id: str


class LoggedOut(Action):
    """The user ended the session."""


class SessionsEnded(Action):
    """Sessions were ended by somebody or something else than their own logout."""

    about_user_id: str
    reason: str
    count: int


class PasswordChanged(Action):
    """The user chose a new password (also the forced change at first login)."""

    operation: Literal[Operation.PASSWORD_CHANGE] = Operation.PASSWORD_CHANGE
    forced: bool


class PasswordReissued(Action):
    """The administrator asked for a new password without login (R121 to R124, L6)."""


class PasswordReset(Action):
    """The administrator reset an applicant's password (R163 to R165, L7)."""

    about_user_id: str


class AdministratorChanged(Action):
    """The administrator's own data, without a pending e-mail address."""

    changed: tuple[str, ...]


class EmailChangeRequested(Action):
    """A confirmation mail was ordered; the old address stays in force (E1)."""


class EmailChanged(Action):
    """The link was confirmed; the new address is in force."""


class OneTimePasswordSettingChanged(Action):
    """ワンタイムパスワード利用 was switched for the whole policyholder (R321 to R323)."""

    in_use: bool


class OneTimePasswordIssued(Action):
    """A one-time password was ordered to be mailed."""


class OneTimePasswordEntered(Action):
    """Entry of a one-time password; `outcome` says whether it was right."""

    lapsed: bool


class ApplicantRegistered(Action):
    """The administrator registered an applicant."""

    about_user_id: str


class ApplicantChanged(Action):
    """The administrator changed an applicant; the names of the fields, not their values."""

    about_user_id: str
    changed: tuple[str, ...]


class WebUserProvisioned(Event):
    """A Web user came to be by NEXI's event."""

    policyholder_code: str
    user_id: str
    role: Role


class OperatorActed(actions.OperatorActed):
    """An operator's command changed something; `about` says what, if not a user."""

    about: str = ""
    about_user_id: str | None = None


class AccessRefused(actions.AccessRefused):
    """Refused at identity's gateway."""
