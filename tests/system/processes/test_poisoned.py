"""Somebody writes in the database past Moorage: that costs others nothing, and the one it is about can be mended."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.server import Project, Server, a_body
from tests.support.stores import behind
from tests.support.threads import until

BROKEN = ["{broken", "", "null", "[]", "{}", '{"model":1}', '{"model":"m","model_type":"chat","provider":"alien"}']


@pytest.fixture
def project(new_database: Callable[[Path], str], folder: Path) -> Iterator[Project]:
    """A project on a server that can be harmed; its deployments have a version 1.0 and a live version 1.1."""
    with Server(folder, database=new_database(folder)) as server:
        made = server.new_project()
        for key in ("a", "bad", "z"):
            made.put(key)
            made.put(key, a_body(model="newer"))
        yield made


def poison(project: Project, content: str, field: str = "prompt_config") -> None:
    """Change the live version of `bad`, as one who knows how servers follow."""
    live = "SELECT live_version_id FROM deployment WHERE key = 'bad'"
    database = project.server.database
    behind(database, f"UPDATE version SET {field} = '{content}' WHERE id = ({live})")
    behind(database, "UPDATE revision SET rev = rev + 1")
    behind(database, "UPDATE deployment SET rev = (SELECT rev FROM revision) WHERE key = 'bad'")


def call(project: Project, key: str) -> int:
    return project.request("POST", "/v2/deployments/get_config", b'{"key": "%b"}' % key.encode()).status


@pytest.mark.parametrize("content", BROKEN)
def test_the_version_before_goes_on_being_served_and_all_others_are_fine(project: Project, content: str) -> None:
    before = project.get("bad").json
    poison(project, content)

    written = project.put("z", a_body(model="newest"))

    assert (written.status, project.get("z").json) == (200, written.json)
    assert int(project.page().headers["x-moorage-revision"]) >= int(written.headers["x-moorage-revision"])
    assert project.page().keys == ["z", "bad", "a"]
    assert project.get("bad").json == before
    assert [call(project, key) for key in ("a", "bad", "z")] == [200, 200, 200]
    assert project.request("GET", "/v2/deployments/snapshot").status == 200
    assert [each["key"] for each in project.request("GET", "/v2/manifests").json["data"]] == ["z", "a"]
    assert "moorage_catalog_decode_errors 1.0" in project.request("GET", "/metrics").body.decode()
    until(lambda: any(line["level"] == "error" for line in project.server.log_lines()))
    errors = [line["event"] for line in project.server.log_lines() if line["level"] == "error"]
    assert len(errors) == 1
    assert "The live version of deployment 'bad' cannot be decoded" in errors[0]


@pytest.mark.parametrize("field", ["prompt_config", "variables", "runtime_config"])
def test_after_a_start_it_is_told_and_can_be_undone_or_published_anew(project: Project, field: str) -> None:
    poison(project, "[1]", field)
    project.server.stop()
    project.server.start()

    assert project.page().keys == ["z", "a"]
    for answer in (
        project.get("bad"),
        project.request("PATCH", "/v2/deployments/bad", b'{"description": "other"}'),
        project.request("POST", "/v2/deployments/bad/explain"),
    ):
        assert (answer.status, answer.error["code"]) == (500, "deployment_unreadable")
        assert "`moorage deployments undo bad`" in answer.error["message"]
    listed = project.request("GET", "/v2/deployments/bad/versions")
    assert (listed.status, listed.error["code"]) == (500, "version_unreadable")

    assert project.request("POST", "/v2/deployments/bad/undo").status == 200
    assert project.page().keys == ["z", "bad", "a"]
    assert project.get("bad").json["version"] == "1.0"
    assert "moorage_catalog_decode_errors 0.0" in project.request("GET", "/metrics").body.decode()

    poison(project, "[1]", field)
    stale = project.put("bad", a_body(model="anew"), **{"If-Match": '"1-x"'})
    assert (stale.status, stale.error["code"]) == (412, "precondition_failed")
    written = project.put("bad", a_body(model="anew"))
    if field == "prompt_config":
        assert (written.status, project.get("bad").json["prompt_config"]["model"]) == (200, "anew")
        poison(project, "[1]", field)
    else:
        assert written.error["code"] == "deployment_unreadable", "it keeps what is left out, and that cannot be read"
    assert project.request("DELETE", "/v2/deployments/bad").status == 200
    assert project.get("bad").error["code"] == "deployment_deleted"
    restored = project.request("POST", "/v2/deployments/bad/restore")
    assert (restored.status, restored.error["code"]) == (500, "deployment_unreadable")


def test_to_put_what_was_there_mends_it(project: Project) -> None:
    poison(project, "{broken")

    assert project.put("bad", a_body(model="newer")).headers["x-moorage-result"] == "updated"
    assert project.get("bad").json["version"] == "1.2"


def test_a_page_of_manifests_that_cannot_be_read_is_passed_over(project: Project) -> None:
    poison(project, "{broken")

    def page(**query: object) -> tuple[list[str], bool]:
        found = project.request("GET", f"/v2/manifests?{urlencode({'limit': 1, **query})}").json
        return [each["key"] for each in found["data"]], found["has_more"]

    assert page() == (["z"], True)
    assert page(starting_after=project.get("z").json["id"]) == (["a"], False)
    assert page(ending_before=project.get("a").json["id"]) == (["z"], False)
    assert page(starting_after=project.get("a").json["id"]) == ([], False)


def test_what_nests_deeper_than_can_be_read_is_unreadable_too(project: Project) -> None:
    poison(project, f'[{{"key":"a","value":{"[" * 20_000}{"]" * 20_000}}}]', "variables")

    assert project.put("z", a_body(model="newest")).status == 200
    assert project.page().keys == ["z", "bad", "a"]
