"""Every field keeps its rule at the border and one past it, in each form that has it; what is wrong is named."""

from typing import Any

import pytest

from tests.identity.administration.firms import NEW_APPLICANT, Answer, Firm
from tests.identity.administration.test_administrator import form_of

MILLION = "a" * 1_000_000
LOCAL = "a" * 38
"""With @sample.com an address of 49 characters."""

GOOD = [
    pytest.param("email", LOCAL + "b@sample.com", LOCAL + "b@sample.com", id="50 letters of address"),
    pytest.param(
        "email", "o'neil+tag@sub.sample-1.co.jp", "o'neil+tag@sub.sample-1.co.jp", id="the letters of an atom"
    ),
    pytest.param("email", "  a@sample.com ", "a@sample.com", id="outer blanks of an address"),
    pytest.param("name", "あ" * 50, "あ" * 50, id="50 letters of name"),
    pytest.param("name", "ｶﾞ" * 50, "ガ" * 50, id="half-width kana become 50 full-width ones"),
    pytest.param("name", " Taro Nippon ", "Ｔａｒｏ　Ｎｉｐｐｏｎ", id="ASCII becomes full-width"),
    pytest.param("name", "か\u3099", "が", id="composed"),
    pytest.param("name", "𠮷野家", "𠮷野家", id="a letter beyond the basic plane counts once"),
    pytest.param("phone", "0" * 20, "0" * 20, id="20 digits"),
    pytest.param("phone", "03-1234-5678", "03-1234-5678", id="hyphens"),
    pytest.param("phone", "", "", id="no phone"),
    pytest.param("department", "部" * 25, "部" * 25, id="25 letters of department"),
    pytest.param("department", "", "", id="no department"),
    pytest.param("title", "長" * 50, "長" * 50, id="50 letters of title"),
    pytest.param("title", "", "", id="no title"),
]
BAD = [
    pytest.param("email", LOCAL + "bc@sample.com", id="51 letters of address"),
    pytest.param("email", "", id="no address"),
    pytest.param("email", "a@b@sample.com", id="two at signs"),
    pytest.param("email", "a@sample", id="no top level"),
    pytest.param("email", ".a@sample.com", id="leading dot"),
    pytest.param("email", "a..b@sample.com", id="two dots"),
    pytest.param("email", '"a b"@sample.com', id="quotes"),
    pytest.param("email", "a(b)@sample.com", id="comment"),
    pytest.param("email", "a@sample.com,b@sample.com", id="two addresses"),
    pytest.param("email", "ａ@sample.com", id="full-width letter"),
    pytest.param("email", "a@sample.com\r\nBcc: b@sample.com", id="a header"),
    pytest.param("email", "a\u0000@sample.com", id="NUL in address"),
    pytest.param("email", "a@-sample.com", id="hyphen first"),
    pytest.param("email", "日本@sample.com", id="not ASCII"),
    pytest.param("name", "あ" * 51, id="51 letters of name"),
    pytest.param("name", "", id="no name"),
    pytest.param("name", " \u3000\u00a0", id="a name of blanks"),
    pytest.param("name", "日本\n太郎", id="line break"),
    pytest.param("name", "日本\u001b太郎", id="escape"),
    pytest.param("name", "日本\u0085太郎", id="next line"),
    pytest.param("name", "日本\u2028太郎", id="line separator"),
    pytest.param("name", "日本\u202e太郎", id="turned around"),
    pytest.param("name", "日本\ud800太郎", id="lone surrogate"),
    pytest.param("name", "日本\udc00\ud800", id="surrogates the wrong way round"),
    pytest.param("name", "日本\ue000", id="private letter"),
    pytest.param("name", "日本\U000e0080", id="unassigned letter"),
    pytest.param("phone", "0" * 21, id="21 digits"),
    pytest.param("phone", "０３-1234-5678", id="full-width digits"),
    pytest.param("phone", "03--1234", id="two hyphens"),
    pytest.param("phone", "-03", id="leading hyphen"),
    pytest.param("phone", "+81-3-1234", id="plus"),
    pytest.param("phone", "03 1234", id="blank in phone"),
    pytest.param("department", "部" * 26, id="26 letters of department"),
    pytest.param("department", "見本\t部", id="tab"),
    pytest.param("title", "長" * 51, id="51 letters of title"),
    pytest.param("title", "課長\u200b", id="invisible letter"),
]
WRONG_TYPES: list[Any] = [None, 1, 1.5, True, [], {}, ["a@sample.com"]]


async def answers(firm: Firm, field: str, value: Any) -> list[Answer]:
    """The three forms that have the field, validated."""
    shown = await firm.register()
    change = firm.change_of(shown, **{field: value})
    return [
        await firm.ask("POST", "/applicants/validation", NEW_APPLICANT | {field: value}),
        await firm.ask("POST", f"/applicants/{shown['user_id']}/validation", change),
        await firm.ask("POST", "/administrator/validation", await form_of(firm, **{field: value})),
    ]


@pytest.mark.requirement("R152", "R153", "R154", "R155", "R156", "F1", "F2", "F3")
@pytest.mark.parametrize(("field", "value", "stored"), GOOD)
async def test_what_is_within_the_rule_is_normalised_and_taken(firm: Firm, field: str, value: str, stored: str) -> None:
    for answer in await answers(firm, field, value):
        assert answer.status == 200, answer.body
        assert {one["field"]: one["value"] for one in answer.body["items"]}[field] == stored
    registered = await firm.register(**{field: value})
    assert registered[field] == stored


@pytest.mark.requirement("R152", "R153", "R154", "R155", "R156", "F1", "F2", "F3")
@pytest.mark.parametrize(("field", "value"), BAD)
async def test_what_breaks_the_rule_is_refused_by_name(firm: Firm, field: str, value: str) -> None:
    for answer in await answers(firm, field, value):
        assert answer.status in (400, 422), answer.body
        # A lone surrogate is no JSON, and the reader does not say where it stood.
        named = "body" if answer.status == 400 and "\0" not in value else f"body.{field}"
        assert [one["field"] for one in answer.body["errors"]] == [named]
        assert answer.body["errors"][0]["message"]
    assert (await firm.ask("POST", "/applicants", NEW_APPLICANT | {field: value})).status in (400, 422)
    assert (await firm.ask("GET", "/applicants")).body["total"] == 1


@pytest.mark.parametrize("field", list(NEW_APPLICANT))
async def test_other_types_and_a_million_letters_are_refused(firm: Firm, field: str) -> None:
    for value in WRONG_TYPES:
        refused = await firm.ask("POST", "/applicants", NEW_APPLICANT | {field: value})
        assert refused.status == 422, (value, refused.body)
        assert {one["field"].split(".")[1] for one in refused.body["errors"]} == {field}
    huge = await firm.ask("POST", "/applicants", NEW_APPLICANT | {field: MILLION})
    assert (huge.status, huge.problem) == (413, "body-too-large")
    assert (await firm.ask("GET", "/applicants")).body["total"] == 0


@pytest.mark.parametrize("field", ["email", "name", "entry", "contract_data", "application_data"])
async def test_a_mandatory_field_that_is_missing_is_named(firm: Firm, field: str) -> None:
    form = {name: value for name, value in NEW_APPLICANT.items() if name != field}
    assert (await firm.ask("POST", "/applicants", form)).broken == {f"body.{field}": "missing"}


async def test_every_broken_field_is_named_in_one_answer(firm: Firm) -> None:
    answer = await firm.ask("POST", "/applicants/validation", {"email": "x", "name": "", "phone": "x", "other": 1})
    assert set(answer.broken) == {
        "body.email",
        "body.name",
        "body.phone",
        "body.entry",
        "body.contract_data",
        "body.application_data",
        "body.other",
    }


@pytest.mark.requirement("R134")
@pytest.mark.parametrize(
    "code", ["12345678", "1234567890", "12345678a", "１２３４５６７８９", "", " 99999901", 999999901]
)
async def test_a_rider_code_is_nine_half_width_digits(firm: Firm, code: Any) -> None:
    form = NEW_APPLICANT | {"contract_data": "listed_riders", "rider_codes": [code]}
    refused = await firm.ask("POST", "/applicants", form)
    assert refused.status == 422
    assert list(refused.broken) == ["body.rider_codes.0"]


async def test_more_than_500_rider_codes_are_refused(firm: Firm) -> None:
    form = NEW_APPLICANT | {"contract_data": "listed_riders", "rider_codes": ["999999901"] * 501}
    assert (await firm.ask("POST", "/applicants", form)).broken == {"body.rider_codes": "too_long"}


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", None, 2**63, True])
async def test_a_version_is_a_positive_number(firm: Firm, version: Any) -> None:
    shown = await firm.register()
    form = firm.change_of(shown, version=version)
    assert (await firm.ask("PUT", f"/applicants/{shown['user_id']}", form)).status == 422
    assert (await firm.ask("PUT", "/administrator", await form_of(firm, version=version))).status == 422


@pytest.mark.parametrize("user_id", ["1", "x" * 12, "1" * 13, "１" * 12, "%00" * 12, "%ff%fe", "1" * 5000])
async def test_an_id_of_another_shape_is_refused(firm: Firm, user_id: str) -> None:
    assert (await firm.ask("GET", f"/applicants/{user_id}")).status in (404, 422)


async def test_a_search_of_a_million_letters_is_refused(firm: Firm) -> None:
    assert (await firm.ask("GET", f"/applicants?search={'a' * 101}")).status == 422
    refused = await firm.ask("GET", f"/applicants?search={MILLION}")
    assert refused.status in (400, 431)
