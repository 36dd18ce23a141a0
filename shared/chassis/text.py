"""Rules for text that people type, as annotations for pydantic: full-width text is normalised, half-width is checked.

Name = Annotated[str, full_width(50)]
Mail = Annotated[str, half_width(50, r"^[^@]+@[^@]+$")]
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

_HALF_FORMS: Final = re.compile("[\uff61-\uff9f\uffe8-\uffee]+")
_WIDE: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x3099: 0x309B, 0x309A: 0x309C}
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, invisible formats (they hide, or turn text around), lone surrogates, private and unassigned code points."""


@dataclass(frozen=True, slots=True, eq=False)  # hashable, as a part of a union must be
class Rule:
    """What `full_width` and `half_width` put into an annotation."""

    check: Callable[[str], str]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A string, then the rule."""
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What of the rule JSON Schema can say."""
        return {**handler(schema), **self.schema}


def full_width(max_length: int) -> Rule:
    """Text in full-width letters, at most `max_length` code points after `widen`; empty is allowed (ruling F1)."""

    def check(text: str) -> str:
        wide = widen(text)
        if any(unicodedata.category(letter) in _REFUSED for letter in wide):
            raise PydanticCustomError("characters", "使用できない文字が含まれています。")
        if len(wide) > max_length:
            limit = {"max_length": max_length}
            raise PydanticCustomError("full_width", "全角{max_length}文字以内で入力してください。", limit)
        return wide

    return Rule(check, {"maxLength": max_length})


def half_width(max_length: int, pattern: str) -> Rule:
    """Printable ASCII of at most `max_length` characters that matches `pattern` as a whole, outer blanks cut."""
    shape = re.compile(pattern)

    def check(text: str) -> str:
        cut = text.strip()
        if len(cut) > max_length or not (cut.isascii() and cut.isprintable()):
            limit = {"max_length": max_length}
            raise PydanticCustomError("half_width", "半角{max_length}文字以内で入力してください。", limit)
        if not shape.fullmatch(cut):
            raise PydanticCustomError("pattern", "形式が正しくありません。")
        return cut

    return Rule(check, {"maxLength": max_length, "pattern": pattern})


def widen(text: str) -> str:
    """What people type in place of full-width letters, made full-width: ASCII, half-width kana, every kind of space.

    Voicing marks join their kana (ｶﾞ → ガ, NFC), or stand alone where there is nothing to join; outer blanks go.
    Doing it again changes nothing.
    """
    composed = unicodedata.normalize("NFC", _HALF_FORMS.sub(lambda kana: unicodedata.normalize("NFKC", kana[0]), text))
    spaced = "".join("\u3000" if unicodedata.category(letter) == "Zs" else letter for letter in composed.strip())
    return spaced.translate(_WIDE)
