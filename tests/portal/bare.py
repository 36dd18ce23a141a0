"""What no browser window can be made to do: send anything at all, and find a gateway gone all at once."""

import asyncio
import re
from typing import Any

import aiohttp

from tests.portal.desks import User
from tests.support.mailbox import free_port


class Browser:
    """A bare client with the cookies of one browser: for what no browser window can be made to send."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}

    async def ask(self, method: str, path: str, data: Any = None, **headers: str) -> tuple[int, str, str]:
        """Status, where to, and the page."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http, http.request(
            method, self.url + path, data=data, headers=given, allow_redirects=False
        ) as answer:  # fmt: skip
            self.cookies |= {name: cookie.value for name, cookie in answer.cookies.items()}
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def form_token(self, path: str) -> str:
        """The token of the last form on a page."""
        _, _, page = await self.ask("GET", path)
        return re.findall(r'name="form_token" value="([^"]+)"', page)[-1]

    async def log_in(self, user: User) -> None:
        """Through the form."""
        form = {"form_token": await self.form_token("/login"), "user_id": user.user_id, "password": user.password}
        status, where, _ = await self.ask("POST", "/login", form)
        assert (status, where) == (303, "/")


class Gate:
    """A way to a gateway that can be shut, always at the same address."""

    def __init__(self, target: str) -> None:
        self._target = target.rpartition(":")[2]
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> str:
        """Let through; answers the address."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        return f"http://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Cut everything."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", int(self._target))
        self._writers += [writer, outer]
        await asyncio.gather(_copy(reader, outer), _copy(inner, writer))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()
