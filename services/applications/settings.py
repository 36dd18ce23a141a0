"""What applications is told by its environment, and the clock that it goes by."""

from datetime import UTC, datetime, timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import CommandSettings
from chassis.settings import Settings as ChassisSettings


class Settings(ChassisSettings):
    """Read from `APPLICATIONS_…` variables."""

    model_config = SettingsConfigDict(env_prefix="APPLICATIONS_", extra="ignore", hide_input_in_errors=True)

    answer_seconds: float = Field(
        4.0, ge=0, le=20, description="how long a submission waits for the service that carries it out (P7), in seconds"
    )
    stuck_days: int = Field(
        14, ge=0, description="a submitted application without completion is stuck after so many days"
    )
    most_numbers_a_day: int = Field(
        2000, ge=1, le=99_999, description="most Web application numbers of one policyholder a Japan-time day"
    )
    most_keys: int = Field(
        5000, ge=1, description="most Idempotency-Keys of one user that are remembered, each for a week"
    )
    upload_seconds: float = Field(120.0, gt=0, description="time for one attachment to arrive, in seconds")
    clock_shift_seconds: float = Field(0.0, description="added to the clock; for rehearsing midnight and other days")
    nexi_url: str | None = Field(None, description="RabbitMQ with NEXI's own user; for `declare` only")

    def broker_logins(self) -> tuple[str, ...]:
        """Also NEXI's: its systems read what applications lays out for them."""
        return (self.broker_url, self.nexi_url) if self.nexi_url else (self.broker_url,)


class NexiSettings(CommandSettings):
    """What the command `nexi` is told: people at NEXI have their own user at the broker, and nothing of ours."""

    model_config = SettingsConfigDict(env_prefix="APPLICATIONS_", extra="ignore", hide_input_in_errors=True)

    nexi_url: str | None = Field(None, description="RabbitMQ, the virtual host of NEXI's systems, with NEXI's own user")


class Clock:
    """The time that handlers ask for; rules and SQL get it as an argument."""

    def __init__(self, settings: Settings) -> None:
        self.shift = timedelta(seconds=settings.clock_shift_seconds)

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC) + self.shift
