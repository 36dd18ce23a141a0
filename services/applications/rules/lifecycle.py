"""The life cycle of every application (ruling P1): the whole of it is the table TRANSITIONS."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where an application stands. `entering` is the front end's own and never reaches us."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    COMPLETED = "completed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


LABELS = {
    State.DRAFT: "入力中",
    State.SUBMITTED: "申込中",
    State.COMPLETED: "手続完了",
    State.REJECTED: "不受理",
    State.WITHDRAWN: "取下げ",
}
"""As the list shows them; 入力中 and 申込中 are the manual's words (R86)."""


class Step(StrEnum):
    """What moves an application."""

    CONFIRM = "confirm"
    """First arrival at the confirmation screen: the number is allotted, the content saved (R48)."""
    CORRECT = "correct"
    """修正する and confirmed again: saved under the same number (W7)."""
    ATTACH = "attach"
    DETACH = "detach"
    SUBMIT = "submit"
    """申込む (R47)."""
    WITHDRAW = "withdraw"
    COMPLETE = "complete"
    REJECT = "reject"


TRANSITIONS: Mapping[Step, tuple[State | None, State]] = MappingProxyType(
    {
        Step.CONFIRM: (None, State.DRAFT),
        Step.CORRECT: (State.DRAFT, State.DRAFT),
        Step.ATTACH: (State.DRAFT, State.DRAFT),
        Step.DETACH: (State.DRAFT, State.DRAFT),
        Step.SUBMIT: (State.DRAFT, State.SUBMITTED),
        Step.WITHDRAW: (State.DRAFT, State.WITHDRAWN),
        Step.COMPLETE: (State.SUBMITTED, State.COMPLETED),
        Step.REJECT: (State.SUBMITTED, State.REJECTED),
    }
)
"""Step → (from, to). Each is one statement on one row that names the state it starts from."""

AFTER_SUBMISSION = frozenset({State.SUBMITTED, State.COMPLETED, State.REJECTED})


def already_taken(step: Step, state: State) -> bool:
    """Whether an application in `state` has this step behind it, so that asking for it again changes nothing."""
    if step is Step.SUBMIT:
        return state in AFTER_SUBMISSION
    return step is Step.WITHDRAW and state is State.WITHDRAWN
