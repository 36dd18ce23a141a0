"""The catalogue has exactly the manual's 43 operations in 9 groups, in both spellings."""

import pytest

from contracts.operations import GROUPS, LABELS, PRINTED, Operation

CODES = [
    *("1-1", "1-2", "1-3", "1-4", "1-5"),
    *("2-1", "2-2", "2-3", "2-4", "2-5", "2-6"),
    *("3-1", "3-2", "3-3", "3-4"),
    *("4-1", "4-2"),
    *("5-1", "5-2"),
    *("6-1", "6-2", "6-3", "6-4", "6-5"),
    *("7-1", "7-2", "7-3", "7-4", "7-5", "7-6"),
    *("8-1", "8-2", "8-3", "8-4"),
    *("9-1", "9-2", "9-3", "9-4", "9-5", "9-6", "9-7", "9-8", "9-9"),
]


@pytest.mark.requirement("R254", "H2")
def test_the_catalogue_is_closed() -> None:
    assert [operation.value for operation in Operation] == CODES
    assert list(LABELS) == list(PRINTED) == list(Operation)
    assert list(GROUPS) == list(range(1, 10))


@pytest.mark.requirement("R313", "R314", "H6")
def test_the_printed_spelling_is_code_and_label_without_a_blank_and_with_full_width_parentheses() -> None:
    for operation, printed in PRINTED.items():
        assert printed.startswith(f"[{operation}]")
        assert not set(printed) & set(" ()　")
        widened = LABELS[operation].replace(" (", "（").replace("(", "（").replace(") ", "）").replace(")", "）")
        assert printed == f"[{operation}]{widened}"
