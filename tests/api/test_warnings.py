"""Warnings: the header of writes and of get_config, and the JSON of dry runs."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from moorage.core.access import Scope
from moorage.core.deployments.retired_models import find_retirement
from tests.support.server import Project, Response, a_body

MISSPELLED = "{{custommer}} is not a declared variable. Did you mean 'customer'?"
PATH = "prompt_config.messages[0].content"


def body(text: str, **changes: Any) -> dict[str, Any]:
    config = a_body(messages=[{"role": "user", "content": text}], **changes)
    return {**config, "variables": [{"key": "customer"}]}


def warnings(response: Response) -> list[str]:
    assert response.status in (200, 201), response.body
    return [unquote(each) for each in response.headers.get("x-moorage-warnings", "").split(", ") if each]


def post(project: Project, path: str, sent: dict[str, Any], **headers: str) -> Response:
    return project.request(
        "POST", path, json.dumps(sent).encode(), {"Authorization": f"Bearer {project.token}", **headers}
    )


def test_every_write_of_content_has_the_warnings(project: Project) -> None:
    misspelled, expected = body("{{custommer}} {{customer}}"), [f"{PATH}: {MISSPELLED}"]

    assert warnings(project.put("a", body("{{customer}}"))) == []
    assert warnings(project.put("a", misspelled, "?allow_breaking=true")) == expected
    assert warnings(project.put("a", misspelled)) == expected, "unchanged content, too"
    assert warnings(post(project, "/v2/deployments", {"key": "b", **misspelled})) == expected
    draft = post(project, "/v2/deployments/a/versions", {**body("{{custommer}}{{customer}}!"), "status": "draft"})
    assert warnings(draft) == expected
    published = post(project, f"/v2/deployments/a/versions/{draft.json['version']}/publish", {})
    assert warnings(published) == expected
    assert warnings(post(project, "/v2/deployments/a/undo", {})) == [], "an undo is not the time to correct prompts"


def test_a_write_with_a_retired_model_has_a_warning(project: Project) -> None:
    row = find_retirement("anthropic", "claude-2.0")
    assert row is not None, "the past has this row, on each day"

    (warning,) = warnings(project.put("a", a_body(provider="anthropic", model="claude-2.0")))

    assert warning.startswith(f"prompt_config.model: claude-2.0 was retired by anthropic on {row.retires}: use ")


def test_a_dry_run_has_them_as_json(project: Project) -> None:
    response = project.put("a", body("{{custommer}} {{customer}}"), "?dry_run=true")

    assert response.json["warnings"] == [{"path": PATH, "message": MISSPELLED}]
    assert project.put("a", body("{{customer}}"), "?dry_run=true").json["warnings"] == []
    assert "warnings" not in project.put("a", body("{{custommer}} {{customer}}")).json


def test_a_replayed_response_has_the_same_warnings(project: Project) -> None:
    sent = {"key": "a", **body("{{custommer}} {{customer}}")}
    headers = {"Idempotency-Key": "one"}

    first, second = (post(project, "/v2/deployments", sent, **headers) for _ in range(2))

    assert second.headers["x-moorage-replayed"] == "true"
    assert warnings(first) == warnings(second) != []


def test_a_header_of_warnings_has_bounded_length_and_only_printable_ascii(project: Project) -> None:
    text = " ".join(f"{{{{größe{number}, {number}%}}}}" for number in range(200))

    header = project.put("a", body(f"{text} {{{{customer}}}}")).headers["x-moorage-warnings"]

    assert len(header) < 4_100
    assert header.isascii()
    assert header.isprintable()
    assert header.endswith(", ...")
    assert "größe0, 0%" in unquote(header.split(", ")[0])


def test_the_previous_version_is_a_header_of_a_put_that_publishes(project: Project) -> None:
    header = "x-moorage-previous-version"

    assert header not in project.put("a", body("{{customer}}")).headers
    assert project.put("a", body("{{customer}}!")).headers[header] == "1.0"
    assert header not in project.put("a", body("{{customer}}!")).headers


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("input", "inputs"), ("Inputs", "inputs"), ("extraParams", "extra_params"), ("contexts", "context"),
        ("message", "messages"), ("prefixMessages", "prefix_messages"),
    ],
)  # fmt: skip
def test_an_unknown_field_of_get_config_that_is_nearly_known_is_reported(
    project: Project, field: str, meant: str
) -> None:
    project.put("a", body("Hi") | {"variables": []})

    response = post(project, "/v2/deployments/get_config", {"key": "a", field: {}})

    assert warnings(response) == [f"{field}: is an unknown field, and has no effect. Did you mean '{meant}'?"]
    assert warnings(post(project, "/v2/deployments/get_config", {"key": "a", "vendor_option": 1})) == []


def test_an_integration_that_does_not_exist_is_a_warning_and_no_error(project: Project) -> None:
    admin = Project(project.server, project.id, project.name, project.key(*Scope)[1])
    link = {"provider": "openailike", "base_url": "https://llm.example/v1"}
    created = admin.request("PUT", "/v2/integrations/local", json.dumps(link).encode()).json
    fallback = {"model": "m", "model_type": "chat", "provider": "openai", "integration_id": "nowhere"}

    def named(name: str, provider: str = "openailike") -> list[str]:
        return warnings(project.put("a", a_body(provider=provider, integration_id=name), "?allow_breaking=true"))

    missing = "there is no integration 'nowhere' in this project; create it before a call"
    assert named("nowhere") == [f"prompt_config.integration_id: {missing}"]
    assert named("local") == named(created["id"]) == named("openai", "openai") == []
    assert named("local", "openai") == [
        "prompt_config.integration_id: 'local' is of openailike, and the model is of openai"
    ]
    sent = {**a_body(), "fallbacks": [fallback]}
    sent["variants"] = [{"name": "v", "prompt_config": a_body(integration_id="nowhere")["prompt_config"]}]
    assert warnings(project.put("b", sent)) == [
        f"fallbacks[0].integration_id: {missing}",
        f"variants[0].prompt_config.integration_id: {missing}",
    ]


def test_an_integration_id_is_stored_listed_exported_and_diffed(project: Project) -> None:
    project.put("a", a_body())
    project.put("a", {**a_body(integration_id="eu"), "fallbacks": []})
    project.put("null", a_body(integration_id=None))

    versions = project.request("GET", "/v2/deployments/a/versions").json["data"]
    assert [version["prompt_config"].get("integration_id") for version in versions] == ["eu", None]
    assert project.get("a").json["prompt_config"]["integration_id"] == "eu"
    assert "integration_id" not in project.get("null").json["prompt_config"]
    manifests = {item["key"]: item for item in project.request("GET", "/v2/manifests").json["data"]}
    assert manifests["a"]["prompt_config"]["integration_id"] == "eu"
    changes = project.request("GET", "/v2/deployments/a/diff?from=1.0&to=1.1").json["changes"]
    assert changes == [{"path": "prompt_config.integration_id", "after": "eu"}]
