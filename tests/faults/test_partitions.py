"""The broker's nodes lose each other while people work: nothing is lost, and every queue is heard again (R-7).

The cuts are real: what the nodes say to each other goes through proxies, which keep their connections and let nothing
pass, as a network that drops packets. Only the bytes of the access stream are copied past them, on connections of their
own; who leads the stream, and who has a part in it, is settled through the proxies.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import combinations

import aio_pika
import aiohttp
import pytest
from aio_pika.exceptions import AMQPError
from yarl import URL

from chassis.amqp.connection import connected, reraise_if_cancelled
from chassis.amqp.outlet import Outlet
from chassis.amqp.topology import ACCESS, PARTNER, definitions
from chassis.messages import new_id
from deploy.local.cluster import Cluster
from deploy.local.management import Management
from tests.faults import deeds
from tests.faults.checker import check
from tests.faults.crowd import PASSWORD, Crowd, open_crowd
from tests.faults.house import House, open_house
from tests.faults.journal import Known
from tests.faults.load import AT_GATEWAYS, WITH_NEXI, at_work
from tests.faults.nodes import NAMES, Nodes, three_nodes
from tests.faults.place import unpublished
from tests.faults.servers import own_servers
from tests.support.keys import Signer
from tests.support.platform import services
from tests.support.scale import CHAOS

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not CHAOS, reason="three nodes alone take longer to start than make test may; see make chaos"),
]
PACE = 30
PATIENCE_SECONDS = 90.0  # a bound, not a measure
ONE, TWO, THREE = NAMES
Pairs = frozenset[frozenset[str]]
ALL_PAIRS: Pairs = frozenset(map(frozenset, combinations(NAMES, 2)))


def around(name: str) -> Pairs:
    """What cuts one node off from both others."""
    return frozenset(pair for pair in ALL_PAIRS if name in pair)


KINDS: dict[str, tuple[Pairs, set[str]]] = {
    "the node of the clients is alone": (around(ONE), {ONE}),
    "another node is alone": (around(TWO), {TWO}),
    "each is alone": (ALL_PAIRS, {ONE, TWO, THREE}),
    "two see only the third": (frozenset({frozenset({ONE, TWO})}), {ONE, TWO}),
}
"""The pairs that are cut, and the nodes that pause when they notice. With more than one of these no queue is left with
a majority, and nothing can be published."""


@pytest.fixture(scope="module")
async def nodes() -> AsyncIterator[Nodes]:
    """The broker."""
    services()  # imported before: it takes seconds in which nothing else runs, and the proxies must not stand still
    async with three_nodes() as nodes:
        yield nodes


@pytest.fixture(scope="module")
async def crowd(
    nodes: Nodes, signer: Signer, client: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crowd]:
    """A process of each service, and people."""
    async with own_servers("partitions") as servers:
        cluster = Cluster(servers.postgres.url, nodes.url, nodes.management_url)
        async with open_house(cluster, signer, tmp_path_factory.mktemp("house"), client) as house:
            await house.all_ready()
            async with open_crowd(house) as crowd:
                yield crowd


async def until(so: Callable[[], Awaitable[bool]]) -> float:
    """Wait; answers how many seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await so():
            await asyncio.sleep(0.3)
    return loop.time() - began


async def attached(house: House) -> bool:
    """Every queue has a consumer, as the broker says at this moment; the queues of NEXI's systems aside."""
    platform = house.platform
    named = definitions(platform.services.values(), {}, platform=platform.host, partner=platform.partner_host)
    try:
        for host in (platform.host, platform.partner_host):
            async with connected(f"{platform.cluster.broker_url}/{host}", "test") as connection:
                channel = await connection.channel()
                for name in (queue["name"] for queue in named["queues"] if queue["vhost"] == host):
                    if name != ACCESS and not name.startswith(f"{PARTNER}."):
                        queue = await channel.declare_queue(name, passive=True, timeout=10)
                        if not queue.declaration_result.consumer_count:
                            return False
    except (AMQPError, OSError, TimeoutError, asyncio.CancelledError) as error:
        reraise_if_cancelled(error)
        return False
    return True


async def logged_out_everywhere(crowd: Crowd) -> bool:
    """A session ends, and every process has seen it at once: all of them read the access stream."""
    visitor = deeds.Visitor(crowd, crowd.codes[0])
    if not (await visitor.log_in(PASSWORD)).good:
        return False
    reply = await visitor.ask("logged_out", "DELETE", "/sessions/current")
    return reply.good and reply.body["in_force_from"] is None


async def only_closed(nodes: Nodes, names: set[str]) -> bool:
    """These nodes take no connections, and all others do."""
    return nodes.closed() == names


async def at_home(nodes: Nodes, crowd: Crowd) -> None:
    """All nodes take connections, and the clients are with the first one."""
    await until(lambda: only_closed(nodes, set()))
    nodes.front.cut()
    await until(lambda: attached(crowd.house))
    await until(lambda: logged_out_everywhere(crowd))


async def endure(nodes: Nodes, crowd: Crowd, kind: str, seconds: int) -> str:
    """A partition, at least until the nodes have noticed; answers what was waiting to be published when it ended."""
    pairs, pausing = KINDS[kind]

    async def published() -> bool:
        return await unpublished(crowd.house) <= PACE

    with nodes.apart(pairs):
        await asyncio.sleep(seconds)
        await until(lambda: only_closed(nodes, pausing))
        waiting = await unpublished(crowd.house)
        if len(pausing) > 1:
            assert waiting > PACE, "events left without a majority"
        elif seconds > 20:  # in less the clients have hardly noticed
            await until(published)  # the majority goes on with the work
    return f"{waiting} events waited"


@pytest.mark.requirement("R-7")
@pytest.mark.parametrize("seconds", [10, 30])
@pytest.mark.parametrize("kind", KINDS)
async def test_when_nodes_lose_each_other_nothing_is_lost_and_every_queue_is_heard_again(
    nodes: Nodes, crowd: Crowd, record_property: Callable[[str, object], None], kind: str, seconds: int
) -> None:
    await at_home(nodes, crowd)
    async with at_work(crowd, PACE, 20, AT_GATEWAYS), at_work(crowd, PACE / 5, 5, WITH_NEXI):
        before = Known.read(crowd.journal.path)
        waited = await endure(nodes, crowd, kind, seconds)
        back = await until(lambda: attached(crowd.house))
        seen = back + await until(lambda: logged_out_everywhere(crowd))
        known = Known.read(crowd.journal.path)
    asked = known.statuses - before.statuses
    failed = sum(count for status, count in asked.items() if not 200 <= status < 500)
    acknowledged = len(known.ok) - len(before.ok)
    await crowd.house.all_ready()
    findings = await check(crowd)
    record_property(
        "found",
        f"{seconds} s: {failed} of {asked.total()} requests failed, {acknowledged} acknowledged, {waited};"
        f" consumers back after {back:.0f} s, ends of sessions seen at once after {seen:.0f} s; {findings.line()}",
    )
    assert not findings.wrong
    assert failed <= asked.total() / 1000, asked


@pytest.mark.requirement("R-7")
async def test_what_is_first_said_when_a_queue_has_lost_its_leader_does_not_wait_for_that_node(nodes: Nodes) -> None:
    host = "first-words"
    await until(lambda: only_closed(nodes, set()))
    await Management(nodes.management_url).create_virtual_host(host)
    async with await aio_pika.connect(f"{nodes.nodes[TWO].url}/{host}") as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange("events", "topic", durable=True)
        led_there = {"x-queue-type": "quorum", "x-queue-leader-locator": "client-local"}
        queue = await channel.declare_queue("heard", durable=True, arguments=led_there)
        await queue.bind(exchange, "#")
    row = {
        "place": 1, "id": new_id(), "exchange": "events", "type": "test.said", "occurred_at": datetime.now(UTC),
        "sequence": 1, "traceparent": None, "data": "{}",
    }  # fmt: skip
    async with connected(f"{nodes.url}/{host}", "test") as connection:
        outlet = Outlet(connection, "test", URL(nodes.url).user)

        async def confirmed() -> bool:
            return await outlet.publish([row]) == [1]

        with nodes.apart(around(TWO)):
            await until(confirmed)
            assert await only_closed(nodes, {TWO})
