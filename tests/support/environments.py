"""Settings as environment variables."""

import json
from typing import Any

from chassis.settings import Settings


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables from which a process of the same service reads these settings."""
    prefix = str(settings.model_config["env_prefix"])
    told = settings.model_dump(mode="json", exclude_none=True)
    return {f"{prefix}{name.upper()}": _written(value) for name, value in told.items()}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
