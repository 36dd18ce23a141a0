"""Bad input and bad luck: forged forms, foreign sites, double clicks, back and reload, gateways away, hostile words."""

import re
import tracemalloc
from datetime import datetime, timedelta
from io import BytesIO

import aiohttp
import pytest

from chassis.revocations import Revocations
from deploy.local.outsiders import new_password, secret_in
from portal import downloads
from portal.rendering import moment
from portal.replies import SESSION, VISITOR
from tests.portal.bare import Browser, Gate
from tests.portal.desks import Desk, Town, User
from tests.portal.errands import PDF, use_one_time_passwords
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.browser

LARGE = 18 * 1024 * 1024
HOSTILE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ 7*7 }}{% raw %}", "' OR 1=1 --",
    "javascript:alert(1)", "\u202e\u0000\ufeff", "𠮷" * 300, "&lt;b&gt;", "</textarea></form><form action=//evil>",
)  # fmt: skip


async def test_a_form_without_a_good_token_or_from_another_site_changes_nothing(town: Town) -> None:
    admin, other = await town.administrator(), await town.administrator()
    mine, theirs = Browser(town.url), Browser(town.url)
    await mine.log_in(admin)
    await theirs.log_in(other)
    good = await mine.form_token("/administrator")
    form = {"name": "改ざん　太郎", "email": admin.email, "one_time_password": "false"}
    for token in ("", "x", "a.b", await theirs.form_token("/administrator"), good[:-1] + "0"):
        if token == good:
            continue
        status, _, page = await mine.ask("POST", "/administrator", form | {"form_token": token})
        assert status == 403
        assert "何も変更されていません" in page
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        status, _, _ = await mine.ask("POST", "/administrator", form | {"form_token": good}, **headers)
        assert status == 403
    status, where, _ = await mine.ask("POST", "/administrator", form | {"form_token": good})
    assert status == 303
    assert where.startswith("/administrator/confirmation?state=")
    status, _, page = await theirs.ask("GET", where)
    assert status == 400, "sealed input opens for its user only"
    assert "何も変更されていません" in page
    mangled = where[:-3] + ("AAA" if not where.endswith("AAA") else "BBB")
    assert (await mine.ask("GET", mangled))[0] == 400


async def test_headers_and_cookies_keep_strangers_out(town: Town) -> None:
    async with aiohttp.ClientSession() as http, http.get(town.url + "/login") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert "SameSite=Strict" in answer.headers["Set-Cookie"]
        page = await answer.text()
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|style=", page)
    admin, browser = await town.administrator(), Browser(town.url)
    hostile = (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "//[",
        "//a℀b",
        "\t/x",
    )
    for wanted in hostile:
        form = {"form_token": await browser.form_token("/login"), "user_id": admin.user_id}
        _, where, _ = await browser.ask("POST", "/login", form | {"password": admin.password, "next": wanted})
        assert where == "/"


async def test_a_browser_keeps_a_file_under_the_address_of_its_content_alone(town: Town) -> None:
    async with aiohttp.ClientSession(town.url) as http:
        async with http.get("/login") as answer:
            [address] = re.findall(r"/static/\w+/portal\.css", await answer.text())
        kept = {}
        for path in (address, "/static/0123456789ab/portal.css"):
            async with http.get(path) as answer:
                assert answer.status == 200
                kept[path] = "immutable" in answer.headers["Cache-Control"]
    assert list(kept.values()) == [True, False], "another version's process says what is at its addresses"


async def test_broken_and_oversized_requests_get_a_page_and_not_a_crash(town: Town) -> None:
    admin = await town.administrator()
    browser = Browser(town.url)
    await browser.log_in(admin)
    token = await browser.form_token("/administrator")
    assert (await browser.ask("POST", "/administrator", b"x" * 300_000))[0] == 400
    odd = {"Content_Type": "multipart/form-data; boundary=x"}
    assert (await browser.ask("POST", "/administrator", b"--x\r\nbroken", **odd))[0] in (400, 403)
    odd = {"Content_Type": "application/x-www-form-urlencoded; charset=no-such"}
    assert (await browser.ask("POST", "/administrator", f"form_token={token}&name=%FF%00".encode(), **odd))[0] == 400
    for path in ("/nowhere", "/applicants/999999999999", "/notices/no-such", "/static/x/../../settings.py", "/%00"):
        status, _, page = await browser.ask("GET", path)
        assert status in (404, 400)
        assert "Traceback" not in page
    for path in ("/notices/..%2Fready", "/notices/x%3Fy", "/procedures/..%2Fready/x", "/help/..%2Fx"):
        assert (await browser.ask("GET", path))[0] == 404
    for wanted in ("//%5B", "//a%E2%84%80b", "%ED%A0%80"):
        for path in ("/login", "/timed-out", "/one-time-password"):
            assert (await browser.ask("GET", f"{path}?next={wanted}"))[0] == 200
    form = aiohttp.FormData({"form_token": token})
    form.add_field("name", "\ud800", content_type="text/plain; charset=unicode_escape")
    assert (await browser.ask("POST", "/administrator", form))[0] == 400
    stranger = Browser(town.url)
    for stranger.cookies, found in (
        ({VISITOR: "\udcff"}, (303, "/login")), ({SESSION: "\udcff"}, (303, "/login")), (browser.cookies, (200, None)),
    ):  # fmt: skip
        async with stranger.wire() as wire:
            assert (await wire.ask("GET", "/login"))[0] == 200
            status, headers, _ = await wire.ask("GET", "/", "User-Agent: \udcff", "X-Forwarded-For: \udcff")
            assert (status, headers["Location"]) == found
    assert (await browser.ask("PUT", "/"))[0] in (404, 405)
    assert (await browser.ask("GET", "/applicants?page=-1&sort=;drop&search=" + "x" * 3000))[0] == 200
    assert (await browser.ask("GET", "/applicants?page=" + "9" * 5000))[0] == 200
    other = Browser(town.url)
    form = {"form_token": await other.form_token("/login"), "user_id": admin.user_id}
    status, where, _ = await other.ask("POST", "/login", form | {"password": "\U0001f40d" * 1000})
    assert (status, where.partition("?")[0]) == (303, "/login"), "the longest password is wrong, and nothing else"
    for path in ("/applications/2015-0901-0001", "/applications/2015-0901-0001/confirmation"):
        form = {"form_token": await browser.form_token("/administrator"), "version": "9" * 5000}
        assert (await browser.ask("POST", path, form))[0] < 500


async def test_what_was_sealed_for_one_screen_says_nothing_to_another(town: Town) -> None:
    browser = Browser(town.url)
    form = {"form_token": await browser.form_token("/login"), "user_id": "100000001000"}
    _, where, _ = await browser.ask("POST", "/login", form)
    screen, _, state = where.partition("?")
    assert (await browser.ask("GET", f"{screen}?{state}"))[0] == 200
    for other in ("/email-confirmation/done", "/password-reissue/done"):
        assert (await browser.ask("GET", f"{other}?{state}"))[0] == 400


@pytest.mark.requirement("R56", "R57", "R58", "R59", "R60", "R61")
async def test_back_reload_bookmarks_tabs_and_double_clicks_are_safe(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin, "/applicants/new")
    await desk.page.locator("#email").fill("a@sample.com")
    await desk.page.locator("#name").fill("二度　押す")
    await desk.press("確認する")
    await desk.page.reload()
    assert "二度　押す" in await desk.text()
    bookmark = desk.page.url
    await desk.page.get_by_role("button", name="確定する").dblclick()
    await desk.page.wait_for_url("**/done*")
    for _ in range(2):
        await desk.page.reload()
        assert await desk.title() == "Webユーザー(申込者)登録完了"
    await desk.page.go_back()
    await desk.press("確定する")
    assert await desk.page.locator("#new-user-id").inner_text() == f"{admin.code}001"
    await desk.page.go_back()
    await desk.page.go_forward()
    tab = await desk.page.context.new_page()
    await tab.goto(bookmark)
    await tab.get_by_role("button", name="確定する").click()
    await tab.wait_for_url("**/done*")
    found = await admin.person.call("GET", "identity", "/applicants")
    assert found["total"] == 1
    await desk.open("/applicants/new/confirmation")
    assert desk.path() == "/applicants/new", "a bookmark without input begins anew"


@pytest.mark.requirement("R39", "L3")
async def test_confirmed_input_survives_a_time_out(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.log_in(admin)
    await desk.open("/applicants/new")
    await desk.page.locator("#email").fill("a@sample.com")
    await desk.page.locator("#name").fill("時間　切れ")
    await desk.press("確認する")
    await admin.person.call("DELETE", "identity", "/sessions/others")
    await desk.press("確定する")
    assert await desk.title() == "タイムアウト"
    await desk.press("ログイン画面へ")
    await desk.page.locator("#user_id").fill(admin.user_id)
    await desk.page.locator("#password").fill(admin.password)
    await desk.press("ログイン")
    assert await desk.title() == "Webユーザー(申込者)登録確認"
    assert "時間　切れ" in await desk.text()
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー(申込者)登録完了"


async def test_hostile_words_never_become_markup(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin)
    dialogs: list[str] = []
    desk.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for path in ("/administrator", "/applicants/new"):
        for word in HOSTILE:
            if desk.path() != path:
                await desk.open(path)
            for name in ("email", "name", "phone", "department", "title"):
                await desk.page.locator(f"#{name}").fill(word)
            await desk.press("確認する")
            assert await desk.page.locator("main img, main script, form[action*=evil]").count() == 0
            assert await desk.title() != "ただいまご利用いただけません", word
    await desk.open("/applicants/new")
    await desk.page.locator("#email").fill("x+'`{}|~@sample.com")
    await desk.page.locator("#name").fill(HOSTILE[0])
    await desk.page.locator("#department").fill("\"'><b>&")
    await desk.press("確認する")
    await desk.press("確定する")
    for path in ("/applicants", f"/applicants/{admin.code}001", f"/applicants/{admin.code}001/change"):
        await desk.open(path)
        assert await desk.page.locator("main b, main script").count() == 0
    await desk.open("/applicants")
    assert "＜ｓｃｒｉｐｔ＞" in await desk.text()
    assert dialogs == []


async def test_a_gateway_that_is_away_is_said_calmly_and_the_rest_works_and_the_page_recovers_by_itself(
    open_desk, town: Town
) -> None:
    admin = await town.administrator()
    gate = Gate(town.outside.gateway("notifier"))
    nobody = f"http://127.0.0.1:{free_port()}"
    async with town.beside(notifier_url=await gate.open(), audit_url=nobody) as elsewhere:
        desk = Desk((await open_desk()).page, elsewhere)
        plain = Desk((await open_desk(java_script_enabled=False)).page, elsewhere)
        await desk.enter(admin)
        assert "ただいま表示できません" not in await desk.text()
        await gate.close()
        await desk.page.reload()
        assert "お知らせは、ただいま表示できません" in await desk.text()
        await desk.open("/sessions")
        assert "操作の記録は、ただいま表示できません" in await desk.text()
        await plain.enter(admin, "/notices")
        await desk.open("/notices")
        assert await desk.title() == "ただいま一時的にご利用いただけません"
        assert "お手続きの入力・申込み" in await desk.text(), "what still works"
        assert "自動的に切り替わります" in await desk.text()
        assert "自動的に切り替わります" not in await plain.text(), "nothing is promised without scripts"
        await gate.open()
        await desk.page.get_by_role("heading", name="掲載中のお知らせ一覧").wait_for()
        await plain.press("もう一度表示する")
        assert await plain.title() == "掲載中のお知らせ一覧"
        await gate.close()


@pytest.mark.requirement("R330", "R332", "R333")
async def test_a_one_time_password_entered_at_one_process_is_not_asked_for_by_another(town: Town) -> None:
    admin = await town.administrator()
    await use_one_time_passwords(town, admin.code, use=True)
    async with town.beside() as other:
        browser, gated = Browser(town.url), "/applicants/import"
        await browser.log_in(admin)
        for browser.url in (town.url, other.url):
            assert (await browser.ask("GET", gated))[1].startswith("/one-time-password?")
        before = await town.outside.newest_mail(admin.email)
        form = {"form_token": await browser.form_token("/one-time-password"), "next": gated}
        await browser.ask("POST", "/one-time-password", form)
        mail = await town.outside.mail_to(admin.email, "ワンタイムパスワード", after=before)
        form |= {"action": "enter", "code": secret_in(mail["text"])}
        assert (await browser.ask("POST", "/one-time-password", form))[:2] == (303, gated)
        for browser.url in (town.url, other.url):
            assert (await browser.ask("GET", gated))[0] == 200


@pytest.mark.requirement("R12", "L9")
async def test_two_processes_of_the_portal_are_one_to_a_browser(town: Town) -> None:
    admin = await town.administrator()
    async with town.beside() as other:
        browser = Browser(town.url)
        await browser.log_in(admin)
        token = await browser.form_token("/administrator")
        form = {"form_token": token, "email": admin.email, "name": "日本　三郎", "one_time_password": "false"}
        _, shown_form, _ = await browser.ask("POST", "/administrator", form)
        browser.url = other.url
        status, _, page = await browser.ask("GET", shown_form)
        assert status == 200
        assert "日本　三郎" in page
        leaving, confirming = re.findall(r'name="form_token" value="([^"]+)"', page)
        kept = dict(browser.cookies)
        assert (await browser.ask("POST", "/logout", {"form_token": leaving}))[1] == "/logged-out"
        browser.cookies, browser.url = kept, town.url
        _, where, _ = await browser.ask("POST", shown_form, {"form_token": confirming})
        assert where.startswith("/timed-out"), "the other process does not trust its token a moment longer (L9)"


async def test_a_temporary_password_in_two_windows_is_used_once(open_desk, town: Town) -> None:
    admin = await town.administrator()
    before = await town.outside.newest_mail(admin.email)
    rights = {"entry": "none", "contract_data": "none", "application_data": "none"}
    form = {"email": "b@sample.com", "name": "仮　太郎", **rights}
    await admin.person.call("POST", "identity", "/applicants", json=form)
    mail = await town.outside.mail_to(admin.email, "初期パスワード", after=before)
    newcomer = User(f"{admin.code}001", secret_in(mail["text"]), "b@sample.com", admin.person)
    first, second = await open_desk(), await open_desk()
    await first.log_in(newcomer)
    assert first.path() == "/password/first"
    await second.log_in(newcomer)
    assert await second.errors(), "it works for one login"


@pytest.mark.requirement("L9")
@pytest.mark.requirement("R7")
async def test_a_file_goes_through_the_portal_piece_by_piece_and_whole_also_with_a_token_that_lapsed(
    town: Town,
) -> None:
    user, browser = await town.administrator(), Browser(town.url)
    browser.be(user)
    given = {"procedure": "electronic_application", "content": {}}
    draft = await user.person.call("POST", "applications", "/applications", json=given)
    path = f"/applications/{draft['number']}/attachments"
    form_token = await browser.form_token(path)

    def filled_in(size: int) -> aiohttp.FormData:
        form, file = aiohttp.FormData({"form_token": form_token}), PDF + b" " * (size - len(PDF) - 5) + b"%%EOF"
        form.add_field("file", BytesIO(file), filename=f"{size}.pdf", content_type="application/pdf")
        return form

    form = filled_in(LARGE)
    tracemalloc.start()
    try:
        assert (await browser.ask("POST", path, form))[:2] == (303, path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LARGE / 2
    for session in town.portal.house.sessions._known.values():
        session.access_token = "lapsed"
    assert (await browser.ask("POST", path, filled_in(1000)))[:2] == (303, path)
    found = await user.person.call("GET", "applications", f"/applications/{draft['number']}")
    assert sorted(one["size"] for one in found["attachments"]) == [1000, LARGE]


@pytest.mark.requirement("R7")
async def test_slow_readers_of_files_take_few_places_and_leave_the_pages_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def somebody() -> tuple[Browser, str]:
        """With a file that is larger than what waits on the way to a reader who does not read."""
        user, browser = await town.administrator(), Browser(town.url)
        browser.be(user)
        given = {"procedure": "electronic_application", "content": {}}
        draft = await user.person.call("POST", "applications", "/applications", json=given)
        path = f"/applications/{draft['number']}/attachments"
        large = BytesIO(PDF + b" " * LARGE + b"%%EOF")
        file = aiohttp.BytesIOPayload(large, content_type="application/pdf")
        made = await user.person.call("POST", "applications", path, params={"name": "a.pdf"}, data=file)
        return browser, f"{path}/{made['attachments'][0]['id']}"

    (slow, theirs), (other, mine) = await somebody(), await somebody()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        cookies = {"Cookie": f"{SESSION}={slow.cookies[SESSION]}"}
        unread = [await http.get(town.url + theirs, headers=cookies) for _ in range(downloads.MOST_OF_A_USER)]
        assert {one.status for one in unread} == {200}
        status, _, page = await slow.ask("GET", theirs)
        assert (status, "同時にダウンロードできるファイルは4件までです。" in page) == (429, True)
        assert (await other.ask("GET", mine))[0] == 200
        monkeypatch.setattr(downloads, "MOST", downloads.MOST_OF_A_USER)
        status, _, page = await other.ask("GET", mine)
        assert (status, "ただいまダウンロードが大変混み合っています。" in page) == (503, True)
        assert [(await one.ask("GET", "/applications"))[0] for one in (slow, other)] == [200, 200]

    async def taken() -> bool:
        return (await slow.ask("GET", theirs))[0] == 200

    for _ in range(downloads.MOST_OF_A_USER + 1):  # what broke off has left, and so does what comes to its end
        await eventually(taken)


async def test_what_is_not_certain_everywhere_yet_is_said(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await town.administrator()
    applicant = await town.applicant(admin)
    certain_from = unique.now() + timedelta(minutes=5)

    async def silent(*_: object) -> datetime:
        return certain_from

    monkeypatch.setattr(Revocations, "in_force", silent)
    browser = Browser(town.url)
    await browser.log_in(admin)
    person = {"email": admin.email, "name": "日本　太郎"}
    rights = {"entry": "none", "contract_data": "none", "application_data": "none", "enabled": "false"}
    passwords = {"current_password": admin.password} | dict.fromkeys(("new_password", "repeated"), new_password())
    for steps in (
        (("/sessions", {"session_id": "others"}),),
        (("/applicants", {"action": "reset", "user_id": applicant.user_id}),),
        ((f"/applicants/{applicant.user_id}/change", person | rights), ("", {})),
        (("/password", passwords),),
        (("/administrator", person | {"one_time_password": "true"}), ("", {})),
        (("/logout", {}),),
    ):
        where = ""
        for path, form in steps:
            where = path or where
            _, _, page = await browser.ask("GET", "/login" if where == "/logout" else where)
            hidden = dict(re.findall(r'name="(form_token|state)" value="([^"]+)"', page))  # the last of each name
            _, where, _ = await browser.ask("POST", where, hidden | form)
        _, _, page = await browser.ask("GET", where)
        assert f"遅くとも{moment(certain_from.isoformat())}には" in page, steps
