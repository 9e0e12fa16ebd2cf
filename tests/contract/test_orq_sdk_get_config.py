"""The official SDK gets configurations."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from orq_ai_sdk import Orq, models

from tests.contract.full_items import FULL_MESSAGES, FULL_PARAMETERS, FULL_TOOL, PROVIDER_VALUES
from tests.contract.generated import prompt_configs
from tests.contract.older_sdk import UNSUPPORTED_FIELDS, OlderSdk
from tests.support.server import Project, Server, a_body

GetConfig = Callable[..., models.DeploymentGetConfigResponseBody]

BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def put(project: Project, *texts: str, **fields: Any) -> None:
    messages = [{"role": "system", "content": text} for text in texts]
    assert project.put("bot", {**a_body(messages=messages), **fields}).status in (200, 201)


def variant(name: str) -> dict[str, Any]:
    return {"name": name, "prompt_config": a_body(messages=[{"role": "user", "content": name}])["prompt_config"]}


@pytest.fixture(params=["sync", "async"])
def get_config(request: pytest.FixtureRequest, project: Project) -> Iterator[GetConfig]:
    """Return `orq.deployments.get_config` or its asynchronous version, with the API key of the project."""
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if request.param == "async" else None
        sdk = stack.enter_context(Orq(api_key=project.token, server_url=project.server.url))
        if runner is None:
            yield sdk.deployments.get_config
            return
        stack.callback(lambda: runner.run(sdk.__aexit__(None, None, None)))
        yield lambda **request: runner.run(sdk.deployments.get_config_async(**request))


@pytest.fixture
def sdk(project: Project) -> Iterator[Orq]:
    with Orq(api_key=project.token, server_url=project.server.url) as orq:
        yield orq


def get_config_json(project: Project, **request: Any) -> Any:
    """Return the JSON of a configuration, without the SDK."""
    response = project.request("POST", "/v2/deployments/get_config", json.dumps(request).encode())
    assert response.status == 200, response.body
    return response.json


def as_json(response: models.DeploymentGetConfigResponseBody) -> Any:
    return json.loads(response.model_dump_json(by_alias=True, exclude_unset=True))


def test_the_sdk_parses_the_response_into_attributes(project: Project, get_config: GetConfig) -> None:
    """Case 22."""
    put(project, "You help {{customer}}. {{tone}}", variables=[{"key": "tone", "value": "Be kind."}])

    config = get_config(key="bot", inputs={"customer": "Ada"})

    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", config.id)
    assert (config.provider, config.model, config.type, config.version) == ("openai", "openai/my-gpt", "chat", "1.0")
    assert [(message.role, message.content) for message in config.messages] == [("system", "You help Ada. Be kind.")]
    assert (config.parameters.temperature, config.parameters.max_tokens) == (0.2, 512)
    assert config.tools is None


def test_the_sdk_parses_every_field_of_a_prompt_config(project: Project, get_config: GetConfig) -> None:
    config = a_body(tools=[FULL_TOOL], model_parameters=FULL_PARAMETERS, messages=FULL_MESSAGES)
    assert project.put("bot", config).status == 201

    read = as_json(get_config(key="bot", inputs={"customer": "Ada"}))

    sent = get_config_json(project, key="bot", inputs={"customer": "Ada"})
    function = {name: sent["tools"][0]["function"][name] for name in ("name", "description", "parameters")}
    assert read == {**sent, "tools": [{"type": "function", "function": function}]}
    assert sent["tools"] == [FULL_TOOL]
    assert read["parameters"] == FULL_PARAMETERS
    assert read["messages"] == [{"role": "system", "content": "You help Ada. ✓ 👋 \u2028"}, *FULL_MESSAGES[1:]]


def test_the_sdk_drops_the_parameters_of_providers(project: Project, get_config: GetConfig) -> None:
    project.put("bot", a_body(model_parameters={"temperature": 0.2, **PROVIDER_VALUES}))

    assert as_json(get_config(key="bot"))["parameters"] == {"temperature": 0.2}
    assert get_config_json(project, key="bot")["parameters"] == {"temperature": 0.2, **PROVIDER_VALUES}


@pytest.mark.parametrize("environments", ["staging", ["staging"]])
def test_environments_match_as_a_string_and_as_a_list(
    project: Project, get_config: GetConfig, environments: object
) -> None:
    """Case 22."""
    routing = [{"variant": "new", "when": {"environments": {"eq": "staging"}}}]
    put(project, "default", variants=[variant("new")], routing=routing)

    assert get_config(key="bot", context={"environments": environments}).messages[0].content == "new"
    assert get_config(key="bot").messages[0].content == "default"


def test_every_field_that_the_sdk_can_send_is_accepted(project: Project, get_config: GetConfig) -> None:
    put(project, "Hello")
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]

    config = get_config(
        key="bot",
        inputs={"a": {"b": [1]}},
        context={"plan": "pro"},
        prefix_messages=[{"role": "developer", "content": [{"type": "text", "text": "p"}], "name": "n"}],
        messages=[
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "content": "t", "tool_call_id": "c1", "cache_control": {"type": "ephemeral"}},
        ],
        identity={"id": "i1", "display_name": "Ada", "metadata": [{"a": 1}], "tags": ["x"]},
        file_ids=["f1"],
        metadata={"a": 1},
        extra_params={"temperature": 1, "seed": 7},
        documents=[{"text": "t", "metadata": {"file_name": "a", "page_number": 1}}],
        invoke_options={"include_retrievals": True, "include_usage": True, "mock_response": "m"},
        thread={"id": "t1", "tags": ["x"]},
        knowledge_filter={"and_": [{"a": {"eq": "x"}}, {"b": {"in_": ["y"]}}]},
    )

    assert [message.role for message in config.messages] == ["system", "developer", "user", "assistant", "tool"]
    assert config.messages[3].content is None
    assert config.messages[3].tool_calls is not None
    assert config.messages[3].tool_calls[0].function.name == "f"
    assert (config.parameters.temperature, config.parameters.seed) == (1, 7)


def test_a_message_part_that_the_sdk_cannot_parse_is_returned_in_the_json(project: Project, sdk: Orq) -> None:
    """As documented in docs/api.md: the response contains the audio of the request, and typed SDKs reject it."""
    put(project, "Hello")
    audio = {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]}

    assert get_config_json(project, key="bot", messages=[audio])["messages"][1] == audio
    with pytest.raises(models.ResponseValidationError):
        sdk.deployments.get_config(key="bot", messages=[audio])  # type: ignore[arg-type]  # a message part as JSON


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"key": "unknown"}, 404, "deployment_not_found"),
        ({"key": "bot"}, 400, "missing_inputs"),
        ({"key": "bot", "context": {"a": {}}}, 400, "invalid_request_body"),
    ],
)
def test_the_sdk_raises_its_own_error_for_a_rejected_request(
    project: Project, get_config: GetConfig, request_: dict[str, Any], status: int, code: str
) -> None:
    put(project, "{{a}}", settings={"missing_inputs": "error"})

    with pytest.raises(models.APIDefaultError) as caught:
        get_config(**request_)

    assert caught.value.status_code == status
    assert json.loads(caught.value.body)["error"]["code"] == code


@BOUNDED
@given(config=prompt_configs(is_newest=True))
def test_the_sdk_parses_the_configuration_of_every_prompt_config(
    project: Project, sdk: Orq, config: dict[str, Any]
) -> None:
    response = project.put("bot", {"prompt_config": config}, "?allow_breaking=true")
    assert response.status in (200, 201), response.body

    parsed = sdk.deployments.get_config(key="bot", inputs={"a": "x"})
    assert parsed is not None
    read = as_json(parsed)

    sent = get_config_json(project, key="bot", inputs={"a": "x"})
    assert {name: read[name] for name in ("id", "model", "provider", "type", "version")} == {
        name: sent[name] for name in ("id", "model", "provider", "type", "version")
    }
    assert read["messages"] == sent["messages"]
    assert read["parameters"] == sent["parameters"]


@pytest.fixture(scope="module", params=UNSUPPORTED_FIELDS)
def older(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OlderSdk]:
    """Return an older version of the SDK."""
    program = Path(__file__).with_name("get_config_with_sdk.py")
    with OlderSdk(request.param, program, server.url, tmp_path_factory.mktemp("sdk")) as sdk:
        yield sdk


def get_config_with_older_sdk(
    sdk: OlderSdk, project: Project, request: dict[str, Any], *, is_async: bool = False, **client_settings: str
) -> dict[str, Any]:
    settings = {"api_key": project.token, **client_settings}
    return sdk.run(json.dumps({"settings": settings, "request": request, "is_async": is_async}))


@pytest.mark.system
@pytest.mark.parametrize("is_async", [False, True])
def test_an_older_sdk_parses_the_response(older: OlderSdk, project: Project, is_async: bool) -> None:
    """The request has every field it can send, also `"stream": false`, a global environment and a contact."""
    put(project, "You help {{customer}}.", variants=[variant("new")])
    request = {
        "key": "bot",
        "inputs": {"customer": "Ada"},
        "context": {"environments": ["staging"]},
        "prefix_messages": [{"role": "user", "content": "p"}],
        "messages": [{"role": "user", "content": "m"}],
        "extra_params": {"temperature": 1},
        "metadata": {"a": 1},
        "documents": [{"text": "t"}],
        "invoke_options": {"include_usage": True},
        "thread": {"id": "t1"},
    }

    result = get_config_with_older_sdk(
        older, project, request, is_async=is_async, environment="staging", contact_id="c1"
    )

    assert result["response"] == get_config_json(project, **request)
    assert [message["content"] for message in result["response"]["messages"]] == ["You help Ada.", "p", "m"]


@pytest.mark.system
def test_an_older_sdk_drops_the_parameters_of_providers(older: OlderSdk, project: Project) -> None:
    project.put("bot", a_body(model_parameters={"temperature": 0.2, **PROVIDER_VALUES}))

    result = get_config_with_older_sdk(older, project, {"key": "bot"})

    assert result["response"]["parameters"] == {"temperature": 0.2}


@pytest.mark.system
def test_an_older_sdk_raises_its_own_error_for_a_rejected_request(older: OlderSdk, project: Project) -> None:
    result = get_config_with_older_sdk(older, project, {"key": "unknown"})

    assert (result["error"], result["status"]) == ("APIError", 404)


@pytest.mark.system
@BOUNDED
@given(config=prompt_configs(is_newest=False))
def test_an_older_sdk_parses_the_configuration_of_every_prompt_config(
    older: OlderSdk, project: Project, config: dict[str, Any]
) -> None:
    response = project.put("bot", {"prompt_config": config}, "?allow_breaking=true")
    assert response.status in (200, 201), response.body

    result = get_config_with_older_sdk(older, project, {"key": "bot", "inputs": {"a": "x"}})

    assert result["response"]["id"] == get_config_json(project, key="bot", inputs={"a": "x"})["id"]
