"""`…/versions/{version_or_id}/render` and `…/try`: try-outs of versions."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.api.test_calls import A_STREAM, STREAM_HEAD, Application, Provider, an_answer, an_event, called, chunked
from tests.support.in_process import request
from tests.support.server import Project, Response, a_body

TEMPLATE = [{"role": "system", "content": "You help {{name}} in {{ country }}."}]
VERSIONS = "/v2/deployments/answers/versions"


def post(project: Project, path: str, body: object = None, token: str | None = None) -> Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    data = b"" if body is None else json.dumps(body).encode()
    return project.request("POST", f"/v2/deployments/{path}", data, headers)


def draft(project: Project, key: str, **content: Any) -> str:
    created = post(project, f"{key}/versions", content)
    assert created.status == 201, created.body
    version: str = created.json["version"]
    return version


@pytest.fixture
def drafted(project: Project) -> Project:
    """Return a project with the deployment `a`: 1.0 is live, and the draft 1.1 has a variant and a rule."""
    assert project.put("a", a_body(messages=[{"role": "system", "content": "Live."}])).status == 201
    short = a_body(model="small", messages=[{"role": "system", "content": "Short, {{name}}."}])
    draft(
        project, "a", **a_body(messages=TEMPLATE), variables=[{"key": "country", "value": "Chile"}],
        variants=[{"name": "short", "prompt_config": short["prompt_config"]}],
        routing=[{"variant": "short", "when": {"plan": {"eq": "free"}}}],
    )  # fmt: skip
    return project


def test_a_draft_is_rendered_with_inputs_defaults_and_the_names_without_an_input(drafted: Project) -> None:
    response = post(drafted, "a/versions/1.1/render")

    assert response.status == 200
    assert response.json["config"]["messages"] == [{"role": "system", "content": "You help  in Chile."}]
    assert response.json["config"]["missing_inputs"] == ["name"]
    assert (response.json["version"], response.json["rejected"]) == ("1.1", False)
    rendered = post(drafted, "a/versions/1.1/render", {"inputs": {"name": "Ada", "country": "Peru"}}).json
    assert rendered["config"]["messages"] == [{"role": "system", "content": "You help Ada in Peru."}]
    assert "missing_inputs" not in rendered["config"]


def test_the_context_chooses_the_variant_of_the_version_and_each_rule_is_explained(drafted: Project) -> None:
    response = post(drafted, "a/versions/1.1/render", {"context": {"plan": "free"}, "inputs": {"name": "Ada"}}).json

    assert (response["variant"], response["reason"], response["rule"]) == ("short", "rule", 1)
    assert response["config"]["model"] == "small"
    assert response["config"]["messages"] == [{"role": "system", "content": "Short, Ada."}]
    assert [(each["rule"], each["matched"]) for each in response["rules"]] == [(1, True), (0, True)]
    assert post(drafted, "a/versions/1.1/render").json["variant"] == "default"


def test_what_is_rendered_is_what_get_config_returns_once_the_version_is_live(drafted: Project) -> None:
    body = {"inputs": {"name": "Ada"}, "context": {"plan": "pro"}, "messages": [{"role": "user", "content": "Hi"}]}
    rendered = post(drafted, "a/versions/1.1/render", body).json["config"]
    assert post(drafted, "a/versions/1.1/publish?allow_breaking=true").status == 200

    assert post(drafted, "get_config", {"key": "a", **body}).json == rendered


@pytest.mark.parametrize("syntax", ["text", "mustache"])
def test_a_missing_input_that_is_an_error_is_shown_as_it_is_written(project: Project, syntax: str) -> None:
    project.put("a")
    draft(project, "a", **a_body(messages=TEMPLATE), settings={"engine": syntax, "missing_inputs": "error"})

    response = post(project, "a/versions/1.1/render", {"inputs": {"name": "Ada"}})

    assert response.status == 200
    assert response.json["rejected"] is True
    assert response.json["config"]["missing_inputs"] == ["country"]
    assert response.json["config"]["messages"] == [{"role": "system", "content": "You help Ada in {{ country }}."}]
    tried = post(project, "a/versions/1.1/try", {"inputs": {"name": "Ada"}})
    assert (tried.status, tried.error["code"]) == (400, "missing_inputs")
    complete = post(project, "a/versions/1.1/render", {"inputs": {"name": "Ada", "country": "Peru"}})
    assert complete.json["rejected"] is False


@pytest.mark.parametrize("operation", ["render", "try"])
@pytest.mark.parametrize(
    ("version", "body", "status", "code"),
    [
        ("9.9", {}, 404, "version_not_found"),
        ("1.0", {"inputs": []}, 400, "invalid_request_body"),
        ("1.0", {"input": {}}, 400, "invalid_request_body"),
        ("1.0", {"context": {"plan": {"a": {"b": 1}}}}, 400, "invalid_request_body"),
    ],
)
def test_a_request_that_is_wrong_is_rejected(
    drafted: Project, operation: str, version: str, body: object, status: int, code: str
) -> None:
    response = post(drafted, f"a/versions/{version}/{operation}", body)

    assert (response.status, response.error["code"]) == (status, code)


def test_an_api_key_that_only_calls_cannot_call_a_draft(drafted: Project) -> None:
    tried = post(drafted, "a/versions/1.1/try", {"mock_response": "Hi"}, drafted.key(Scope.INVOKE)[1])
    assert (tried.status, tried.error["code"]) == (403, "insufficient_scope")
    tried = post(drafted, "a/versions/1.1/try", {"mock_response": "Hi"}, drafted.key(Scope.INVOKE, Scope.READ)[1])
    assert (tried.status, tried.json["choices"][0]["message"]["content"]) == (200, "Hi")
    assert tried.headers["x-moorage-version"] == "1.1"


def test_the_versions_of_another_project_cannot_be_tried(drafted: Project) -> None:
    _, token = drafted.server.new_project().key(*Scope)
    for operation in ("render", "try"):
        assert post(drafted, f"a/versions/1.1/{operation}", {}, token).status == 404


def test_a_rendered_version_can_be_that_for_another_model_and_says_whether_one_can_call_it(tmp_path: Path) -> None:
    async def body(app: Application) -> None:
        found = {}
        for model in (None, "openai/o-new", "anthropic/claude-x", "unknown-model"):
            response = await app.send(f"{VERSIONS}/live/render", {} if model is None else {"model": model})
            config = response.json["config"]
            found[model] = config["provider"], config["model"], response.json["connected"]
        assert found == {
            None: ("openai", "openai/my-gpt", True),
            "openai/o-new": ("openai", "openai/o-new", True),
            "anthropic/claude-x": ("anthropic", "anthropic/claude-x", False),
            "unknown-model": ("openai", "unknown-model", True),
        }

    called(tmp_path, Provider(), body)


async def save_draft(app: Application, body: dict[str, Any]) -> None:
    status, _ = await request(app.app, "POST", VERSIONS, app.token, json.dumps(body).encode())
    assert status == 201


def test_a_try_out_calls_the_model_of_a_draft_and_does_not_count_as_use(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        await save_draft(app, a_body(messages=TEMPLATE))
        for version in ("1.0", "1.1"):
            response = await app.send(f"{VERSIONS}/{version}/try", {"inputs": {"name": "Ada"}})
            assert response.status == 200
            assert response.json["choices"][0]["message"]["content"] == "Hello"
            assert response.json["usage"]["total_tokens"] == 5
            assert response.headers["x-moorage-version"] == version
        _, callers = await request(app.app, "GET", "/v2/deployments/answers/callers", app.token)
        assert callers["data"] == []
        status, _ = await request(app.app, "DELETE", "/v2/deployments/answers", app.token)
        assert status == 200

    called(tmp_path, provider, body)
    assert provider.bodies[1]["messages"] == [{"role": "system", "content": "You help Ada in ."}]
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"event":"call"' in line]
    assert [(line["version"], line["tryout"], line["status"]) for line in lines] == [
        ("1.0", True, 200), ("1.1", True, 200)
    ]  # fmt: skip


def test_another_model_is_tried_with_the_parameters_of_the_version_and_without_its_fallbacks(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        fallback = {"provider": "openai", "model": "openai/my-gpt", "model_type": "chat"}
        await save_draft(app, a_body(messages=TEMPLATE) | {"fallbacks": [fallback]})
        response = await app.send(f"{VERSIONS}/1.1/try", {"model": "openai/o-new"})
        assert (response.status, response.headers["x-moorage-model"]) == (200, "o-new")
        response = await app.send(f"{VERSIONS}/1.1/try", {"model": "anthropic/claude-x"})
        assert response.json["error"]["code"] == "integration_not_found"
        assert response.headers["x-moorage-attempts"] == "1"

    called(tmp_path, provider, body)
    (sent,) = provider.bodies
    assert sent["model"] == "o-new"


def test_a_try_out_is_streamed_with_its_usage(tmp_path: Path) -> None:
    async def body(app: Application) -> None:
        *events, end = (await app.send(f"{VERSIONS}/live/try", {"stream": True})).events
        texts = [event["choices"][0]["message"]["content"] for event in events]
        assert texts == ["Hel", "lo", ""]
        assert events[-1]["usage"]["completion_tokens"] == 2
        assert end == "data: [DONE]"

    called(tmp_path, Provider(stream=A_STREAM), body)


def test_an_error_in_the_stream_of_a_try_out_is_an_event_with_the_words_of_the_provider(tmp_path: Path) -> None:
    failure = b'data: {"error": {"message": "The model is on holiday.", "type": "server_error"}}\n\n'
    stream = STREAM_HEAD + chunked(an_event({"content": "Hel"}), failure) + b"0\r\n\r\n"

    async def body(app: Application) -> None:
        first, last = (await app.send(f"{VERSIONS}/live/try", {"stream": True})).events
        assert first["choices"][0]["message"]["content"] == "Hel"
        assert last["error"]["code"] == "provider_error"
        assert "The model is on holiday." in last["error"]["message"]

    called(tmp_path, Provider(stream=stream), body)


def test_a_try_out_is_counted_as_a_call_and_as_a_try_out(tmp_path: Path) -> None:
    async def body(app: Application) -> None:
        await app.send(f"{VERSIONS}/live/try", {})
        await app.send("/v2/deployments/invoke", {"key": "answers"})
        metrics = (await app.send("/metrics", b"", method="GET")).body.decode()
        assert "moorage_call_tryouts_total 1.0" in metrics
        (calls,) = re.findall(r'^moorage_calls_total{deployment="answers",.*result="ok"} (.*)$', metrics, re.MULTILINE)
        assert float(calls) == 2

    called(tmp_path, Provider(an_answer()), body)
