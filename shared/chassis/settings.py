"""What every service is told by its environment; each service adds its own below its own prefix."""

import os
import socket
import sys
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class CommandSettings(BaseSettings):
    """What every command is told; one that needs nothing of the service has a subclass of its own (see `main`)."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"


class Settings(CommandSettings):
    """Read from `<SERVICE>_…` variables; a subclass sets `env_prefix`. A wrong value is refused at start, by name."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(0, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")),
        description="front ends whose X-Forwarded-For is believed",
    )
    database_url: str = Field(description="PostgreSQL, with the service's runtime role")
    owner_database_url: str | None = Field(None, description="PostgreSQL, with the owner role; for `migrate` only")
    database_connections: int = Field(10, ge=2, le=200, description="most connections of one process")
    broker_url: str = Field(description="RabbitMQ, the platform's virtual host, with the service's own user")
    partner_broker_url: str = Field(description="RabbitMQ, the virtual host of NEXI's systems, with the same user")
    management_url: str | None = Field(
        None, description="RabbitMQ's management API, with an operator's login; for `declare` only"
    )
    identity_keys_url: str = Field(description="where identity publishes the keys of access tokens (JWKS)")
    state: Path = Field(Path(), description="private folder for keys and files of this service")
    leaving_seconds: float = Field(
        2.0, ge=0, le=5, description="how long requests are still taken after SIGTERM, until nobody sends any more"
    )
    traces_url: str | None = Field(
        None, description="collector of spans (OTLP over HTTP, e.g. http://collector:4318/v1/traces); none: no spans"
    )
    member: str = Field(default_factory=socket.gethostname, description="name of this process' host among its peers")

    def broker_url_for(self, exchange: str) -> str:
        """The broker on which an exchange lives."""
        return self.partner_broker_url if exchange == "nexi" else self.broker_url

    def broker_logins(self) -> tuple[str, ...]:
        """The URLs of the broker users that `declare` makes."""
        return (self.broker_url,)


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read(kind: type[SettingsT]) -> SettingsT:
    """From variables and, for secrets, files of the same names in /run/secrets (systemd: its credentials folder).

    A variable goes first. What is missing or wrong is printed by name and ends the process with status 2.
    """
    folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/secrets"))
    try:
        return kind(_secrets_dir=folder if folder.is_dir() else None)
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for one in error.errors(include_input=False, include_url=False):
            print(f"{prefix}{'_'.join(map(str, one['loc']))}".upper() + f": {one['msg']}", file=sys.stderr)  # noqa: T201 - to the terminal
        sys.exit(2)
