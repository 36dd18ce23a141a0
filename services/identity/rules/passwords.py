"""What a password must be like (L4), and how what was typed is read."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from identity.rules.common_passwords import is_common


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a new password breaks, with a sentence for its user."""

    rule: str
    message: str


def normalised(password: str) -> str:
    """The same letters however they were typed: full-width and half-width, composed or not (NFKC, NIST 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def broken_rules(password: str, *, user_id: str, current: str, shortest: int, longest: int) -> list[Broken]:
    """Every rule that `password` breaks as a successor of `current`; both normalised. Empty: it is good."""
    return list(_broken(password, user_id, current, shortest, longest))


def _broken(password: str, user_id: str, current: str, shortest: int, longest: int) -> Iterator[Broken]:
    if len(password) < shortest:
        yield Broken("too_short", f"パスワードは{shortest}文字以上で入力してください。")
    if len(password) > longest:
        yield Broken("too_long", f"パスワードは{longest}文字以内で入力してください。")
    if not all(map(_printable, password)):
        yield Broken("unprintable", "パスワードに使用できない文字（制御文字など）が含まれています。")
    if password == current:
        yield Broken("current", "現在のパスワードはご利用いただけません。")
    if user_id in password:
        yield Broken("contains_user_id", "パスワードにWebユーザーIDを含めることはできません。")
    if len(password) <= longest and is_common(password):  # else the time that this takes is the sender's to choose
        yield Broken("common", "推測されやすいパスワードです。別のパスワードを入力してください。")


def _printable(letter: str) -> bool:
    """The blank counts as printable; other separators, controls, surrogates and unassigned code points do not."""
    return letter == " " or unicodedata.category(letter)[0] not in "CZ"
