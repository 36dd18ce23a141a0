"""How a word of NEXI is reported over HTTP, and what becomes of one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from chassis.service import Runtime
from deploy.local.management import Management
from tests.applications.fronts import Front
from tests.support.eventually import eventually
from tests.support.platform import Platform


def report(message: Any, event_id: UUID | None = None) -> dict[str, Any]:
    """The message as the body of a report over HTTP."""
    return {
        "id": str(event_id or uuid4()), "type": message.wire_type(), "time": datetime.now(UTC).isoformat(),
        "data": message.model_dump(mode="json"),
    }  # fmt: skip


async def set_aside(running: Runtime, event_id: UUID) -> Any:
    """The parked event, as soon as it is there."""

    async def there() -> Any:
        return await running.database.fetchrow("select * from parked where id = $1", event_id)

    return await eventually(there)


async def until(front: Front, number: str, state: str) -> None:
    """Wait for a state."""

    async def reached() -> bool:
        return await front.state(number) == state

    await eventually(reached)


def listening(platform: Platform) -> set[str]:
    """All who listen, by the tag that each gets anew when it attaches."""
    found = Management(platform.cluster.management_url).call("GET", "/consumers")
    hosts = {platform.host, platform.partner_host}
    return {one["consumer_tag"] for one in found if one["queue"]["vhost"] in hosts}
