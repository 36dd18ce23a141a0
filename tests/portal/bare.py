"""What no browser window can be made to do: send anything at all, and find a gateway gone all at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from email.parser import Parser
from typing import Any

import aiohttp

from portal.replies import SESSION
from tests.portal.desks import User
from tests.support.ports import free_port


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

    def be(self, user: User) -> None:
        """As somebody who has logged in before: with the session that the person has at the gateways."""
        self.cookies[SESSION] = str(user.person.session_token)

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """One connection, on which every byte counts."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            yield Wire(reader, writer, f"Host: {host}:{port}", f"Cookie: {cookies}")
        finally:
            writer.close()
            await writer.wait_closed()


class Wire:
    """Requests without a body on one kept connection; after HEAD nothing is read but the headers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *headers: str) -> None:
        self._reader, self._writer, self._headers = reader, writer, headers

    async def ask(self, method: str, path: str, *more: str) -> tuple[int, Message, bytes]:
        """Status, headers, body; `more`: headers, of any bytes."""
        told = "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", *self._headers, *more, ""))
        self._writer.write(told.encode(errors="surrogateescape"))
        first, _, lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")
        assert first.startswith("HTTP/1.1 "), f"no answer begins here: {first[:100]}"
        headers = Parser().parsestr(lines)
        body = b"" if method == "HEAD" else await self._body(headers)
        return int(first.split()[1]), headers, body

    async def _body(self, headers: Message) -> bytes:
        if headers["Transfer-Encoding"] != "chunked":
            return await self._reader.readexactly(int(headers["Content-Length"]))
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return body


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
