"""The manifests let only the public surface in, and every pod is probed, bounded and unprivileged."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from process.environment import may_come_from_file
from reelbus.roles import Role

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"


def _documents(folder: str) -> list[dict[str, Any]]:
    files = sorted((KUBERNETES / folder).glob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


def _named(kind: str, folder: str = "base") -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in _documents(folder) if each["kind"] == kind}


DEPLOYMENTS = _named("Deployment")


def test_every_role_is_deployed() -> None:
    assert {_container(name)["args"][0] for name in DEPLOYMENTS} == {role.value for role in Role}


def _container(name: str) -> dict[str, Any]:
    [container] = DEPLOYMENTS[name]["spec"]["template"]["spec"]["containers"]
    return dict(container)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_pod_is_probed_bounded_and_unprivileged(name: str) -> None:
    pod, container = DEPLOYMENTS[name]["spec"]["template"]["spec"], _container(name)
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
    assert container["resources"]["limits"]["memory"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_no_secret_is_in_an_environment(name: str) -> None:
    for variable in _container(name)["env"]:
        assert variable["name"].endswith("_FILE") or variable["name"] == "REELBUS_SURFACE"


def test_the_public_receiver_has_neither_api_keys_nor_provider_credentials() -> None:
    names = {variable["name"] for variable in _container("receiver-public")["env"]}
    assert names == {"REELBUS_SURFACE", "REELBUS_AMQP_URL_FILE", "REELBUS_WEBHOOK_SECRETS_FILE"}


def test_the_publisher_alone_has_the_secret_that_signs_events() -> None:
    secret = "REELBUS_EVENT_SIGNING_SECRET_FILE"
    having = [name for name in DEPLOYMENTS if secret in {variable["name"] for variable in _container(name)["env"]}]
    assert having == ["publisher"]


def test_from_outside_only_the_two_public_routes_can_be_reached() -> None:
    [ingress] = _named("Ingress").values()
    paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert {path["path"]: path["backend"]["service"]["name"] for path in paths} == {
        "/webhooks/": "receiver-public",
        "/media/": "receiver-public",
    }
    policies = _named("NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert all(service["spec"].get("type", "ClusterIP") == "ClusterIP" for service in _named("Service").values())


def test_pods_on_many_nodes_share_a_database_and_no_disk() -> None:
    overlay = yaml.safe_load((KUBERNETES / "overlays" / "scale" / "kustomization.yaml").read_text())
    assert "../one-node" not in overlay["resources"]
    patches = {each["target"].get("kind"): yaml.safe_load(each["patch"]) for each in overlay["patches"]}
    assert patches["ConfigMap"] == [{"op": "remove", "path": "/data/REELBUS_DATABASE_URL"}]
    pod = patches["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["volumes"] == [{"name": "store", "$patch": "delete"}]
    assert container["volumeMounts"] == [{"mountPath": "/data", "$patch": "delete"}]
    assert container["env"] == [{"name": "REELBUS_DATABASE_URL_FILE", "value": "/secrets/database-url"}]
    assert may_come_from_file("REELBUS_DATABASE_URL")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_is_taken_from_pods_on_many_nodes_is_there_on_one(name: str) -> None:
    assert {"name": "store", "mountPath": "/data"} in _container(name)["volumeMounts"]
    assert "REELBUS_DATABASE_URL" in _named("ConfigMap")["reelbus"]["data"]


def test_what_an_overlay_and_the_base_name_exists() -> None:
    for kustomization in KUBERNETES.rglob("kustomization.yaml"):
        for name in yaml.safe_load(kustomization.read_text())["resources"]:
            assert (kustomization.parent / name).exists(), f"{kustomization}: {name}"
    assert set(_named("PodDisruptionBudget", "overlays/scale")) == set(DEPLOYMENTS)
