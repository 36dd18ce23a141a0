"""A form between browser and gateway: the values that were typed, and the sentences beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def whole_number(text: str, most: int = 2**53) -> int | None:
    """A number from 1 to `most` as it was typed in digits; None for everything else, however long."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        return None
    return int(text) if 1 <= int(text) <= most else None


@dataclass
class Form:
    """Values by field name, errors and advice by field name; the field macros of the templates draw it."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    advice: dict[str, list[str]] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """What stands in the field."""
        found = self.values.get(name)
        return "" if found is None else found

    def errors_of(self, name: str) -> list[str]:
        """What is wrong with the field."""
        return self.errors.get(name, [])

    def require(self, labels: Mapping[str, str]) -> None:
        """Mark each of these fields that is empty (R127)."""
        for name, label in labels.items():
            if not str(self.value(name)).strip():
                self.errors[name] = [f"{label}は必須項目です。入力してください。"]

    def add(self, errors: Mapping[str, list[str]]) -> None:
        """Take over a gateway's sentences; a field that is known to be empty keeps the simple one."""
        for name, sentences in errors.items():
            self.errors.setdefault(name, list(sentences))

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors
