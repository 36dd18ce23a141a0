"""The decisions of accounts, by themselves: days, converging profiles, search keys."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.profiles import Change, due_at, in_force
from accounts.rules.search_keys import search_key
from chassis.text import widen
from contracts.applications import PolicyholderWish
from contracts.nexi import Profile
from tests.accounts.messages import BRANCH, HEAD

START = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.requirement("P6", "F4")
@pytest.mark.parametrize(
    ("effective", "completed_at", "due"),
    [
        (date(2026, 4, 1), "2026-03-31T14:59:59.999999+00:00", "2026-03-31T15:00:00+00:00"),
        (date(2026, 4, 1), "2026-03-31T15:00:00+00:00", "2026-03-31T15:00:00+00:00"),
        (date(2026, 4, 1), "2026-04-01T10:00:00+09:00", "2026-04-01T10:00:00+09:00"),
        (date(2026, 4, 1), "2026-04-02T01:00:00+09:00", "2026-04-02T01:00:00+09:00"),
        (date(2028, 2, 29), "2026-04-01T00:00:00+00:00", "2028-02-28T15:00:00+00:00"),
        (date(9999, 12, 31), "2026-04-01T00:00:00+00:00", "9999-12-30T15:00:00+00:00"),
        (date(1, 1, 1), "2026-04-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00"),
    ],
)
def test_a_change_is_due_at_midnight_in_japan_and_never_before_its_completion(
    effective: date, completed_at: str, due: str
) -> None:
    assert due_at(effective, datetime.fromisoformat(completed_at)) == datetime.fromisoformat(due)


hours = st.integers(-100, 100).map(lambda hour: START + timedelta(hours=hour))
changes = st.lists(
    st.tuples(hours, st.sampled_from(["name", "address", "phone"]), st.integers(0, 9)),
    max_size=6,
    unique_by=lambda one: one[0],
)


@pytest.mark.requirement("P6", "R170")
@given(changes, hours, st.randoms())
def test_the_profile_in_force_does_not_depend_on_the_order_of_arrival(
    said: list[tuple[datetime, str, int]], stated_at: datetime, chance: object
) -> None:
    def value(item: str, n: int) -> str:
        return f"{n}-{n}-{n}" if item == "phone" else f"第{chr(0xFF10 + n)}"

    heard = [
        Change(f"2026-0401-{place:04d}", moment, PolicyholderWish(wished_date=START.date(), **{item: value(item, n)}))
        for place, (moment, item, n) in enumerate(said)
    ]
    mixed = list(heard)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    stated = Profile(**HEAD)
    found = in_force(stated, stated_at, mixed)
    assert found == in_force(stated, stated_at, heard)
    for item in ("name", "address", "phone"):
        later = [(moment, value(item, n)) for moment, name, n in said if name == item and moment > stated_at]
        assert getattr(found, item) == (max(later)[1] if later else getattr(stated, item))


@pytest.mark.requirement("F6")
def test_whatever_is_said_about_a_branch_it_has_no_items_of_the_head_office() -> None:
    wish = PolicyholderWish(wished_date=START.date(), home_page="http://a.example/", representative_name="太郎")
    found = in_force(Profile(**BRANCH), START, [Change("2026-0401-0001", START + timedelta(days=1), wish)])
    assert (found.registered_address, found.representative_name, found.home_page) == (None, None, None)


@given(st.text(max_size=30))
def test_a_search_key_holds_no_blanks_and_is_the_same_for_every_width(text: str) -> None:
    key = search_key(text)
    assert not any(letter.isspace() for letter in key)
    assert search_key(f" {text}　") == key
    assert search_key(widen(text)) == key
