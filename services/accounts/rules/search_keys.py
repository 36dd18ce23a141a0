"""One spelling for everything people may type when they look for a bank."""

import unicodedata
from typing import Final

_HIRAGANA_TO_KATAKANA: Final = {code: code + 0x60 for code in range(0x3041, 0x3097)}
# Bank systems write small kana large (キヨウ for キョウ), people write them either way.
_SMALL_TO_LARGE: Final = dict(zip(map(ord, "ァィゥェォッャュョヮヵヶ"), "アイウエオツヤユヨワカケ", strict=True))
_ONE_DASH: Final = dict.fromkeys(map(ord, "‐‑‒–—―−-"), "ー")


def search_key(text: str) -> str:
    """Width, script, case, small kana, kinds of dashes and blanks no longer tell two spellings apart."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    kana = plain.translate(_HIRAGANA_TO_KATAKANA).translate(_SMALL_TO_LARGE).translate(_ONE_DASH)
    return unicodedata.normalize("NFKC", "".join(kana.split()))
