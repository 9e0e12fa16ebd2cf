"""The modules of the protocols, each imported when it is first used."""

from importlib import import_module
from typing import Final, cast

from moorage.providers.protocol import ChatProtocol
from moorage.providers.table import ProtocolName

_MODULES: Final[dict[ProtocolName, str]] = {
    "openai": "openai_protocol",
    "completions": "completions",
    "anthropic": "anthropic_protocol",
    "gemini": "gemini",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "responses": "responses",
}

_found: dict[ProtocolName, ChatProtocol] = {}


def find_protocol(name: ProtocolName) -> ChatProtocol:
    """Return the module of a protocol."""
    found = _found.get(name)
    if found is None:
        module = import_module(f"moorage.providers.{_MODULES[name]}")
        found = _found[name] = cast(ChatProtocol, module)
    return found
