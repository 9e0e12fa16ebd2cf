"""Contexts as people write them: JSON, or a line for each attribute."""

from typing import Any, Final

from moorage.core.errors.requests import InvalidJson, InvalidRequest
from moorage.core.resolution.explain import MAX_CONTEXTS
from moorage.core.validation import strict_json
from moorage.core.validation.messages import shown

_HINT: Final = "Write a JSON object, or lines such as country=NLD and visits:=12, where := is followed by JSON"


def read_context(text: str) -> dict[str, Any]:
    """Return a context: a JSON object, or lines with `name=text` or `name:=JSON`, as on the command line.

    Raises:
        InvalidRequest
    """
    if text.lstrip().startswith("{"):
        return _object(text, "The context")
    lines = enumerate(text.splitlines(), 1)
    return dict(_attribute(line, f"Line {number}") for number, line in lines if line.strip())


def read_contexts(text: str) -> list[dict[str, Any]]:
    """Return the contexts in the lines of a text, each a JSON object.

    Raises:
        InvalidRequest
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > MAX_CONTEXTS:
        raise InvalidRequest(param="contexts", reason=f"there are {len(lines):,} contexts; at most {MAX_CONTEXTS:,}")
    return [_object(line, f"Line {number}") for number, line in lines]


def _attribute(line: str, where: str) -> tuple[str, Any]:
    name, separator, value = line.partition("=")
    if not separator or not name.rstrip(":").strip():
        raise InvalidRequest(param="context", reason=f"{where} is {shown(line)}. {_HINT}")
    if name.endswith(":"):
        return name[:-1].strip(), _json(value, where)
    return name.strip(), value.strip()


def _object(text: str, where: str) -> dict[str, Any]:
    value = _json(text, where)
    if not isinstance(value, dict):
        raise InvalidRequest(param="context", reason=f"{where} is {shown(value)}, which is no JSON object")
    return value


def _json(text: str, where: str) -> Any:
    try:
        return strict_json.parse(text.encode())
    except InvalidJson as error:
        raise InvalidRequest(param="context", reason=f"{where}: {error.message}") from None
