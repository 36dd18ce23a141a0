"""Photographs every screen into docs/screens, on a wide window and on a phone (`make screens`)."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.portal import tour, tour_of_applications
from tests.portal.desks import Desk, Town
from tests.portal.errands import administrator

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
PHONE = {
    "login", "user-page", "applicants", "applicant-new", "policyholder-change", "policyholder-change-confirmation",
    "accounts", "applications", "access-history-found",
}  # fmt: skip
PRINTED = {"policyholder-change-done"}

pytestmark = pytest.mark.browser


async def test_photograph_every_screen(open_desk: Callable[..., object], town: Town) -> None:
    """Run by the command below only: its name is not that of a test module."""
    desk: Desk = await open_desk(viewport={"width": 1100, "height": 800})  # type: ignore[misc]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    titles: list[tuple[str, str]] = []

    async def photograph(name: str) -> None:
        titles.append((name, await desk.title()))
        await desk.page.screenshot(path=FOLDER / f"{name}.png", full_page=True)
        if name in PHONE:
            await desk.page.set_viewport_size({"width": 390, "height": 800})
            await desk.page.screenshot(path=FOLDER / f"{name}-phone.png", full_page=True)
            await desk.page.set_viewport_size({"width": 1100, "height": 800})
        if name in PRINTED:
            await desk.page.emulate_media(media="print")
            await desk.page.screenshot(path=FOLDER / f"{name}-printed.png", full_page=True)
            await desk.page.emulate_media(media="screen")

    admin = await administrator(town)
    await admin.person.log_in(admin.password)
    for part in (*tour.PARTS, *tour_of_applications.PARTS):
        await part(town, desk, photograph, admin)
    lines = ["# The screens", "", "Photographed by `make screens`, from a platform with fresh data.", ""]
    lines += [f"- [{title}]({name}.png) `{name}`" for name, title in titles]
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__]))
