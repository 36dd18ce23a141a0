"""The downloaded file is exactly the manual's: both forms, their columns, their order, every operation as printed."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.operations import Operation
from tests.audit.conftest import Company

BOM = "\ufeff"


def japan(day: datetime, hour: int) -> datetime:
    """An hour of that day in Japan."""
    return day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour - 9)


@pytest.mark.requirement("R240", "R241", "R248", "R307", "R308", "R309", "R310", "R311", "R312", "R313", "R314", "R315")
async def test_the_sample_tables_of_the_manual_come_out_in_both_forms(company: Company) -> None:
    start = datetime.now(UTC) - timedelta(days=30)
    days = [start, start + timedelta(days=1), start + timedelta(days=3)]
    taro = company.operator(name="日本　太郎", department="見本事業部", title="事業部長")
    hanako = company.operator(1, name="貿易　花子", department="見本課", title="")
    await company.did(
        (taro, Operation.APPLICATION_LIST_VIEW, japan(days[0], 10)),
        (taro, Operation.PASSWORD_CHANGE, japan(days[1], 11)),
        (hanako, Operation.INDIVIDUAL_NEW_APPLICATION, japan(days[0], 12)),
        (hanako, Operation.CLAIM_LIST_DOWNLOAD, japan(days[2], 13)),
    )
    first, second, fourth = (f"{japan(day, 9):%Y/%m/%d}" for day in days)
    a, b = f"{company.code}000", f"{company.code}001"
    rows = [
        (a, f"{first} 10:00:00", "[1-4]Web申込状況一覧の参照", "日本　太郎", "見本事業部", "事業部長"),
        (a, f"{second} 11:00:00", "[1-2]パスワード変更", "日本　太郎", "見本事業部", "事業部長"),
        (b, f"{first} 12:00:00", "[3-2]申込み（個別新規）", "貿易　花子", "見本課", ""),
        (b, f"{fourth} 13:00:00", "[8-4]債権一覧表ダウンロード", "貿易　花子", "見本課", ""),
    ]
    period = (f"{japan(days[0], 9):%Y-%m-%d}", f"{japan(days[2], 9):%Y-%m-%d}")

    found = await company.search(*period, form="by_user")
    by_user = await company.download(found)
    expected = "WebユーザーID,アクセス日時,操作内容,氏名,所属名,役職名\r\n" + "".join(
        ",".join(r) + "\r\n" for r in rows
    )
    assert by_user.decode() == BOM + expected
    assert found["records"] == 4

    by_time = await company.download(await company.search(*period, form="by_time"))
    swapped = [(row[1], row[0], *row[2:]) for row in (rows[0], rows[2], rows[1], rows[3])]
    expected = "アクセス日時,WebユーザーID,操作内容,氏名,所属名,役職名\r\n" + "".join(
        ",".join(r) + "\r\n" for r in swapped
    )
    assert by_time.decode() == BOM + expected


@pytest.mark.requirement("R316", "R317", "H3")
async def test_the_file_shows_the_operator_as_of_each_operation(company: Company) -> None:
    """Also when the user was changed within the period."""
    start = datetime.now(UTC) - timedelta(hours=3)
    before = company.operator(1, name="貿易　花子", department="見本課", title="")
    after = company.operator(1, name="保険　花子", department="輸出部", title="部長")
    await company.did((before, Operation.LOGIN, start), (after, Operation.LOGIN, start + timedelta(hours=1)))
    days = [f"{moment + timedelta(hours=9):%Y-%m-%d}" for moment in (start, datetime.now(UTC))]
    body = await company.download(await company.search(*days))
    lines = body.decode("utf-8-sig").split("\r\n")
    assert [line.split(",")[3:] for line in lines[1:3]] == [
        ["貿易　花子", "見本課", ""],
        ["保険　花子", "輸出部", "部長"],
    ]
