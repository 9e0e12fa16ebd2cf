"""`POST /v2/deployments/get_config`: templates of each engine, and their limits and errors."""

import json
from pathlib import Path

import pytest

from tests.support.get_config import a_variant, contents, problems, put, resolve
from tests.support.server import Project, Response, Server, a_body


def test_all_messages_together_render_at_most_a_mebibyte_more_than_the_inputs(project: Project) -> None:
    put(project, "{{a}}" * 600, "{{a}}" * 600, "{{b}}")

    def rendered(length: int) -> Response:
        return resolve(project, inputs={"a": "x" * length, "b": "x" * 1_000})

    assert sum(map(len, contents(rendered(874)))) > 1_048_576
    response = rendered(875)
    assert (response.status, response.error["code"]) == (400, "output_too_large")


def test_a_template_over_the_limit_is_rejected_and_others_are_served(project: Project) -> None:
    put(project, "{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}", settings={"engine": "mustache"})

    response = resolve(project, inputs={"a": [1] * 100})

    assert (response.status, response.error["code"]) == (400, "template_limit_exceeded")
    assert contents(resolve(project, inputs={"a": [1] * 3})) == ["x" * 27]


def test_an_unknown_engine_is_rejected_on_write(project: Project) -> None:
    variant = a_variant("v", "Hello", settings={"engine": 1})

    response = project.put("bot", {**a_body(), "settings": {"engine": "erb"}, "variants": [variant], "nothing": 1})

    assert (response.status, response.error["code"]) == (400, "unsupported_engine")
    assert response.error["problems"] == [
        {"path": "settings.engine", "message": 'must be one of jinja, mustache, text; got "erb"'},
        {"path": "variants[0].settings.engine", "message": "must be one of jinja, mustache, text, not a number"},
        {"path": "nothing", "message": response.error["problems"][2]["message"]},
    ]


def test_a_jinja_template_is_not_published_if_jinja_is_disabled(project: Project) -> None:
    body = {**a_body(), "settings": {"engine": "jinja"}}
    variants = {**a_body(), "variants": [a_variant("v", "Hello", settings={"engine": "jinja"})]}
    put(project, "Hello")
    versions = "/v2/deployments/bot/versions"
    draft = project.request("POST", versions, json.dumps({**body, "status": "draft"}).encode())

    for response in (
        project.put("new", body),
        project.put("new", variants),
        project.put("bot", body),
        project.request("POST", "/v2/deployments", json.dumps({"key": "new", **body}).encode()),
        project.request("POST", versions, json.dumps({**body, "status": "published"}).encode()),
        project.request("POST", f"{versions}/{draft.json['_id']}/publish"),
    ):
        assert (response.status, response.error["code"]) == (400, "unsupported_engine")
        assert "not enabled" in response.error["message"]

    assert (draft.status, project.get("new").status) == (201, 404)
    assert contents(resolve(project)) == ["Hello"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% if %}", "Expected an expression"),
        ("a\n{{ a", "expected 'end of print statement', line 2."),
        ("{{ a|b }}", "there is no filter named 'b'"),
    ],
)
def test_an_invalid_jinja_template_is_not_published(jinja_server: Server, template: str, reason: str) -> None:
    project = jinja_server.new_project()
    settings = {"engine": "jinja"}
    body = {**a_body(messages=[{"role": "user", "content": template}]), "settings": settings}
    put(project, "Hello", settings=settings)
    versions = "/v2/deployments/bot/versions"
    draft = project.request("POST", versions, json.dumps({**body, "status": "draft"}).encode())

    for response in (
        project.put("new", body),
        project.put("new", body, "?dry_run=true"),
        project.put("bot", body, "?allow_breaking=true"),
        project.request("POST", "/v2/deployments", json.dumps({"key": "new", **body}).encode()),
        project.request("POST", f"{versions}/{draft.json['_id']}/publish"),
    ):
        assert (response.status, response.error["code"]) == (400, "invalid_template")
        assert response.error["param"] == "prompt_config.messages"
        assert reason in response.error["message"]

    variants = [a_variant("v", "Hello"), a_variant("w", template, settings=settings)]
    assert project.put("new", {**a_body(), "variants": variants}).error["param"] == "variants.w"
    assert (draft.status, project.get("new").status) == (201, 404)
    assert contents(resolve(project)) == ["Hello"]


def test_a_request_for_a_jinja_template_is_rejected_if_jinja_is_disabled(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        put(project, "{% if a %}yes{% endif %}", settings={"engine": "jinja"})
        server.stop()
    with Server(folder) as server:
        response = resolve(Project(server, project.id, project.name, project.token))

    assert (response.status, response.error["code"]) == (400, "unsupported_engine")
    assert "not enabled" in response.error["message"]


def test_an_invalid_mustache_template_is_rejected_on_write_with_its_path(project: Project) -> None:
    parts = [{"type": "text", "text": "{{#b}}"}, {"type": "image_url", "image_url": {"url": "{{"}}]
    messages = [{"role": "system", "content": "{{#a}}"}, {"role": "user", "content": parts}]
    body = {
        **a_body(messages=messages),
        "settings": {"engine": "mustache"},
        "variants": [a_variant("v", "\n{{/c}}", settings={"engine": "mustache"}), a_variant("w", "{{#text}}")],
    }
    expected = {
        "prompt_config.messages[0].content": "the section 'a' is never closed, line 1",
        "prompt_config.messages[1].content[0].text": "the section 'b' is never closed, line 1",
        "prompt_config.messages[1].content[1].image_url.url": "a tag is never closed, line 1",
        "variants[0].prompt_config.messages[0].content": "the section 'c' is closed but was never opened, line 2",
    }

    put_response = project.put("bot", body)
    put(project, "whole")
    draft = project.request("POST", "/v2/deployments/bot/versions", json.dumps(body).encode())

    assert problems(put_response) == {
        path: f"is not a valid mustache template: {reason}" for path, reason in expected.items()
    }
    del body["description"]
    draft = project.request("POST", "/v2/deployments/bot/versions", json.dumps(body).encode())
    assert problems(draft) == problems(put_response)


def test_an_invalid_mustache_template_is_a_valid_text(project: Project) -> None:
    put(project, "{{#a}} {{a}} {{")

    assert contents(resolve(project, inputs={"a": 1})) == ["{{#a}} 1 {{"]


def test_jinja_is_rendered_if_it_is_enabled(jinja_server: Server) -> None:
    project = jinja_server.new_project()
    put(
        project, "{% for item in items %}[{{ item.name|upper }}]{% endfor %}{{ missing }}",
        settings={"engine": "jinja", "missing_inputs": "empty"},
        variables=[{"key": "items", "value": [{"name": "x"}]}],
    )  # fmt: skip

    response = resolve(project, inputs={"items": [{"name": "a"}, {"name": "b"}]})

    assert contents(response) == ["[A][B]"]
    assert response.json["missing_inputs"] == ["missing"]
    assert contents(resolve(project)) == ["[X]"]
    assert resolve(project).headers["x-moorage-variant"] == "default"


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{ a.b.c }}{{ 1 / 0 }}", "invalid_template"),
        ("{{ ''.__class__ }}", "template_not_allowed"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "template_limit_exceeded"),
        ("{% for a in range(9999) %}" + "x" * 999 + "{% endfor %}", "output_too_large"),
    ],
)
def test_a_failing_jinja_template_is_rejected_and_others_are_rendered(
    jinja_server: Server, template: str, code: str
) -> None:
    project = jinja_server.new_project()
    put(project, template, settings={"engine": "jinja"})
    put(project, "{{ a }}", settings={"engine": "jinja"}, key="good")

    response = resolve(project)

    assert (response.status, response.error["code"]) == (400, code)
    assert contents(resolve(project, "good", inputs={"a": 1})) == ["1"]


def test_jinja_accepts_or_rejects_inputs_of_any_depth(jinja_server: Server) -> None:
    project = jinja_server.new_project()
    put(project, "{{ a }}", settings={"engine": "jinja"})

    for levels in (64, 200, 400, 600, 800, 900, 950, 970, 990):
        deep = b'{"key":"bot","inputs":{"a":%b}}' % (b"[" * levels + b"]" * levels)
        response = project.request("POST", "/v2/deployments/get_config", deep)
        assert response.status in (200, 400), (levels, response.body)
