"""`GET /v2/deployments/{keyOrID}`: one item, by key or id."""

import pytest

from tests.support.server import Project


def test_key_and_id_return_the_same_bytes(project: Project) -> None:
    put = project.put("support_bot")

    assert project.get("support_bot").body == put.body
    assert project.get(put.json["id"]).body == put.body


@pytest.mark.parametrize("key", ["nothing", "3c90c3cc-0d44-4b50-8888-8dd25736052a", "%00", "%F0%9F%92%A9", "x" * 4000])
def test_an_unknown_deployment_is_404(project: Project, key: str) -> None:
    response = project.get(key)

    assert response.status == 404
    assert response.error["code"] == "deployment_not_found"


def test_an_unknown_parameter_is_rejected(project: Project) -> None:
    project.put("a")

    assert project.request("GET", "/v2/deployments/a?version=1.0").error["code"] == "unknown_parameter"
