"""What nobody can need any more is removed, and nothing else."""

import uuid
from typing import Any

import pytest

from tests.applications.fronts import PDF, Front
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform


@pytest.mark.requirement("P1")
async def test_a_key_is_forgotten_after_a_week_and_not_before(platform: Platform, administrator: Front) -> None:
    user_id = administrator.caller.operator.user_id
    first = {key: (await administrator.confirm("loss_notice", {}, key=key)).body["number"] for key in ("old", "young")}
    async with platform.owner("applications") as database:
        age = "update keyed_requests set at = now() - $3::text::interval where user_id = $1 and key = $2"
        await database.execute(age, user_id, "old", "7 days 1 minute")
        await database.execute(age, user_id, "young", "6 days 23 hours")
        async with platform.running("applications"):
            gone = "select count(*) = 1 from keyed_requests where user_id = $1"
            await eventually(lambda: database.fetchval(gone, user_id))
    again = {key: (await administrator.confirm("loss_notice", {}, key=key)).body["number"] for key in first}
    assert again["young"] == first["young"]
    assert again["old"] not in first.values()


@pytest.mark.requirement("P1")
async def test_one_user_fills_no_memory_with_keys_and_what_is_known_is_answered_at_the_limit(
    platform: Platform, front: Any, code: str
) -> None:
    async with platform.running("applications", most_keys=2) as sparing:
        person = front(callers.administrator(code), sparing.url)
        first = await person.confirm("loss_notice", {}, key="first")
        number = first.body["number"]
        assert (await person.correct(number, 1, {"a": 1}, key="second")).status == 200
        refused = [
            await person.correct(number, 2, {"a": 2}, key="third"),
            await person.confirm("loss_notice", {}, key="fourth"),
        ]
        assert [(one.status, one.kind) for one in refused] == [(429, "too-many-keys")] * 2
        assert (await person.confirm("loss_notice", {}, key="first")).body == first.body
        assert (await person.confirm("payment_notice", {}, key="first")).kind == "key-reused"
        assert (await person.correct(number, 2, {"a": 2})).status == 200
        other = front(callers.administrator(unique.policyholder_code()), sparing.url)
        assert (await other.confirm("loss_notice", {}, key="third")).status == 201


@pytest.mark.requirement("R7")
async def test_a_file_that_never_came_whole_is_removed_after_a_day_and_others_stay(
    platform: Platform, administrator: Front
) -> None:
    draft = await administrator.draft("electronic_application", {})
    path = f"/applications/{draft['number']}/attachments?name=a.pdf"
    sent = await administrator.ask("POST", path, data=PDF, headers={"Content-Type": "application/pdf"})
    whole = uuid.UUID(sent.body["attachments"][0]["id"])
    broken, coming = uuid.uuid4(), uuid.uuid4()
    async with platform.owner("applications") as database:
        for document_id, age in ((broken, "25 hours"), (coming, "23 hours")):
            await _begin(database, document_id, age)
        await database.execute("update documents set begun_at = now() - interval '2 days' where id = $1", whole)
        async with platform.running("applications"):
            gone = "select not exists (select from documents where id = $1)"
            await eventually(lambda: database.fetchval(gone, broken))
        left = await database.fetch(
            "select document_id from document_pieces where document_id = any($1)", [broken, coming, whole]
        )
        await database.execute("delete from documents where id = $1", coming)
    assert {row["document_id"] for row in left} == {coming, whole}
    attached = (await administrator.show(draft["number"]))["attachments"]
    assert [one["id"] for one in attached] == [str(whole)]


async def _begin(database: Any, document_id: uuid.UUID, age: str) -> None:
    """As a process leaves it that died while the file was coming."""
    await database.execute(
        "insert into documents (id, title, begun_at) values ($1, 'a.pdf', now() - $2::text::interval)",
        document_id, age,
    )  # fmt: skip
    await database.execute("insert into document_pieces values ($1, 0, $2)", document_id, PDF)
