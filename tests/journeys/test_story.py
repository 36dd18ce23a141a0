"""The whole story of a policyholder happens as the demo tells it, in the manual's words."""

import pytest

from deploy.local.demo.narration import Story
from deploy.local.demo.plot import tell
from deploy.local.outsiders import Outside


@pytest.mark.requirement(
    "R33", "R36", "R47", "R49", "R53", "R62", "R64", "R65", "R67", "R87", "R88", "R90", "R124", "R140", "R163", "R165",
    "R188", "R197", "R198", "R199", "R200", "R202", "R214", "R230", "R236", "R240", "R248", "R256", "R257", "R259",
    "R309", "R311", "R319", "R323", "R330", "R332", "L5", "L6", "L7", "L8", "L9", "P6", "P7",
)  # fmt: skip
async def test_the_story_of_the_demo(outside: Outside, capsys: pytest.CaptureFixture[str]) -> None:
    lines = await tell(Story(), outside)
    told = capsys.readouterr().out
    assert lines[0] == "WebユーザーID,アクセス日時,操作内容,氏名,所属名,役職名"
    operations = [line.split(",")[2] for line in lines[1:]]
    assert operations == [
        "[1-1]ログイン", "[1-2]パスワード変更", "[1-4]Web申込状況一覧の参照", "[1-4]Web申込状況一覧の参照",
        "[1-1]ログイン", "[1-2]パスワード変更",
        "[1-1]ログイン", "[1-2]パスワード変更", "[1-1]ログイン", "[1-2]パスワード変更",
    ]  # fmt: skip
    for words in (
        "403: ワンタイムパスワードにより保護されています",
        "申込情報は日本貿易保険に送信されました。",
        "不受理",
        "手続完了: お申込手続きおよび口座情報への反映を完了しました。",
        "the list shows 0 accounts",
        "in force from now, everywhere; the same access token now gets 401",
    ):
        assert words in told
