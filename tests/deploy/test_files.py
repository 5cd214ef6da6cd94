"""What the image, compose, Kubernetes and systemd files name exists: commands, options, variables, ports, paths.

No container is started here; docs/deployment.md says what that leaves unchecked.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftline.cli.app import app
from driftline.cli.reference import options
from driftline.core.configuration import SETTINGS
from driftline.web.access_rules import OPEN, needed

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
MANIFESTS = sorted({*KUBERNETES.glob("*.yaml")} - {KUBERNETES / "kustomization.yaml"})
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMMANDS = options(app)
NAMES = {one.name for one in SETTINGS}


def check_command(words: list[str]) -> None:
    """A command of ours with options that it has and ports and folders that are meant."""
    name, given = words[0], [word.partition("=")[0] for word in words[1:] if word.startswith("--")]
    assert set(given) <= COMMANDS[name]
    told = " ".join(words).replace("=", " ").split()
    assert told[told.index("--data") + 1] in {"/data", "/var/lib/driftline"}
    if "--port" in told:
        assert told[told.index("--port") + 1] == "8080"


def manifests() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def pods() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every set of pods, with the one container of its pods."""
    for one in manifests():
        if one["kind"] == "StatefulSet":
            (container,) = one["spec"]["template"]["spec"]["containers"]
            yield one["spec"], container


def test_variables_that_files_name_are_in_the_register() -> None:
    for path in (ROOT / "Dockerfile", *(path for path in DEPLOY.rglob("*") if path.is_file())):
        found = set(re.findall(r"\bDRIFTLINE_[A-Z0-9_]+", path.read_text(encoding="utf-8")))
        assert found <= NAMES, path


def test_values_of_the_configuration_can_be_read() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    (configuration,) = [one for one in manifests() if one["kind"] == "ConfigMap"]
    for given in (compose["x-node"]["environment"], configuration["data"]):
        for setting in SETTINGS:
            setting.of(given)


def test_no_secret_has_a_value_in_any_file() -> None:
    secret = {one.name for one in SETTINGS if one.secret} | {"AWS_SECRET_ACCESS_KEY", "POSTGRES_PASSWORD"}
    (example,) = [one for one in manifests() if one["kind"] == "Secret"]
    assert set(example["stringData"].values()) == {""}
    assert not secret & set(re.findall(r"\b[A-Z_]{6,}\b", "\n".join(re.findall(r"^(?:ENV|ARG) .*", DOCKERFILE, re.M))))
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert name not in secret or "${" in value


def test_the_image() -> None:
    stages = [line for line in DOCKERFILE.splitlines() if line.startswith("FROM")]
    assert len(stages) == 2
    last = DOCKERFILE.rpartition("FROM")[2]
    user = re.search(r"^USER (\d+)", last, re.M)
    assert user is not None
    assert int(user[1]) > 0
    assert 'ENTRYPOINT ["tini", "--", "driftline"]' in last
    assert re.findall(r"^EXPOSE (\d+)", last, re.M) == ["8080"]
    assert re.findall(r"^VOLUME (\S+)", last, re.M) == ["/data"]
    command = re.search(r"^CMD (\[.*\])", last, re.M)
    assert command is not None
    check_command(yaml.safe_load(command[1]))
    assert "http://127.0.0.1:8080/healthz" in last
    assert needed("GET", "/healthz") == OPEN


def test_everything_the_image_copies_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.M):
        *sources, _ = line.split()
        for name in sources:
            assert (ROOT / name).exists()
            assert name in allowed


def test_compose() -> None:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = document["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "driftline"}
    assert set(ours) == {"web-1", "web-2", "scheduler-1", "scheduler-2"}
    assert (DEPLOY / ours["web-1"]["build"]["context"] / ours["web-1"]["build"]["dockerfile"]).is_file()
    for name, one in ours.items():
        check_command(one["command"])
        assert one["command"][one["command"].index("--node") + 1] == name
        assert one["read_only"] is True
        assert set(one["depends_on"]) <= set(services)
        assert all(
            volume.endswith(":/data") and volume.partition(":")[0] in document["volumes"] for volume in one["volumes"]
        )
        assert all(port.endswith(":8080") and port.startswith("127.0.0.1:") for port in one.get("ports", []))


def test_kubernetes_pods() -> None:
    for spec, container in pods():
        check_command(container["args"])
        pod = spec["template"]["spec"]
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        volumes = {one["name"] for one in pod["volumes"]}
        volumes |= {one["metadata"]["name"] for one in spec.get("volumeClaimTemplates", [])}
        assert {one["name"] for one in container["volumeMounts"]} == volumes
        # The supervisor gives its processes ten seconds.
        assert pod["terminationGracePeriodSeconds"] > 10
        ports = {one["name"] for one in container.get("ports", [])}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if kind in container:
                asked = container[kind]["httpGet"]
                assert asked["port"] in ports
                assert needed("GET", asked["path"]) == OPEN


def test_kubernetes_names_lead_somewhere() -> None:
    found = list(manifests())
    names = {(one["kind"], one["metadata"]["name"]) for one in found}
    labels = [spec["template"]["metadata"]["labels"] for spec, _ in pods()]
    for spec, container in pods():
        assert ("Service", spec["serviceName"]) in names
        assert ("ServiceAccount", spec["template"]["spec"]["serviceAccountName"]) in names
        for source in container["envFrom"]:
            ((kind, reference),) = source.items()
            assert ({"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind], reference["name"]) in names
    for one in found:
        if one["kind"] == "HorizontalPodAutoscaler":
            target = one["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) in names
        if one["kind"] in {"Service", "PodDisruptionBudget"}:
            wanted = one["spec"]["selector"]
            wanted = wanted.get("matchLabels", wanted)
            assert any(wanted.items() <= have.items() for have in labels)
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert {KUBERNETES / name for name in listed} == {*MANIFESTS} - {KUBERNETES / "secret.example.yaml"}


def test_systemd() -> None:
    unit = DEPLOY / "systemd" / "driftline.service"
    settings = dict(line.split("=", 1) for line in unit.read_text().splitlines() if re.match(r"[A-Z]\w+=", line))
    program, *words = shlex.split(settings["ExecStart"])
    assert Path(program).name == "driftline"
    check_command(words)
    assert settings["WorkingDirectory"] == f"/var/lib/{settings['StateDirectory']}"
    assert int(settings["TimeoutStopSec"]) > 10


def test_systemd_itself_has_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "driftline.service"
    text = (DEPLOY / "systemd" / "driftline.service").read_text()
    unit.write_text(text.replace("/opt/driftline/bin/driftline", "/bin/true"))
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, [line for line in ran.stderr.splitlines() if unit.name in line]) == (0, [])
