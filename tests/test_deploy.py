"""The files in `deploy` are consistent with each other and with the code."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from moorage.api.routes import OPERATIONS
from moorage.cli.serve import serve
from moorage.core.trusted_proxies import TrustedProxies
from moorage.settings import SETTINGS
from moorage.store.opening import open_store
from tests.support.errors import all_errors
from tests.support.server import Server
from tests.support.shell import run_shell
from tests.support.threads import until

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"

UNITS = [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())

VARIABLES = {name for setting in SETTINGS.values() for name in (setting.variable, f"{setting.variable}_FILE")}

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NODES = [name for name in SERVICES if name.startswith("moorage")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_in_a_file_exists(file: Path) -> None:
    assert set(re.findall(r"\bMOORAGE_[A-Z_]+\b", file.read_text())) - {"MOORAGE_NAME"} <= VARIABLES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_health_path_and_port_in_a_file_is_one_of_the_server(file: Path) -> None:
    text = file.read_text()

    assert set(re.findall(r"/health/\w+", text)) <= {operation.path for operation in OPERATIONS}
    assert set(re.findall(r"\b87\d\d\b", text)) <= {SETTINGS["port"].default}


def unit(name: str) -> dict[str, list[str]]:
    """Return the values of each name in a unit of systemd."""
    values: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
    return values


def test_the_systemd_unit_starts_serve_and_reads_the_database_url_from_a_credential() -> None:
    service = unit("moorage.service")

    program, command, *options = service["ExecStart"][0].split()
    assert (Path(program).name, command) == ("moorage", serve.name)
    assert options == []
    credential, _, file = service["LoadCredential"][0].partition(":")
    assert service["Environment"] == [f"MOORAGE_DATABASE_FILE=%d/{credential}"]
    assert service["WorkingDirectory"] == [f"/var/lib/{service['StateDirectory'][0]}"]
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["UMask"]) == (["yes"], ["strict"], ["0077"])
    assert file in (ROOT / "docs/operations.md").read_text()


def test_systemd_waits_until_the_server_is_ready_and_restarts_it_without_a_limit() -> None:
    service = unit("moorage.service")

    assert service["Type"] == ["notify"]
    assert service["StartLimitIntervalSec"] == ["0"]
    assert (service["Restart"], service["RestartSec"]) == (["always"], ["2"])
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert "AF_UNIX" in service["RestrictAddressFamilies"][0], "the notification needs it"


def test_the_backup_has_the_database_and_the_sandbox_of_the_server() -> None:
    service, backup = unit("moorage.service"), unit("moorage-backup.service")
    own = {"Description", "Type", "ExecStart", "ExecStartPost", "Environment", "EnvironmentFile", "StateDirectory",
           "Nice", "IOSchedulingClass"}  # fmt: skip

    assert {name: values for name, values in backup.items() if name not in own}.items() <= service.items()
    assert set(service["Environment"]) < set(backup["Environment"])
    assert {name for name in service if name.startswith(("Private", "Protect", "Restrict"))} - {
        "Restart",
        "RestartSec",
    } <= (backup.keys())


def test_the_backup_unit_makes_a_backup_and_then_deletes_the_old_ones(folder: Path) -> None:
    backups, other = folder / "backups", folder / "backups" / "notes.db"
    backups.mkdir()
    old, recent = backups / "moorage-old.db", backups / "moorage-recent.db"
    for file, days in ((old, 16), (recent, 13), (other, 16)):
        file.touch()
        os.utime(file, times=(time.time() - days * 86_400,) * 2)
    open_store(f"sqlite:///{folder}/moorage.db").close()
    service = unit("moorage-backup.service")
    (days_kept,) = [value for value in service["Environment"] if value.startswith("BACKUP_DAYS=")]
    make, clean = (
        service[name][0]
        .replace("/opt/moorage/bin/moorage", "moorage")
        .replace("/var/lib/moorage-backups", str(backups))
        .replace("%%", "%")
        .replace("moorage-*.db", "'moorage-*.db'")  # systemd passes it to find as it is
        for name in ("ExecStart", "ExecStartPost")
    )

    result = run_shell(f"{days_kept}\n{make}\n{clean}", folder)

    assert result.returncode == 0, result.stderr
    (made,) = set(backups.iterdir()) - {recent, other}
    assert re.fullmatch(r"moorage-\d{4}-\d\d-\d\dT\d{6}Z\.db", made.name)
    assert made.stat().st_size > 0


def test_systemd_accepts_the_units(folder: Path) -> None:
    for file in UNITS:
        text = file.read_text().replace("/opt/moorage/bin/moorage", "/bin/true")
        assert text.count("[Unit]") == 1
        (folder / file.name).write_text(text)
    if analyze := shutil.which("systemd-analyze"):
        command = [analyze, "verify", *(str(folder / file.name) for file in UNITS)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_nodes_are_equal_and_start_after_their_dependencies() -> None:
    node_specific = ("volumes", "depends_on")
    first, second = (
        {name: value for name, value in SERVICES[node].items() if name not in node_specific} for node in NODES
    )

    assert first == second
    assert SERVICES["moorage-1"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["moorage-2"]["depends_on"] == {"moorage-1": {"condition": "service_healthy"}}
    assert first["environment"]["MOORAGE_DATABASE_FILE"] == f"/run/secrets/{first['secrets'][0]}"
    assert (first["read_only"], first["cap_drop"]) == (True, ["ALL"])


def test_every_volume_secret_and_file_of_the_compose_file_exists() -> None:
    mounts = [volume.split(":") for service in SERVICES.values() for volume in service.get("volumes", ())]
    secrets = {name for service in SERVICES.values() for name in service.get("secrets", ())}

    assert {source for source, *_ in mounts if not source.startswith(".")} == set(COMPOSE["volumes"])
    assert all((DEPLOY / source).is_file() for source, *_ in mounts if source.startswith("."))
    assert secrets == set(COMPOSE["secrets"])
    assert (DEPLOY / COMPOSE["x-node"]["build"]["context"] / COMPOSE["x-node"]["build"]["dockerfile"]).is_file()
    documented = (ROOT / "docs/operations.md").read_text()
    for secret in COMPOSE["secrets"].values():
        assert f"> {secret['file']}" in documented


def test_the_load_balancer_forwards_requests_to_all_nodes() -> None:
    servers = re.findall(r"^ +server (\S+) (\S+):8700$", (DEPLOY / "haproxy.cfg").read_text(), re.MULTILINE)

    assert servers == [(node, node) for node in NODES]


def test_the_nodes_trust_the_load_balancer_to_name_the_clients() -> None:
    balancer = (DEPLOY / "haproxy.cfg").read_text()
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]

    assert "mode http" in balancer
    assert "option forwardfor" in balancer
    for node in NODES:
        assert SERVICES[node]["environment"]["MOORAGE_TRUSTED_PROXIES"] == network["subnet"]
    assert TrustedProxies.parse(network["subnet"]).networks


def test_the_image_runs_as_an_unprivileged_user_and_copies_existing_files() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    steps = [line.split() for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    dockerignore = (ROOT / ".dockerignore").read_text().splitlines()

    assert next(words[1] for words in steps if words[0] == "FROM") == "python:3.12-slim"
    (user,) = [words[1] for words in steps if words[0] == "USER"]
    assert user not in ("root", "0")
    assert "HEALTHCHECK" in text
    assert "/health/ready" in text
    for source in (source for words in steps if words[0] == "COPY" for source in words[1:-1]):
        assert (ROOT / source).exists()
        assert f"!{source}" in dockerignore


def test_the_image_installs_the_versions_that_are_tested() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))

    assert pins("postgres") <= pins("test")
    added = {pin.partition("==")[0] for pin in pins("postgres") - pins("serve")}
    assert added >= {"psycopg", "psycopg-binary"}
    assert pins("cloud") <= pins("test")
    assert {pin.partition("==")[0] for pin in pins("cloud") - pins("serve")} >= {"botocore", "google-auth"}


BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())["groups"][0]["rules"]
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]] + [
    rule["expr"] for rule in RULES
]

#: Labels that Prometheus adds.
ADDED = {"job", "instance"}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the series of a server with two workers after some requests, with the names of their labels."""
    found: dict[str, set[str]] = {}
    with Server(tmp_path_factory.mktemp("metrics"), "--workers", "2") as server:
        project = server.new_project()
        project.put("a")
        project.request("POST", "/v2/deployments/stream", b'{"key": "a"}')  # fails, because there is no integration
        texts = [""]

        def has_calls() -> bool:
            texts[0] = project.request("GET", "/metrics").body.decode()
            return "moorage_calls_total{" in texts[0]  # calls are counted several times per second

        until(has_calls)
        text = texts[0]
    for name, labels in re.findall(r"^(\w+)(\{.*\})? \S+$", text, re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_of_the_board_and_the_alerts_exists(
    expression: str, series: dict[str, set[str]]
) -> None:
    named = re.findall(r"\b((?:moorage|process)_\w+|up)(\{[^}]*\})?", expression)

    assert named
    for name, selector in named:
        if name == "up":
            continue
        assert name in series
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector)) <= series[name] | ADDED
    grouped = {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")}
    assert grouped <= set().union(*(series.get(name, set()) for name, _ in named)) | ADDED
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_value_of_a_label_in_an_expression_exists(expression: str) -> None:
    codes = {kind.code for kind in all_errors()}
    routes = {operation.path for operation in OPERATIONS}
    methods = {operation.method for operation in OPERATIONS}
    known = {"code": codes, "kind": codes, "result": codes, "route": routes, "method": methods}

    for label, _, value in re.findall(r'\b(\w+)\s*(=~|!=|=)"([^"]*)"', expression):
        if label in known:
            assert set(value.split("|")) <= known[label]


def test_every_alert_says_what_happened_and_how_bad_it_is() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} == set(rule["annotations"])
        assert rule["alert"].startswith("Moorage")
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_the_panels_of_the_board_have_their_own_ids_places_and_names() -> None:
    panels = BOARD["panels"]

    for of_panel in (lambda panel: panel["id"], lambda panel: panel["title"], lambda panel: str(panel["gridPos"])):
        assert len({of_panel(panel) for panel in panels}) == len(panels)
    assert {variable["name"] for variable in BOARD["templating"]["list"]} == {"datasource", "job", "instance"}
