"""The browser of the tests: Debian's chromium, installed when absent and possible, with the letters' Japanese font."""

import ctypes
import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pylopdf_fonts_jp
import pytest

PACKAGES = ("chromium-headless-shell", "libatomic1")
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is Debian's chromium without its own windows and menus: the same engine at half the cost of the others."""
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")


def chromium() -> str:
    """The path of a browser. Skips with one line where there can be none; fails where tests must not be skipped."""
    if found := _find():
        return found
    trouble = "no chromium here, and only root on Debian can install it (apt-get install chromium-headless-shell)"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        trouble = _install()
        if found := _find():
            return found
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"browser tests may not be skipped in CI: {trouble}")
    pytest.skip(f"no browser: {trouble}")


def with_font(folder: Path) -> dict[str, str]:
    """The environment for a browser that shows Japanese as the letters do, whatever fonts the machine has."""
    fonts = Path(pylopdf_fonts_jp.sans_path()).parent
    told = folder / "fonts.conf"
    told.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{fonts}</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    return dict(os.environ) | {"FONTCONFIG_FILE": str(told)}


def _find() -> str | None:
    try:
        ctypes.CDLL("libatomic.so.1")  # without it the driver dies without a word
    except OSError:
        return None
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def _install() -> str:
    """Debian's packages, once for all workers; answers apt's last words."""
    with (Path(tempfile.gettempdir()) / "portal-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _find():
            return ""
        for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            answer = subprocess.run(
                ["apt-get", "-qq", *command],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True,
                text=True,
            )
        return (answer.stderr.strip().splitlines() or ["apt-get said nothing"])[-1]
