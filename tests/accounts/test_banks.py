"""Banks and branches are found however they are typed, and nothing that is typed does harm."""

from typing import Any

import pytest

from tests.accounts.conftest import Gateway
from tests.support.callers import administrator, applicant, operator
from tests.support.unique import policyholder_code

CALLER = administrator(policyholder_code())


async def found(ask: Gateway, path: str = "/banks", **query: Any) -> list[str]:
    """The codes that a search finds."""
    return [one["code"] for one in (await ask(CALLER, "GET", path, **query))["items"]]


@pytest.mark.requirement("R208", "R219")
@pytest.mark.parametrize(
    "search",
    [
        "キユウシユウ",
        "キュウシュウ",
        "ｷｭｳｼｭｳ",
        "きゅうしゅう",
        "ｷﾕｳ ｼﾕｳ",
        "九州",
        "九州見本銀行",
        "998７",
        "9987",
        "　きゅうしゅうみほん　",
    ],
)
async def test_a_bank_is_found_in_every_spelling(ask: Gateway, search: str) -> None:
    assert await found(ask, search=search) == ["9987"]


async def test_a_name_may_be_wide_or_narrow_large_or_small(ask: Gateway) -> None:
    for search in ("ABC", "abc", "ＡＢＣ", "ａｂｃネット", "エービーシー", "エ-ビ-シ-", "ｴｰﾋﾞｰｼｰ"):
        assert await found(ask, search=search) == ["9986"]


async def test_a_prefix_is_narrower_than_a_part(ask: Gateway) -> None:
    assert "9998" in await found(ask, search="みほんぎんこう") and "9999" in await found(ask, search="みほんぎんこう")
    assert await found(ask, search="みほん", match="prefix") == ["9985", "9995", "9999"]
    assert await found(ask, search="999", match="prefix") == await found(ask, search="999")
    assert await found(ask, search="99", after="9997") == ["9998", "9999"]


@pytest.mark.requirement("R208", "F5")
async def test_branches_belong_to_their_bank(ask: Gateway) -> None:
    assert await found(ask, "/banks/9999/branches", search="みほんしてん") == ["999"]
    assert await found(ask, "/banks/9999/branches", search="ﾖｺﾊﾏ") == ["303"]
    assert await found(ask, "/banks/9998/branches", search="みほんしてん") == []
    shown = await ask(CALLER, "GET", "/banks/9999/branches/999")
    assert shown == {"code": "999", "name": "見本支店", "kana": "ミホンシテン"}
    assert (await ask(applicant(policyholder_code()), "GET", "/banks/9999"))["name"] == "見本銀行"
    for path in ("/banks/0000", "/banks/0000/branches", "/banks/9999/branches/000"):
        await ask(CALLER, "GET", path, status=404)
    for path in ("/banks/99", "/banks/９９９９", "/banks/9999/branches/1", "/banks/abcd/branches"):
        await ask(CALLER, "GET", path, status=422)


async def test_banks_are_for_users_of_a_policyholder(ask: Gateway) -> None:
    for path in ("/banks", "/banks/9999", "/banks/9999/branches", "/banks/9999/branches/999"):
        await ask(None, "GET", path, status=401)
        await ask(operator(), "GET", path, status=403)


async def test_pages_join_without_gap_or_overlap(ask: Gateway) -> None:
    whole = await found(ask, limit=200)
    pieces: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await ask(CALLER, "GET", "/banks", limit=4, after=after)
        pieces += [one["code"] for one in page["items"]]
        after = page["next"]
    assert pieces == whole and len(whole) == len(set(whole)) >= 15


@pytest.mark.parametrize(
    "search",
    [
        "%",
        "_",
        "\\",
        "'",
        "' or 1=1 --",
        "%' --",
        "$1",
        "(",
        "[a-",
        "*",
        "\\\\%",
        "あ" * 100,
        "😀",
        "\u202e",
        "゛",
        "ﾞ",
        "İ",
        "ﬃ",
    ],
)
async def test_hostile_searches_find_nothing_and_break_nothing(ask: Gateway, search: str) -> None:
    assert await found(ask, search=search) == []
    assert await found(ask, search=search, match="prefix") == []


async def test_a_search_of_blanks_is_no_search(ask: Gateway) -> None:
    assert await found(ask, search=" 　\t") == await found(ask)


@pytest.mark.parametrize(
    "query",
    [
        {"search": "\0"}, {"search": "あ" * 101}, {"limit": "0"}, {"limit": "201"}, {"limit": "1e1"}, {"match": "like"},
        {"after": "x"}, {"after": "99999"}, {"sort": "name"},
    ],
)  # fmt: skip
async def test_wrong_queries_are_refused_by_field(ask: Gateway, query: dict[str, str]) -> None:
    said = await ask(CALLER, "GET", "/banks", status=422, **query)
    assert [one["field"] for one in said["errors"]] == [f"query.{name}" for name in query]
