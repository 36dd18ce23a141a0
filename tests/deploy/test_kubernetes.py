"""The Kubernetes files are valid, complete and tight: settings, secrets, selectors, rights, who may talk to whom."""

import re
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
import yaml

from applications.api import partners
from chassis.amqp.topology import definitions
from deploy.credentials import SERVICES as BEHIND
from deploy.local.catalogue import KNOWN
from portal import seals
from portal.screens import attachments
from tests.deploy import told
from tests.deploy.cluster_objects import COMPONENT, FOLDER, NAME, OVERLAYS, PART, Objects, build, selects
from tests.deploy.reachability import Place, reaches
from tests.support.platform import services

STOP_SECONDS = 10  # a service stops in less
SERVERS = {"postgres": Place({"cnpg.io/cluster": "postgres"}), "rabbitmq": Place({NAME: "rabbitmq"})}
BESIDE_THE_POOL = 2  # connections of a process: the relay's, and one that listens or holds a lock
RESERVED = 20  # connections of releases, of operators' commands and of PostgreSQL's own operator
MADE_BY_OPERATORS = {"postgres-superuser"}
CUSTOM = yaml.safe_load(Path(__file__).with_name("custom_resources.yaml").read_text())


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return build(request.param, tmp_path_factory.mktemp(request.param))


def ours(objects: Objects) -> dict[str, Any]:
    """The pod template of each service."""
    found = {}
    for owner, template in objects.pods():
        if owner["kind"] == "Deployment" and PART in owner["metadata"].get("labels", {}):
            found[owner["metadata"]["labels"][NAME]] = template
    return found


def test_every_object_is_valid(objects: Objects) -> None:
    for one in objects.every:
        if one["kind"] in CUSTOM:
            jsonschema.validate(one["spec"], CUSTOM[one["kind"]])
        else:
            kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


def test_every_service_runs_is_found_scales_and_stays_available(objects: Objects) -> None:
    assert sorted(ours(objects)) == sorted(KNOWN)
    for name, template in ours(objects).items():
        kinds = ("Service", "PodDisruptionBudget", "Deployment", "ScaledObject")
        gateway, budget, deployment, scaling = (objects.named(kind, f"{name}-gateway")["spec"] for kind in kinds)
        for selector in (gateway["selector"], *(one["selector"]["matchLabels"] for one in (budget, deployment))):
            chosen = [one for _, one in objects.pods() if selects({"matchLabels": selector}, one["metadata"]["labels"])]
            assert chosen == [template]
        assert scaling["scaleTargetRef"]["name"] == f"{name}-gateway"
        assert "replicas" not in deployment, "KEDA sets them"
        ports = [port["name"] for port in template["spec"]["containers"][0]["ports"]]
        assert gateway["ports"][0]["targetPort"] in ports


@pytest.mark.parametrize("service", KNOWN)
def test_a_service_and_its_release_read_complete_valid_and_known_settings(
    service: str, objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = [(owner, one) for owner, one in objects.pods() if owner["metadata"]["name"].startswith(f"{service}-")]
    assert [owner["kind"] for owner, _ in pods] == ["Deployment", "Job"][: 1 if service == "portal" else 2]
    for owner, template in pods:
        environment = objects.environment(template["spec"]["containers"][0])
        files = objects.secrets(template)
        assert told.unknown(service, {*environment, *files}) == set()
        settings = told.settings(service, environment, files, tmp_path / owner["kind"], monkeypatch)
        assert (settings.host, settings.port) == ("0.0.0.0", 8080)
        if service != "portal":
            assert str(settings.trusted_proxies[0]) == "10.0.0.0/8", "the portal says where a request came from"
        powerful = [name for name in files if name.endswith(("owner_database_url", "management_url", "nexi_url"))]
        assert bool(powerful) is (owner["kind"] == "Job"), "only a release acts as owner and operator"
        for name, url in files.items():
            if name.endswith(("database_url", "broker_url")):
                assert urlsplit(url).username in (service, f"{service}_owner"), "own role, own broker user"


def test_everything_that_is_named_is_there(objects: Objects) -> None:
    there = {(one["kind"], one["metadata"]["name"]) for one in objects.every}
    for _, template in objects.pods():
        assert {one for one in objects.names(template) if one[1] not in MADE_BY_OPERATORS} <= there
    [broker] = objects.of("RabbitmqCluster")
    assert ("Secret", broker["spec"]["secretBackend"]["externalSecret"]["name"]) in there
    hosts = {one["metadata"]["name"] for one in objects.of("Service")} | {"postgres-rw", "rabbitmq", "127.0.0.1"}
    for name, template in ours(objects).items():
        values = [*objects.environment(template["spec"]["containers"][0]).values(), *objects.secrets(template).values()]
        urls = [urlsplit(value) for value in values if re.match(r"(http|amqp|postgresql)://", value)]
        assert {url.hostname for url in urls} <= hosts, name


def test_scaling_looks_at_queues_that_exist_as_the_service_that_hears_them(objects: Objects) -> None:
    queues = {one["name"]: one["vhost"] for one in definitions(services().values(), {})["queues"]}
    looked_at = set()
    for one in objects.of("ScaledObject"):
        service = one["metadata"]["labels"][NAME]
        assert one["spec"]["triggers"][0]["type"] == "cpu"
        for trigger in one["spec"]["triggers"][1:]:
            queue = trigger["metadata"]["queueName"]
            assert queues[queue] == "platform" and queue.startswith(f"{service}.")
            who = objects.named("TriggerAuthentication", trigger["authenticationRef"]["name"])
            [login] = who["spec"]["secretTargetRef"]
            assert login["name"] == f"{service}-secrets"
            assert login["key"] in objects.named("Secret", login["name"])["data"]
            looked_at.add(service)
    assert looked_at == {"notifier", "audit"}


def test_nothing_of_ours_has_rights_on_its_machine_or_in_the_cluster(objects: Objects) -> None:
    for owner, template in objects.pods():
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, owner["metadata"]["name"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] and rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]} and "privileged" not in rights
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert container["resources"]["limits"]["memory"]


def test_a_service_starts_when_it_is_ready_and_may_finish_before_it_is_killed(objects: Objects) -> None:
    for template in ours(objects).values():
        pod, [container] = template["spec"], template["spec"]["containers"]
        paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
        assert paths == {"startup": "/ready", "readiness": "/live", "liveness": "/live"}
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] >= pause + STOP_SECONDS
        assert pod["enableServiceLinks"] is False, "AUDIT_PORT=tcp://… would be read as a setting"


def test_services_talk_over_the_broker_only(objects: Objects) -> None:
    pods = {name: Place(template["metadata"]["labels"]) for name, template in ours(objects).items()}
    for one, other in permutations(KNOWN, 2):
        may = one == "portal" or (other == "identity" and one in BEHIND)
        assert reaches(objects, pods[one], pods[other], 8080) is may, f"{one} → {other}"
    for name, pod in pods.items():
        assert reaches(objects, pod, SERVERS["postgres"], 5432) is (name in BEHIND)
        assert reaches(objects, pod, SERVERS["rabbitmq"], 5672) is (name in BEHIND)
        assert not reaches(objects, pod, SERVERS["rabbitmq"], 15672), "only a release declares"
        assert reaches(objects, pod, Place({}, "kube-system"), 53)
        assert reaches(objects, Place({}, "ingress-nginx"), pod, 8080)
        assert reaches(objects, Place({}, "monitoring"), pod, 8080)
        assert not reaches(objects, Place({}, "elsewhere"), pod, 8080)
        assert reaches(objects, pod, Place({}, "elsewhere"), 587) is (name == "notifier"), "the mail relay"


def test_releases_reach_the_servers_and_nothing_else(objects: Objects) -> None:
    jobs = [Place(template["metadata"]["labels"]) for owner, template in objects.pods() if owner["kind"] == "Job"]
    identity = Place(ours(objects)["identity"]["metadata"]["labels"])
    assert len(jobs) == len(BEHIND) + 1
    for job in jobs:
        assert job.labels[COMPONENT] == "release"
        assert reaches(objects, job, SERVERS["postgres"], 5432) and reaches(objects, job, SERVERS["rabbitmq"], 15672)
        assert not reaches(objects, job, SERVERS["rabbitmq"], 5672) and not reaches(objects, job, identity, 8080)


def test_nexi_s_systems_reach_the_broker_over_tls_and_nothing_else(tmp_path: Path) -> None:
    objects, nexi = build("production", tmp_path), Place({}, "elsewhere", "192.0.2.1")
    door = objects.named("Service", "nexi")["spec"]
    assert selects({"matchLabels": door["selector"]}, SERVERS["rabbitmq"].labels)
    assert (door["type"], door["externalTrafficPolicy"]) == ("LoadBalancer", "Local"), (
        "policies must see NEXI's address"
    )
    assert [one["targetPort"] for one in door["ports"]] == [5671]
    assert objects.of("RabbitmqCluster")[0]["spec"]["tls"]["secretName"], "without a certificate nothing listens there"
    reached = {port for port in (5671, 5672, 15672) if reaches(objects, nexi, SERVERS["rabbitmq"], port)}
    assert reached == {5671}
    assert not reaches(objects, nexi, SERVERS["postgres"], 5432)
    assert not reaches(objects, Place({}, "elsewhere"), SERVERS["rabbitmq"], 5671)


def test_nexi_s_systems_reach_their_routes_of_applications_over_https_and_no_others(tmp_path: Path) -> None:
    objects = build("production", tmp_path)
    ingress, door = objects.named("Ingress", "nexi"), objects.named("Service", "nexi")["spec"]
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"] == {"service": {"name": "applications-gateway", "port": {"name": "http"}}}
    theirs = {one.path for one in partners.routes}
    assert theirs and all(one.startswith(f"{path['path']}/") for one in theirs)
    assert {"/nexi/events", "/nexi/applications"} <= theirs
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    told = {key.partition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    assert [told["whitelist-source-range"]] == door["loadBalancerSourceRanges"]
    assert int(told["proxy-body-size"].removesuffix("m")) * 2**20 >= partners.BODY_LIMIT


def test_a_browser_stays_at_the_process_of_the_portal_that_has_its_input(tmp_path: Path) -> None:
    objects = build("production", tmp_path)
    ingress = objects.named("Ingress", "portal")
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"] == {"service": {"name": "portal-gateway", "port": {"name": "http"}}}
    identity = objects.environment(ours(objects)["identity"]["spec"]["containers"][0])
    assert identity["IDENTITY_PORTAL_URL"] == f"https://{rule['host']}"
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]], "browsers keep its cookies over HTTPS only"
    told = {key.partition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    assert (told["affinity"], told["affinity-mode"]) == ("cookie", "persistent")
    assert int(told["proxy-body-size"].removesuffix("m")) * 2**20 >= attachments.LIMIT
    assert int(told["proxy-buffer-size"].removesuffix("k")) * 2**10 > 2 * seals.LONGEST


def test_production_outlives_a_machine(tmp_path: Path) -> None:
    objects = build("production", tmp_path)
    assert objects.of("RabbitmqCluster")[0]["spec"]["replicas"] == 3
    [postgres] = objects.of("Cluster")
    assert postgres["spec"]["instances"] >= 2 and postgres["spec"]["postgresql"]["synchronous"]["number"] == 1
    assert all(one["spec"]["minReplicaCount"] >= 2 for one in objects.of("ScaledObject"))
    images = {c["image"] for _, one in objects.pods() for c in one["spec"]["containers"]}
    assert not [name for name in images if "/" in name or ":" not in name], "no registry's name, always a version"


def test_postgresql_takes_the_connections_of_all_processes_that_there_may_be(objects: Objects) -> None:
    needed = RESERVED
    for name in BEHIND:
        deployment, scaling = (objects.named(kind, f"{name}-gateway") for kind in ("Deployment", "ScaledObject"))
        surge = deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        processes = scaling["spec"]["maxReplicaCount"] + surge
        pool = services()[name].settings.model_fields["database_connections"].default
        needed += processes * (pool + BESIDE_THE_POOL)
    [postgres] = objects.of("Cluster")
    assert needed <= int(postgres["spec"]["postgresql"]["parameters"]["max_connections"])


def test_no_secret_is_committed() -> None:
    for path in FOLDER.rglob("*.yaml"):
        if "secrets" not in path.parent.parts:
            for one in yaml.safe_load_all(path.read_text()):
                assert one.get("kind") != "Secret" or not {"data", "stringData"} & set(one)
