"""What the notifier is told by its environment (NOTIFIER_…)."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis import settings
from contracts.fields import EmailAddress

PositiveDuration = Annotated[timedelta, Field(gt=timedelta(0))]


class Security(StrEnum):
    """How the connection to the mail server is protected. There is no `if offered`: that can be stripped on the way."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(settings.Settings):
    """Durations are written as ISO 8601 (`PT15M`) or seconds."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_", extra="ignore", hide_input_in_errors=True)

    sender: EmailAddress = Field("web_info@nexi.go.jp", description="where all mails come from (R120)")
    smtp_host: str = Field("127.0.0.1", description="the mail relay; its certificate must bear this name")
    smtp_port: int = Field(25, ge=1, le=65535)
    smtp_security: Security = Field(Security.STARTTLS, description="`none` is for a catcher on this machine only")
    smtp_ca: Path | None = Field(None, description="PEM file of the authority to trust instead of the system's")
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_seconds: float = Field(20, gt=0, description="longest wait for one answer of the relay")
    senders: int = Field(8, ge=1, le=100, description="mails on their way at the same time, one connection each")
    spool: Path = Field(Path("letters"), description="folder of the letters that wait for the mail room, encrypted")
    address_patience: PositiveDuration = Field(
        timedelta(seconds=1),
        description="how long a receipt waits for news of the administrator's address that happened before it",
    )
    kept: PositiveDuration = Field(
        timedelta(days=400),
        description="how long mails that have ended and posted letters are kept for operators; the trail is audit's",
    )
    code_key_life: PositiveDuration = Field(timedelta(minutes=15), description="how long codes are sealed to one key")
    password_key_life: PositiveDuration = Field(timedelta(days=1), description="the same for passwords and links")
    code_key_kept: PositiveDuration = Field(timedelta(minutes=30), description="after that a code's key is destroyed")
    password_key_kept: PositiveDuration = Field(timedelta(days=7), description="and a password's key")

    @model_validator(mode="after")
    def _login_is_whole(self) -> "Settings":
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD are given together or not at all")
        return self
