"""What every record of something a person did has in common; audit reads only this part of any event."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from chassis.messages import Event
from contracts.operations import Operation


class Operator(BaseModel):
    """Who did it, as of that moment (R316, R317, H3); later changes of the user never alter it."""

    model_config = ConfigDict(frozen=True)
    policyholder_code: str = Field(max_length=9, description="empty for people who belong to no policyholder")
    user_id: str = Field(max_length=64)
    name: str = Field("", max_length=50)
    department: str = Field("", max_length=25)
    title: str = Field("", max_length=50)

    @classmethod
    def at_the_terminal(cls, name: str) -> "Operator":
        """Who gave a command; what guards commands is the machine's own login."""
        return cls(policyholder_code="", user_id=f"operator:{name}"[:64])


class Outcome(StrEnum):
    """What became of it."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Action(Event):
    """What a person did or tried to do; with an `operation` it belongs to the access history, else to the trail."""

    operator: Operator
    operation: Operation | None = None
    outcome: Outcome = Outcome.DONE
    session_id: str | None = Field(None, description="public handle of the session, not its token")
    source_address: str | None = Field(None, description="address the request came from")


class OperatorActed(Action):
    """An operator's deed; each service declares its own child of this."""

    command: str
    about: str

    @classmethod
    def at_the_terminal(cls, name: str, command: str, about: str) -> Self:
        """A command that concerns no policyholder in particular."""
        return cls(operator=Operator.at_the_terminal(name), command=command, about=about)


class AccessRefused(Action):
    """Somebody asked for what is not theirs; each service declares its own child of this."""

    outcome: Outcome = Outcome.REFUSED
    method: str
    path: str = Field(description="route template, not the path with its values")
    reason: str = Field(description="name of the problem")
