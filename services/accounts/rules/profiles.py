"""Which profile is in force: what NEXI stated last, with the completed changes that took effect after it on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from accounts.rules.days import JAPAN, japan_day
from contracts.applications import PolicyholderWish
from contracts.nexi import Office, Profile

HEAD_OFFICE_ITEMS = ("registered_address", "representative_title", "representative_name", "home_page")
"""What a branch does not have (F6)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A completed change of the profile (P6)."""

    number: str
    due_at: datetime
    wish: PolicyholderWish


def due_at(effective: date, completed_at: datetime) -> datetime:
    """When a change takes effect: 00:00 Japan time of the effective date, never before the completion (P6)."""
    if effective <= japan_day(completed_at):
        return completed_at
    return datetime.combine(effective, time(), JAPAN).astimezone(UTC)


def tidy(profile: Profile) -> Profile:
    """A branch without the head office's items (F6), whatever was sent."""
    return _without_head_office_items(profile) if profile.office is Office.BRANCH else profile


def in_force(stated: Profile, stated_at: datetime, changes: Sequence[Change]) -> Profile:
    """The statement with every change that took effect after it; the same in whatever order all of them were heard."""
    profile = stated
    for change in sorted(changes, key=lambda one: (one.due_at, one.number)):
        if change.due_at > stated_at:
            profile = changed(profile, change.wish)
    return tidy(profile)


def changed(profile: Profile, wish: PolicyholderWish) -> Profile:
    """The profile with the items wished for; what is not wished for stays (R170)."""
    return profile.model_copy(update=wish.model_dump(exclude_none=True, exclude={"wished_date"}))


def _without_head_office_items(profile: Profile) -> Profile:
    return profile.model_copy(update=dict.fromkeys(HEAD_OFFICE_ITEMS))
