"""Reads a Dockerfile: its instructions in order, stage by stage."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.state import ROOT

IMAGE = ROOT / "deploy" / "Dockerfile"
CATCHER = ROOT / "deploy" / "mailcatcher.Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined."""

    word: str
    rest: str

    @property
    def exec_form(self) -> list[str]:
        """The words of a command that no shell looks at."""
        return [str(word) for word in json.loads(self.rest[self.rest.index("[") :])]


def stages(path: Path) -> list[list[Instruction]]:
    """The instructions of each stage; the first of each is its FROM."""
    lines = re.sub(r"(?m)^#.*\n", "", path.read_text()).replace("\\\n", " ").splitlines()
    found: list[list[Instruction]] = []
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, " ".join(rest.split())))
    return found


def of(stage: list[Instruction], word: str) -> list[Instruction]:
    """Those of one kind."""
    return [one for one in stage if one.word == word]


def environment(stage: list[Instruction]) -> dict[str, Any]:
    """What ENV sets."""
    return dict(pair.split("=", 1) for one in of(stage, "ENV") for pair in one.rest.split())
