"""Refusals that several doors of identity share."""

from typing import ClassVar

from chassis.http import Problem


class LoginRefused(Problem):
    """Web user ID or password is wrong."""

    status = 401
    detail = "ログインできませんでした。WebユーザーIDとパスワードをご確認ください。"


class PasswordLocked(Problem):
    """The password was wrong too many times in a row."""

    status = 403
    detail = (
        "パスワードを規定回数以上連続で間違えたため、このWebユーザーIDではログインできません。"
        "Webユーザー（管理者）の方はパスワードを再発行してください。"
        "Webユーザー（申込者）の方は、管理者にパスワードのリセットをご依頼ください。"
        "しばらく時間をおいてから、もう一度お試しいただくこともできます。"
    )


class WrongPassword(Problem):
    """The current password is wrong."""

    status = 403
    detail = "現在のパスワードが正しくありません。"


class TooManyRequests(Problem):
    """Too many tries from this address."""

    status = 429
    detail = "短時間に多くのお申し出がありました。しばらくしてからもう一度お試しください。"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "60"}


class SessionEnded(Problem):
    """The session has ended or timed out."""

    status = 401
    detail = "一定時間操作がなかったか、ログアウトされています。もう一度ログインしてください。"
