"""Snippets: programs that call a deployment, quoted for their language."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from moorage.core.environments import PRODUCTION

_QUESTION: Final = {"role": "user", "content": "Hello"}

#: The types of models that take messages.
_CHATS: Final = ("chat", "vision")


#: The snippets that send messages.
_OF_CHATS: Final = ("invoke", "openai")


class Call(NamedTuple):
    """What the snippets call: the address of the server, a deployment in an environment, its inputs and its context.

    `model_type` is that of the variant, and `has_jinja` whether any variant has jinja templates.
    """

    url: str
    key: str
    environment: str
    inputs: Mapping[str, Any]
    context: Mapping[str, Any]
    model_type: str
    has_jinja: bool

    @property
    def is_production(self) -> bool:
        """Whether the environment is the one of calls that name none."""
        return self.environment == PRODUCTION


class Snippet(NamedTuple):
    """A program or a command; `name` is part of the id of its element."""

    name: str
    title: str
    about: str
    text: str


def snippets(call: Call) -> list[Snippet]:
    """Return the snippets of a call, without those that its model rejects. They read the API key from a variable."""
    return [each for each in _all(call) if call.model_type in _CHATS or each.name not in _OF_CHATS]


def _all(call: Call) -> list[Snippet]:
    return [
        Snippet(
            "get-config", "curl: get the configuration",
            "Returns the model, the parameters and the messages with your inputs. Your application calls the model.",
            _curl(call, "get_config", {}),
        ),
        Snippet(
            "invoke", "curl: call the model",
            "The server calls the model, with an integration of the project, and returns its response.",
            _curl(call, "invoke", {"messages": [_QUESTION]}),
        ),
        Snippet("orq", "Python: SDK of orq.ai", "pip install orq-ai-sdk", _orq(call)),
        Snippet(
            "openai", "Python: SDK of OpenAI", "pip install openai. The server calls the model, whatever its provider.",
            _openai(call),
        ),
        Snippet(
            "client", "Python: moorage.client",
            "Resolves in your process, and continues when the server is unreachable.", _client(call),
        ),
        Snippet(
            "lock", "Lockfile", "Writes all live versions to a file, which moorage.client uses without a server.",
            _lock(call),
        ),
    ]  # fmt: skip


def _curl(call: Call, operation: str, fields: Mapping[str, Any]) -> str:
    body = _without_empty({"key": call.key, "inputs": call.inputs, "context": call.context, **fields})
    query = "" if call.is_production else f"?{urlencode({'environment': call.environment})}"
    return " \\\n  ".join(
        (
            f"curl -fsS {shlex.quote(f'{call.url}/v2/deployments/{operation}{query}')}",
            '-H "Authorization: Bearer $MOORAGE_API_KEY"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(_json(body))}",
        )
    )


def _orq(call: Call) -> str:
    context = call.context if call.is_production else {**call.context, "environments": call.environment}
    arguments = _arguments({"key": call.key, "inputs": call.inputs, "context": context})
    return f"""\
import os

from orq_ai_sdk import Orq

with Orq(api_key=os.environ["MOORAGE_API_KEY"], server_url={_python(call.url)}) as orq:
    config = orq.deployments.get_config(
{_indented(arguments, 8)}    )
    print(config.model, config.messages)
"""


def _openai(call: Call) -> str:
    model = call.key if call.is_production else f"{call.key}@{call.environment}"
    extra = _without_empty({"inputs": call.inputs, "context": call.context})
    arguments = [f"model={_python(model)}", f"messages=[{_python(_QUESTION)}]"]
    if extra:
        arguments.append(f"extra_body={_python(extra)}")
    return f"""\
import os

from openai import OpenAI

client = OpenAI(api_key=os.environ["MOORAGE_API_KEY"], base_url={_python(f"{call.url}/v1")})
response = client.chat.completions.create(
{_indented(arguments, 4)})
print(response.choices[0].message.content)
"""


def _client(call: Call) -> str:
    chosen = "" if call.is_production else f", environment={_python(call.environment)}"
    chosen += ", jinja=True" if call.has_jinja else ""
    arguments = [_python(call.key), *_arguments({"inputs": call.inputs, "context": call.context})]
    return f"""\
import os

from moorage.client import Moorage

with Moorage({_python(call.url)}, os.environ["MOORAGE_API_KEY"]{chosen}) as moorage:
    config = moorage.get_config(
{_indented(arguments, 8)}    )
    print(config.version, config.variant, config.messages)
"""


def _lock(call: Call) -> str:
    chosen = "" if call.is_production else f" --environment {shlex.quote(call.environment)}"
    return f"export MOORAGE_URL={shlex.quote(call.url)}\nmoorage lock{chosen}"


def _arguments(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_python(value)}" for name, value in _without_empty(values).items()]


def _indented(arguments: list[str], spaces: int) -> str:
    return "".join(f"{' ' * spaces}{argument},\n" for argument in arguments)


def _python(value: Any) -> str:
    """Return the literal of a JSON value; `repr` escapes quotes and all characters that cannot be seen."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_python(name)}: {_python(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    literal = repr(value)
    # Most code has double quotes; a literal in single quotes without a double quote has no quote at all.
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in literal else literal


def _json(value: Any) -> str:
    """Return JSON in which characters that cannot be seen are escaped: they could hide a part of the command."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
