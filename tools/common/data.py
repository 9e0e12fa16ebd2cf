"""Generated deployments and requests of a fictional ferry company.

Sizes repeat every ten deployments, so that all pages of one limit have the same length.
"""

import random
import re
from typing import Any

import msgspec

from tools.common.client import Request

#: In each request, publish.lua replaces it with a new marker.
PLACEHOLDER = "@marker@"

_MARKER = re.compile(r"Change (\S+)\.$")

_MODELS = (
    ("openai", "openai/gpt-4o"),
    ("anthropic", "anthropic/claude-sonnet-4"),
    ("mistral", "mistral/mistral-large-latest"),
)
_SAILING = {
    "type": "object",
    "properties": {
        "route": {"type": "string"},
        "day": {"type": "string", "format": "date"},
        "seats": {"type": "integer", "minimum": 1},
    },
    "required": ["route", "day"],
}
_TOOL = {
    "type": "function",
    "function": {"name": "look_up_sailing", "description": "Finds one sailing and its berth", "parameters": _SAILING},
}
_FORMAT = {"type": "json_schema", "json_schema": {"name": "sailing", "strict": True, "schema": _SAILING}}
_IMAGE = {"type": "image_url", "image_url": {"url": "https://ferry.example/deck.jpg", "detail": "low"}}
_COUNTRIES = ("NLD", "BEL", "DEU", "FRA", "ESP", "ITA", "SWE", "POL")
_ROUTING = [
    {"variant": "other", "when": {"country": {"in": ["NLD", "BEL"]}, "plan": {"ne": "free"}}},
    {"variant": "other", "when": {"environments": {"eq": "staging"}}},
    {"variant": "other", "when": {"age": {"gte": 65}}},
    {"variant": "other", "when": {"email": {"starts_with": "test-"}}},
    {"variant": "other", "split": {"by": "user_id", "percent": 20}},
]
_PROMPT = "You answer customers of a ferry line with care and use only the facts that you are given. " * 10


class NewDeployment(msgspec.Struct, frozen=True):
    """Key of a deployment and body of its PUT request."""

    key: str
    body: dict[str, Any]

    def create(self) -> Request:
        """Return the request that creates it."""
        return Request("PUT", f"/v2/deployments/{self.key}", msgspec.json.encode(self.body), status=201)

    def put_in(self, environment: str) -> Request:
        """Return the request that puts it in an environment."""
        return Request("PUT", f"/v2/deployments/{self.key}?environment={environment}", msgspec.json.encode(self.body))

    def put(self, marker: str) -> Request:
        """Return a PUT request that makes a new live version with a marker in its content."""
        body = msgspec.json.encode({**self.body, "prompt_config": self.marked(marker)})
        return Request("PUT", f"/v2/deployments/{self.key}", body)

    def publish(self, marker: str) -> Request:
        """Return a POST request that saves and publishes a version with a marker in its content."""
        body = msgspec.json.encode({"status": "published", "prompt_config": self.marked(marker)})
        return Request("POST", f"/v2/deployments/{self.key}/versions", body, status=201)

    def marked(self, marker: str) -> dict[str, Any]:
        """Return the configuration with a marker in its content."""
        config: dict[str, Any] = self.body["prompt_config"]
        first, *others = config["messages"]
        return {**config, "messages": [{**first, "content": f"{first['content']} Change {marker}."}, *others]}


def marker_of(prompt_config: dict[str, Any]) -> str:
    """Return the marker of a stored configuration; empty if it has none."""
    found = _MARKER.search(prompt_config["messages"][0]["content"])
    return found[1] if found else ""


def deployment(number: int) -> NewDeployment:
    """Return generated deployment `number`, from 0."""
    kind = number % 10
    provider, model = _MODELS[kind % 3]
    parameters = {"temperature": 0.2, "maxTokens": 700, "topP": 0.9}
    system = "You work at the desk of a ferry line. Write in {{language}}, and use only the facts you are given. "
    question = [{"type": "text", "text": "Look at this: {{question}}"}, _IMAGE] if kind in {1, 4, 7} else "{{question}}"
    config = {
        "tools": [_TOOL] if kind % 2 == 0 else [],
        "model": model,
        "model_type": "chat",
        "model_parameters": parameters | ({"responseFormat": _FORMAT, "seed": 7} if kind in {3, 9} else {}),
        "provider": provider,
        "messages": [{"role": "system", "content": system * (2 + kind % 5)}, {"role": "user", "content": question}],
    }
    body = {"description": f"Answers questions of kind {kind}", "prompt_config": config}
    return NewDeployment(f"ferry-{number:06}", body)


def routed_deployment(number: int) -> NewDeployment:
    """Return a deployment with variables, two variants and five routing rules."""
    text = f"{_PROMPT}You speak to {{{{customer}}}}, who is on the plan {{{{plan}}}}. Response in {{{{language}}}}."
    config = {
        "model": "openai/gpt-4o", "model_type": "chat", "provider": "openai",
        "model_parameters": {"temperature": 0.2, "maxTokens": 512},
        "messages": [{"role": "system", "content": text}],
    }  # fmt: skip
    body = {
        "description": "",
        "prompt_config": config,
        "variables": [{"key": "plan", "value": "free"}],
        "variants": [{"name": "other", "prompt_config": {**config, "model": "openai/gpt-5"}}],
        "routing": _ROUTING,
    }
    return NewDeployment(f"routed-{number}", body)


def get_config_body(number: int, random_: random.Random, environment: str = "production") -> str:
    """Return a random get_config body for routed deployment `number` in an environment as JSON."""
    user = random_.randrange(1_000_000)
    inputs = {"customer": f"Customer {user}", "language": "Dutch"} | ({"plan": "pro"} if user % 2 else {})
    context = _context(user, random_) | {"environments": environment}
    return msgspec.json.encode({"key": f"routed-{number}", "inputs": inputs, "context": context}).decode()


def called_deployment(model: str) -> NewDeployment:
    """Return a deployment for calls of a model: two messages, a tool, a variable, two variants, five routing rules."""
    config = {
        "tools": [_TOOL], "model": f"openai/{model}", "model_type": "chat", "provider": "openai",
        "model_parameters": {"temperature": 0.2, "maxTokens": 512},
        "messages": [
            {"role": "system", "content": "You work at the desk of a ferry line. Use only the facts you are given."},
            {"role": "user", "content": "{{question}}"},
        ],
    }  # fmt: skip
    variants = [{"name": "other", "prompt_config": {**config, "model_parameters": {"temperature": 0.7}}}]
    body = {"description": "", "prompt_config": config, "variants": variants, "routing": _ROUTING}
    return NewDeployment(f"called-{model}", body)


def invoke_body(model: str, random_: random.Random) -> str:
    """Return a random body of invoke and stream as JSON."""
    user = random_.randrange(1_000_000)
    body = {"key": f"called-{model}", "inputs": {"question": _question(user)}, "context": _context(user, random_)}
    return msgspec.json.encode(body).decode()


def chat_body(model: str, random_: random.Random, *, is_stream: bool) -> str:
    """Return a random body of a chat completion as JSON. Its deployment has a message for the question, too."""
    user = random_.randrange(1_000_000)
    body = {
        "model": f"called-{model}", "messages": [{"role": "user", "content": _question(user)}], "stream": is_stream,
        "inputs": {"question": "The customer asks:"}, "context": _context(user, random_),
    }  # fmt: skip
    return msgspec.json.encode(body).decode()


def _question(user: int) -> str:
    return f"Customer {user} asks which ferry to Texel has a place for two bicycles on Saturday."


def _context(user: int, random_: random.Random) -> dict[str, Any]:
    return {
        "country": random_.choice(_COUNTRIES), "plan": random_.choice(("free", "pro")),
        "age": random_.randrange(18, 80), "environments": "production", "email": f"user-{user}@ferry.example",
        "user_id": str(user),
    }  # fmt: skip
