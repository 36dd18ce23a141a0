"""What the security trail calls the actions that are not in the catalogue, in Japanese."""

from chassis.messages import Event
from contracts import accounts, applications, audit, identity, notifier
from contracts.actions import Outcome

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
    identity.OperatorActed: "運用者による操作",
    applications.DraftSaved: "申込情報の入力と保存",
    applications.DraftWithdrawn: "申込情報の破棄",
    applications.ApplicationSubmitted: "申込み",
    audit.HistorySearched: "アクセス履歴の検索",
    audit.HistoryExported: "アクセス履歴の出力",
    identity.AccessRefused: "アクセスの拒否",
    accounts.AccessRefused: "アクセスの拒否",
    applications.AccessRefused: "アクセスの拒否",
    notifier.AccessRefused: "アクセスの拒否",
    audit.AccessRefused: "アクセスの拒否",
}
_LABELS = {kind.wire_type(): text for kind, text in _SAID.items()}


def label(wire_type: str) -> str:
    """The Japanese name of an action; its wire name when a service says something newer than this list."""
    return _LABELS.get(wire_type, wire_type)


def labels() -> dict[str, str]:
    """All of them, by wire name."""
    return dict(_LABELS)
