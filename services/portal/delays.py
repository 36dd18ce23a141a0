"""What is said beside a success that is not certain everywhere yet, because a process or the broker is silent (L9)."""

from collections.abc import Mapping
from typing import Any

from portal.rendering import moment


def until_everywhere(done: Mapping[str, Any]) -> str:
    """From when identity's answer is certain to be in force everywhere, as a sentence; empty when it is already."""
    certain_from = done["in_force_from"]
    if certain_from is None:
        return ""
    return f"一部の機能への反映を確認できていません。遅くとも{moment(certain_from)}には、すべての機能に反映されます。"
