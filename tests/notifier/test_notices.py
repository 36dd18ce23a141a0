"""お知らせ are shown in their period, newest first, whatever order NEXI's words arrive in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.nexi import FROM_THE_FUTURE, NoticePublished, NoticeWithdrawn
from tests.notifier.conftest import Gateway
from tests.notifier.wishes import Wishes
from tests.support import callers, unique
from tests.support.eventually import eventually

NOW = datetime.now(UTC)


def notice(notice_id: str, *, since: timedelta = -timedelta(days=1), **given: Any) -> NoticePublished:
    """A notice that is published now, unless it says otherwise."""
    fields: dict[str, Any] = {
        "issued_at": NOW, "notice_id": notice_id, "title": f"お知らせ{notice_id}", "body": "本文\n二行目",
        "published_from": NOW + since,
    }  # fmt: skip
    return NoticePublished(**fields | given)


async def heard(wishes: Wishes, *messages: Any) -> None:
    """NEXI says these, and the notifier has heard the last of them."""
    await wishes.platform.nexi.publish(*messages)
    last = messages[-1]

    async def known() -> Any:
        query = "select true from notices where notice_id = $1 and issued_at = $2"
        return await wishes.runtime.database.fetchval(query, last.notice_id, last.issued_at)

    await eventually(known)


@pytest.fixture
def somebody() -> Any:
    """A signed-in applicant without a one-time password yet."""
    return callers.applicant(unique.policyholder_code(), stepped_up=False)


@pytest.mark.requirement("R19", "N3")
async def test_the_user_page_shows_the_newest_three_and_the_list_all(wishes: Wishes, ask: Gateway) -> None:
    ids = [unique.word("n") for _ in range(5)]
    user = callers.applicant(unique.policyholder_code())
    ahead = timedelta(seconds=-30)
    await heard(wishes, *(notice(one, since=ahead + timedelta(seconds=n)) for n, one in enumerate(ids)))
    newest = (await ask(user, "GET", "/notices/newest"))["notices"]
    assert [one["notice_id"] for one in newest] == ids[:1:-1]
    listed = [one["notice_id"] for one in (await ask(user, "GET", "/notices"))["notices"]]
    assert [one for one in listed if one in ids] == ids[::-1]
    shown = await ask(user, "GET", f"/notices/{ids[0]}")
    assert (shown["title"], shown["body"]) == (f"お知らせ{ids[0]}", "本文\n二行目")


@pytest.mark.requirement("R19")
async def test_of_notices_published_at_the_same_moment_the_one_issued_last_is_the_newest(
    wishes: Wishes, ask: Gateway
) -> None:
    user = callers.applicant(unique.policyholder_code())
    ids = [unique.word("n") for _ in range(4)]
    issued = {one: NOW + timedelta(seconds=second) for one, second in zip(ids, (2, 0, 3, 1), strict=True)}
    await heard(
        wishes, *(notice(one, since=timedelta(seconds=-10), issued_at=moment) for one, moment in issued.items())
    )
    newest = (await ask(user, "GET", "/notices/newest"))["notices"]
    assert [one["notice_id"] for one in newest] == [ids[2], ids[0], ids[3]]


@pytest.mark.requirement("N3")
async def test_a_notice_is_shown_in_its_period_only(wishes: Wishes, ask: Gateway) -> None:
    user = callers.applicant(unique.policyholder_code())
    early, late, now = unique.word("n"), unique.word("n"), unique.word("n")
    await heard(
        wishes,
        notice(early, since=timedelta(days=1)),
        notice(late, published_until=NOW - timedelta(minutes=1)),
        notice(now, published_until=NOW + timedelta(days=1)),
    )
    listed = [one["notice_id"] for one in (await ask(user, "GET", "/notices"))["notices"]]
    assert now in listed
    assert early not in listed
    assert late not in listed
    for hidden in (early, late, "no-such-notice"):
        await ask(user, "GET", f"/notices/{hidden}", status=404)


@pytest.mark.requirement("N3")
async def test_the_later_word_about_a_notice_wins_in_any_order(wishes: Wishes, ask: Gateway) -> None:
    user = callers.applicant(unique.policyholder_code())
    changed, withdrawn, back = unique.word("n"), unique.word("n"), unique.word("n")
    later = NOW + timedelta(seconds=1)
    await heard(
        wishes, notice(changed, issued_at=later, title="新しい題"), notice(changed, title="古い題"), notice("x")
    )
    await heard(wishes, NoticeWithdrawn(issued_at=later, notice_id=withdrawn), notice(withdrawn), notice("y"))
    await heard(wishes, NoticeWithdrawn(issued_at=NOW, notice_id=back), notice(back, issued_at=later))
    assert (await ask(user, "GET", f"/notices/{changed}"))["title"] == "新しい題"
    await ask(user, "GET", f"/notices/{withdrawn}", status=404)
    await ask(user, "GET", f"/notices/{back}")


@pytest.mark.requirement("O3")
async def test_before_the_one_time_password_only_the_user_page_shows_notices(ask: Gateway, somebody: Any) -> None:
    await ask(somebody, "GET", "/notices/newest")
    await ask(somebody, "GET", "/notices", status=403)
    await ask(somebody, "GET", "/notices/x", status=403)
    await ask(None, "GET", "/notices/newest", status=401)


@pytest.mark.requirement("N3")
async def test_a_notice_from_the_far_future_does_not_outlive_its_withdrawal(wishes: Wishes, ask: Gateway) -> None:
    one, other, far = unique.word("n"), unique.word("n"), timedelta(days=9)
    database = wishes.runtime.database
    (event_id,) = await wishes.platform.nexi.publish(notice(one, issued_at=datetime.now(UTC) + far))
    reason = await eventually(lambda: database.fetchval("select reason from parked where id = $1", event_id))
    assert reason == FROM_THE_FUTURE
    await heard(wishes, notice(other))
    await wishes.platform.nexi.publish(NoticeWithdrawn(issued_at=datetime.now(UTC) + far, notice_id=other))
    gone = "select issued_at < now() + interval '2 hours' from notices where notice_id = $1 and withdrawn"
    assert await eventually(lambda: database.fetchval(gone, other))
