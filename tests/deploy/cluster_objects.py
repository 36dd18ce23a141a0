"""An overlay as kubectl builds it: every object, with secrets made for the occasion, and questions about them."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import credentials
from deploy.local.state import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("production", "trial")
PART = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
Object = Mapping[str, Any]


class Objects:
    """The objects of one overlay."""

    def __init__(self, every: list[Object]) -> None:
        self.every = every

    def of(self, kind: str) -> list[Object]:
        """All of a kind."""
        return [one for one in self.every if one["kind"] == kind]

    def named(self, kind: str, name: str) -> Object:
        """The one of that kind and name."""
        [found] = [one for one in self.of(kind) if one["metadata"]["name"] == name]
        return found

    def pods(self) -> Iterator[tuple[Object, Object]]:
        """(whose, pod template) of everything that runs."""
        for one in [*self.of("Deployment"), *self.of("Job")]:
            yield one, one["spec"]["template"]

    def environment(self, container: Object) -> dict[str, str]:
        """The variables of a container."""
        maps = [one["configMapRef"]["name"] for one in container.get("envFrom", [])]
        return {name: value for one in maps for name, value in self.named("ConfigMap", one)["data"].items()}

    def secrets(self, template: Object) -> dict[str, str]:
        """The files in /run/secrets of a pod."""
        [volume] = [one for one in template["spec"]["volumes"] if one["name"] == "secrets"]
        data = self.named("Secret", volume["secret"]["secretName"])["data"]
        return {name: base64.b64decode(content).decode() for name, content in data.items()}

    def names(self, template: Object) -> set[tuple[str, str]]:
        """(kind, name) of everything that the volumes of a pod name."""
        keys = (("secret", "Secret"), ("configMap", "ConfigMap"), ("persistentVolumeClaim", "PersistentVolumeClaim"))
        found = set()
        for volume in template["spec"]["volumes"]:
            for source in volume.get("projected", {}).get("sources", [volume]):
                for key, kind in keys:
                    if key in source:
                        one = source[key]
                        found.add((kind, one.get("secretName") or one.get("claimName") or one["name"]))
        return found


def build(overlay: str, folder: Path) -> Objects:
    """Of a copy of the files, so that no secret touches the checkout."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on this machine")
    copy = folder / "kubernetes"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("secrets"))
    credentials.main([str(copy / "credentials" / "secrets"), "--postgres=postgres-rw"])
    done = subprocess.run(
        [kubectl, "kustomize", str(copy / "overlays" / overlay)],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Objects([one for one in yaml.safe_load_all(done.stdout) if one])


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes an object with these labels."""
    wanted = all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
    operators = {"NotIn": lambda value, values: value not in values, "In": lambda value, values: value in values}
    return wanted and all(
        operators[one["operator"]](labels.get(one["key"]), one["values"])
        for one in selector.get("matchExpressions", [])
    )
