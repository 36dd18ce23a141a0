"""What may be asked of the notifier, and what it says about mails, letters and the keys it can open."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.messages import Command, Event
from chassis.seals import Sealed
from contracts import actions, fields
from contracts.actions import Action, Operator, Outcome


class Template(StrEnum):
    """The mails. Facts that each needs are checked by the notifier; a secret comes sealed."""

    INITIAL_PASSWORD = "initial_password"
    """To the administrator: a new applicant's first password (R140). Facts: user_id, name; secret: password."""
    PASSWORD_REISSUED = "password_reissued"
    """To the administrator: the own new temporary password (R124). Facts: user_id; secret: password."""
    PASSWORD_RESET = "password_reset"
    """To the administrator: an applicant's new temporary password (R165). Facts: user_id, name; secret: password."""
    ONE_TIME_PASSWORD = "one_time_password"
    """To the user who asked (R329). Facts: user_id; secret: code."""
    EMAIL_CONFIRMATION = "email_confirmation"
    """To the NEW address (R115). Facts: user_id; secret: the URL with the token in its fragment."""
    EMAIL_CHANGE_NOTICE = "email_change_notice"
    """To the OLD address when a change was asked for (E3). Facts: user_id."""
    GROUP_VIEWER_PASSWORD = "group_viewer_password"
    """To a new group viewer. Facts: user_id; secret: password."""


class SendMail(Command):
    """Please send this mail to this one address before `not_after`."""

    template: Template
    recipient: fields.EmailAddress
    policyholder_code: str
    about_user_id: str
    facts: dict[str, str] = Field(default_factory=dict)
    secret: Sealed | None = None
    not_after: AwareDatetime
    supersedes: str | None = Field(
        None, max_length=100, description="an unsent mail with the same word is not sent any more"
    )

    def place(self) -> tuple[str, ...]:
        """What the secret is bound to: it opens for this mail only."""
        return (self.template, self.recipient, self.about_user_id, self.not_after.isoformat())


class SendLetter(Command):
    """Please print the administrator's initial password as a letter (R65, N1)."""

    policyholder_code: fields.PolicyholderCode
    about_user_id: fields.WebUserId
    company: str
    postal_code: fields.PostalCode
    address: str
    addressee: str
    secret: Sealed
    not_after: AwareDatetime

    def place(self) -> tuple[str, ...]:
        """What the secret is bound to."""
        return ("letter", self.policyholder_code, self.about_user_id, self.not_after.isoformat())


class SealingPurpose(StrEnum):
    """Keys for short-lived codes live for minutes, those for passwords and links for days."""

    CODE = "code"
    PASSWORD = "password"


class SealingKey(BaseModel):
    """A public key of the notifier (X25519, base64) and when secrets may be sealed to it."""

    model_config = ConfigDict(frozen=True)
    key_id: str = Field(max_length=64)
    purpose: SealingPurpose
    public_key: str
    use_from: AwareDatetime
    use_until: AwareDatetime


class SealingKeysPublished(Event):
    """The keys to seal with, now and in the coming periods; replaces what was said before."""

    keys: tuple[SealingKey, ...]


class MailAccepted(Event):
    """The mail server took the mail (250). `mail_id` is the id of the command or event that asked for it."""

    mail_id: str
    template: str
    policyholder_code: str
    about_user_id: str
    accepted_at: AwareDatetime


ITSELF = Operator(policyholder_code="", user_id="system:notifier")


class MailFailed(Action):
    """The mail will not be sent: refused for good, lapsed, superseded or unreadable.

    Part of the trail of the company that it concerns (H2), although nobody did it but the notifier itself.
    """

    operator: Operator = ITSELF
    outcome: Outcome = Outcome.FAILED
    mail_id: str
    template: str
    policyholder_code: str
    about_user_id: str
    state: str
    reason: str


class LetterPosted(Event):
    """The mail room confirmed that the letter left."""

    letter_id: str
    policyholder_code: str
    about_user_id: str


class AddressFailing(Event):
    """Mail to this user's address bounces (or reaches it again: `failing` false)."""

    policyholder_code: str
    user_id: str
    failing: bool


class OperatorActed(actions.OperatorActed):
    """An operator sent a mail again, printed or posted a letter, marked or cleared an address, handled parked events;
    `about` names which."""

    about_user_id: str | None = None


class AccessRefused(actions.AccessRefused):
    """Refused at the notifier's gateway."""
