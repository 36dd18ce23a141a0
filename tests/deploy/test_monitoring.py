"""Alerts and dashboard ask only for metrics that exist (test_image reads them from each service), and help at 3 a.m."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.local.state import ROOT
from tests.deploy import metrics


def headings() -> set[str]:
    """The anchors of the runbook."""
    titles = re.findall(r"(?m)^##+ (.*)$", (ROOT / "docs" / "operations.md").read_text())
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("rule", metrics.alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/operations.md" and anchor in headings()


def test_every_alert_is_explained_in_the_runbook() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert [rule["alert"] for rule in metrics.alerts() if f"`{rule['alert']}`" not in page] == []


def test_every_expression_names_a_metric_that_a_service_has() -> None:
    for expression in metrics.expressions():
        assert list(metrics.asked(expression)) or expression.count("up{") == 1, expression


def test_panels_have_a_title_a_unit_and_a_place() -> None:
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in metrics.panels()]
    assert len(set(places)) == len(places)
    assert all(one["title"] and one["fieldConfig"]["defaults"]["unit"] for one in metrics.panels())


def test_prometheus_itself_accepts_the_rules(tmp_path: Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not on this machine")
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(yaml.safe_load((metrics.FOLDER / "alerts.yaml").read_text())["spec"]))
    done = subprocess.run([program, "check", "rules", str(rules)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
