"""The oracle: what the journal acknowledged, against every database, queue and mail, once all has come to rest."""

import asyncio
from collections import Counter
from collections.abc import Set
from typing import Any
from urllib.parse import quote

from deploy.local.management import Management
from tests.faults import agreements
from tests.faults.agreements import rows_of
from tests.faults.crowd import Crowd
from tests.faults.findings import Findings
from tests.faults.journal import Action, Known

DRAINED_SECONDS = 60.0
DRAFTS = "select number from applications where state = 'draft'"


async def check(crowd: Crowd, *, rubbish: Set[bytes] = frozenset(), timeout: float = DRAINED_SECONDS) -> Findings:
    """Wait until everything is at rest and nothing is wrong, or for `timeout` seconds; then say how it is.

    What the broker says of its queues is some seconds old: a last event may still be on its way when they seem empty.
    `rubbish`: unreadable messages that were sent on purpose.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    while True:
        while (stuck := await restless(crowd)) and loop.time() < until:
            await asyncio.sleep(0.2)
        findings = await _compare(crowd, rubbish)
        findings.stuck += stuck
        if not findings.wrong or loop.time() >= until:
            return findings
        await asyncio.sleep(0.2)


async def _compare(crowd: Crowd, rubbish: Set[bytes]) -> Findings:
    known = Known.read(crowd.journal.path)
    findings = Findings(acknowledged=len(known.ok), unknown=len(known.unknown))
    await _rows(crowd, known, findings)
    await _gaps(crowd, findings)
    for agreement in (agreements.applications, agreements.accounts, agreements.identity, agreements.mails):
        await agreement(crowd, findings)
    await _set_aside(crowd, findings, rubbish)
    return findings


async def restless(crowd: Crowd) -> list[Any]:
    """What waits in an outbox or a queue, for another try, for a day that has begun, or for the mail server."""
    parked = "select listener, type, reason, attempts from parked where state = 'retrying'"
    waiting = {
        "applications": "select number from applications where state = 'submitted' and procedure like 'account%'",
        "accounts": "select number from profile_changes where applied_at is null and due_at <= now()",
        "notifier": "select id, template, state, reason from mails where due_at is not null or state = 'sending'",
    }
    found: list[Any] = []
    for name in crowd.house.platform.services:
        queries = ("select type, sequence, refused from outbox", parked, *filter(None, [waiting.get(name)]))
        found += [(name, *row) for query in queries for row in await rows_of(crowd, name, f"{query} limit 3")]
    return found or [*(await queued(crowd)).items()]


async def queued(crowd: Crowd) -> dict[str, int]:
    """Messages in the platform's queues, NEXI's outlet and the access stream aside."""
    management = Management(crowd.house.platform.cluster.management_url)
    found: dict[str, int] = {}
    for host in (crowd.house.platform.host, crowd.house.platform.partner_host):
        for queue in await asyncio.to_thread(management.call, "GET", f"/queues/{quote(host, safe='')}"):
            if queue["name"] != "access" and not queue["name"].startswith("nexi.") and queue.get("messages"):
                found[queue["name"]] = queue["messages"]
    return found


async def _rows(crowd: Crowd, known: Known, findings: Findings) -> None:
    async with crowd.house.platform.owner("audit") as database:
        history = await database.fetch("select type, name, source_address from history")
    tried = known.ok | known.unknown
    rows: Counter[Action] = Counter()
    for row in history:
        by_name = Action(row["type"], row["name"])
        rows[by_name if by_name in tried else _by_source(row)] += 1
    findings.recovered = len(known.unknown & rows.keys())
    findings.lost += sorted(known.ok - rows.keys(), key=str)
    findings.duplicated += [action for action, count in rows.items() if count > 1]
    findings.unexpected += [action for action in rows if action not in tried]


def _by_source(row: Any) -> Action:
    return Action(row["type"], row["source_address"], "source_address")


async def _gaps(crowd: Crowd, findings: Findings) -> None:
    """Every producer's numbers arrived, up to the last one that it gave."""
    async with crowd.house.platform.owner("audit") as database:
        heard = {
            row["producer"]: (row["ranges"], row["last"])
            for row in await database.fetch(
                "select producer, (select count(*) from unnest(heard)) as ranges, upper(heard) - 1 as last"
                " from producers"
            )
        }
        reported = await database.fetch("select producer, missing::text from gaps where reported_at is not null")
    findings.gaps += [tuple(row) for row in reported]
    for name in crowd.house.platform.services:
        async with crowd.house.platform.owner(name) as database:
            last = await database.fetchval("select last_sequence from relay_positions where exchange = 'events'")
        if last and heard.get(name) != (1, last):
            findings.gaps.append((name, heard.get(name), last))


async def _set_aside(crowd: Crowd, findings: Findings, rubbish: Set[bytes]) -> None:
    """In quarantine is all the rubbish and nothing else; parked is only what came early for a draft that stayed one."""
    drafts = {number for (number,) in await rows_of(crowd, "applications", DRAFTS)}
    found: set[bytes] = set()
    for name in crowd.house.platform.services:
        parked = "select state, type, reason, key, body from parked where state in ('parked', 'unreadable')"
        for state, kind, reason, key, body in await rows_of(crowd, name, parked):
            if state == "unreadable" and body in rubbish:
                found.add(body)
            elif not (reason.startswith("early:") and key in drafts):
                findings.parked.append((name, state, kind, reason))
    findings.quarantined = len(found)
    findings.lost += [("rubbish", body) for body in rubbish - found]
