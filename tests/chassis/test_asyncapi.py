"""What a service says and hears is documented from the same classes that are sent, and served at its gateway."""

import aiohttp
import pytest

from chassis.asyncapi import document
from tests.support.platform import Platform, services


def test_every_event_that_somebody_hears_is_said_by_somebody_or_by_the_partner() -> None:
    found = document(services().values(), "all")
    said = {name.partition("_says_")[2] for name in found["operations"] if "_says_" in name}
    heard = {name.partition("_hears_")[2] for name in found["operations"] if "_hears_" in name}
    commands = {"notifier.send_mail", "notifier.send_letter"}
    assert {name for name in heard - said if not name.startswith("nexi.")} == commands


def test_every_reference_in_the_document_leads_somewhere() -> None:
    found = document(services().values(), "all")

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for part in value.values() for one in references(part)]
        return [one for part in value for one in references(part)] if isinstance(value, list) else []

    for reference in references(found):
        place: object = found
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(place, dict) and step in place, reference
            place = place[step]


@pytest.mark.parametrize("name", ["identity", "notifier"])
async def test_the_gateway_serves_its_own_contract(
    platform: Platform, client: aiohttp.ClientSession, name: str
) -> None:
    runtime = await platform.start(name)
    async with client.get(f"{runtime.url}/asyncapi.json") as answer:
        contract = await answer.json()
    assert contract["asyncapi"] == "3.0.0"
    assert any(channel.startswith(f"{name}.") for channel in contract["channels"])
