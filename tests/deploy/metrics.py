"""The metrics that the alerts and the dashboard ask for, and of which service."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from deploy.credentials import SERVICES
from deploy.local.state import ROOT

FOLDER = ROOT / "deploy" / "kubernetes" / "monitoring"
NAME = re.compile(r"\b([a-z]+(?:_[a-z0-9]+)*)\s*(?=[{\[]|\)|$| >| ==)(\{[^}]*\})?")
LABELS = re.compile(r"\bby \([^)]*\)")
OWN = re.compile(r'service="(\w+)"')
SCRAPE = {"up"}  # made by Prometheus itself


def alerts() -> list[dict[str, Any]]:
    """The rules."""
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    return [rule for group in document["spec"]["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels."""
    found: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return found


def expressions() -> list[str]:
    """Everything that Prometheus is asked."""
    return [rule["expr"] for rule in alerts()] + [one["expr"] for panel in panels() for one in panel["targets"]]


def asked_of(service: str) -> set[str]:
    """The metrics a service must export, without the endings that Prometheus adds to histograms."""
    return {name for expression in expressions() for name, services in asked(expression) if service in services}


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """(metric, services): those that its selector names, else every service that has a database."""
    for name, selector in NAME.findall(LABELS.sub("", " ".join(expression.split()))):
        if name not in SCRAPE:
            named = OWN.search(selector)
            every = {*SERVICES, "portal"} if name.startswith("http_") else set(SERVICES)
            yield re.sub(r"_(bucket|count|sum)$", "", name), {named[1]} if named else every
