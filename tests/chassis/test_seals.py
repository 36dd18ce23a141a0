"""A sealed secret opens for one key and one place only, and its length says nothing."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chassis.seals import BrokenSeal, Sealed, seal, unseal

KEY = X25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
PLACE = ("one_time_password", "taro@example.com", "123456789001")


def sealed(secret: str = "12345678") -> Sealed:
    """A secret sealed for PLACE."""
    return seal(secret, key_id="k1", public_key=PUBLIC, place=PLACE)


@given(st.text(max_size=60))
def test_what_was_sealed_opens_unchanged(secret: str) -> None:
    assert unseal(sealed(secret), private_key=KEY, place=PLACE) == secret


def test_another_place_does_not_open_it() -> None:
    for place in [("password_reset", *PLACE[1:]), (PLACE[0], "mallory@example.com", PLACE[2]), PLACE[:2], (*PLACE, "")]:
        with pytest.raises(BrokenSeal):
            unseal(sealed(), private_key=KEY, place=place)


def test_parts_of_the_place_cannot_be_shifted_into_each_other() -> None:
    one = seal("x", key_id="k1", public_key=PUBLIC, place=("ab", "c"))
    with pytest.raises(BrokenSeal):
        unseal(one, private_key=KEY, place=("a", "bc"))


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(BrokenSeal):
        unseal(sealed(), private_key=X25519PrivateKey.generate(), place=PLACE)


def test_every_changed_byte_is_noticed() -> None:
    whole = base64.b64decode(sealed().ciphertext)
    for position in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[position] ^= 1
        broken = Sealed(key_id="k1", ciphertext=base64.b64encode(bytes(changed)).decode())
        with pytest.raises(BrokenSeal):
            unseal(broken, private_key=KEY, place=PLACE)


def test_the_length_of_the_secret_cannot_be_seen() -> None:
    assert len({len(sealed("x" * length).ciphertext) for length in (0, 1, 8, 200, 254)}) == 1


def test_the_secret_cannot_be_read_in_what_travels() -> None:
    assert "12345678" not in sealed().model_dump_json()
    assert b"12345678" not in base64.b64decode(sealed().ciphertext)


def test_a_secret_that_would_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        sealed("あ" * 85)
