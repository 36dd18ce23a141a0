"""What NEXI says becomes companies and Web users: once, in the order of its own clock, and never half (N1, N2, W5)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.messages import Envelope, encode, new_id
from contracts.accounts import ProfileChanged
from contracts.identity import AccessRevoked, AddressChanged, WebUserProvisioned
from contracts.nexi import (
    Administrator,
    GroupViewerGranted,
    GroupViewerWithdrawn,
    Office,
    PolicyholderRegistered,
    Profile,
    RidersChanged,
)
from tests.identity.people import People, Person, registered
from tests.support import sealing, unique
from tests.support.eventually import eventually
from tests.support.platform import Speaker

NOW = datetime.now(UTC)
LATER, STILL_LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)


async def company(people: People, code: str) -> dict[str, Any]:
    """What is known of a company; empty when nothing is."""
    row = await people.behind.fetchrow("select * from companies where policyholder_code = $1", code)
    return dict(row) if row else {}


async def parked(people: People, event_id: object) -> str | None:
    """The state of a parked event."""
    state = await people.behind.fetchval("select state from parked where id = $1 order by number desc", event_id)
    return None if state is None else str(state)


async def heard(people: People, event_id: object) -> None:
    """Wait until an event was handled."""

    async def there() -> Any:
        return await people.behind.fetchval("select true from inbox where id = $1", event_id)

    await eventually(there)


@pytest.mark.requirement("R62", "R64", "R65", "R92", "R93", "N1", "W3")
async def test_agreed_terms_make_an_administrator_whose_password_goes_by_letter(people: People) -> None:
    code = unique.policyholder_code()
    async with people.platform.hears(WebUserProvisioned, AddressChanged) as spy:
        await people.platform.nexi.publish(registered(code))
        letter = await people.letters.next(policyholder_code=code)
        address = await spy.next(user_id=f"{code}000", address=f"{code}@sample.com", enabled=True)
        provisioned = await spy.next(user_id=f"{code}000", role="administrator")
    assert (address["type"], provisioned["type"]) == ("identity.address_changed", "identity.web_user_provisioned")
    said = letter["data"]
    assert (said["company"], said["addressee"]) == ("見本商事株式会社", "日本　太郎")
    assert (said["postal_code"], said["address"]) == ("111-1111", "東京都千代田区西神田１－１")
    valid = datetime.fromisoformat(said["not_after"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < valid <= timedelta(days=30)
    assert len(sealing.secret_of(letter)) == 16
    assert not [mail for mail in people.mails.seen if mail["data"]["policyholder_code"] == code], "never by mail"


@pytest.mark.requirement("R93", "N1")
async def test_without_agreed_terms_there_is_a_company_and_no_user_until_they_are(people: People) -> None:
    code = unique.policyholder_code()
    (first,) = await people.platform.nexi.publish(registered(code, terms_agreed=False, issued_at=NOW))
    await heard(people, first)
    assert (await company(people, code))["terms_agreed"] is False
    assert await people.behind.fetchval("select count(*) from users where policyholder_code = $1", code) == 0
    await people.platform.nexi.publish(registered(code, issued_at=LATER))
    assert await people.letters.next(policyholder_code=code)


@pytest.mark.requirement("N1")
async def test_a_repeated_registration_changes_nothing(people: People) -> None:
    code = unique.policyholder_code()
    event = registered(code, issued_at=NOW)
    (first,) = await people.platform.nexi.publish(event)
    await people.letters.next(policyholder_code=code)
    (again,) = await people.platform.nexi.publish(event)
    await people.platform.nexi.publish(event, ids=[first])
    await heard(people, again)
    with pytest.raises(TimeoutError):
        await people.letters.next(policyholder_code=code, timeout=0.5)
    assert await people.behind.fetchval("select count(*) from users where policyholder_code = $1", code) == 1


@pytest.mark.requirement("N1", "L9")
async def test_only_the_registration_of_a_known_company_refuses_tokens_that_are_out(people: People) -> None:
    async with people.platform.hears(AccessRevoked) as spy:
        person = await people.administrator(issued_at=NOW)
        code = person.user_id[:9]
        (event_id,) = await people.platform.nexi.publish(registered(code, issued_at=LATER))
        await heard(people, event_id)

        async def refused() -> bool:
            return (await person.ask("GET", "/me")).status == 401

        await eventually(refused)
        subject, version = f"policyholder:{code}", (await company(people, code))["rights_version"]
        # The service may have heard it before the spy does. The first registration's word would be left over.
        await spy.next(revoked=[{"subject": subject, "below": version}])
        assert subject not in str(spy.seen)
    await person.refresh()
    assert (await person.ask("GET", "/me")).status == 200


@pytest.mark.requirement("N1")
async def test_the_later_word_of_nexi_wins_however_it_arrives(people: People) -> None:
    code = unique.policyholder_code()
    newer = registered(code, issued_at=LATER, uses_comprehensive_insurance=True, rider_codes=("999999901",))
    older = registered(code, issued_at=NOW, terms_agreed=False)
    await people.platform.nexi.publish(newer)
    (late,) = await people.platform.nexi.publish(older)
    await heard(people, late)
    known = await company(people, code)
    assert known["terms_agreed"] is True
    assert known["rider_codes"] == ["999999901"]


@pytest.mark.requirement("R80", "W5")
async def test_riders_follow_the_latest_word(people: People) -> None:
    person = await people.administrator(issued_at=NOW)
    code = person.user_id[:9]

    def riders(at: datetime, *codes: str, used: bool = True) -> RidersChanged:
        return RidersChanged(policyholder_code=code, issued_at=at, uses_comprehensive_insurance=used, rider_codes=codes)

    async with people.platform.hears(AccessRevoked) as spy:
        last, early = await people.platform.nexi.publish(
            riders(STILL_LATER, "999999901", "999999902"), riders(LATER, "999999903")
        )
        await heard(people, early)
        await spy.next(policyholder_code=code)
        with pytest.raises(TimeoutError):
            await spy.next(policyholder_code=code, timeout=0.3)
    known = await company(people, code)
    assert known["rider_codes"] == ["999999901", "999999902"]
    assert known["uses_comprehensive_insurance"] is True
    assert await parked(people, last) is None


@pytest.mark.requirement("W5", "N1")
async def test_what_comes_before_the_registration_waits_for_it(people: People) -> None:
    code = unique.policyholder_code()
    early = RidersChanged(
        policyholder_code=code, issued_at=LATER, uses_comprehensive_insurance=True, rider_codes=("999999907",)
    )
    (event_id,) = await people.platform.nexi.publish(early)
    await heard(people, event_id)
    assert await parked(people, event_id) in ("retrying", "parked")
    await people.platform.nexi.publish(registered(code, issued_at=NOW))

    async def arrived() -> bool:
        return (await company(people, code)).get("rider_codes") == ["999999907"]

    await eventually(arrived)
    assert await parked(people, event_id) == "replayed"


@pytest.mark.requirement("N1")
async def test_a_broken_registration_is_quarantined_and_the_next_one_is_heard(people: People) -> None:
    code, good = unique.policyholder_code(), unique.policyholder_code()
    broken: list[dict[str, Any]] = []
    for change in (
        {"policyholder_code": "12345678"},
        {"administrator": None},
        {"profile": {}},
        {"issued_at": "yesterday"},
        {"rider_codes": ["1"]},
    ):
        broken.append({**registered(code).model_dump(mode="json"), **change})
    ids = [new_id() for _ in broken]
    kind = PolicyholderRegistered.wire_type()
    for event_id, data in zip(ids, broken, strict=True):
        envelope = Envelope(event_id, kind, "/nexi", datetime.now(UTC), None)
        await people.platform.nexi.publish_raw(encode([(envelope, json.dumps(data))]), "nexi", kind)
    await people.platform.nexi.publish(registered(good))
    assert await people.letters.next(policyholder_code=good)
    assert [await parked(people, event_id) for event_id in ids] == ["unreadable"] * len(ids)
    assert await company(people, code) == {}


@pytest.mark.requirement("R10", "R11")
async def test_the_header_shows_the_name_of_the_latest_profile(people: People) -> None:
    person = await people.administrator()
    code = person.user_id[:9]

    def profile(name: str, version: int) -> ProfileChanged:
        return ProfileChanged(
            policyholder_code=code,
            version=version,
            profile=Profile(
                office=Office.HEAD,
                name=name,
                kana="ミホン",
                postal_code="111-1111",
                address="東京都千代田区",
                phone="11-1111-1111",
            ),
        )

    _, last = await people.platform.say("accounts", profile("新見本商事", 3), profile("旧見本商事", 2))
    await heard(people, last)
    assert (await person.ask("GET", "/me")).body["policyholder_name"] == "新見本商事"


def viewer(user_id: str, codes: tuple[str, ...], at: datetime, **person: str) -> GroupViewerGranted:
    """NEXI grants an all-company viewing ID."""
    given = {"name": "全社　花子", "email": "viewer@sample.com", **person}
    return GroupViewerGranted(user_id=user_id, issued_at=at, policyholder_codes=codes, person=Administrator(**given))


@pytest.mark.requirement("R91", "N2", "L5")
async def test_a_group_viewer_looks_at_all_its_companies_and_does_nothing_else(people: People) -> None:
    first, second = await people.administrator(issued_at=NOW), await people.administrator(issued_at=NOW)
    codes = (first.user_id[:9], second.user_id[:9])
    await people.platform.nexi.publish(viewer(f"{codes[0]}900", codes, NOW))
    mail = await people.mails.next(template="group_viewer_password", about_user_id=f"{codes[0]}900")
    assert mail["data"]["recipient"] == "viewer@sample.com"
    person = await Person(people, f"{codes[0]}900", sealing.secret_of(mail)).settle_in()
    me = (await person.ask("GET", "/me")).body
    assert me["policyholder_codes"] == list(codes)
    assert (me["entry"], me["contract_data"], me["application_data"]) == ("none", "all", "none")
    assert set(me["may"]) == {"change_password", "use", "see_contracts"}
    await people.use_one_time_passwords(codes[1])
    assert (await person.refresh())["one_time_password_required"] is True, "the strictest of its companies counts"


@pytest.mark.requirement("R91", "N2", "O2")
async def test_only_the_companies_that_a_group_viewer_views_ask_for_the_one_time_password(people: People) -> None:
    left, viewed = await people.administrator(issued_at=NOW), await people.administrator(issued_at=NOW)
    user_id, codes = f"{left.user_id[:9]}905", (left.user_id[:9], viewed.user_id[:9])
    await people.platform.nexi.publish(viewer(user_id, codes, NOW))
    mail = await people.mails.next(about_user_id=user_id)
    person = await Person(people, user_id, sealing.secret_of(mail)).settle_in()
    (fewer,) = await people.platform.nexi.publish(viewer(user_id, codes[1:], LATER))
    await heard(people, fewer)
    for gated, code in ((False, codes[0]), (True, codes[1])):
        await people.use_one_time_passwords(code)
        session = await person.log_in()
        assert session["one_time_password_required"] is gated
        assert (await person.refresh())["one_time_password_required"] is gated
        assert (await person.ask("GET", "/menu")).body["one_time_password_due"] is gated
        assert (await person.ask("GET", "/me")).body["one_time_password"]["in_use"] is gated


@pytest.mark.requirement("R91", "N2", "L8", "L9")
async def test_a_withdrawn_group_viewer_is_out_at_once_and_may_come_back(people: People) -> None:
    owner = await people.administrator(issued_at=NOW)
    user_id, codes = f"{owner.user_id[:9]}901", (owner.user_id[:9],)
    await people.platform.nexi.publish(viewer(user_id, codes, NOW))
    mail = await people.mails.next(about_user_id=user_id)
    person = await Person(people, user_id, sealing.secret_of(mail)).settle_in()
    (gone,) = await people.platform.nexi.publish(GroupViewerWithdrawn(user_id=user_id, issued_at=LATER))
    await heard(people, gone)

    async def out() -> bool:
        return (await person.ask("GET", "/me")).status == 401

    await eventually(out)
    assert (await person.elsewhere().try_login()).status == 401
    (late,) = await people.platform.nexi.publish(viewer(user_id, codes, NOW + timedelta(seconds=30)))
    await heard(people, late)
    assert (await person.elsewhere().try_login()).status == 401, "an older grant does not bring it back"
    (back,) = await people.platform.nexi.publish(viewer(user_id, codes, STILL_LATER, name="全社　次郎"))
    await heard(people, back)
    assert (await person.elsewhere().try_login()).status == 401, "nor does a later one to somebody else"
    mail = await people.mails.next(about_user_id=user_id)
    assert (await person.elsewhere().log_in(sealing.secret_of(mail)))["name"] == "全社　次郎"


@pytest.mark.requirement("R91", "N2", "L5")
@pytest.mark.parametrize("way_out", ["lapsed", "withdrawn"])
async def test_a_group_viewer_without_a_way_in_gets_a_password_with_the_next_grant(
    people: People, way_out: str
) -> None:
    owner = await people.administrator(issued_at=NOW)
    user_id, codes = f"{owner.user_id[:9]}903", (owner.user_id[:9],)
    await people.platform.nexi.publish(viewer(user_id, codes, NOW))
    await people.mails.next(template="group_viewer_password", about_user_id=user_id)
    if way_out == "withdrawn":
        await people.platform.nexi.publish(GroupViewerWithdrawn(user_id=user_id, issued_at=LATER))
    else:
        await people.behind.execute("update temporary_passwords set expires_at = now() where user_id = $1", user_id)
    await people.platform.nexi.publish(viewer(user_id, codes, STILL_LATER, email="next@sample.com"))
    mail = await people.mails.next(template="group_viewer_password", about_user_id=user_id)
    assert mail["data"]["recipient"] == "next@sample.com"
    person = await Person(people, user_id, sealing.secret_of(mail)).settle_in()
    (other,) = await people.platform.nexi.publish(viewer(user_id, codes, STILL_LATER + timedelta(seconds=1)))
    await heard(people, other)
    await people.platform.nexi.publish(viewer(f"{user_id[:9]}904", codes, NOW))
    await people.mails.next(about_user_id=f"{user_id[:9]}904")
    assert not [mail for mail in people.mails.seen if mail["data"]["about_user_id"] == user_id], "it has a password"
    assert (await person.elsewhere().try_login()).status == 201


@pytest.mark.requirement("N2")
async def test_a_withdrawal_before_the_grant_waits_and_a_foreign_id_is_parked(people: People) -> None:
    owner = await people.administrator(issued_at=NOW)
    user_id, codes = f"{owner.user_id[:9]}902", (owner.user_id[:9],)
    (early,) = await people.platform.nexi.publish(GroupViewerWithdrawn(user_id=user_id, issued_at=LATER))
    await heard(people, early)
    await people.platform.nexi.publish(viewer(user_id, codes, NOW))

    async def disabled() -> bool:
        return await people.behind.fetchval("select enabled from users where user_id = $1", user_id) is False

    await eventually(disabled)
    (foreign,) = await people.platform.nexi.publish(viewer(owner.user_id, codes, LATER))
    await heard(people, foreign)
    assert await parked(people, foreign) == "parked"
    assert (await owner.ask("GET", "/me")).body["role"] == "administrator"


@pytest.mark.requirement("N1", "N2", "W5")
async def test_a_word_from_the_far_future_is_set_aside_and_does_not_outlive_the_next_one(people: People) -> None:
    owner = await people.administrator(issued_at=NOW)
    code = owner.user_id[:9]
    user_id, future = f"{code}906", datetime.now(UTC) + timedelta(hours=2)

    def riders(at: datetime, rider: str) -> RidersChanged:
        return RidersChanged(
            policyholder_code=code, issued_at=at, uses_comprehensive_insurance=True, rider_codes=(rider,)
        )

    await people.platform.nexi.publish(viewer(user_id, (code,), NOW))
    await people.mails.next(about_user_id=user_id)
    ids = await people.platform.nexi.publish(
        registered(code, issued_at=future), riders(future, "999999901"), viewer(user_id, (code,), future),
        riders(LATER, "999999902"), GroupViewerWithdrawn(user_id=user_id, issued_at=LATER),
    )  # fmt: skip
    for event_id in ids:
        await heard(people, event_id)
    assert [await parked(people, event_id) for event_id in ids] == ["parked"] * 3 + [None] * 2
    assert (await company(people, code))["rider_codes"] == ["999999902"]
    assert await people.behind.fetchval("select enabled from users where user_id = $1", user_id) is False


@pytest.mark.requirement("N2", "L8")
async def test_a_withdrawal_from_the_far_future_counts_at_once_and_not_for_ever(people: People) -> None:
    owner = await people.administrator(issued_at=NOW)
    user_id, future = f"{owner.user_id[:9]}907", datetime.now(UTC) + timedelta(days=9)
    await people.platform.nexi.publish(viewer(user_id, (owner.user_id[:9],), NOW))
    await people.mails.next(about_user_id=user_id)
    (gone,) = await people.platform.nexi.publish(GroupViewerWithdrawn(user_id=user_id, issued_at=future))
    await heard(people, gone)
    row = await people.behind.fetchrow("select enabled, issued_at from users where user_id = $1", user_id)
    assert row is not None
    assert row["enabled"] is False
    assert row["issued_at"] < datetime.now(UTC) + timedelta(hours=2), "a grant of tomorrow is a later word"


async def test_a_registration_waits_for_the_notifiers_keys(people: People) -> None:
    code = unique.policyholder_code()
    async with sealing.no_good_key(people.behind):
        (event_id,) = await people.platform.nexi.publish(registered(code))
        await heard(people, event_id)
        assert await parked(people, event_id) == "retrying"
        assert await company(people, code) == {}, "nothing is half done"
    await people.platform.say("notifier", sealing.published())
    assert await people.letters.next(policyholder_code=code)


async def test_unusable_keys_are_quarantined_and_the_known_ones_stay(people: People) -> None:
    keys = sealing.published().keys
    bad = sealing.published().model_copy(update={"keys": (keys[0].model_copy(update={"public_key": "AAAA"}),)})
    (event_id,) = await people.platform.say("notifier", bad)

    async def quarantined() -> bool:
        return await parked(people, event_id) == "unreadable"

    await eventually(quarantined)
    assert await people.behind.fetchval("select count(*) from sealing_keys") >= 2, "of whichever notifier spoke last"


async def test_nobody_but_the_notifier_brings_keys(people: People) -> None:
    other = await people.platform.say("notifier", sealing.published())
    await heard(people, other[0])
    body_id = uuid4()
    envelope = Envelope(body_id, sealing.published().wire_type(), "/notifier", datetime.now(UTC), None)
    speaker = Speaker(people.platform.broker("accounts"), "accounts")
    with pytest.raises(Exception):  # noqa: B017 - whichever way the broker says no
        await speaker.publish_raw(
            encode([(envelope, sealing.published().model_dump_json())]), "events", sealing.published().wire_type()
        )
    await asyncio.sleep(0.2)
    assert await people.behind.fetchval("select true from inbox where id = $1", body_id) is None
