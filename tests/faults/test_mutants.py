"""The oracle of the crash points notices what it is there for: without its inbox a killed service hears twice."""

import aiohttp
import pytest

from deploy.local.cluster import Cluster
from tests.faults.house import open_house
from tests.faults.lives import Life
from tests.faults.victim import with_tables
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.keys import Signer

FORGETFUL_INBOX = """
create function forget() returns trigger language plpgsql as $$
begin delete from inbox where listener = new.listener and id = new.id; return null; end $$;
alter function forget() security definer;
create trigger forgetful after insert on inbox for each row execute function forget();
"""


@pytest.mark.requirement("R-1")
@pytest.mark.parametrize(("inbox", "twice"), [("", False), (FORGETFUL_INBOX, True)])
async def test_only_the_inbox_keeps_a_killed_listener_from_hearing_twice(
    cluster: Cluster, signer: Signer, client: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory,
    inbox: str, twice: bool,
) -> None:  # fmt: skip
    folder, word = tmp_path_factory.mktemp("mutant"), unique.word("twice")
    async with (
        open_house(cluster, signer, folder, client, {"victim": with_tables(folder)}) as house,
        house.platform.owner("victim") as database,
    ):
        await database.execute(inbox or "select 1")
        life = await house.begin("victim", death=("heard and committed", 1))
        await eventually(lambda: told(client, life, word), timeout=30)
        await life.ended()
        await house.all_ready()

        async def heard() -> bool:
            return bool(await database.fetchval("select (count(*) > 1) = $2 from heard where word = $1", word, twice))

        async def acknowledged() -> bool:
            last = unique.word()
            await told(client, house.lives["victim", 0], last)
            return bool(await eventually(lambda: database.fetchval("select true from heard where word = $1", last)))

        await eventually(acknowledged)
        assert await eventually(heard)


async def told(client: aiohttp.ClientSession, life: Life, word: str) -> bool:
    """Say a word as soon as the process serves."""
    try:
        async with client.post(f"{life.url}/notes", json={"word": word}) as answer:
            return answer.status == 204
    except aiohttp.ClientError:
        return life.over
