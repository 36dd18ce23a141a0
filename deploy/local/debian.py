"""RabbitMQ and Erlang out of Debian's packages, unpacked into our own folder: nothing installed, no root needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.local.refusals import Refusal

PACKAGE = "rabbitmq-server"
HOME_VARIABLE = "PRIVATE_ERLANG"  # where the unpacked Erlang lives now; a checkout may be moved
OTHER_WAY = "or install RabbitMQ and name its folder in RABBITMQ_HOME, or a running one in RABBITMQ_URL"


def unpack(prefix: Path) -> Path:
    """Fetch and unpack RabbitMQ into `prefix` (about 60 MB) unless it is there; returns the prefix."""
    if prefix.exists():
        return prefix
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(tool):
            raise Refusal(f"RabbitMQ cannot be fetched because {tool} is missing: install it, {OTHER_WAY}.")
    with tempfile.TemporaryDirectory(dir=prefix.parent) as work:
        archives, fresh = Path(work) / "archives", Path(work) / "fresh"
        download(archives)
        for archive in sorted(archives.glob("*.deb")):
            run(["dpkg-deb", "-x", str(archive), str(fresh)], archives)
        relocate(fresh)
        try:
            fresh.rename(prefix)
        except OSError:  # somebody else unpacked the same first
            if not prefix.exists():
                raise
    return prefix


def download(archives: Path) -> None:
    """The broker and every Erlang package it needs, whatever this machine has installed itself."""
    lists = archives / "lists"
    for folder in (lists / "partial", archives / "cache" / "archives" / "partial"):
        folder.mkdir(parents=True)
    options = [f"-oDir::State::lists={lists}", f"-oDir::Cache={archives / 'cache'}", "-oDebug::NoLocking=1"]
    options += ["-oAPT::Sandbox::User=root"] if os.geteuid() == 0 else []
    run(["apt-get", "-qq", *options, "update"], archives)
    others = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    only_depends = [f"--no-{kind}" for kind in others]
    tree = run(["apt-cache", *options, "depends", "--recurse", *only_depends, PACKAGE], archives)
    wanted = sorted(set(re.findall(rf"^(?:{PACKAGE}|erlang-[a-z0-9-]+)$", tree, re.MULTILINE)))
    if PACKAGE not in wanted:
        raise Refusal(f"The package sources of this machine do not offer {PACKAGE}: add Debian's, {OTHER_WAY}.")
    run(["apt-get", "-qq", *options, "download", *wanted], archives)


def relocate(fresh: Path) -> None:
    """Erlang's start scripts carry a fixed folder: let them read the environment, and all read the files."""
    erlang = fresh / "usr" / "lib" / "erlang"
    for script in [erlang / "bin" / "erl", *erlang.glob("erts-*/bin/erl")]:
        script.write_text(re.sub(r"ROOTDIR=/usr/lib/erlang\b", f'ROOTDIR="${HOME_VARIABLE}"', script.read_text()))
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def run(command: list[str], folder: Path) -> str:
    """Run one tool there and return what it printed; its last words make the refusal."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    if answer.returncode != 0:
        words = (answer.stderr.strip() or answer.stdout.strip()).splitlines()[-3:]
        raise Refusal(
            f"RabbitMQ could not be fetched ({command[0]}: {' '.join(words)}): "
            f"check that this machine reaches its package sources, {OTHER_WAY}."
        )
    return answer.stdout
