"""Client and server return the same bytes for the same request, because they share routing and rendering.

`pytest --triples 10000 tests/client/test_same_bytes.py` compares more requests.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.client import Moorage
from moorage.core.errors.base import MoorageError
from moorage.core.resolution.config import MAX_CALL_BODY
from tests.support.server import Project, Server

DEPLOYMENTS = 40
NAMES = ("customer", "order", "items", "note", "day", "day.name")
VALUES: tuple[Any, ...] = (
    "Ada", "", "Zoë 🚢 \\ \"quoted\" {{order}}", 0, -3.5, 1e21, True, False, None, [], ["a", {"b": 1}],
    {"x": {"y": "z"}}, "line\nline\ttab", [1, 2, 3], {"name": "Monday"},
)  # fmt: skip
LONE_SURROGATE = "\ud800"
COUNTRIES = ("NLD", "BEL", "DEU", "FRA")
FRAGMENTS = {
    "text": ("Help {{customer}}. ", "{{ order }} ", "{{day.name}} ", "{{items.0}} ", "{{note}}{{note}} ", "{{none}} "),
    "mustache": ("Help {{customer}}. ", "{{#items}}<{{.}}>{{/items}} ", "{{^note}}none{{/note}} ", "{{{order}}} "),
    "jinja": ("Help {{ customer }}. ", "{% for x in items %}{{ x }},{% endfor %} ", "{{ order or 1 }} ", "{{ day }} "),
}


class Generator:
    """Random deployments and requests from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def body(self) -> dict[str, Any]:
        """Return a random deployment body."""
        variants = [{"name": f"v{number}", **self._variant()} for number in range(self._random.randrange(4))]
        names = ["default", *(variant["name"] for variant in variants)]
        rules = [self._rule(self._random.choice(names)) for _ in range(self._random.randrange(5))]
        return {**self._variant(), "variants": variants, "routing": rules}

    def request(self) -> dict[str, Any]:
        """Return random arguments of `get_config`."""
        names = self._random.sample(NAMES, self._random.randrange(len(NAMES) + 1))
        request: dict[str, Any] = {
            "key": f"d{self._random.randrange(DEPLOYMENTS)}",
            "inputs": {name: self._random.choice(VALUES) for name in names},
            "context": {
                "country": self._random.choice((*COUNTRIES, None, ["NLD"])),
                "user_id": f"u{self._random.randrange(1_000)}",
                "age": self._random.choice((17, 18, 18.5, "18")),
                "environments": self._random.choice(("staging", ["staging"], ["a", "b"])),
            },
        }
        if self._random.random() < 0.3:
            request["prefix_messages"] = [{"role": "user", "content": "Before: {{customer}}"}]
            request["messages"] = [{"role": "user", "content": [{"type": "text", "text": "And {{order}}?"}]}]
            request["extra_params"] = {"temperature": 0.9, "maxTokens": 7, "stop": ["x"], "topP": None}
        return request

    def _variant(self) -> dict[str, Any]:
        engine = self._random.choices(["text", "mustache", "jinja"], [5, 4, 1])[0]
        text = "".join(self._random.choices(FRAGMENTS[engine], k=self._random.randrange(1, 6)))
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "https://x/{{order}}"}}]
        settings = {"engine": engine, "missing_inputs": self._random.choice(["empty", "keep", "error"])}
        return {
            "prompt_config": {
                "model": self._random.choice(["openai/my-gpt", "m"]), "model_type": "chat", "provider": "openai",
                "model_parameters": {"temperature": self._random.choice([0, 0.2, 1]), "topP": 0.95},
                "messages": [
                    {"role": "system", "content": text},
                    {"role": "user", "content": parts},
                    {"role": "assistant", "content": None, "tool_calls": [
                        {"type": "function", "id": "c", "function": {"name": "f", "arguments": "{}"}}]},
                    {"role": "tool", "tool_call_id": "c", "content": "done"},
                ],
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {
                    "type": "object", "properties": {"a": {"type": "string"}}}}}],
            },
            "variables": [
                {"key": key, "value": value}
                for key, value in (("customer", "guest"), ("day.name", "today"))
                if self._random.random() < 0.5
            ],
            "settings": settings,
        }  # fmt: skip

    def _rule(self, variant: str) -> dict[str, Any]:
        conditions: dict[str, Any] = {}
        if self._random.random() < 0.6:
            conditions["country"] = {"in": self._random.sample(COUNTRIES, 2)}
        if self._random.random() < 0.3 or not conditions:
            conditions["age"] = {"gte": self._random.choice([18, 18.2])}
        rule: dict[str, Any] = {"variant": variant, "when": conditions}
        if self._random.random() < 0.3:
            rule["split"] = {"by": "user_id", "percent": self._random.choice([10, 33.33])}
        return rule


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project with random deployments, on a server that renders jinja."""
    folder: Path = tmp_path_factory.mktemp("same")
    with Server(folder, "--jinja", "true") as server:
        project, generator = server.new_project(), Generator(1)
        for number in range(DEPLOYMENTS):
            response = project.put(f"d{number}", generator.body())
            assert response.status == 201, response.body
        yield project


def from_client(client: Moorage, request: dict[str, Any]) -> tuple[str, str, bytes]:
    """Return the variant, the reason and the config; or the code and the message of an error."""
    try:
        config = client.get_config(**request)
    except MoorageError as error:
        return error.code, "", str(error).encode()
    return config.variant, config.reason, config.json


def from_server(project: Project, request: dict[str, Any]) -> tuple[str, str, bytes]:
    """Return the same from the server."""
    response = project.request("POST", "/v2/deployments/get_config", json.dumps(request).encode())
    if response.status != 200:
        return response.error["code"], "", response.error["message"].encode()
    return response.headers["x-moorage-variant"], response.headers["x-moorage-reason"], response.body


def test_client_and_server_return_the_same_bytes(project: Project, pytestconfig: pytest.Config) -> None:
    generator, outcomes = Generator(2), Counter[str]()
    with Moorage(project.server.url, project.token, cache=None, lockfile=None, jinja=True) as client:
        for _ in range(pytestconfig.getoption("--triples")):
            request = generator.request()
            result = from_client(client, request)
            assert result == from_server(project, request), request
            outcomes[result[1] or result[0]] += 1

    assert {"rule", "split", "default", "missing_inputs"} <= set(outcomes), outcomes


@pytest.mark.parametrize(
    "arguments",
    [
        {"inputs": {"order": LONE_SURROGATE}},
        {"inputs": {"unused": LONE_SURROGATE}},
        {"inputs": {"order": {"items": [LONE_SURROGATE]}}},
        {"inputs": {LONE_SURROGATE: 1}},
        {"context": {"user_id": LONE_SURROGATE}},
        {"messages": [{"role": "user", "content": LONE_SURROGATE}]},
        {"prefix_messages": [{"role": "user", "content": LONE_SURROGATE}]},
        {"extra_params": {"stop": LONE_SURROGATE}},
        {"key": LONE_SURROGATE},
        {"key": ""},
        {"inputs": ["x"]},
        {"inputs": []},
        {"inputs": 5},
        {"context": "a"},
        {"extra_params": "a"},
        {"messages": "text"},
        {"messages": {}},
        {"prefix_messages": 5},
        {"inputs": 5, "messages": ["x"], "context": True},
    ],
    ids=ascii,
)
def test_client_and_server_reject_a_request_with_the_same_message(project: Project, arguments: dict[str, Any]) -> None:
    request = {"key": "d0", **arguments}
    with Moorage(project.server.url, project.token, cache=None, lockfile=None) as client:
        result = from_client(client, request)

    assert result == from_server(project, request)
    assert result[0] in ("invalid_json", "invalid_request_body")


@pytest.mark.parametrize("name", ["inputs", "context", "extra_params"])
def test_client_and_server_have_the_same_limit_of_size(project: Project, name: str) -> None:
    request: dict[str, Any] = {"key": "d0", name: {"order": ""}}
    rest = MAX_CALL_BODY - len(json.dumps(request))
    fits, too_large = ({**request, name: {"order": "x" * (rest + more)}} for more in (0, 1))
    with Moorage(project.server.url, project.token, cache=None, lockfile=None) as client:
        results = [from_client(client, each) for each in (fits, too_large)]

    assert results[0][0] != results[1][0] == "body_too_large"
    assert results[1] == from_server(project, too_large)


def test_client_and_server_join_a_surrogate_pair(project: Project) -> None:
    request = {"key": "d0", "inputs": dict.fromkeys(NAMES, "\ud83d\udea2"), "context": {"größe": "\ud83d\udea2"}}
    with Moorage(project.server.url, project.token, cache=None, lockfile=None, jinja=True) as client:
        result = from_client(client, request)

    assert result == from_server(project, request)
    assert "🚢" in result[2].decode()


def test_the_comparison_detects_a_difference(project: Project) -> None:
    """Positive control: other inputs result in another response."""
    generator = Generator(3)
    with Moorage(project.server.url, project.token, cache=None, lockfile=None, jinja=True) as client:
        requests = [generator.request() for _ in range(50)]
        differences = [
            from_client(client, request | {"inputs": request["inputs"] | {"customer": "Bob"}})
            != from_server(project, request)
            for request in requests
        ]

    assert any(differences)
