"""Every letter can be read, whatever letters were drawn before it."""

import io
import secrets
import string
from datetime import UTC, datetime

import pypdf
import pytest

from notifier.letters.sheets import Letter, draw


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
