"""What the security trail calls the actions that are not in the catalogue, in Japanese."""

from chassis.messages import Event, subclasses
from contracts import accounts, applications, audit, identity, notifier
from contracts.actions import Action, Outcome

OUTCOMES = {Outcome.DONE: "成功", Outcome.REFUSED: "拒否", Outcome.FAILED: "失敗"}

_SAID: dict[type[Event], str] = {
    identity.LoginFailed: "ログイン失敗",
    identity.UserLocked: "ユーザーのロック",
    identity.UserUnlocked: "ロックの解除",
    identity.LoggedOut: "ログアウト",
    identity.SessionsEnded: "セッションの終了",
    identity.PasswordReissued: "パスワード再発行",
    identity.PasswordReset: "申込者のパスワード再設定",
    identity.AdministratorChanged: "管理者情報の変更",
    identity.EmailChangeRequested: "メールアドレス変更の受付",
    identity.EmailChanged: "メールアドレスの変更",
    identity.OneTimePasswordSettingChanged: "ワンタイムパスワード利用設定の変更",
    identity.OneTimePasswordIssued: "ワンタイムパスワードの発行",
    identity.OneTimePasswordEntered: "ワンタイムパスワードの入力",
    identity.ApplicantRegistered: "申込者の登録",
    identity.ApplicantChanged: "申込者の変更",
    applications.DraftSaved: "申込情報の入力と保存",
    applications.DraftWithdrawn: "申込情報の破棄",
    applications.ApplicationSubmitted: "申込み",
    applications.AccountProcedureSubmitted: "申込み",
    audit.HistorySearched: "アクセス履歴の検索",
    audit.HistoryExported: "アクセス履歴の出力",
    notifier.MailFailed: "メールの送信失敗",
}
_SAID_BY_ALL = {"AccessRefused": "アクセスの拒否", "OperatorActed": "運用者による操作"}
_SPEAKERS = {speaker.__name__ for speaker in (accounts, applications, audit, identity, notifier)}
_LABELS = {kind.wire_type(): text for kind, text in _SAID.items()} | {
    kind.wire_type(): _SAID_BY_ALL[kind.__name__]
    for kind in subclasses(Action)
    if kind.__name__ in _SAID_BY_ALL and kind.__module__ in _SPEAKERS
}


def label(wire_type: str) -> str:
    """The Japanese name of an action; its wire name when a service says something newer than this list."""
    return _LABELS.get(wire_type, wire_type)


def labels() -> dict[str, str]:
    """All of them, by wire name."""
    return dict(_LABELS)
