"""What a container of a service would read: its settings from given variables and secret files alone."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from chassis.settings import read
from deploy.local.catalogue import KNOWN
from portal.settings import PortalSettings


def settings_class(service: str) -> type[BaseSettings]:
    """Of any service, the portal too."""
    if service == "portal":
        return PortalSettings
    found: type[BaseSettings] = importlib.import_module(f"{service}.service").service.settings
    return found


def unknown(service: str, names: set[str]) -> set[str]:
    """Those variables and files that no setting of the service reads."""
    known = {f"{service}_{name}" for name in settings_class(service).model_fields}
    return {name for name in names if name.lower() not in known}


def settings(
    service: str, environment: Mapping[str, Any], secrets: Mapping[str, str], folder: Path, patch: pytest.MonkeyPatch
) -> Any:
    """The settings; a missing or wrong one ends the test with its name."""
    prefixes = tuple(f"{name.upper()}_" for name in KNOWN)
    for name in [name for name in os.environ if name.startswith(prefixes)]:
        patch.delenv(name)
    for name, value in environment.items():
        patch.setenv(name, str(value))
    own = folder / "secrets"
    own.mkdir(parents=True)
    for name, content in secrets.items():
        (own / name).write_text(content)
    patch.setenv("CREDENTIALS_DIRECTORY", str(own))
    return read(settings_class(service))
