"""The test cluster serves many sessions at once and ends with the last of them, unless it was asked to stay."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.local import cluster as clusters
from deploy.local.cluster import Cluster, test_cluster
from deploy.local.management import Management
from deploy.local.refusals import Refusal
from deploy.local.state import State, open_state

USER = "from deploy.local.cluster import test_cluster\nwith test_cluster(): print('here', flush=True); input()"


@pytest.fixture
def own(state: State, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> State:
    """A cluster file of the test's own over the servers that run already, which is how named servers are used."""
    monkeypatch.setenv("PLATFORM_STATE", str(state.folder))
    monkeypatch.setenv("POSTGRES_URL", cluster.postgres_url)
    monkeypatch.setenv("RABBITMQ_URL", cluster.broker_url)
    monkeypatch.setenv("RABBITMQ_MANAGEMENT_URL", cluster.management_url)
    return open_state().part("test")


@contextmanager
def another_session() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdout and session.stdout.readline() == "here\n"
        yield session
        session.communicate("\n", timeout=10)


def test_the_last_session_ends_what_the_first_started(own: State) -> None:
    with another_session():
        with test_cluster() as used:
            assert clusters.running(own) == used
        assert clusters.running(own), "the other session still uses it"
    assert clusters.running(own) is None


def test_a_killed_session_does_not_keep_it_alive(own: State) -> None:
    with another_session() as session:
        session.kill()
        session.wait()
        with test_cluster():
            pass
        assert clusters.running(own) is None


def test_one_that_was_asked_to_stay_outlives_its_sessions(own: State) -> None:
    with test_cluster():
        clusters.keep(own)
    assert clusters.running(own)


async def test_virtual_hosts_come_and_go(cluster: Cluster, state: State) -> None:
    name = f"trial/{state.folder.name}"
    assert (await cluster.create_virtual_host(name)).endswith("/trial%2F" + state.folder.name)
    queue = {"name": "q", "vhost": name, "durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
    await cluster.apply_definitions({"queues": [queue]})
    await cluster.apply_definitions({"queues": [queue]})
    management = Management(cluster.management_url)
    assert [one["name"] for one in management.call("GET", f"/queues/trial%2F{state.folder.name}")] == ["q"]
    await cluster.delete_virtual_host(name)
    await cluster.delete_virtual_host(name)


async def test_the_broker_knows_no_guest_and_says_why_it_refuses(cluster: Cluster) -> None:
    stranger = Management(cluster.management_url.replace("//operator:", "//guest:"))
    assert not stranger.answers()
    with pytest.raises(Refusal, match="vhost"):
        await cluster.apply_definitions({"queues": [{"name": "q", "vhost": "nowhere", "durable": True}]})
