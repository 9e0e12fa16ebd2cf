"""The summaries of some deployments: their owners, newest drafts and last uses."""

import json
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.core.compatibility.consumers import UsageRecord
from moorage.core.times import iso
from tests.api.test_usage import version_ids
from tests.support.server import Project, a_body
from tests.support.team import Team


def summaries(project: Project, *ids: str, query: str = "") -> list[dict[str, Any]]:
    response = project.request("GET", f"/v2/summaries?ids={','.join(ids)}{query}")
    assert response.status == 200, response.body
    assert response.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = response.json["data"]
    return found


def save_draft(project: Project, key: str, model: str) -> None:
    body = json.dumps({"prompt_config": a_body(model=model)["prompt_config"]}).encode()
    assert project.request("POST", f"/v2/deployments/{key}/versions", body).status == 201


def test_a_summary_has_the_owner_the_newest_draft_and_the_last_use(project: Project) -> None:
    id_ = project.put("a", query="?file=shop/a.yaml").json["id"]
    key_id, _ = project.key(Scope.INVOKE)
    with project.server.open_store() as store:
        now_us = store.now_us()
        store.record_consumers([UsageRecord(version_ids(project, "a")["1.0"], key_id, now_us, now_us, ())])
    save_draft(project, "a", "other")

    (found,) = summaries(project, id_)

    assert found == {
        "id": id_, "key": "a", "owner": "files", "file": "shop/a.yaml", "draft": "1.1", "last_used": iso(now_us)
    }  # fmt: skip


def test_a_version_that_was_live_is_no_draft(project: Project) -> None:
    id_ = project.put("a").json["id"]
    assert summaries(project, id_) == [
        {"id": id_, "key": "a", "owner": "api", "file": None, "draft": None, "last_used": None}
    ]
    save_draft(project, "a", "other")
    project.request("POST", "/v2/deployments/a/versions/1.1/publish")
    project.request("POST", "/v2/deployments/a/undo")

    assert summaries(project, id_)[0]["draft"] is None


def test_the_order_is_that_of_the_request_and_others_are_omitted(project: Project) -> None:
    a, b, c = (project.put(key).json["id"] for key in "abc")
    other = project.server.new_project().put("d").json["id"]
    project.request("DELETE", "/v2/deployments/c")

    assert [each["key"] for each in summaries(project, b, "x", c, other, a, b)] == ["b", "a"]


def test_an_environment_has_an_owner_and_uses_of_its_own(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    id_ = project.put("a").json["id"]
    assert project.put("a", a_body(model="other"), "?environment=staging&file=a.yaml").status in (200, 201)

    assert summaries(project, id_)[0]["owner"] == "api"
    assert summaries(project, id_, query="&environment=staging")[0]["owner"] == "files"


@pytest.mark.parametrize(
    ("ids", "code"), [("", "missing_parameter"), (",".join(map(str, range(26))), "invalid_request")]
)
def test_the_ids_must_be_one_to_25(ids: str, code: str, project: Project) -> None:
    response = project.request("GET", f"/v2/summaries?ids={ids}")

    assert (response.status, response.error["code"]) == (400, code)


def test_the_list_can_be_filtered_by_owner(project: Project) -> None:
    project.put("a")
    project.put("b", query="?file=b.yaml")
    assert project.page(owner="files").keys == ["b"]
    assert project.page(owner="api").keys == ["a"]

    project.request("PATCH", "/v2/deployments/b?take_ownership=true", b'{"description": "by hand"}')

    assert project.page(owner="files").keys == []
    assert project.page(owner="api").keys == ["b", "a"]
    response = project.page(owner="file")
    assert (response.status, response.error["code"]) == (400, "invalid_filter")
