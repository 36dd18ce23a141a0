"""Makes .venv exactly as requirements.txt says; does nothing, quickly, when it is so already (standard library only)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "stamp"
REQUIREMENTS = ROOT / "requirements.txt"
UV_REQUIREMENTS = ROOT / "deploy" / "requirements" / "uv.txt"
ROOM_NEEDED = 1_000_000_000  # bytes: the packages are about 500 MB, downloads and data come on top


class Refusal(Exception):
    """Why the environment cannot be made, in one sentence that says what to do."""


def main() -> int:
    """Make or renew .venv; 0 when it stands, 1 with one sentence when it cannot."""
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return 0
    started = time.monotonic()
    try:
        build()
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    STAMP.write_text(wanted)
    say("ready in %.1f s" % (time.monotonic() - started))
    return 0


def fingerprint() -> str:
    """What .venv depends on: the Python it is made with and the two requirement files."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (REQUIREMENTS, UV_REQUIREMENTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build() -> None:
    """Create the environment and install what the requirement files pin, hashes checked."""
    if shutil.disk_usage(ROOT).free < ROOM_NEEDED:
        raise Refusal("The disk of %s has less than 1 GB free: make room there and start again." % ROOT)
    say("making .venv with Python %d.%d" % sys.version_info[:2])
    STAMP.unlink(missing_ok=True)
    if not sound():
        install_venv_module()
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], "Python could not make a virtual environment")
    say("installing uv")
    run(
        [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        + ["--requirement", str(UV_REQUIREMENTS)],
        "pip could not fetch uv: check that this machine reaches a Python package index",
    )
    say("installing the packages of requirements.txt")
    run(
        [str(VENV / "bin" / "uv"), "pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON)]
        + [str(REQUIREMENTS), str(UV_REQUIREMENTS)],
        "uv could not fetch the packages: check that this machine reaches a Python package index",
    )


def sound() -> bool:
    """Whether .venv is there, whole, and of the same Python as this one."""
    probe = "import sys, pip; print(sys.version)"
    if not PYTHON.exists():
        return False
    answer = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True)
    return answer.returncode == 0 and answer.stdout.strip() == sys.version


def install_venv_module() -> None:
    """Debian keeps venv in a package of its own: install it as root, or say its name."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = "python%d.%d-venv" % sys.version_info[:2]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing Debian's " + package)
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
            run(["apt-get", "-qq", *arguments], "apt-get could not install %s: install it by hand" % package)
        return
    raise Refusal("Python's venv module is missing: install it (Debian: apt-get install %s) and start again." % package)


def run(command: list[str], trouble: str) -> None:
    """Run quietly; when it fails, show its last words after the sentence."""
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as error:
        raise Refusal("%s (%s)." % (trouble, error)) from error
    if answer.returncode != 0:
        raise Refusal("%s.\n%s" % (trouble, "\n".join(answer.stdout.strip().splitlines()[-8:])))


def say(text: str) -> None:
    print("  python  " + text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
