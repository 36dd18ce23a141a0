"""The portal over all services of one platform, and browser windows in front of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page, async_playwright

from deploy.local.cluster import Cluster
from tests.portal import errands
from tests.portal.chromium import ARGUMENTS, chromium, with_font
from tests.portal.desks import Desk, Town, User, opened
from tests.support.keys import Signer
from tests.support.ports import free_port
from tests.support.whole import whole_platform

EXPECTED = "Failed to load resource: the server responded with a status of"
"""What the browser's console says about every answer that is no success, which some tests want."""


@pytest.fixture(scope="session")
async def town(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The whole platform with a portal."""
    port = free_port()
    folder = tmp_path_factory.mktemp("town")
    async with (
        whole_platform(cluster, signer, folder, portal_url=f"http://127.0.0.1:{port}") as place,
        opened(*place, port=port) as town,
    ):
        yield town


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    path, environment = chromium(), with_font(tmp_path_factory.mktemp("fonts"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), env=environment)
        yield browser
        await browser.close()


@pytest.fixture
async def open_desk(browser: Browser, town: Town) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    """`await open_desk()`: a browser of one's own; in the end none of them may have complained."""
    async with AsyncExitStack() as stack:
        desks: list[Desk] = []

        async def opened(**options: object) -> Desk:
            context = await browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", **options)  # type: ignore[arg-type]
            stack.push_async_callback(context.close)
            context.set_default_timeout(20_000)
            desk = Desk(await context.new_page(), town)
            desks.append(desk)
            listen(desk.page, desk.complaints)
            return desk

        yield opened
        complaints = [one for desk in desks for one in desk.complaints]
    assert complaints == [], "the browser complained (scripts, styles or forms against the policy?)"


@pytest.fixture(scope="module")
async def resident(town: Town) -> User:
    """An administrator for all tests of a file that do not mind each other."""
    return await errands.administrator(town)


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The templates that a file's tests have looked at."""
    return set()


@pytest.fixture
async def desk(open_desk: Callable[..., Awaitable[Desk]]) -> Desk:
    """One browser window."""
    return await open_desk()


def listen(page: Page, complaints: list[str]) -> None:
    """Note every error of the page's scripts and every violation of its policy."""
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text) if said.type == "error" and not said.text.startswith(EXPECTED) else None
        ),
    )
