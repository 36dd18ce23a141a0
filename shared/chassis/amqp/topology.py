"""The broker's exchanges, queues, bindings and rights as RabbitMQ definitions; an operator declares them."""

from collections.abc import Iterable, Mapping
from typing import Any

DELIVERY_LIMIT = 100  # a crash counts against everything unacknowledged; what was healthy is heard apart (see Hearing)
REVOCATIONS_MAX_AGE = "1h"
PARTNER = "nexi"  # the broker user of NEXI's systems, and the exchange on which they speak
ACCESS = "access"  # a stream with the recent past of ended sessions and changed rights, read whole by every process

DEAD_DELIVERY_LIMIT = 1_000_000  # nothing comes after a dead-letter queue: what it gave up on would be lost

_quorum = {"x-queue-type": "quorum"}


def definitions(
    services: Iterable[Any],
    passwords: Mapping[str, str],
    *,
    platform: str = "platform",
    partner: str = "nexi",
) -> dict[str, Any]:
    """Everything for POST /api/definitions.

    `services` are Service objects: all, or one that declares its own part. `passwords` names the broker user of each
    (and of the partner, if it is to be made) with its password; `platform` and `partner` are the two virtual hosts.
    """
    services = list(services)
    hosts = {"events": platform, "commands": platform, PARTNER: partner}
    queues, bindings = [], []
    for service in services:
        for listeners in service.listeners:
            name = f"{service.name}.{listeners.name}"
            host = hosts[listeners.bindings[0][0]]
            queues += [_queue(name, host), _dead(name, host)]
            bindings += [_binding(exchange, key, name, host) for exchange, key in listeners.bindings]
        for name, kinds in service.outlets.items():
            queues += [_queue(name, platform), _dead(name, platform)]
            bindings += [_binding(kind.exchange, kind.wire_type(), name, platform) for kind in kinds]
    revocations = [
        _binding("events", service.revocations.wire_type(), ACCESS, platform)
        for service in services
        if service.revocations is not None
    ]
    queues.append(
        {
            "name": ACCESS, "vhost": platform, "durable": True, "auto_delete": False,
            "arguments": {"x-queue-type": "stream", "x-max-age": REVOCATIONS_MAX_AGE},
        }
    )  # fmt: skip
    bindings += [*{one["routing_key"]: one for one in revocations}.values(), _binding(ACCESS, "", ACCESS, platform)]
    return {
        "vhosts": [{"name": platform}, {"name": partner}],
        "users": [{"name": user, "password": password, "tags": ""} for user, password in passwords.items()],
        "permissions": [
            *_permissions(services, platform, partner),
            *(_partner_permissions(platform, partner) if PARTNER in passwords else []),
        ],
        "topic_permissions": [right for service in services for right in _topics(service, platform)],
        "exchanges": [
            _exchange("events", "topic", platform),
            _exchange("commands", "topic", platform),
            _exchange(ACCESS, "fanout", platform),
            _exchange(PARTNER, "topic", partner),
        ],
        "queues": queues,
        "bindings": bindings,
    }


def _queue(name: str, host: str) -> dict[str, Any]:
    arguments = _quorum | {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": f"{name}.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    return {"name": name, "vhost": host, "durable": True, "auto_delete": False, "arguments": arguments}


def _dead(name: str, host: str) -> dict[str, Any]:
    arguments = _quorum | {"x-delivery-limit": DEAD_DELIVERY_LIMIT}
    return {"name": f"{name}.dead", "vhost": host, "durable": True, "auto_delete": False, "arguments": arguments}


def _exchange(name: str, kind: str, host: str) -> dict[str, Any]:
    return {
        "name": name, "vhost": host, "type": kind,
        "durable": True, "auto_delete": False, "internal": False, "arguments": {},
    }  # fmt: skip


def _binding(exchange: str, key: str, queue: str, host: str) -> dict[str, Any]:
    return {
        "source": exchange, "vhost": host, "destination": queue,
        "destination_type": "queue", "routing_key": key, "arguments": {},
    }  # fmt: skip


def _permissions(services: Iterable[Any], platform: str, partner: str) -> list[dict[str, Any]]:
    """No service may configure anything; each reads its own queues and writes to the exchanges only."""
    rights = []
    for service in services:
        own = rf"^{service.name}\..*"
        rights += [
            {
                "user": service.name, "vhost": platform,
                "configure": "^$", "write": f"^(events|commands|{ACCESS})$", "read": f"({own}|^{ACCESS}$)",
            },
            {"user": service.name, "vhost": partner, "configure": "^$", "write": "^$", "read": own},
        ]  # fmt: skip
    return rights


def _partner_permissions(platform: str, partner: str) -> list[dict[str, Any]]:
    """NEXI's systems read the outlets that are theirs, and speak on their own exchange only."""
    return [
        {"user": PARTNER, "vhost": platform, "configure": "^$", "write": "^$", "read": rf"^{PARTNER}\..*"},
        {"user": PARTNER, "vhost": partner, "configure": "^$", "write": f"^{PARTNER}$", "read": "^$"},
    ]


def _topics(service: Any, platform: str) -> list[dict[str, Any]]:
    """A service may say events in its own name only, and send only the commands that it declares."""
    commands = "|".join(kind.wire_type().replace(".", r"\.") for kind in service.sends)
    writes = {"events": rf"^{service.name}\.", "commands": f"^({commands})$"}
    return [
        {"user": service.name, "vhost": platform, "exchange": exchange, "write": write, "read": ".*"}
        for exchange, write in writes.items()
    ]
