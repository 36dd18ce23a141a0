"""What is refused, and how a refusal looks: RFC 9457 problems, one class each, raised or returned."""

import re
from typing import Any, ClassVar, Self, TypedDict

import pydantic_core
from aiohttp import web

from chassis.http.headers import PROBLEM


class FieldError(TypedDict):
    """One broken rule: where (`body.email`), which (`too_long`), and a Japanese sentence for people."""

    field: str
    rule: str
    message: str


class Problem(Exception):
    """A refusal. Raised, it rolls the handler's transaction back; returned, it lets it commit.

    A subclass says its `status`, an English title (its docstring's first line) and a Japanese `detail`; its name gives
    its type: `StaleVersion` is "/problems/stale-version". Keyword arguments become members of the answer.
    """

    status: ClassVar[int]
    type: ClassVar[str]
    title: ClassVar[str]
    refuses_access: ClassVar[bool] = False
    """Whether somebody was kept from something that others may do, so that it belongs in a security trail."""
    closes: ClassVar[bool] = False
    """Whether the connection ends with the answer, because the rest of the request is unwanted."""
    headers: ClassVar[dict[str, str]] = {}
    detail: str

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        said = (cls.__dict__.get("__doc__") or "").strip().partition("\n")[0]
        if not said or not hasattr(cls, "status") or not hasattr(cls, "detail"):
            raise TypeError(f"{cls.__qualname__}: a problem needs a docstring (its title), a status and a detail")
        cls.title = said.rstrip(".")
        cls.type = "/problems/" + re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, *, detail: str | None = None, **members: Any) -> None:
        super().__init__()
        if detail is not None:
            self.detail = detail
        self.members = members

    def __str__(self) -> str:
        return f"{self.status} {self.title}"

    def response(self, instance: str) -> web.Response:
        """The answer; `instance` names this one occurrence."""
        said = {"type": self.type, "title": self.title, "status": self.status, "detail": self.detail}
        body = pydantic_core.to_json({**said, "instance": instance, **self.members})
        answer = web.Response(body=body, status=self.status, headers=PROBLEM)
        answer.headers.update(self.headers)
        if self.closes:
            answer.force_close()
        return answer


class MalformedRequest(Problem):
    """The request is not HTTP as it should be."""

    status = 400
    detail = "HTTPリクエストとして読み取れません。"
    closes = True


class RequestHeadersTooLarge(Problem):
    """The request's headers are too large."""

    status = 431
    detail = "リクエストのヘッダーが大きすぎます。"
    closes = True


class MalformedJson(Problem):
    """The body is not JSON as it should be."""

    status = 400
    detail = "リクエスト本文をJSONとして読み取れません。"

    @classmethod
    def because(cls, rule: str, message: str, field: str = "body") -> Self:
        """With the one reason why it cannot be read."""
        return cls(errors=[FieldError(field=field, rule=rule, message=message)])


class UnsupportedMediaType(Problem):
    """The body's media type or encoding is not accepted."""

    status = 415
    detail = "リクエスト本文は、圧縮していないUTF-8のJSON（application/json）で送信してください。"


class BodyTooLarge(Problem):
    """The body is larger than this operation accepts."""

    status = 413
    detail = "リクエスト本文が大きすぎます。"
    closes = True


class BodyTooSlow(Problem):
    """The body did not arrive in time."""

    status = 408
    detail = "時間内にリクエスト本文を受信できませんでした。"
    closes = True


class Unauthenticated(Problem):
    """No valid access token was presented."""

    status = 401
    detail = "ログインしていないか、ログインの有効期限が切れています。"
    refuses_access = True
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """The caller may not do this."""

    status = 403
    detail = "この操作を行う権限がありません。"
    refuses_access = True


class StepUpRequired(Problem):
    """A one-time password is needed first."""

    status = 403
    detail = "ワンタイムパスワードにより保護されています"
    refuses_access = True


class NotFound(Problem):
    """There is no such thing, or not for this caller."""

    status = 404
    detail = "該当するデータがありません。"


class MethodNotAllowed(Problem):
    """The path exists, but not with this method."""

    status = 405
    detail = "このURLでは使用できないメソッドです。"


class Invalid(Problem):
    """Fields of the request break rules."""

    status = 422
    detail = "入力内容に誤りがあります。"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(errors=errors)

    @classmethod
    def field(cls, field: str, rule: str, message: str) -> Self:
        """One field breaks one rule, found by the handler: `Invalid.field("body.email", "unique", "…")`."""
        return cls([FieldError(field=field, rule=rule, message=message)])


class Busy(Problem):
    """The service cannot answer right now; the same request may succeed shortly."""

    status = 503
    detail = "ただいま大変混み合っています。しばらくしてからもう一度お試しください。"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}


class InternalError(Problem):
    """The service failed; nothing was changed unless said otherwise."""

    status = 500
    detail = "システムエラーが発生しました。時間をおいても解決しない場合は、お問い合わせください。"
