"""A file of applicants is checked row by row, then registered as a whole by the same content, or not at all."""

import asyncio
import csv
import io
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.notifier import SendMail
from identity.rules import imports
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import RIDERS, Answer, Firm
from tests.support.platform import Platform

GOOD = ["a@sample.com", "貿易 花子", "03-1234-5678", "輸出部", "課長", "入力+申込権限", "情報データ参照制限なし", "", "申込データ参照不可"]  # fmt: skip  # noqa: E501

LISTED = "対象特約のみ参照可能"


def sheet(*rows: list[str], header: tuple[str, ...] = imports.HEADER, encoding: str = "utf-8") -> bytes:
    """A file as a spreadsheet writes it."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode(encoding)


def row(**values: str) -> list[str]:
    """A good row with other cells."""
    cells = dict(zip(imports.COLUMNS, GOOD, strict=True)) | values
    return list(cells.values())


async def check(firm: Firm, content: bytes, content_type: str = "text/csv") -> Answer:
    return await firm.ask("POST", "/applicant-imports/validation", data=content, headers={"Content-Type": content_type})


async def commit(firm: Firm, content: bytes, digest: str, **headers: str) -> Answer:
    sent = {"Content-Type": "text/csv", "Content-Digest-Checked": digest} | headers
    return await firm.ask("POST", "/applicant-imports", data=content, headers=sent)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_a_good_file_is_checked_and_registered_with_a_mail_each(
    firm: Firm, platform: Platform, encoding: str
) -> None:
    content = sheet(
        row(),
        row(
            email="b@gmail.com",
            name="ｶﾄｳ",
            contract_data=LISTED,
            rider_codes=f"{RIDERS[0]}、{RIDERS[1]}",
        ),
        [""] * 9,
        row(email="c@sample.com", entry="入力＋申込権限", phone="", department="", title=""),
        encoding=encoding,
    )
    dry = await check(firm, content)
    assert dry.status == 200, dry.body
    assert (dry.body["rows"], dry.body["errors"], dry.body["registrable"], dry.body["free_ids"]) == (3, [], True, 999)
    assert [(one["row"], one["column"]) for one in dry.body["warnings"]] == [(3, "email")]
    assert (await firm.ask("GET", "/applicants")).body["total"] == 0
    async with platform.hears(SendMail) as mails:
        done = await commit(firm, content, dry.body["digest"])
        assert done.status == 201, done.body
        ids = [one["user_id"] for one in done.body["registered"]]
        for user_id in ids:
            assert (await mails.next(about_user_id=user_id))["data"]["template"] == "initial_password"
    assert ids == [f"{firm.code}00{serial}" for serial in (1, 2, 3)]
    second = (await firm.ask("GET", f"/applicants/{ids[1]}")).body
    assert (second["name"], [one["rider_code"] for one in second["rider_codes"]]) == ("カトウ", list(RIDERS[:2]))


async def test_every_error_of_every_row_is_reported_by_row_and_column(firm: Firm) -> None:
    content = sheet(
        row(email="no address", name="", phone="０３", rider_codes=RIDERS[0]),
        row(entry="何でも", contract_data=LISTED),
        row(rider_codes=RIDERS[0]),
        row(contract_data=LISTED, rider_codes="123123123"),
        row(contract_data=LISTED, rider_codes="12"),
        row(department="部" * 26, title="課\u202e長"),
        ["too", "short"],
        row(),
    )
    dry = await check(firm, content)
    found = [(one["row"], one["column"], one["rule"]) for one in dry.body["errors"]]
    assert found == [
        (2, "email", "pattern"),
        (2, "name", "too_short"),
        (2, "phone", "half_width"),
        (2, "rider_codes", "not_listed_riders"),
        (3, "entry", "choice"),
        (3, "rider_codes", "at_least_one"),
        (4, "rider_codes", "not_listed_riders"),
        (5, "rider_codes", "unknown_rider"),
        (6, "rider_codes", "string_pattern_mismatch"),
        (7, "department", "full_width"),
        (7, "title", "characters"),
        (8, None, "column_count"),
    ]
    assert dry.body["errors"][0]["column_label"] == "メールアドレス"
    assert all(one["message"] for one in dry.body["errors"])
    assert dry.body["registrable"] is False
    refused = await commit(firm, content, dry.body["digest"])
    assert (refused.status, refused.problem, refused.body["errors"]) == (422, "file-has-errors", dry.body["errors"])
    assert (await firm.ask("GET", "/applicants")).body["total"] == 0


async def test_the_last_of_many_errors_is_reported_too_and_bad_rows_are_applicants(firm: Firm) -> None:
    bad = ["no address", "", "０３", "部" * 26, "課\u202e長", "何でも", "何でも", "12 " * 50, "何でも"]
    dry = await check(firm, sheet(*[bad] * 199, ["too", "short"]))
    assert dry.body["rows"] == 200
    found = [(one["row"], one["column"]) for one in dry.body["errors"]]
    cells = [(row, column) for row in range(2, 201) for column in imports.COLUMNS]
    assert sorted(found, key=str) == sorted([*cells, (201, None)], key=str)


async def test_only_the_content_that_was_checked_is_registered(firm: Firm) -> None:
    dry = await check(firm, sheet(row()))
    refused = await commit(firm, sheet(row(name="別人")), dry.body["digest"])
    assert (refused.status, refused.problem) == (409, "other-file")
    without = await firm.ask("POST", "/applicant-imports", data=sheet(row()), headers={"Content-Type": "text/csv"})
    assert without.broken == {"header.Content-Digest-Checked": "missing"}


async def test_the_same_key_registers_the_file_once(firm: Firm) -> None:
    content, key = sheet(row(), row()), str(uuid4())
    digest = (await check(firm, content)).body["digest"]
    answers = await asyncio.gather(*(commit(firm, content, digest, **{"Idempotency-Key": key}) for _ in range(4)))
    assert sorted(one.status for one in answers) == [200, 200, 200, 201]
    assert len({str(one.body["registered"]) for one in answers}) == 1
    assert (await firm.ask("GET", "/applicants")).body["total"] == 2


async def test_when_the_ids_do_not_suffice_nobody_is_registered(firm: Firm) -> None:
    await firm.database.execute("update companies set last_serial = 998 where policyholder_code = $1", firm.code)
    content = sheet(row(), row())
    dry = await check(firm, content)
    assert (dry.body["free_ids"], dry.body["registrable"]) == (1, False)
    assert (await commit(firm, content, dry.body["digest"])).problem == "no-id-left"
    assert (await firm.ask("GET", "/applicants")).body["total"] == 0
    assert (await firm.register())["user_id"] == f"{firm.code}999"


async def test_namesakes_are_pointed_out(firm: Firm) -> None:
    await firm.register(email="A@sample.com", name="貿易　花子")
    dry = await check(firm, sheet(row(email="b@sample.com"), row(), row(email="b@sample.com")))
    assert [one["row"] for one in dry.body["warnings"]] == [3, 4]
    assert dry.body["registrable"] is True


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "missing_column"),
        (b"\x81", "encoding"),
        (sheet(), "empty"),
        (sheet(row(), header=(*imports.HEADER[:-1], "別の列")), "unknown_column"),
        (sheet(row(), header=(*imports.HEADER[:-1], imports.HEADER[0])), "repeated_column"),
        (sheet(*([row()] * 201)), "too_many_rows"),
        (sheet(row()) + b'"open', "csv"),
        (sheet(row(name="あ" * 140_000)), "csv"),
    ],
)
async def test_a_file_that_is_none_is_reported(firm: Firm, content: bytes, rule: str) -> None:
    dry = await check(firm, content)
    assert dry.status == 200, dry.body
    assert rule in [one["rule"] for one in dry.body["errors"]]
    assert dry.body["registrable"] is False


async def test_what_is_no_list_of_applicants_is_reported_as_far_as_anybody_reads(firm: Firm) -> None:
    header = await check(firm, b"x," * 50_000)
    assert len(header.body["errors"]) == imports.MOST_REPORTED
    rows = await check(firm, sheet(row()) + b"a,b\r\n" * 50_000)
    assert [(one["row"], one["rule"]) for one in rows.body["errors"]] == [(202, "too_many_rows")]


async def test_200_rows_are_registered_at_once(firm: Firm) -> None:
    content = sheet(*([row()] * 200))
    done = await commit(firm, content, (await check(firm, content)).body["digest"])
    assert (done.status, len(done.body["registered"])) == (201, 200)


async def test_other_types_and_too_large_files_are_refused(firm: Firm) -> None:
    assert (await check(firm, b"{}", "application/json")).status == 415
    refused = await check(firm, b"a" * (imports.MOST_BYTES + 1))
    assert (refused.status, refused.problem) == (413, "body-too-large")


async def test_the_template_is_a_file_that_can_be_filled_in(firm: Firm) -> None:
    template = await firm.ask("GET", "/applicant-imports/template")
    assert template.headers["Content-Type"] == "text/csv; charset=utf-8"
    filled = template.body.encode() + sheet(row()).partition(b"\r\n")[2]
    assert (await check(firm, filled)).body["registrable"] is True


@pytest.mark.requirement("W5")
async def test_listed_riders_in_a_file_need_comprehensive_insurance(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(comprehensive=False)
    dry = await check(firm, sheet(row(contract_data=LISTED, rider_codes=RIDERS[0])))
    assert [(one["column"], one["rule"]) for one in dry.body["errors"]] == [("contract_data", "comprehensive_only")]


@settings(max_examples=300)
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: (",".join(imports.HEADER) + "\r\n" + text).encode()))  # fmt: skip  # noqa: E501
def test_no_content_breaks_the_reader(content: bytes) -> None:
    read = imports.read(content, 5)
    assert read.errors or read.rows
    assert len(read.rows) <= 5
