"""What a screen answers: a page, a redirect to a page, or a download that is passed through."""

from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp


@dataclass(frozen=True, slots=True)
class Page:
    """HTML."""

    html: str
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """See other: every POST ends with one, so that reloading and going back never send anything twice."""

    location: str
    session: str | None = None
    """A session token for the cookie; "" takes the cookie away; None leaves it."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a gateway, as it comes."""

    source: aiohttp.ClientResponse = field(repr=False)
    ended: Callable[[], None]
    """To be called when it was passed through, or broke off."""


Answer = Page | Redirect | Download
