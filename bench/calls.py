"""Calls: deployments with variables and a routing table, and bodies of `get_config` for them."""

import random
from pathlib import Path
from typing import Any

import msgspec

from bench.data import Named

_COUNTRIES = ("NLD", "BEL", "DEU", "FRA", "ESP", "ITA", "SWE", "POL")
_WORDS = "You answer customers of a ferry line with care and stay with the facts that you are given. "


def deployments_of(prompts: Path | None) -> list[Named]:
    """The prompts of a file, or as many generated ones, with variables and a table."""
    texts = [_WORDS * 10] * 200
    if prompts is not None:
        found = [msgspec.json.decode(line) for line in prompts.read_bytes().splitlines()]
        texts = [each["prompt_config"]["messages"][0]["content"] for each in found]
    return [Named(f"call-{number}", _body(text)) for number, text in enumerate(texts)]


def _body(text: str) -> dict[str, Any]:
    filled = f"{text}\n\nYou speak to {{{{customer}}}}, who is on the plan {{{{plan}}}}. Answer in {{{{language}}}}."
    config = {
        "model": "openai/gpt-4o", "model_type": "chat", "provider": "openai",
        "model_parameters": {"temperature": 0.2, "maxTokens": 512},
        "messages": [{"role": "system", "content": filled}],
    }  # fmt: skip
    return {
        "description": "",
        "prompt_config": config,
        "variables": [{"key": "plan", "value": "free"}],
        "variants": [{"name": "other", "prompt_config": {**config, "model": "openai/gpt-5"}}],
        "routing": [
            {"variant": "other", "when": {"country": {"in": ["NLD", "BEL"]}, "plan": {"ne": "free"}}},
            {"variant": "other", "when": {"environments": {"eq": "staging"}}},
            {"variant": "other", "when": {"age": {"gte": 65}}},
            {"variant": "other", "when": {"email": {"starts_with": "test-"}}},
            {"variant": "other", "split": {"by": "user_id", "percent": 20}},
        ],
    }


def call(key: str, draw: random.Random) -> str:
    """The body of one call as JSON: drawn inputs, and a context that a row or none matches."""
    user = draw.randrange(1_000_000)
    inputs = {"customer": f"Customer {user}", "language": "Dutch"} | ({"plan": "pro"} if user % 2 else {})
    context = {
        "country": draw.choice(_COUNTRIES), "plan": draw.choice(("free", "pro")), "age": draw.randrange(18, 80),
        "environments": "production", "email": f"user-{user}@ferry.example", "user_id": str(user),
    }  # fmt: skip
    return msgspec.json.encode({"key": key, "inputs": inputs, "context": context}).decode()
