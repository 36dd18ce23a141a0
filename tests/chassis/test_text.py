"""What people type into a full-width field is normalised once, the same way, or refused (ruling F1)."""

import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from chassis.text import full_width, half_width, widen

Name = TypeAdapter(Annotated[str, full_width(5), Field(min_length=1)])
Word = TypeAdapter(Annotated[str, half_width(5, r"^[a-z]*(-[a-z]+)?$")])


def rule(adapter: TypeAdapter[str], text: str) -> str:
    """The rule that the text breaks."""
    with pytest.raises(ValidationError) as found:
        adapter.validate_python(text)
    return str(found.value.errors()[0]["type"])


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("日本太郎", "日本太郎"),
        ("ﾆﾎﾝ", "ニホン"),
        ("ｶﾞｯﾊﾟ", "ガッパ"),
        ("カﾞ", "ガ"),
        ("か\u3099", "が"),
        ("ﾞ", "゛"),
        ("｢ｱ｣･､｡ｰ", "「ア」・、。ー"),
        ("A-1!", "Ａ－１！"),
        (" 　A B\t", "Ａ　Ｂ"),
        ("a\u00a0b", "ａ　ｂ"),
        ("~\\", "～＼"),
        ("髙﨑𠮷", "髙﨑𠮷"),
        ("葛\U000e0100", "葛\U000e0100"),
        ("e\u0301", "é"),
    ],
)
def test_what_is_typed_becomes_full_width(typed: str, kept: str) -> None:
    assert widen(typed) == kept


@pytest.mark.requirement("F1")
@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = widen(text)
    assert widen(once) == once


@pytest.mark.requirement("F1")
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_kept_is_composed(text: str) -> None:
    assert unicodedata.is_normalized("NFC", widen(text))


@pytest.mark.requirement("F1")
def test_length_counts_code_points_after_normalisation() -> None:
    assert Name.validate_python(" ｶﾞｷﾞｸﾞｹﾞｺﾞ ") == "ガギグゲゴ"
    assert rule(Name, "あ" * 6) == "full_width"
    assert Name.validate_python("𠮷" * 5) == "𠮷" * 5


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    "letter", ["\0", "\x07", "\x7f", "\x85x", "\ud800", "\udfff", "\ue000", "\U000f0000", "\u0378", "\ufffe", "\u200b",
               "\u202e", "\ufeff", "\u2028", "\u2029", "a\nb", "a\tb"]
)  # fmt: skip
def test_what_is_no_letter_is_refused(letter: str) -> None:
    assert rule(Name, f"あ{letter}い") == "characters"


def test_a_field_of_blanks_is_empty() -> None:
    assert rule(Name, " 　\t") == "too_short"


def test_half_width_text_is_ascii_of_the_given_shape() -> None:
    assert Word.validate_python(" a-b ") == "a-b"
    for text in ("abcdef", "Ａ", "é", "a\0", "a\nb"):
        assert rule(Word, text) == "half_width"
    for text in ("A", "a-", "-a-"):
        assert rule(Word, text) == "pattern"


def test_the_rules_stand_in_the_schema() -> None:
    assert Name.json_schema() == {"type": "string", "minLength": 1, "maxLength": 5}
    assert Word.json_schema() == {"type": "string", "maxLength": 5, "pattern": r"^[a-z]*(-[a-z]+)?$"}
