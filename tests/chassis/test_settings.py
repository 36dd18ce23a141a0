"""Settings come from variables, secrets from files of the same names; what is wrong is named and never quoted."""

from pathlib import Path

import pytest

from chassis.settings import read
from identity.settings import IdentitySettings
from portal.settings import PortalSettings

SECRET = "a secret that must not be shown anywhere"
URLS = ("IDENTITY_URL", "ACCOUNTS_URL", "APPLICATIONS_URL", "NOTIFIER_URL", "AUDIT_URL")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process finds secrets, with a portal's environment but for its secret."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name in URLS:
        monkeypatch.setenv(f"PORTAL_{name}", "http://127.0.0.1:9")
    return tmp_path


def test_a_secret_is_read_from_a_file_of_its_name(folder: Path) -> None:
    (folder / "portal_secret").write_text(SECRET + "\n")
    assert read(PortalSettings).secret.get_secret_value() == SECRET


def test_a_variable_goes_before_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "portal_secret").write_text(SECRET)
    monkeypatch.setenv("PORTAL_SECRET", SECRET.upper())
    assert read(PortalSettings).secret.get_secret_value() == SECRET.upper()


def test_what_is_wrong_is_named_and_not_quoted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "portal_secret").write_text("short")
    with pytest.raises(SystemExit) as ended:
        read(PortalSettings)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "PORTAL_SECRET: " in said and "short\n" not in said


def test_what_is_missing_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(IdentitySettings)
    assert "IDENTITY_DATABASE_URL: Field required" in capsys.readouterr().err
