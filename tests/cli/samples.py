"""Sample texts and values that a file format could corrupt, and bodies that contain them."""

import random
from typing import Any

from moorage.core.validation.strict_json import MAX_KEY

#: Texts that YAML could parse as another type, or cannot represent literally.
TEXTS: dict[str, list[str]] = {
    "words": [
        "", " ", "no", "Yes", "on", "y", "n", "true", "NULL", "~", "2026-01-01", "2026-01-01T10:00:00Z", "12:30:45",
        "1:20", "1e3", "1.0", ".5", "1.", "+1", "-", "--", "0x1F", "0o17", "017", "0b1", "1_000", ".inf", "-.INF",
        ".NaN", "=", "<<",
    ],
    "signs": [
        "- a", ": b", "a: b", "#c", "a #c", "? d", "?", "|", ">", "&a", "*a", "!x", "%TAG", "@a", "`a`", "{a}", "[a]",
        "{", "]", ",", "'", '"', "''", "\\", "\\n", "a\\", '"quoted"', "'quoted'", "{{name}}", "---", "...", "--- a",
    ],
    "lines": [
        "\n", "\n\n", "a\n", "\na", "a\n\n\n", "two\nlines", " leading\nspaces", "  two\n one\nnone", "trailing \nb",
        "space ", "a\n ", "\n a", "\ttab\n\ttab", "a\tb", "\t", "a\r\nb\r\n", "a\rb", "\r", "\n\r", " \n \n ",
        "\n\n  a\n\n", "---\na\n---\n", "a\n...\n", "# not a comment\n# either\n", "key: value\n- item\n", "a" * 300,
        "many words " * 60, "x\n" + "many words " * 60,
    ],
    "unicode": [
        "👋", "a 👋\nb 🏽\n", "é ü ß", "e\u0301", "日本語\nの行\n", "مرحبا", "\u200b", "\u200f", "\xa0", "\xad",
        "\x7f", "\x1b[2J", "\x01", "\x9b", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U0010ffff",
    ],
    "separators": [
        "\ufeff", "\ufeffa", "a\ufeffb", "a\ufeff\nb\n", "\u2028", "a\u2028b", "a\nb\u2028c\n", "a\n\u2028\n b\n",
        "\u2028 a", " \u2028a", "a\u2029", "\u2029a\n", "a\n\u2029 b", "\x0b", "a\x0cb\n", "\x1c\n\x1d",
    ],
    "next lines": ["\x85", "a\x85b", "a\n b\x85c\n", "\n\x85", "a\x85\n", "a \x85 b"],
}  # fmt: skip

#: JSON values of all types, for variables and schemas, which accept any value.
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, -0.0, 0.1, 0.1 + 0.2, 1e-7, 1e3, 1e16, 1.5e300, 5e-324, 2**53 + 1, -(2**63),
    2**64, 2**70, 10**300, [], {}, [[]], [None, 1, 1.0, True, "1"], {"": "", "1": 1, "a\nb": {"x" * 200: []}},
]  # fmt: skip

#: The parts of the generated texts.
PIECES = [
    "a", "b ", " ", "  ", "\n", "\n\n", "\t", "\r", "\u2028", "\u2029", "\ufeff", ":", ": ", "#", " #", "-", "- ", "'",
    '"', "\\", "|", ">", "{", "}", "[", ",", "👋", "é", "\x0c", "\x7f", "%", "---", "\n---\n", "\n...\n", "&", "*", "!",
    "?", "0", "x" * 60,
]  # fmt: skip


def body_with_text(text: str) -> dict[str, Any]:
    """Return a body that contains the text in every field that accepts it."""
    key = text[:MAX_KEY]
    schema = {
        "type": "object",
        "properties": {key: {"type": "string", "description": text, "enum": [text, {"a": [text]}], "default": None}},
        "required": [key],
        "additionalProperties": False,
    }
    return {
        "description": text,
        "variables": [{"key": "v", "value": text, "description": text}, {"key": "w", "value": {key: [text]}}],
        "prompt_config": {
            "tools": [{"type": "function", "display_name": text, "function": {"name": "f", "parameters": schema}}],
            "model": text[:200] or "m",
            "model_type": "chat",
            "model_parameters": {
                "style": text,
                "responseFormat": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"title": text}}},
            },
            "provider": "openai",
            "messages": [
                {"role": "user", "content": text},
                {"role": "user", "content": [{"type": "text", "text": text}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": text}}],
                },
            ],
        },
    }


def body_with_values() -> dict[str, Any]:
    """Return a body with all values, and model parameters of different magnitudes."""
    properties = {f"p{number}": {"default": value} for number, value in enumerate(VALUES)}
    return {
        "variables": [
            {"key": "without a value"},
            {"key": "secret", "is_pii": True},
            *({"key": f"v{number}", "value": value} for number, value in enumerate(VALUES)),
        ],
        "prompt_config": {
            "tools": [
                {
                    "type": "function",
                    "id": 42,
                    "function": {"name": "f", "parameters": {"type": "object", "properties": properties}},
                }
            ],
            "model": "m",
            "model_type": "chat",
            "model_parameters": {"temperature": 1e-7, "topP": 0.1, "seed": 42.5, "maxTokens": 2**53, "topK": 1.0},
            "provider": "openai",
            "messages": [],
        },
    }


def generated(count: int) -> list[str]:
    """Return random combinations of the pieces, the same ones in each run."""
    rng = random.Random(1)
    return ["".join(rng.choices(PIECES, k=rng.randint(1, 9))) for _ in range(count)]


TEXTS["generated"] = generated(50)
