"""AsyncAPI 3 from the same classes that are sent: what a service says, what it hears, on which exchange."""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from chassis.messages import Message, subclasses

_ENVELOPE = (
    "CloudEvents 1.0 in batched mode: a JSON array of events of one type; routing key = type.\n\n"
    'Each service also says every few seconds `<service>.outbox_position`, `{"last": N}`: the number of its last event.'
)


def said_by(name: str) -> list[type[Message]]:
    """The messages that are declared in the room of `name` (imported ones only)."""
    return [kind for kind in subclasses(Message) if kind.wire_type().startswith(f"{name}.")]


def document(services: Iterable[Any], title: str) -> dict[str, Any]:
    """One document over these services: a channel for each message, `send` and `receive` operations by service."""
    services = list(services)
    hears = {service.name: [kind for one in service.listeners for kind in one.handlers] for service in services}
    patterns = {
        service.name: [pair for one in service.listeners for pair in one.batch_bindings] for service in services
    }
    says = {service.name: [kind for kind in said_by(service.name) if kind.exchange == "events"] for service in services}
    kinds = {kind.wire_type(): kind for kinds in (*hears.values(), *says.values()) for kind in kinds}
    references, schemas = models_json_schema(
        [(kind, "serialization") for kind in kinds.values()], ref_template="#/components/schemas/{model}"
    )
    operations: dict[str, Any] = {}
    for name in hears:
        for kind in says[name]:
            operations[f"{name}_says_{kind.wire_type()}"] = _operation("send", kind.wire_type())
        for kind in hears[name]:
            operations[f"{name}_hears_{kind.wire_type()}"] = _operation("receive", kind.wire_type())
    everything = {name: [f"{exchange} {key}" for exchange, key in pairs] for name, pairs in patterns.items() if pairs}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": "1", "description": _ENVELOPE},
        "defaultContentType": "application/cloudevents-batch+json",
        "channels": {name: _channel(kind) for name, kind in sorted(kinds.items())},
        "operations": dict(sorted(operations.items())),
        "components": {
            "messages": {
                name: {"name": name, "summary": _summary(kind), "payload": references[(kind, "serialization")]}
                for name, kind in sorted(kinds.items())
            },
            "schemas": schemas.get("$defs", {}),
        },
        "x-hears-everything-on": everything,
    }


def _channel(kind: type[Message]) -> dict[str, Any]:
    name = kind.wire_type()
    exchange = {"name": kind.exchange, "type": "topic", "durable": True}
    return {
        "address": name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _operation(action: str, channel: str) -> dict[str, Any]:
    reference = f"#/channels/{channel}"
    return {"action": action, "channel": {"$ref": reference}, "messages": [{"$ref": f"{reference}/messages/{channel}"}]}


def _summary(kind: type[Message]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]
