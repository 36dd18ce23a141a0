"""What every procedure's sheet can do; the three steps of an application work with this alone."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.answers import Answer
from portal.visits import Visit

CONTENT: Final = "content."


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a confirmation: how it will be, and how it is."""

    label: str
    value: str
    before: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a draft cannot be carried out as things stand, and what to think of before it is; empty for nothing."""

    objection: str = ""
    hint: str = ""


class NothingToCorrect(Exception):
    """What a saved draft was to change is not there any more: it cannot be corrected, but looked at and withdrawn.

    Becomes the page of the application by itself; `why` stands on top of it.
    """

    def __init__(self, number: str, why: str) -> None:
        super().__init__(number)
        self.number, self.why = number, why


class Sheet(ABC):
    """One kind of procedure: its words, and how its content is shown. Alone it has nothing to type."""

    title: str
    """Stands before the name of the step in the headings."""
    steps: tuple[str, ...] = ("申込内容の入力", "申込内容の確認", "申込完了")
    apply: str = "申込み"
    overview: tuple[str, str] = ("/", "ユーザーページへ")
    """Where the confirmation leads back to, and its words."""
    pattern: int = 1
    editable: bool = False
    """Whether there is an input to go back to."""
    attachments: bool = False

    @abstractmethod
    async def rows(self, visit: Visit, application: Mapping[str, Any]) -> list[Row]:
        """The content item by item, for confirmation, completion and detail."""

    async def judged(self, visit: Visit, application: Mapping[str, Any]) -> Judgement:
        """Whether a draft could be carried out if it were submitted now."""
        return Judgement()

    def place(self, errors: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """A gateway's errors by field."""
        return {name.removeprefix(CONTENT): sentences for name, sentences in errors.items()}


class InputSheet(Sheet):
    """A sheet with an input.

    `carried` is what the input hides, sealed, between its page and its button: what it was opened with.
    """

    template: str
    """The input."""
    onward: str = "申込内容の確認へ"
    editable = True

    @abstractmethod
    def required(self, carried: Mapping[str, Any]) -> Mapping[str, str]:
        """Label by name of the fields that may not be empty."""

    @abstractmethod
    def read(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the input's fields out of what a form sent."""

    @abstractmethod
    def values(self, content: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the input's fields for a saved content."""

    @abstractmethod
    def content(self, values: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        """What is saved."""

    @abstractmethod
    async def resume(self, visit: Visit, application: Mapping[str, Any]) -> dict[str, Any]:
        """What the input of a saved draft carries, beside its number and version. Raises NothingToCorrect."""

    async def look(self, visit: Visit, carried: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """What the input's template wants to know beside its form."""
        return {}

    def aside(self, visit: Visit, carried: dict[str, Any], values: dict[str, Any], path: str) -> Answer | None:
        """Where another button of the input than the one onward leads."""
        return None


def text_of(typed: Mapping[str, Any], name: str) -> str:
    """One text field; files and fields that were not sent are empty."""
    value = typed.get(name)
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def digits_of(typed: Mapping[str, Any], name: str) -> str:
    """The same for digits, which people may type in either width."""
    return unicodedata.normalize("NFKC", text_of(typed, name))
