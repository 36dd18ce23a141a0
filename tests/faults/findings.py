"""What a check found: counts, and lists of what must not be."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Findings:
    """Counts; everything from `lost` on must be nothing."""

    acknowledged: int = 0
    unknown: int = 0
    recovered: int = 0
    repeated_mails: int = 0
    quarantined: int = 0
    lost: list[Any] = field(default_factory=list)
    duplicated: list[Any] = field(default_factory=list)
    unexpected: list[Any] = field(default_factory=list)
    gaps: list[Any] = field(default_factory=list)
    inconsistent: list[Any] = field(default_factory=list)
    parked: list[Any] = field(default_factory=list)
    stuck: list[Any] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[Any]]:
        """What must not be there, the first of each kind."""
        return {name: found[:5] for name, found in asdict(self).items() if isinstance(found, list) and found}

    def line(self) -> str:
        """For the table."""
        counts = {name: len(one) if isinstance(one, list) else one for name, one in asdict(self).items()}
        return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
