"""Which user the private servers run as: PostgreSQL refuses root, so root borrows the existing user `nobody`."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.refusals import Refusal

UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Account:
    """A user of this machine; `borrowed` when it is not the one who started the launcher."""

    uid: int
    gid: int
    borrowed: bool

    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments for subprocess that make the child run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}

    def reaches(self, path: Path) -> bool:
        """Whether this user may enter the folder (every parent must let it through)."""
        probe = ["/bin/sh", "-c", 'test -x "$1" && test -r "$1"', "sh", str(path)]
        return subprocess.run(probe, cwd="/", check=False, **self.popen_options()).returncode == 0

    def folder(self, path: Path) -> Path:
        """A private folder (0700) of this user, made when missing."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        if self.borrowed:
            os.chown(path, self.uid, self.gid)
        return path

    def file(self, path: Path, text: str, mode: int = 0o600) -> Path:
        """A file of this user with that content; never readable by others, not even for a moment."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        if self.borrowed:
            os.chown(path, self.uid, self.gid)
        return path


def server_account() -> Account:
    """The user of the private servers: ourselves, or `nobody` when we are root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), borrowed=False)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise Refusal(
            f"PostgreSQL cannot run as root and this machine has no user {UNPRIVILEGED}: "
            "create it, or start the platform as an ordinary user."
        ) from error
    return Account(entry.pw_uid, entry.pw_gid, borrowed=True)
