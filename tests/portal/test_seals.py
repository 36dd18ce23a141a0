"""What is too long for a URL waits on a shelf that has room for everybody."""

import os

import pytest

from portal import seals
from portal.seals import Seals, Unreadable

SECRET = "a secret of the tests that is long enough"


def test_one_user_pushes_the_own_oldest_input_off_the_shelf_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    box, text = Seals(SECRET), os.urandom(4_000).hex()
    monkeypatch.setattr(seals, "MOST_SHELVED", 8 * len(text))
    monkeypatch.setattr(seals, "MOST_SHELVED_OF_ONE", 3 * len(text))
    waiting = box.seal(text, "another", "/screen")
    keys = [box.seal(text, "one", "/screen") for _ in range(20)]
    assert box.unseal(waiting, "another", "/screen") == text
    assert box.unseal(keys[-1], "one", "/screen") == text
    with pytest.raises(Unreadable):
        box.unseal(keys[0], "one", "/screen")


def test_the_shelf_of_all_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    box, text = Seals(SECRET), os.urandom(4_000).hex()
    monkeypatch.setattr(seals, "MOST_SHELVED", 3 * len(text))
    keys = [box.seal(text, f"user {number}", "/screen") for number in range(10)]
    assert box.unseal(keys[-1], "user 9", "/screen") == text
    with pytest.raises(Unreadable):
        box.unseal(keys[0], "user 0", "/screen")
