"""The templates: how they are loaded, and what every one of them can say."""

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.assets import Assets
from portal.settings import PortalSettings

FOLDER: Final = Path(__file__).parent
TOKYO: Final = timezone(timedelta(hours=9), "JST")


class Renderer:
    """Draws pages; everything that is not markup of ours is escaped."""

    def __init__(self, settings: PortalSettings, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {"moment": moment, "day": day, "pairs": pairs}
        self._environment.globals |= {
            "asset": assets.url,
            "help_texts": help_texts(),
            "manual_url": settings.manual_url,
            "contact_url": settings.contact_url,
            "top_url": settings.top_url,
        }

    def draw(self, template: str, context: Mapping[str, Any]) -> str:
        """The HTML of a page."""
        return self._environment.get_template(template).render({**context, "template": template})


def help_texts() -> dict[str, Any]:
    """The help on fields (`help.toml`): screen → title, and fields → label and sentence."""
    return tomllib.loads((FOLDER / "help.toml").read_text(encoding="utf-8"))


def pairs(values: Mapping[str, Any]) -> str:
    """The part of an address after `?`; a list stands for a name that comes several times."""
    return urlencode(values, doseq=True)


def moment(text: str | None) -> str:
    """An ISO time as people in Japan read it; 「―」 for none."""
    if not text:
        return "―"
    return datetime.fromisoformat(text).astimezone(TOKYO).strftime("%Y/%m/%d %H:%M:%S")


def day(text: str | None) -> str:
    """The day of an ISO time or date in Japan."""
    if not text:
        return "―"
    found = datetime.fromisoformat(text)
    return (found.astimezone(TOKYO) if found.tzinfo else found).strftime("%Y/%m/%d")
