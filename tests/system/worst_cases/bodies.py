"""Bodies that cause the most work or memory of all that fit the limits (docs/api.md, "Limits")."""

import json
from collections.abc import Mapping
from typing import Any

from moorage.core.validation.strict_json import MAX_BODY, MAX_VALUES
from tests.support.server import a_body

Body = dict[str, Any]


def encode(body: object) -> bytes:
    """Return a body as JSON, within the limit."""
    encoded = json.dumps(body, separators=(",", ":")).encode()
    assert len(encoded) <= MAX_BODY, len(encoded)
    return encoded


def tool(properties: Mapping[str, Any], name: str = "f", **schema: Any) -> Body:
    parameters = {"type": "object", "properties": properties, **schema}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def user(content: Any) -> Body:
    return {"role": "user", "content": content}


def _nested(levels: int) -> Body:
    return {"type": "object", "properties": {"k": _nested(levels - 1)}} if levels else {}


def _rules(count: int, condition: Mapping[str, Any]) -> Body:
    return {**a_body(), "routing": [{"variant": "default", "when": condition} for _ in range(count)]}


def _variants(count: int) -> Body:
    names = [f"v{number}" for number in range(count)]
    config = a_body(messages=[user("x" * 10_000)], tools=[tool({f"p{n}": {} for n in range(500)})])["prompt_config"]
    return {
        **a_body(),
        "variants": [{"name": name, "prompt_config": config} for name in names],
        "routing": [{"variant": name, "when": {"a": {"eq": name}}} for name in names],
    }


#: Valid deployments.
DEPLOYMENTS: dict[str, Body] = {
    "one-text": a_body(messages=[user("x" * 1_000_000)]),
    "many-messages": a_body(messages=[user("")] * 4_990),
    "many-parts": a_body(messages=[user([{"type": "text", "text": "{{a}}"}] * 2_000)]),
    "many-tags": a_body(messages=[user("".join(f"{{{{{'n' * 150}{number}}}}}" for number in range(4_900)))]),
    "mustache": {
        **a_body(messages=[user("{{#a}}{{#b}}{{c}}{{/b}}{{/a}}" * 900)]),
        "settings": {"engine": "mustache"},
    },
    "variables": {**a_body(), "variables": [{"key": f"v.{n}", "value": "x" * 150} for n in range(4_900)]},
    "many-tools": a_body(tools=[tool({"a": {"enum": [1, 2]}}, f"f{number}") for number in range(4_900)]),
    "wide-schema": a_body(tools=[tool({f"p{number}": {} for number in range(60_000)})]),
    "enum": a_body(tools=[tool({"a": {"enum": list(range(90_000))}})]),
    "required": a_body(tools=[tool({f"p{n}": {} for n in range(30_000)}, required=[f"p{n}" for n in range(30_000)])]),
    "deep-schema": a_body(tools=[tool({f"a{number}": _nested(28) for number in range(600)})]),
    "many-rules": _rules(100, {f"a{number}": {"eq": 1} for number in range(100)}),
    "long-rules": _rules(99, {"a": {"in": [f"2026-01-{1 + n % 28:02}T00:00:00Z" for n in range(400)]}}),
    "many-variants": _variants(50),
}

#: The contents that take the longest, for routes that only read, move or mark them.
HEAVIEST = ("one-text", "variables", "wide-schema", "deep-schema", "many-rules", "many-variants")

#: Invalid deployments: too large, or with as many and as long problems as possible.
REJECTED: dict[str, Body] = {
    "too-many-messages": a_body(messages=[user("")] * 25_000),
    "too-many-variables": {**a_body(), "variables": [{"key": f"v.{n}", "value": 1} for n in range(30_000)]},
    "too-many-tags": {**a_body(messages=[user("{{a}}" * 1000)] * 200), "settings": {"engine": "mustache"}},
    "bad-roles": a_body(messages=[{"role": "r" * 200, "content": ""}] * 4_500),
    "bad-fields": {**a_body(), **{"f" * 900 + str(number): 0 for number in range(1_000)}},
    "bad-variants": {
        **a_body(),
        "variants": [{"name": "v" * 90 + str(n), "prompt_config": a_body()["prompt_config"]} for n in range(50)],
        "routing": [{"variant": "w" * 90 + str(n), "when": {"a": {"eq": n}}} for n in range(100)],
    },
}

#: Bodies for every route.
RAW: dict[str, bytes] = {
    "whitespace": b" " * MAX_BODY,
    "open-arrays": b"[" * MAX_BODY,
    "deep": b'{"a":' + b"[" * 60 + b"]" * 60 + b"}",
    "many-values": encode([0] * (MAX_VALUES - 1)),
    "too-many-values": encode([[0] * 400] * 400),
    "many-keys": encode({f"{number}": 0 for number in range(80_000)}),
    "escapes": b'{"key":"' + b"\\u0041" * 170_000 + b'"}',
    "surrogates": b'{"key":"' + b"\\ud800" * 170_000 + b'"}',
    "long-number": b"1" * MAX_BODY,
    "not-utf-8": b'{"key":"' + b"\xff" * 1_000_000 + b'"}',
    "open-at-the-end": encode({f"{number}": 0 for number in range(80_000)})[:-1],
    "too-large": b" " * (MAX_BODY + 1),
}
