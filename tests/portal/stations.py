"""A walk through the screens: its parts, and what is looked at at each of its stations."""

from collections.abc import Awaitable, Callable

from portal.rendering import FOLDER
from tests.portal.desks import AXE, Desk, Town, User

Station = Callable[[str], Awaitable[None]]
"""Called at each screen with its name."""
Part = Callable[[Town, Desk, Station, User], Awaitable[None]]
"""A part of the walk, for an administrator whose data are known everywhere; each can be taken alone."""
PHONE = {"width": 390, "height": 800}
UNREACHABLE = {"troubles/failed.html"}
"""Shown for errors of our own code only."""


async def inspected(part: Part, town: Town, desk: Desk, user: User, seen: set[str]) -> dict[str, list[str]]:
    """What is wrong by screen, for axe and on a phone; the templates that were shown are added to `seen`."""
    found: dict[str, list[str]] = {}

    async def look(name: str) -> None:
        trouble = await desk.axe()
        if await desk.page.locator("h1").count() != 1 or not await desk.page.title():
            trouble.append("not exactly one heading")
        width = await desk.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            trouble.append(f"{width} pixels wide")
        if trouble:
            found[name] = trouble
        seen.add(await desk.page.locator("body").get_attribute("data-template") or "")

    await desk.page.context.add_init_script(AXE)
    await part(town, desk, look, user)
    return found


def unseen(seen: set[str], *rooms: str) -> set[str]:
    """The templates of these folders that were not shown."""
    folder = FOLDER / "templates"
    return {f"{room}/{path.name}" for room in rooms for path in (folder / room).iterdir()} - seen - UNREACHABLE
