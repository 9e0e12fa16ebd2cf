"""A version with content that cannot be decoded, because another program changed the database.

It does not affect other deployments, and the API can repair it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.server import Project, Server, a_body
from tests.support.stores import run_sql
from tests.support.threads import until

UNREADABLE = ["{broken", "", "null", "[]", "{}", '{"model":1}', '{"model":"m","model_type":"chat","provider":"acme"}']


@pytest.fixture
def project(new_database: Callable[[Path], str], folder: Path) -> Iterator[Project]:
    """Return a project on its own server. Each deployment has a version 1.0 and a live version 1.1."""
    with Server(folder, database=new_database(folder)) as server:
        project = server.new_project()
        for key in ("a", "bad", "z"):
            project.put(key)
            project.put(key, a_body(model="newer"))
        yield project


def damage(project: Project, content: str, field: str = "prompt_config") -> None:
    """Replace content of the live version of `bad`, with a new revision so that servers read it."""
    live = "SELECT live_version_id FROM deployment WHERE key = 'bad'"
    database = project.server.database
    run_sql(database, f"UPDATE version SET {field} = '{content}' WHERE id = ({live})")
    run_sql(database, "UPDATE revision SET rev = rev + 1")
    run_sql(database, "UPDATE deployment SET rev = (SELECT rev FROM revision) WHERE key = 'bad'")


def get_config_status(project: Project, key: str) -> int:
    return project.request("POST", "/v2/deployments/get_config", b'{"key": "%b"}' % key.encode()).status


@pytest.mark.parametrize("content", UNREADABLE)
def test_the_last_readable_content_is_served_and_other_deployments_are_not_affected(
    project: Project, content: str
) -> None:
    before = project.get("bad").json
    damage(project, content)

    written = project.put("z", a_body(model="newest"))

    assert (written.status, project.get("z").json) == (200, written.json)
    assert int(project.page().headers["x-moorage-revision"]) >= int(written.headers["x-moorage-revision"])
    assert project.page().keys == ["z", "bad", "a"]
    assert project.get("bad").json == before
    assert [get_config_status(project, key) for key in ("a", "bad", "z")] == [200, 200, 200]
    assert project.request("GET", "/v2/deployments/snapshot").status == 200
    assert [manifest["key"] for manifest in project.request("GET", "/v2/manifests").json["data"]] == ["z", "a"]
    assert "moorage_catalog_decode_errors 1.0" in project.request("GET", "/metrics").body.decode()
    until(lambda: any(line["level"] == "error" for line in project.server.log_lines()))
    errors = [line["event"] for line in project.server.log_lines() if line["level"] == "error"]
    assert len(errors) == 1
    assert "The live version of deployment 'bad' cannot be decoded" in errors[0]


@pytest.mark.parametrize("field", ["prompt_config", "variables", "runtime_config"])
def test_an_unreadable_version_is_reported_after_a_restart_and_can_be_undone_or_replaced(
    project: Project, field: str
) -> None:
    damage(project, "[1]", field)
    project.server.stop()
    project.server.start()

    assert project.page().keys == ["z", "a"]
    for response in (
        project.get("bad"),
        project.request("PATCH", "/v2/deployments/bad", b'{"description": "other"}'),
        project.request("POST", "/v2/deployments/bad/explain"),
    ):
        assert (response.status, response.error["code"]) == (500, "deployment_unreadable")
        assert "`moorage deployments undo bad`" in response.error["message"]
    listed = project.request("GET", "/v2/deployments/bad/versions")
    assert (listed.status, listed.error["code"]) == (500, "version_unreadable")

    assert project.request("POST", "/v2/deployments/bad/undo").status == 200
    assert project.page().keys == ["z", "bad", "a"]
    assert project.get("bad").json["version"] == "1.0"
    assert "moorage_catalog_decode_errors 0.0" in project.request("GET", "/metrics").body.decode()

    damage(project, "[1]", field)
    stale = project.put("bad", a_body(model="other"), **{"If-Match": '"1-x"'})
    assert (stale.status, stale.error["code"]) == (412, "precondition_failed")
    written = project.put("bad", a_body(model="other"))
    if field == "prompt_config":
        assert (written.status, project.get("bad").json["prompt_config"]["model"]) == (200, "other")
        damage(project, "[1]", field)
    else:
        assert written.error["code"] == "deployment_unreadable", "an omitted field keeps its value, which is unreadable"
    assert project.request("DELETE", "/v2/deployments/bad").status == 200
    assert project.get("bad").error["code"] == "deployment_deleted"
    restored = project.request("POST", "/v2/deployments/bad/restore")
    assert (restored.status, restored.error["code"]) == (500, "deployment_unreadable")


def test_a_put_of_the_original_content_repairs_it(project: Project) -> None:
    damage(project, "{broken")

    assert project.put("bad", a_body(model="newer")).headers["x-moorage-result"] == "updated"
    assert project.get("bad").json["version"] == "1.2"


def test_manifests_omit_an_unreadable_deployment(project: Project) -> None:
    damage(project, "{broken")

    def page(**query: object) -> tuple[list[str], bool]:
        found = project.request("GET", f"/v2/manifests?{urlencode({'limit': 1, **query})}").json
        return [manifest["key"] for manifest in found["data"]], found["has_more"]

    assert page() == (["z"], True)
    assert page(starting_after=project.get("z").json["id"]) == (["a"], False)
    assert page(ending_before=project.get("a").json["id"]) == (["z"], False)
    assert page(starting_after=project.get("a").json["id"]) == ([], False)


def test_content_that_is_nested_too_deeply_is_unreadable(project: Project) -> None:
    damage(project, f'[{{"key":"a","value":{"[" * 20_000}{"]" * 20_000}}}]', "variables")

    assert project.put("z", a_body(model="newest")).status == 200
    assert project.page().keys == ["z", "bad", "a"]
