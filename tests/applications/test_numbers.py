"""Every application gets one number of its own, of the Japan-time day of its first confirmation (W7, R192)."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from applications.settings import Clock
from chassis.service import Runtime
from tests.applications.fronts import JAPAN, Front, tell_profile
from tests.support import callers, unique
from tests.support.platform import Platform


def shift_to(day: date, before_midnight: float = 0.0) -> tuple[float, date]:
    """How far to shift the clock to stand at noon of that day; or so many seconds before it begins."""
    if before_midnight:
        target = datetime.combine(day, time(), JAPAN) - timedelta(seconds=before_midnight)
    else:
        target = datetime.combine(day, time(12), JAPAN)
    return (target - datetime.now(JAPAN)).total_seconds(), day


def lonely_day() -> date:
    """A day of the future that no other test stands on."""
    return datetime.now(JAPAN).date() + timedelta(days=1000 + secrets.randbelow(500_000))


@asynccontextmanager
async def after(platform: Platform, serial: int) -> AsyncIterator[tuple[date, Runtime]]:
    """A day on which so many numbers were allotted, and a process on it."""
    shift, day = shift_to(lonely_day())
    async with platform.owner("applications") as database:
        await database.execute("insert into number_days values ($1, $2)", day, serial)
    async with platform.running("applications", clock_shift_seconds=shift) as then:
        yield day, then


def day_of(number: str) -> date:
    """The day that a number names."""
    return date(int(number[:4]), int(number[5:7]), int(number[7:9]))


@pytest.mark.requirement("W7", "R48", "R192")
async def test_parallel_confirmations_over_midnight_each_get_a_number_of_their_day(
    platform: Platform, front: Any
) -> None:
    tomorrow = lonely_day()
    async with platform.running("applications") as one, platform.running("applications") as two:
        clocks: list[Any] = [process.provides[Clock] for process in (one, two)]
        for clock in clocks:
            clock.shift = timedelta(seconds=shift_to(tomorrow, before_midnight=1.0)[0])
        fronts = [front(callers.administrator(unique.policyholder_code()), url) for url in (one.url, two.url) * 4]

        async def confirm_until_tomorrow(person: Front) -> list[Any]:
            made: list[Any] = []
            while len([one for one in made if day_of(one["number"]) == tomorrow]) < 4:
                made.append(await person.draft())
            return made

        made = [one for some in await asyncio.gather(*map(confirm_until_tomorrow, fronts)) for one in some]
    for draft in made:
        created = datetime.fromisoformat(draft["created_at"]).astimezone(JAPAN)
        assert day_of(draft["number"]) == created.date()
    numbers = [one["number"] for one in made]
    assert len(set(numbers)) == len(numbers)
    assert {day_of(number) for number in numbers} == {tomorrow, tomorrow - timedelta(days=1)}
    serials = sorted(int(number[10:]) for number in numbers if day_of(number) == tomorrow)
    assert serials == list(range(1, len(serials) + 1))


@pytest.mark.requirement("W7")
async def test_past_9999_the_serial_grows_to_five_digits(platform: Platform, front: Any, code: str) -> None:
    async with after(platform, 9_997) as (day, then):
        person = front(callers.administrator(code), then.url)
        made = [(await person.draft())["number"] for _ in range(4)]
        listed = [one["number"] for one in (await person.list(order="asc")).body["items"]]
        sent = await person.submit({"number": made[-1], "version": 1})
    start = f"{day.year:04d}-{day.month:02d}{day.day:02d}-"
    assert made == listed == [f"{start}{serial}" for serial in ("9998", "9999", "10000", "10001")]
    assert sent.status == 200


@pytest.mark.requirement("W7")
async def test_past_99999_there_is_no_number_and_that_is_said(platform: Platform, front: Any, code: str) -> None:
    async with after(platform, 99_998) as (_, then):
        person = front(callers.administrator(code), then.url)
        last = await person.draft()
        refused = await person.confirm("loss_notice", {})
        sent = await person.submit(last)
    assert last["number"].endswith("-99999")
    assert (refused.status, refused.body["type"].rpartition("/")[2]) == (429, "too-many-applications")
    assert sent.status == 200


@pytest.mark.requirement("W7")
async def test_a_refused_confirmation_never_gives_its_number_to_two(administrator: Front) -> None:
    first = await administrator.draft()
    assert (await administrator.confirm("account_registration", {})).status == 422
    replies = await asyncio.gather(*(administrator.confirm("loss_notice", {}, key="same") for _ in range(8)))
    assert {reply.status for reply in replies} == {201}
    (number,) = {reply.body["number"] for reply in replies}
    numbers = [first["number"], number, (await administrator.draft())["number"]]
    assert numbers == sorted(set(numbers))


@pytest.mark.requirement("W7")
async def test_one_policyholder_cannot_use_up_the_numbers_of_all(platform: Platform, front: Any, code: str) -> None:
    async with platform.running("applications", most_numbers_a_day=2) as sparing:
        person = front(callers.administrator(code), sparing.url)
        assert [(await person.confirm("loss_notice", {})).status for _ in range(3)] == [201, 201, 429]
        other = front(callers.administrator(unique.policyholder_code()), sparing.url)
        assert (await other.confirm("loss_notice", {})).status == 201


@pytest.mark.requirement("W7")
async def test_a_repeated_confirmation_takes_no_other_number(platform: Platform, front: Any, code: str) -> None:
    shift, day = shift_to(lonely_day())
    async with platform.running("applications", clock_shift_seconds=shift) as then:
        person = front(callers.administrator(code), then.url)
        for procedure in ("loss_notice", "loss_notice", "loss_notice", "payment_notice"):
            await person.confirm(procedure, {}, key="again")
    async with platform.owner("applications") as database:
        assert await database.fetchval("select last from number_days where day = $1", day) == 1


@pytest.mark.requirement("W7")
async def test_numbers_that_became_no_application_count_for_their_policyholder(
    platform: Platform, front: Any, code: str
) -> None:
    shift, day = shift_to(lonely_day())
    async with platform.running("applications", most_numbers_a_day=4, clock_shift_seconds=shift) as sparing:
        person = front(callers.administrator(code), sparing.url)
        for turn in range(4):
            await asyncio.gather(*(person.confirm("loss_notice", {}, key=f"turn-{turn}") for _ in range(8)))
    async with platform.owner("applications") as database:
        assert await database.fetchval("select last from number_days where day = $1", day) == 4


@pytest.mark.requirement("W7", "P1")
async def test_a_repeated_confirmation_is_answered_alike_at_the_limit_and_on_the_day_after(
    platform: Platform, front: Any, code: str
) -> None:
    shift, day = shift_to(lonely_day())
    content = {"wished_date": day.isoformat(), "name": "新商事"}
    async with platform.running("applications", most_numbers_a_day=1, clock_shift_seconds=shift) as sparing:
        person = front(callers.administrator(code), sparing.url)
        await tell_profile(platform, person)
        first = await person.confirm("policyholder_change", content, key="first")
        assert (await person.confirm("policyholder_change", content)).status == 429
        again = await person.confirm("policyholder_change", content, key="first")
        clock: Any = sparing.provides[Clock]
        clock.shift += timedelta(days=1)
        assert (await person.confirm("policyholder_change", content)).status == 422
        later = await person.confirm("policyholder_change", content, key="first")
        reused = await person.confirm("policyholder_change", content | {"name": "別商事"}, key="first")
    assert (first.status, again.status, later.status) == (201, 201, 201)
    assert first.body == again.body == later.body
    assert (reused.status, reused.kind, reused.body["number"]) == (422, "key-reused", first.body["number"])
