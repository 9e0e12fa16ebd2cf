"""`moorage deployments callers`: the API keys that use a deployment."""

import json
from pathlib import Path

from tests.api.test_consumers import get_config
from tests.support.program import moorage
from tests.support.server import Project, a_body


def test_the_table_has_the_api_keys_with_versions_and_inputs(project: Project, folder: Path) -> None:
    project.put("a")
    get_config(project, "a", customer="secret", order=1)
    project.put("a", a_body(model="second"))
    get_config(project, "a")

    result = moorage("deployments", "callers", "a", folder=folder, project=project)

    heading, row = result.stdout.splitlines()
    assert heading.split() == ["key", "id", "last", "used", "versions", "inputs"]
    name, key_id, _, *rest = row.split()
    assert (name, key_id, rest) == ("test", project.token.split("_")[1], ["1.1,", "1.0", "customer,", "order"])
    assert "secret" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_is_the_response_of_the_api(project: Project, folder: Path) -> None:
    project.put("a")
    get_config(project, "a")

    result = moorage("deployments", "callers", "a", "-o", "json", folder=folder, project=project)

    assert json.loads(result.stdout) == project.request("GET", "/v2/deployments/a/callers").json


def test_a_deployment_without_callers_is_a_sentence(project: Project, folder: Path) -> None:
    project.put("a")

    result = moorage("deployments", "callers", "a", folder=folder, project=project)

    assert (result.returncode, result.stdout) == (0, "No API key has used this deployment in the last 30 days.\n")
