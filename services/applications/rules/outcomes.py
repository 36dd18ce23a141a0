"""Whether a word about what became of an application can be true now; if not, why it is set aside (P6)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from applications.rules.lifecycle import State
from applications.rules.procedures import Carrier
from applications.rules.times import japan_day

CLOCK_SKEW = timedelta(minutes=5)
"""By how much another system's clock may be behind ours."""


@dataclass(frozen=True)
class Standing:
    """What must be known of an application to judge a word about it."""

    state: State
    carrier: Carrier
    policyholder_code: str
    created_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None
    effective_date: date | None
    reason: str | None


@dataclass(frozen=True)
class Word:
    """What was said: complete (`reason` None) or rejected, by whom, when."""

    carrier: Carrier
    issued_at: datetime
    effective_date: date | None = None
    reason: str | None = None
    policyholder_code: str | None = None


@dataclass(frozen=True)
class SetAside:
    """Why a word is not acted upon. An early one is tried again when the application is submitted."""

    reason: str
    early: bool = False


def judge(word: Word, about: Standing | None) -> SetAside | None:
    """None when the word is to be acted upon now."""
    if about is None:
        return SetAside("unknown: there is no application of this number", early=True)
    if word.carrier is not about.carrier:
        return SetAside(f"contradictory: this procedure is carried out by {about.carrier}")
    if word.policyholder_code not in (None, about.policyholder_code):
        return SetAside("contradictory: the application belongs to another policyholder")
    if word.issued_at < about.created_at - CLOCK_SKEW:
        return SetAside("contradictory: issued before the number was allotted")
    if about.state is State.DRAFT:
        return SetAside("early: the application is a draft, not submitted yet", early=True)
    if about.state is State.WITHDRAWN:
        return SetAside("contradictory: the application was withdrawn")
    if about.state is not State.SUBMITTED:
        return SetAside(_again(word, about))
    if word.effective_date and about.submitted_at and word.effective_date < japan_day(about.submitted_at):
        return SetAside("contradictory: the effective date is before the day of application")
    return None


def _again(word: Word, about: Standing) -> str:
    said = State.COMPLETED if word.reason is None else State.REJECTED
    if said is not about.state:
        return f"contradictory: the application is {about.state} already"
    if _same(word, about):
        return f"duplicate: the application is {about.state} already"
    return f"contradictory: the application is {about.state} already, with other particulars"


def _same(word: Word, about: Standing) -> bool:
    """Whether that was said before; a day that was past then has been raised."""
    raised = about.finished_at and day_of_effect(word.effective_date, None, about.finished_at)
    same_day = word.effective_date is None or about.effective_date in (word.effective_date, raised)
    return same_day and word.reason == about.reason


def day_of_effect(decided: date | None, wished: date | None, completed_at: datetime) -> date:
    """NEXI's date wins over the wish; nothing takes effect before the completion (P6)."""
    return max(decided or wished or date.min, japan_day(completed_at))
