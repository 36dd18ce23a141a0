"""Every letter can be read, whatever letters were drawn before it."""

import io
import secrets
import string
from datetime import UTC, datetime

import pypdf
import pytest

from notifier.letters.sheets import Letter, _folded, draw


@pytest.mark.requirement("R65", "N1")
def test_each_of_many_letters_shows_its_own_id_and_password() -> None:
    for _ in range(8):
        password = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))
        user_id = f"{secrets.randbelow(10**9):09d}000"
        letter = Letter(
            "100-0001",
            "東京都千代田区千代田１－１",
            "株式会社見本商事",
            "日本　太郎",
            user_id,
            password,
            datetime.now(UTC),
        )
        text = pypdf.PdfReader(io.BytesIO(draw(letter))).pages[0].extract_text()
        assert user_id in text
        assert password in text


@pytest.mark.requirement("R65")
def test_an_address_breaks_at_blanks_and_never_before_a_letter_that_may_not_begin_a_line() -> None:
    assert list(_folded("東京都千代田区西神田三丁目８番１号　千代田ファーストビル東館", 23)) == [
        "東京都千代田区西神田三丁目８番１号", "千代田ファーストビル東館",
    ]  # fmt: skip
    assert list(_folded("あいうえおかきくけー", 9)) == ["あいうえおかきく", "けー"]
    whole = "北海道札幌市" * 20
    assert "".join(_folded(whole, 23)) == whole
    assert "" not in list(_folded("ー" * 30, 23))
