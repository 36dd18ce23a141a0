"""The refusals that several of these doors share."""

from applications.rules.lifecycle import LABELS
from applications.store.rows import Application
from chassis.http import Problem


class StaleVersion(Problem):
    """The draft was saved again since this version was read."""

    status = 412
    detail = "ほかの画面または利用者により内容が更新されています。最新の内容をご確認ください。"


class WrongState(Problem):
    """The application is not in a state in which this can be done."""

    status = 409
    detail = "この申込みは、現在の状態ではこの操作を行えません。"


class KeyReused(Problem):
    """The Idempotency-Key was used for another request."""

    status = 422
    detail = "同じIdempotency-Keyが、内容の異なるリクエストで使用されています。"


class TooManyKeys(Problem):
    """As many Idempotency-Keys of this user are remembered as may be; a request without one is not refused for it."""

    status = 429
    detail = "過去1週間に保存または変更できる回数の上限に達しました。時間をおいてからもう一度お試しください。"


class ProfileUnknown(Problem):
    """The policyholder's profile is not known yet."""

    status = 409
    detail = "保険利用者情報を確認できません。しばらくしてからもう一度お試しください。"


class TooManyApplications(Problem):
    """The policyholder began too many applications today, or all together used up the numbers of the day."""

    status = 429
    detail = "本日作成できる申込みの件数を超えています。"


def not_moved(found: Application, version: int) -> Problem:
    """Why a step that starts from a given version of a draft was not taken."""
    if found.version != version:
        return StaleVersion(current_version=found.version)
    return WrongState(
        detail=f"この申込みは「{LABELS[found.state]}」のため、この操作を行えません。", state=found.state.value
    )
