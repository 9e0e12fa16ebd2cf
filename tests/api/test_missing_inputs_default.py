"""The default of `settings.missing_inputs`: `error` for new deployments with variables, unchanged for existing ones."""

import json
from typing import Any

import pytest

from tests.support.server import Project, a_body

VARIABLES = [{"key": "customer"}]


def body(**fields: Any) -> dict[str, Any]:
    return {**a_body(messages=[{"role": "user", "content": "Hi {{customer}}"}]), **fields}


def settings(project: Project, key: str) -> Any:
    found = project.request("GET", "/v2/manifests?limit=50", headers={"Authorization": f"Bearer {project.token}"}).json[
        "data"
    ]
    return next(item for item in found if item["key"] == key).get("settings")


def test_a_new_deployment_that_declares_variables_rejects_requests_without_them(project: Project) -> None:
    project.put("a", body(variables=VARIABLES))

    response = project.request(
        "POST", "/v2/deployments/get_config", b'{"key": "a"}', {"Authorization": f"Bearer {project.token}"}
    )

    assert settings(project, "a") == {"missing_inputs": "error"}
    assert (response.status, response.error["code"]) == (400, "missing_inputs")


@pytest.mark.parametrize("fields", [{}, {"variables": []}, {"settings": {"engine": "mustache"}}])
def test_without_variables_there_is_no_such_default(project: Project, fields: dict[str, Any]) -> None:
    project.put("a", body(**fields))

    assert settings(project, "a") == fields.get("settings")


def test_a_value_that_is_sent_is_kept(project: Project) -> None:
    project.put("a", body(variables=VARIABLES, settings={"missing_inputs": "keep"}))

    assert settings(project, "a") == {"missing_inputs": "keep"}


def test_an_existing_deployment_keeps_its_treatment(project: Project) -> None:
    project.put("lenient", body())
    project.put("strict", body(variables=VARIABLES, settings={"engine": "text"}))

    unchanged = project.put("strict", body(variables=VARIABLES, settings={"engine": "text"}))
    project.put("lenient", body(variables=VARIABLES, settings={"engine": "text"}))
    project.put("strict", body(variables=VARIABLES, settings={"input_masking": True}))

    assert unchanged.headers["x-moorage-result"] == "unchanged"
    assert settings(project, "lenient") == {"engine": "text"}
    assert settings(project, "strict") == {"missing_inputs": "error", "input_masking": True}


def test_a_variant_has_its_own_default_and_a_new_one_that_of_the_deployment(project: Project) -> None:
    def variant(name: str, **fields: Any) -> dict[str, Any]:
        return {"name": name, "prompt_config": body()["prompt_config"], **fields}

    project.put("new", body(variants=[variant("a", variables=VARIABLES), variant("b")]))
    versions = json.loads(
        project.request(
            "GET", "/v2/deployments/new/versions", headers={"Authorization": f"Bearer {project.token}"}
        ).body
    )
    project.put("old", body(variables=VARIABLES))
    project.put("old", body(variants=[variant("c", variables=VARIABLES)]))
    changed = project.request(
        "GET", "/v2/deployments/old/versions", headers={"Authorization": f"Bearer {project.token}"}
    ).json["data"][0]

    assert [each.get("settings") for each in versions["data"][0]["variants"]] == [{"missing_inputs": "error"}, None]
    assert changed["variants"][0]["settings"] == {"missing_inputs": "error"}
