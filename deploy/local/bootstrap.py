"""Makes .venv exactly as requirements.txt says, and does nothing when it is so already (standard library only)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.refusals import Refusal

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VERSION = "{}.{}".format(*sys.version_info)
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / "stamp"
REQUIREMENTS = ROOT / "requirements.txt"
UV_REQUIREMENTS = ROOT / "deploy" / "requirements" / "uv.txt"
OWN_FOLDERS = "../../../../services\n../../../../shared\n"  # seen from site-packages, so that a checkout may move
ROOM_NEEDED = 1_000_000_000  # bytes: the packages are about 500 MB, downloads and data come on top


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
    say(f"ready in {time.monotonic() - started:.1f} s")
    return 0


def fingerprint() -> str:
    """What .venv depends on: the Python it is made with, the two requirement files, and this file."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (REQUIREMENTS, UV_REQUIREMENTS, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build() -> None:
    """Create the environment and install what the requirement files pin, hashes checked."""
    if shutil.disk_usage(ROOT).free < ROOM_NEEDED:
        raise Refusal(f"The disk of {ROOT} has less than 1 GB free: make room there and start again.")
    STAMP.unlink(missing_ok=True)
    if not sound():
        say(f"making .venv with Python {VERSION}")
        install_venv_module()
        run([sys.executable, "-m", "venv", "--clear", VENV], "Python could not make a virtual environment")
    say("installing uv")
    run(
        [
            PYTHON,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            UV_REQUIREMENTS,
        ],
        "pip could not fetch uv: check that this machine reaches a Python package index",
    )
    say("installing the packages of requirements.txt")
    run(
        [UV, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, REQUIREMENTS, UV_REQUIREMENTS],
        "uv could not fetch the packages: check that this machine reaches a Python package index",
    )
    (VENV / "lib" / f"python{VERSION}" / "site-packages" / "house.pth").write_text(OWN_FOLDERS)


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
    package = f"python{VERSION}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing Debian's " + package)
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
            run(["apt-get", "-qq", *arguments], f"apt-get could not install {package}: install it by hand")
        return
    raise Refusal(f"Python's venv module is missing: install it (Debian: apt-get install {package}) and start again.")


def run(command: list[str | Path], trouble: str) -> None:
    """Run quietly; when it fails, show its last words after the sentence."""
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as error:
        raise Refusal(f"{trouble} ({error}).") from error
    if answer.returncode != 0:
        last_words = "\n".join(answer.stdout.strip().splitlines()[-8:])
        raise Refusal(f"{trouble}.\n{last_words}")


def say(text: str) -> None:
    print("  python  " + text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
