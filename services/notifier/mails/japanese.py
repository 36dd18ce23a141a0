"""The mails in Japanese: one function from facts to subject and body each, in the words of the manual.

One that carries a secret also gets how long that is valid, in words.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from contracts.notifier import Template
from notifier.mails.facts import AboutNamedUser, AboutUser, AccountTouched, Completed, Rejected, Submitted
from notifier.mails.names import OwnTemplate

JAPAN = ZoneInfo("Asia/Tokyo")
RULE = "─" * 30


class Text(NamedTuple):
    """A mail's words; the subject is one line."""

    subject: str
    body: str


def initial_password(facts: AboutNamedUser, password: str, life: str) -> Text:
    """R67, R140."""
    return _text(
        "Webユーザー（申込者）の初期パスワードのお知らせ",
        "Webユーザー（申込者）の登録が完了しました。",
        "WebユーザーID（申込者用）と初期パスワードを、このIDを利用する方に伝えてください。",
        _items(
            ("WebユーザーID（申込者用）", facts.user_id),
            ("氏名", facts.name),
            ("初期パスワード", password),
        ),
        "初期パスワードは初回ログイン時にのみ使用できます。ログイン後に新しいパスワードへ変更してください。",
        f"初期パスワードの有効期限は発行後{life}です。お早めにログインしてください。",
    )


def password_reissued(facts: AboutUser, password: str, life: str) -> Text:
    """R124."""
    return _text(
        "パスワード再発行のお知らせ",
        "Webユーザー（管理者）のパスワードを再発行しました。",
        _items(("WebユーザーID（管理者用）", facts.user_id), ("新しいパスワード", password)),
        "このパスワードは一度のログインにのみ使用できます。ログイン後に新しいパスワードへ変更してください。\n"
        f"有効期限は発行後{life}です。",
        "このパスワードでログインするまでは、これまでのパスワードも使用できます。\n"
        "再発行にお心当たりのない場合は、このメールを破棄し、NEXIまでご連絡ください。",
    )


def password_reset(facts: AboutNamedUser, password: str, life: str) -> Text:
    """R165."""
    return _text(
        "Webユーザー（申込者）のパスワードリセットのお知らせ",
        "Webユーザー（申込者）のパスワードをリセットしました。",
        "新しいパスワードを、このIDを利用する方に伝えてください。",
        _items(
            ("WebユーザーID（申込者用）", facts.user_id),
            ("氏名", facts.name),
            ("新しいパスワード", password),
        ),
        "これまでのパスワードは使用できません。\n"
        "新しいパスワードは一度のログインにのみ使用できます。ログイン後に新しいパスワードへ変更してください。\n"
        f"有効期限は発行後{life}です。",
    )


def one_time_password(facts: AboutUser, code: str, life: str) -> Text:
    """R329. The code stands alone on its line, so that it is easily copied; the subject does not show it."""
    return _text(
        "ワンタイムパスワードのお知らせ",
        "ワンタイムパスワードを発行しました。\n「ワンタイムパスワード入力」画面に入力し、「認証」ボタンをクリックしてください。",
        _items(("WebユーザーID", facts.user_id), ("ワンタイムパスワード", code)),
        f"ワンタイムパスワードは発行後{life}に限り有効です。\n入力を2回間違えると失効します。",
        "発行にお心当たりのない場合は、パスワードを第三者に知られているおそれがあります。パスワードを変更してください。",
    )


def email_confirmation(facts: AboutUser, url: str, life: str) -> Text:
    """R115, E2, E3."""
    return _text(
        "メールアドレス変更の確認",
        "メールアドレスの変更を受け付けました。\n"
        f"メール到着後{life}以内に下記のURLをクリックし、表示される画面で変更を確定してください。",
        url,
        _items(("WebユーザーID", facts.user_id)),
        "URLをクリックしなければメールアドレスは変更されませんので、ご注意ください。",
        "変更にお心当たりのない場合は、このメールを破棄してください。",
    )


def email_change_notice(facts: AboutUser) -> Text:
    """To the old address (E3)."""
    return _text(
        "メールアドレス変更手続きのお知らせ",
        "メールアドレスの変更手続きが行われました。\n変更後のメールアドレスに確認用メールをお送りしています。",
        _items(("WebユーザーID", facts.user_id)),
        "変更後のメールアドレスで確認が完了するまで、このメールアドレスが有効です。",
        "変更にお心当たりのない場合は、至急、パスワードを変更し、NEXIまでご連絡ください。",
    )


def group_viewer_password(facts: AboutUser, password: str, life: str) -> Text:
    """To a new group viewer (N2)."""
    return _text(
        "全社閲覧用IDの初期パスワードのお知らせ",
        "全社閲覧用IDの登録が完了しました。",
        _items(("WebユーザーID（全社閲覧用）", facts.user_id), ("初期パスワード", password)),
        "初期パスワードは初回ログイン時にのみ使用できます。ログイン後に新しいパスワードへ変更してください。\n"
        f"初期パスワードの有効期限は発行後{life}です。お早めにログインしてください。",
    )


def application_received(facts: Submitted) -> Text:
    """申込受付 (R200)."""
    return _text(
        f"申込受付のお知らせ（{facts.number}）",
        "下記の申込みを受け付けました。",
        _items(
            ("Web申込番号", facts.number),
            ("申込種類", facts.procedure_label),
            ("申込日時", _moment(facts.submitted_at)),
            ("申込者", facts.applicant),
        ),
        "手続きが完了しましたら、改めてメールでお知らせします。\n手続きの状況は「Web申込状況一覧」でご確認いただけます。",
    )


def application_completed(facts: Completed) -> Text:
    """手続完了 (R202)."""
    effect = [("適用日", f"{facts.effective_date:%Y/%m/%d}")] if facts.effective_date else []
    return _text(
        f"手続完了のお知らせ（{facts.number}）",
        "下記の申込みの手続きが完了しました。",
        _items(
            ("Web申込番号", facts.number),
            ("申込種類", facts.procedure_label),
            ("手続完了日時", _moment(facts.completed_at)),
            *effect,
        ),
        "詳細は「Web申込状況一覧」でご確認いただけます。",
    )


def application_rejected(facts: Rejected) -> Text:
    """The application was not carried out; a reason of blanks alone is none."""
    reason = [("理由", facts.reason)] if facts.reason else []
    return _text(
        f"申込みのお手続きができなかったお知らせ（{facts.number}）",
        "下記の申込みは、お手続きができませんでした。",
        _items(
            ("Web申込番号", facts.number),
            ("申込種類", facts.procedure_label),
            ("日時", _moment(facts.rejected_at)),
            *reason,
        ),
        "内容をご確認のうえ、必要な場合は改めてお申し込みください。",
    )


def account_security(facts: AccountTouched) -> Text:
    """口座登録・変更・削除: so that nobody changes where money goes unseen (P7). No account data in a mail."""
    return _text(
        f"口座情報の変更に関する重要なお知らせ（{facts.procedure_label}）",
        "口座情報について、下記の手続きが行われました。",
        _items(
            ("手続き", facts.procedure_label),
            ("Web申込番号", facts.number),
            ("日時", _moment(facts.completed_at)),
            ("手続きを行ったWebユーザーID", facts.applicant_user_id),
        ),
        "お心当たりのない場合は、至急、パスワードを変更し、NEXIまでご連絡ください。",
    )


TEXTS: Mapping[str, Callable[..., Text]] = {
    Template.INITIAL_PASSWORD: initial_password,
    Template.PASSWORD_REISSUED: password_reissued,
    Template.PASSWORD_RESET: password_reset,
    Template.ONE_TIME_PASSWORD: one_time_password,
    Template.EMAIL_CONFIRMATION: email_confirmation,
    Template.EMAIL_CHANGE_NOTICE: email_change_notice,
    Template.GROUP_VIEWER_PASSWORD: group_viewer_password,
    OwnTemplate.APPLICATION_RECEIVED: application_received,
    OwnTemplate.APPLICATION_COMPLETED: application_completed,
    OwnTemplate.APPLICATION_REJECTED: application_rejected,
    OwnTemplate.ACCOUNT_SECURITY: account_security,
}


def span(life: timedelta) -> str:
    """How long something is valid, to the minute: 10分間, 24時間, 14日間."""
    minutes = round(life / timedelta(minutes=1))
    if minutes % 60:
        return f"{minutes}分間"
    return f"{minutes // 60}時間" if minutes % 1440 or minutes == 1440 else f"{minutes // 1440}日間"


def _text(subject: str, *paragraphs: str) -> Text:
    body = "\n\n".join(("NEXI Webサービスをご利用いただき、ありがとうございます。", *paragraphs, _FOOTER))
    return Text(f"【NEXI Webサービス】{subject}", body + "\n")


_FOOTER = (
    f"{RULE}\n"
    "株式会社日本貿易保険（NEXI）\n"
    "※ このメールはNEXI Webサービスから自動配信しています。"
)  # fmt: skip


def _items(*items: tuple[str, Any]) -> str:
    return "\n".join(f"　{label}：{value}" for label, value in items)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(JAPAN):%Y/%m/%d %H:%M}"
