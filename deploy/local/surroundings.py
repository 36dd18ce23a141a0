"""What each service is told by its environment: where its database, broker, mail server and private folder are."""

from __future__ import annotations

import os
from dataclasses import dataclass

from deploy.local.catalogue import FRONT_ENDS, PARTNER, PLATFORM
from deploy.local.databases import DatabaseUrls, with_login
from deploy.local.ports import LOOPBACK
from deploy.local.servers import Addresses
from deploy.local.state import ROOT, State

KEYS_PATH = "/.well-known/jwks.json"  # where identity publishes the keys of access tokens
GATEWAYS = ("identity", "accounts", "applications", "notifier", "audit")
NOWHERE = "http://127.0.0.1:9"  # a gateway that was not started: the portal says calmly what does not work
KEPT = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Surroundings:
    """All addresses of one running platform."""

    state: State
    addresses: Addresses
    databases: dict[str, DatabaseUrls]
    ports: dict[str, int]  # by process name, and "smtp", "inbox"

    def of(self, process: str, service: str) -> dict[str, str]:
        """The whole environment of one process; what a person has set for the service (`AUDIT_…`) goes first."""
        prefix = service.upper()
        own = {"HOST": LOOPBACK, "PORT": str(self.ports[process])}
        own |= self._of_front_end() if service in FRONT_ENDS else self._of_service(service)
        told = {name: value for name, value in os.environ.items() if name.startswith((f"{prefix}_", "OTEL_"))}
        told.pop(f"{prefix}_PORT", None)  # `own` has it already, and the second process another one
        return common() | {f"{prefix}_{name}": value for name, value in own.items()} | told

    def _of_service(self, service: str) -> dict[str, str]:
        own = {
            "DATABASE_URL": self.databases[service].runtime,
            "BROKER_URL": self.broker_url(service, PLATFORM),
            "PARTNER_BROKER_URL": self.broker_url(service, PARTNER),
            "IDENTITY_KEYS_URL": self.url("identity") + KEYS_PATH if "identity" in self.ports else "",
            "STATE": str(self.folder(service)),
        }
        if service == "notifier":
            own |= {"SMTP_HOST": LOOPBACK, "SMTP_PORT": str(self.ports["smtp"]), "SMTP_SECURITY": "none"}
            own |= {"SPOOL": str(self.state.folder / "letters")}
        if service == "identity" and "portal" in self.ports:
            own |= {"PORTAL_URL": self.url("portal")}
        return own

    def _of_front_end(self) -> dict[str, str]:
        urls = {f"{name.upper()}_URL": self.url(name) if name in self.ports else NOWHERE for name in GATEWAYS}
        return urls | {"SECRET": self.state.secret("portal")}

    def operating(self, service: str) -> dict[str, str]:
        """What a service's commands are told: also the owner's login and NEXI's, which the service never sees."""
        told = {} if service in FRONT_ENDS else {"OWNER_DATABASE_URL": self.databases[service].owner}
        if service == "applications":
            told["NEXI_URL"] = self.broker_url(PARTNER, PARTNER)
        return self.of(service, service) | {f"{service.upper()}_{name}": value for name, value in told.items()}

    def broker_url(self, user: str, host: str) -> str:
        """amqp://… of a broker user in a virtual host."""
        return with_login(f"{self.addresses.broker_url}/{host}", user, broker_password(self.state, user))

    def url(self, process: str) -> str:
        """http://… of a process."""
        return f"http://{LOOPBACK}:{self.ports[process]}"

    def folder(self, service: str) -> str:
        """The private folder of a service, made when missing."""
        path = self.state.folder / "services" / service
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return str(path)


def broker_password(state: State, user: str) -> str:
    """The password of a broker user, made once."""
    return state.secret(f"broker-{user}")


def common() -> dict[str, str]:
    """What every process of ours gets from the launcher's own environment, and where the code is."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    path = os.pathsep.join(str(ROOT / part) for part in ("services", "shared", "."))
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
