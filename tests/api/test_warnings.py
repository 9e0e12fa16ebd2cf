"""Warnings: the header of writes and of get_config, and the JSON of dry runs."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

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
