"""One trace tells a whole story: from the gateways through their databases and the broker to all who heard of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from deploy.local.cluster import Cluster
from deploy.local.demo import company, people
from deploy.local.demo.narration import Story
from deploy.local.outsiders import Outside
from tests.support import unique
from tests.support.collector import Collector, collecting
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import NAMES
from tests.support.whole import whole_platform

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FRONT_END = "00f067aa0ba902b7"


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """All services that are started from now on send their spans here."""
    async with collecting() as collector:
        for name in NAMES:
            monkeypatch.setenv(f"{name.upper()}_TRACES_URL", collector.url)
        yield collector


async def test_a_submission_is_one_trace_across_the_broker(
    collector: Collector, cluster: Cluster, signer: Signer, tmp_path: Path
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{FRONT_END}-01"}
    async with whole_platform(cluster, signer, tmp_path) as (outside, _):
        async with aiohttp.ClientSession(headers=headers) as http:
            front_end = Outside(outside.known, http)
            code, story = unique.policyholder_code(), Story()
            mail = f"taro-{code}@sample.com"
            administrator = await people.register_policyholder(story, front_end, code, mail)
            await people.use_one_time_passwords(story, administrator, mail)
            await company.change(story, administrator, mail)

        async def told() -> bool:
            names = {(one.service, one.name) for one in collector.of(TRACE)}
            return {
                ("identity", "POST /sessions"),
                ("applications", "POST /applications/{number}/submission"),
                ("applications", "publish applications.application_submitted"),
                ("audit", "hear applications.application_submitted"),
                ("audit", "hear identity.login_succeeded"),
                ("notifier", "hear applications.application_submitted"),
            } <= names

        await eventually(told, timeout=30)
    spans = {one.span_id: one for one in collector.of(TRACE)}
    assert len(spans) == len(collector.of(TRACE)), "every span has an id of its own"
    assert {one.parent_id for one in spans.values()} <= {*spans, FRONT_END}, "none hangs in the air"
    [submission] = [one for one in spans.values() if one.name == "POST /applications/{number}/submission"]
    beneath = {(one.service, one.name) for one in spans.values() if one.parent_id == submission.span_id}
    assert ("audit", "hear applications.application_submitted") in beneath
    assert any(service == "applications" and name in ("select", "update", "insert") for service, name in beneath)
    texts = [one.attributes["db.query.text"] for one in spans.values() if "db.query.text" in one.attributes]
    assert texts and not [text for text in texts if mail in text or code in text], "statements carry no values"
