"""What audit is told by its environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import Settings


class AuditSettings(Settings):
    """Settings of audit, from AUDIT_… variables."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_", extra="ignore", hide_input_in_errors=True)

    database_connections: int = Field(16, ge=8, le=200, description="leaders and downloads each hold one for a while")
    gap_seconds: float = Field(
        40,
        gt=0,
        description="how long an event may be missing before it is reported, when its producer speaks next",
    )
    checkpoint_seconds: float = Field(60, gt=0, description="at the latest after this time what was added is signed")
    checkpoint_rows: int = Field(10_000, ge=1, description="at the latest after so many rows what was added is signed")
    checkpoints: Path | None = Field(
        None, description="file for the signed checkpoints, on storage of its own; none: checkpoints.jsonl under STATE"
    )

    @property
    def checkpoint_file(self) -> Path:
        """Where the checkpoints are written, outside of the database."""
        return self.checkpoints or self.state / "checkpoints.jsonl"
