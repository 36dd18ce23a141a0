"""Every screen of people and logins, looked at by axe and at the width of a phone."""

from collections.abc import Awaitable, Callable

import pytest

from tests.portal import tour
from tests.portal.desks import Desk, Town, User
from tests.portal.stations import PHONE, Part, inspected, unseen

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("part", tour.PARTS, ids=lambda part: part.__name__)
async def test_axe_finds_nothing_serious_and_a_phone_shows_the_screens_whole(
    open_desk: Callable[..., Awaitable[Desk]], town: Town, resident: User, seen: set[str], part: Part
) -> None:
    desk = await open_desk(viewport=PHONE)
    assert await inspected(part, town, desk, resident, seen) == {}


def test_no_screen_was_left_out(seen: set[str]) -> None:
    assert not unseen(
        seen, "administrator", "applicants", "help", "logins", "own", "passwords", "troubles", "user_page"
    )
