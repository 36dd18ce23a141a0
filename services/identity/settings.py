"""What identity is told by its environment, beside what every service is told."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import Settings


class IdentitySettings(Settings):
    """Durations are ISO 8601 or seconds."""

    model_config = SettingsConfigDict(env_prefix="IDENTITY_", extra="ignore", hide_input_in_errors=True)

    portal_url: str = Field("http://127.0.0.1:8080", description="where links in mails lead")

    login_failures: int = Field(5, ge=1, le=100, description="規定回数: consecutive failures that lock (L1)")
    lock_time: timedelta = Field(timedelta(minutes=30), description="how long a lock lasts (L1)")
    failures_per_source: int = Field(100, ge=1, description="failed logins that a source address may save up")
    failures_per_source_minute: float = Field(10, gt=0, description="failed logins a source address gets back a minute")
    reissues_per_source: int = Field(20, ge=1, description="requests for a new password a source address may save up")
    reissues_per_source_minute: float = Field(1, gt=0, description="those it gets back a minute")
    reissues_per_day: int = Field(5, ge=1, description="new passwords of one administrator (L6)")

    session_idle: timedelta = Field(timedelta(minutes=30), description="time-out without operation (L3)")
    session_most: timedelta = Field(timedelta(hours=12), description="absolute limit of a session (L3)")

    password_shortest: int = Field(12, ge=8, le=128, description="characters of a password (L4)")
    password_longest: int = Field(128, ge=64, le=128, description="characters of a password (L4)")
    argon2_memory: int = Field(19456, ge=19456, description="KiB; OWASP's figure or more")
    argon2_time: int = Field(2, ge=2, description="passes; OWASP's figure or more")
    argon2_parallelism: int = Field(1, ge=1, le=4, description="lanes")
    hashing_threads: int = Field(2, ge=1, le=64, description="password checks at the same time")
    hashing_queue: int = Field(100, ge=1, description="password checks that may wait; beyond that 503")

    letter_password_life: timedelta = Field(timedelta(days=30), description="initial password by letter (L5)")
    mail_password_life: timedelta = Field(timedelta(days=14), description="initial password by mail (L5)")
    new_password_life: timedelta = Field(timedelta(hours=24), description="reissued or reset password (L5)")

    one_time_passwords_in_10_minutes: int = Field(5, ge=1, description="issues to one user (O1)")
    one_time_passwords_per_day: int = Field(20, ge=1, description="issues to one user (O1)")

    import_rows: int = Field(200, ge=1, le=999, description="applicants that one CSV file may register")

    email_changes_per_day: int = Field(10, ge=1, description="new addresses that one administrator may ask for")
    email_change_life: timedelta = Field(timedelta(hours=24), description="from the mail server's acceptance (E2)")

    signing_key_notice: timedelta = Field(
        timedelta(seconds=30), description="how long a new key is published before it signs"
    )
