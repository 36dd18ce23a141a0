"""Which passwords everybody tries first: an offline list, and what people make of its words (L4)."""

import re
from pathlib import Path
from typing import Final

LISTED: Final = frozenset(
    line
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
FEWEST_LETTERS: Final = 5
LONGEST_UNIT: Final = 6

_PLAIN: Final = str.maketrans("013457@$!", "oieastasi")
_ENDS: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SIGNS: Final = re.compile(r"[\W\d_]+")
_RUNS: Final = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def is_common(password: str) -> bool:
    """Listed; or one or two listed words dressed with digits, signs and look-alikes; or a pattern of few letters."""
    lowered = password.lower()
    if len(set(lowered)) < FEWEST_LETTERS or _repeats(lowered) or _is_run(lowered):
        return True
    plain = lowered.translate(_PLAIN)
    bare = _ENDS.sub("", lowered)
    shapes = {lowered, plain, bare, _ENDS.sub("", bare.translate(_PLAIN)), _SIGNS.sub("", lowered)}
    return any(_is_listed(shape) for shape in shapes)


def _is_listed(shape: str) -> bool:
    if shape in LISTED:
        return True
    return any(shape[:place] in LISTED and shape[place:] in LISTED for place in range(3, len(shape) - 2))


def _repeats(text: str) -> bool:
    """The same few letters over and over, the last time perhaps cut short."""
    units = range(1, min(LONGEST_UNIT, len(text) // 2) + 1)
    return any((text[:unit] * (len(text) // unit + 1)).startswith(text) for unit in units)


def _is_run(text: str) -> bool:
    """Letters in the order of the alphabet, the digits or a row of keys, either way, at most three such pieces."""
    pieces, place = 0, 0
    while place < len(text) and pieces < 4:
        length = max(_run_length(text[place:], run) for row in _RUNS for run in (row, row[::-1]))
        place, pieces = place + length, pieces + 1
    return place >= len(text) and pieces <= 3


def _run_length(text: str, run: str) -> int:
    start = run.find(text[0])
    if start < 0:
        return 1
    length = 1
    while length < len(text) and run[start + length : start + length + 1] == text[length]:
        length += 1
    return length
