"""RabbitMQ's management API: virtual hosts, and the definitions (users, permissions, queues …) of the services."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from deploy.local.refusals import Refusal

TIMEOUT = 30.0  # seconds: an import of many quorum queues on a busy machine takes some


class Management:
    """An operator at the management API of one broker."""

    def __init__(self, url: str) -> None:
        """`url` is http://user:password@host:port."""
        parts = urlsplit(url)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self.user = unquote(parts.username or "")
        self.address = f"{parts.scheme}://{parts.hostname}:{parts.port}/api"
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(login.encode()).decode(),
            "Content-Type": "application/json",
        }

    async def apply_definitions(self, definitions: dict[str, Any]) -> None:
        """Create what the definitions name and is missing; what is there already stays as it is."""
        await asyncio.to_thread(self.call, "POST", "/definitions", definitions)

    async def create_virtual_host(self, name: str) -> None:
        """A virtual host in which the operator may do everything."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        await asyncio.to_thread(self.call, "PUT", f"/vhosts/{segment(name)}", {})
        await asyncio.to_thread(self.call, "PUT", f"/permissions/{segment(name)}/{segment(self.user)}", everything)

    async def delete_virtual_host(self, name: str) -> None:
        """Remove a virtual host with all its queues; one that is not there is fine."""
        await asyncio.to_thread(self.call, "DELETE", f"/vhosts/{segment(name)}", missing_is_fine=True)

    async def delete_user(self, name: str) -> None:
        """Remove a user; one that is not there is fine."""
        await asyncio.to_thread(self.call, "DELETE", f"/users/{segment(name)}", missing_is_fine=True)

    def answers(self) -> bool:
        """Whether the API is there and knows us."""
        try:
            self.call("GET", "/whoami")
        except (Refusal, OSError):
            return False
        return True

    def call(self, method: str, path: str, body: Any = None, missing_is_fine: bool = False) -> Any:
        """One request; the JSON answer or None. A refusal of the broker becomes ours, with its reason."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, self.headers, method=method)  # noqa: S310 - our own broker's address
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and missing_is_fine:
                    return None
                reason = error.read().decode(errors="replace")[:500]
            raise Refusal(f"RabbitMQ refused {method} {path} ({error.code}): {reason}") from error
        return json.loads(content) if content else None


opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the machine knows no loopback


def segment(name: str) -> str:
    """A name as one segment of a path, slashes too."""
    return quote(name, safe="")
