"""What NetworkPolicies let through, worked out as Kubernetes does: both sides must allow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from tests.deploy.cluster_objects import Objects, selects


@dataclass(frozen=True)
class Place:
    """A pod, by its labels, or (without labels) something in another namespace or outside."""

    labels: Mapping[str, str]
    namespace: str = ""
    address: str = "10.0.0.1"


def reaches(objects: Objects, source: Place, target: Place, port: int) -> bool:
    """Whether a connection to this TCP port is let out here and let in there."""
    return _lets(objects, "Egress", source, target, port) and _lets(objects, "Ingress", target, source, port)


def _lets(objects: Objects, direction: str, mine: Place, other: Place, port: int) -> bool:
    own = [
        one["spec"]
        for one in objects.of("NetworkPolicy")
        if mine.labels and direction in one["spec"]["policyTypes"] and selects(one["spec"]["podSelector"], mine.labels)
    ]
    side, peers = direction.lower(), "to" if direction == "Egress" else "from"
    return not own or any(
        _takes(peer, other) and any(one["port"] == port for one in rule.get("ports", [{"port": port}]))
        for spec in own
        for rule in spec.get(side, [])
        for peer in rule[peers]
    )


def _takes(peer: Mapping[str, Any], place: Place) -> bool:
    if "ipBlock" in peer:
        return ip_address(place.address) in ip_network(peer["ipBlock"]["cidr"])
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": place.namespace})
    return bool(place.labels) and selects(peer["podSelector"], place.labels)
