"""Declares a service's own part of the broker's topology through RabbitMQ's management API."""

from typing import Any

import aiohttp
from yarl import URL

from chassis.amqp.topology import definitions
from chassis.settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=30)


class Refused(Exception):
    """The broker did not take it; the text is for the operator."""


async def declare(service: Any, settings: Settings, management_url: str) -> int:
    """Create what is missing and set the passwords of the settings; answers how many queues there are to be.

    The virtual hosts, users and passwords are those of the service's own URLs. Saying it again changes nothing.
    Raises Refused.
    """
    logins = [URL(url) for url in settings.broker_logins()]
    wanted = definitions(
        [service],
        {login.user: login.password for login in logins if login.user and login.password},
        platform=_host(settings.broker_url),
        partner=_host(settings.partner_broker_url),
    )
    place = URL(management_url)
    who = {"Authorization": aiohttp.encode_basic_auth(place.user or "", place.password or "")}
    try:
        async with (
            aiohttp.ClientSession(headers=who, timeout=TIMEOUT) as client,
            client.post(place.with_user(None) / "api" / "definitions", json=wanted) as answer,
        ):
            if answer.status >= 400:
                raise Refused(f"RabbitMQ refused ({answer.status}): {(await answer.text())[:500]}")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Refused(f"RabbitMQ's management API does not answer ({type(error).__name__}).") from error
    return len(wanted["queues"])


def _host(url: str) -> str:
    """The virtual host that an amqp URL names."""
    return URL(url).path.removeprefix("/") or "/"
