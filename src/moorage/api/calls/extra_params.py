"""Parameters of a call: they replace those of the deployment, but neither its model nor its messages."""

import re
from collections.abc import Mapping
from typing import Any, Final

from moorage.core.resolution.config import Object
from moorage.core.validation.messages import name_of

#: Names that are no parameters, and what to do instead. The names of other APIs for messages are among them: as a field
#: of the request to the provider, each would replace the messages of the deployment.
_RESERVED: Final[Mapping[str, str]] = {
    "stream": "is a field of the request, beside the parameters",
    **dict.fromkeys(
        ("model", "modelId"), "is decided by the deployment; create a variant or another deployment for another model"
    ),
    **dict.fromkeys(
        ("messages", "system", "prompt", "contents", "systemInstruction", "system_instruction", "input",
         "instructions"),
        "is decided by the deployment; send further messages in `messages`",
    ),
    **dict.fromkeys(
        ("extra_body", "extra_headers", "extra_query"),
        "is an argument of SDKs, and no parameter; send the fields of extra_body themselves",
    ),
}  # fmt: skip

_NUMBERS: Final = frozenset({
    "temperature", "maxTokens", "topK", "topP", "frequencyPenalty", "presencePenalty", "seed", "budgetTokens",
})  # fmt: skip
_WORDS: Final = frozenset({"reasoningEffort", "verbosity"})
_WHOLE: Final = frozenset({"maxTokens", "topK", "seed", "budgetTokens"})

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


def with_numbers(parameters: Object) -> Object:
    """Return parameters with numbers instead of their texts: the command line of orq.ai sends each value as a text."""
    return {
        name: float(value) if name in _NUMBERS and isinstance(value, str) and _NUMBER.fullmatch(value) else value
        for name, value in parameters.items()
    }


def problem_of(name: str, value: Any) -> str | None:
    """Return what is wrong with a parameter of a call, by the name that the contract or the provider has for it."""
    if name in _RESERVED:
        return None if value is None else _RESERVED[name]
    if name in _NUMBERS and value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"must be a number, not {name_of(value)}"
    if name in _WORDS and not isinstance(value, str | None):
        return f"must be a string, not {name_of(value)}"
    if name in _WHOLE and isinstance(value, float) and not value.is_integer():  # no API takes it
        return f"must be a whole number, not {value!r}"
    return None
