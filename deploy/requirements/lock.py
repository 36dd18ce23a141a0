"""Compiles every requirements.txt with hashes and without the name of any registry: the house's and each service's."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".venv" / "bin" / "uv"
OPTIONS = (
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-annotate",
    "--no-header",
)


def main() -> None:
    """uv itself, the house, then each service within the versions of the house."""
    own = {description["name"]: description["dependencies"] for description in distributions().values()}
    compile_to(ROOT / "deploy" / "requirements" / "uv.txt", "What .venv is filled with", ["uv"], upgrade=True)
    house = (ROOT / "requirements.in").read_text().splitlines()
    compile_to(ROOT / "requirements.txt", "What the house and its tests are installed from", house, upgrade=True)
    catcher = ["aiohttp", "aiosmtpd", "jinja2"]
    target = ROOT / "deploy" / "requirements" / "mailcatcher.txt"
    compile_to(target, "What the mail catcher's image is filled with", catcher, upgrade=False)
    target = ROOT / "deploy" / "requirements" / "traces.txt"
    extra = distributions()[ROOT / "shared" / "chassis"]["optional-dependencies"]["traces"]
    compile_to(target, "What a service that sends spans is installed from in addition", extra, upgrade=False)
    for folder, description in distributions().items():
        if folder.parent.name == "services":
            title = f"What {folder.name} is installed from, beside our own chassis and contracts"
            compile_to(folder / "requirements.txt", title, outside(description["name"], own), upgrade=False)


def distributions() -> dict[Path, dict[str, Any]]:
    """The description of each of our own distributions, by folder."""
    files = sorted([*ROOT.glob("services/*/pyproject.toml"), *ROOT.glob("shared/*/pyproject.toml")])
    return {file.parent: tomllib.loads(file.read_text())["project"] for file in files}


def outside(name: str, own: dict[str, list[str]]) -> list[str]:
    """What it needs from others, with what our own distributions that it needs do need."""
    for need in own[name]:
        if need in ("chassis", "contracts"):  # strangers of these names are in public registries
            sys.exit(f"{name} asks for {need!r}: our own distribution is called nexi-web-{need}.")
    wanted = [need for need in own[name] if need not in own]
    return wanted + [far for near in own[name] if near in own for far in outside(near, own)]


def compile_to(target: Path, title: str, wanted: list[str], upgrade: bool) -> None:
    """Pin and hash; a service takes the versions that the house was tested with."""
    command: list[str | Path] = [UV, "pip", "compile", *OPTIONS, "--output-file", target, "-"]
    command += ["--upgrade"] if upgrade else ["--constraint", ROOT / "requirements.txt"]
    subprocess.run(command, input="\n".join(wanted), text=True, check=True, cwd=ROOT)
    target.write_text(f"# {title}; compiled by `make lock`.\n{target.read_text()}", encoding="utf-8")


if __name__ == "__main__":
    main()
