"""Client and server answer the same question with the same bytes: rendering and routing are one code.

`pytest --triples 10000 tests/client/test_same_bytes.py` asks more often.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.client import Moorage
from moorage.core.errors import MoorageError
from tests.support.server import Project, Server

DEPLOYMENTS = 40
NAMES = ("customer", "order", "items", "note", "day", "day.name")
VALUES: tuple[Any, ...] = (
    "Ada", "", "Zoë 🚢 \\ \"quoted\" {{order}}", 0, -3.5, 1e21, True, False, None, [], ["a", {"b": 1}],
    {"x": {"y": "z"}}, "line\nline\ttab", [1, 2, 3], {"name": "Monday"},
)  # fmt: skip
HALF = "\ud800"  # of a surrogate pair
COUNTRIES = ("NLD", "BEL", "DEU", "FRA")
PIECES = {
    "text": ("Help {{customer}}. ", "{{ order }} ", "{{day.name}} ", "{{items.0}} ", "{{note}}{{note}} ", "{{none}} "),
    "mustache": ("Help {{customer}}. ", "{{#items}}<{{.}}>{{/items}} ", "{{^note}}none{{/note}} ", "{{{order}}} "),
    "jinja": ("Help {{ customer }}. ", "{% for x in items %}{{ x }},{% endfor %} ", "{{ order or 1 }} ", "{{ day }} "),
}


class Made:
    """Deployments, contexts and inputs, made up from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def body(self) -> dict[str, Any]:
        variants = [{"name": f"v{number}", **self._answering()} for number in range(self._random.randrange(4))]
        names = ["default", *(variant["name"] for variant in variants)]
        rows = [self._row(self._random.choice(names)) for _ in range(self._random.randrange(5))]
        return {**self._answering(), "variants": variants, "routing": rows}

    def question(self) -> dict[str, Any]:
        some = self._random.sample(NAMES, self._random.randrange(len(NAMES) + 1))
        asked: dict[str, Any] = {
            "key": f"d{self._random.randrange(DEPLOYMENTS)}",
            "inputs": {name: self._random.choice(VALUES) for name in some},
            "context": {
                "country": self._random.choice((*COUNTRIES, None, ["NLD"])),
                "user_id": f"u{self._random.randrange(1_000)}",
                "age": self._random.choice((17, 18, 18.5, "18")),
                "environments": self._random.choice(("staging", ["staging"], ["a", "b"])),
            },
        }
        if self._random.random() < 0.3:
            asked["prefix_messages"] = [{"role": "user", "content": "Before: {{customer}}"}]
            asked["messages"] = [{"role": "user", "content": [{"type": "text", "text": "And {{order}}?"}]}]
            asked["extra_params"] = {"temperature": 0.9, "maxTokens": 7, "stop": ["x"], "topP": None}
        return asked

    def _answering(self) -> dict[str, Any]:
        engine = self._random.choices(["text", "mustache", "jinja"], [5, 4, 1])[0]
        text = "".join(self._random.choices(PIECES[engine], k=self._random.randrange(1, 6)))
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "https://x/{{order}}"}}]
        settings = {"engine": engine, "missing_inputs": self._random.choice(["empty", "keep", "error"])}
        return {
            "prompt_config": {
                "model": self._random.choice(["openai/gpt-4o", "m"]), "model_type": "chat", "provider": "openai",
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

    def _row(self, variant: str) -> dict[str, Any]:
        conditions: dict[str, Any] = {}
        if self._random.random() < 0.6:
            conditions["country"] = {"in": self._random.sample(COUNTRIES, 2)}
        if self._random.random() < 0.3 or not conditions:
            conditions["age"] = {"gte": self._random.choice([18, 18.2])}
        row: dict[str, Any] = {"variant": variant, "when": conditions}
        if self._random.random() < 0.3:
            row["split"] = {"by": "user_id", "percent": self._random.choice([10, 33.33])}
        return row


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server that renders jinja, with deployments of all kinds."""
    folder: Path = tmp_path_factory.mktemp("same")
    with Server(folder, "--jinja", "true") as server:
        project, made = server.new_project(), Made(1)
        for number in range(DEPLOYMENTS):
            answer = project.put(f"d{number}", made.body())
            assert answer.status == 201, answer.body
        yield project


def from_client(client: Moorage, asked: dict[str, Any]) -> tuple[str, str, bytes]:
    """The variant, why, and the answer; of an error its code and message."""
    try:
        config = client.get_config(**asked)
    except MoorageError as error:
        return error.code, "", str(error).encode()
    return config.variant, config.reason, config.json


def from_server(project: Project, asked: dict[str, Any]) -> tuple[str, str, bytes]:
    answer = project.request("POST", "/v2/deployments/get_config", json.dumps(asked).encode())
    if answer.status != 200:
        return answer.error["code"], "", answer.error["message"].encode()
    return answer.headers["x-moorage-variant"], answer.headers["x-moorage-reason"], answer.body


def test_client_and_server_give_the_same_bytes(filled: Project, request: pytest.FixtureRequest) -> None:
    made, outcomes = Made(2), Counter[str]()
    with Moorage(filled.server.url, filled.token, cache=None, lockfile=None, jinja=True) as client:
        for _ in range(request.config.getoption("--triples")):
            asked = made.question()
            here, there = from_client(client, asked), from_server(filled, asked)
            assert here == there, asked
            outcomes[here[1] or here[0]] += 1

    assert {"rule", "split", "default", "missing_inputs"} <= set(outcomes), outcomes


@pytest.mark.parametrize(
    "asked",
    [
        {"inputs": {"order": HALF}},
        {"inputs": {"unused": HALF}},
        {"inputs": {"order": {"items": [HALF]}}},
        {"inputs": {HALF: 1}},
        {"context": {"user_id": HALF}},
        {"messages": [{"role": "user", "content": HALF}]},
        {"prefix_messages": [{"role": "user", "content": HALF}]},
        {"extra_params": {"stop": HALF}},
        {"key": HALF},
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
def test_what_the_server_refuses_the_client_refuses_in_the_same_words(filled: Project, asked: dict[str, Any]) -> None:
    asked = {"key": "d0", **asked}
    with Moorage(filled.server.url, filled.token, cache=None, lockfile=None) as client:
        here = from_client(client, asked)

    assert here == from_server(filled, asked)
    assert here[0] in ("invalid_json", "invalid_request_body")


def test_two_halves_of_a_surrogate_pair_are_one_letter_to_both(filled: Project) -> None:
    asked = {"key": "d0", "inputs": dict.fromkeys(NAMES, "\ud83d\udea2"), "context": {"größe": "\ud83d\udea2"}}
    with Moorage(filled.server.url, filled.token, cache=None, lockfile=None, jinja=True) as client:
        here = from_client(client, asked)

    assert here == from_server(filled, asked)
    assert "🚢" in here[2].decode()


def test_a_difference_would_be_seen(filled: Project) -> None:
    """The positive control: one letter of the inputs is another answer."""
    made = Made(3)
    with Moorage(filled.server.url, filled.token, cache=None, lockfile=None, jinja=True) as client:
        questions = [made.question() for _ in range(50)]
        found = [
            from_client(client, asked | {"inputs": asked["inputs"] | {"customer": "Bob"}}) != from_server(filled, asked)
            for asked in questions
        ]

    assert any(found)
