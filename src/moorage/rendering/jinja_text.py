"""The text of values in jinja templates: JSON as in the other engines, and nothing is escaped for HTML.

Jinja itself converts values in filters, `%` and `str.format` as Python does (`True`, `{'a': 1}`), and marks some
results as HTML, to which `+` then adds other texts escaped.
"""

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from jinja2 import Undefined, pass_environment
from jinja2.environment import Environment
from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import make_attrgetter
from jinja2.sandbox import SandboxedFormatter
from markupsafe import Markup, escape

from moorage.core.templates.lookup import to_text
from moorage.rendering.jinja_checks import no_text, value_position

#: Filters whose value is a text. For those in `_TEXT_ARGUMENTS`, so are the other arguments.
_TEXT: Final = frozenset(
    {"capitalize", "center", "format", "indent", "lower", "replace", "striptags", "title", "trim", "truncate", "upper"}
    | {"urlize", "wordcount", "wordwrap"}
)
_TEXT_ARGUMENTS: Final = frozenset({"format", "replace"})


def text(value: Any) -> str:
    """Return the text of a value, as the other engines insert it.

    Raises:
        TemplateRuntimeError: it is not JSON.
    """
    if isinstance(value, Undefined):
        return str(value)
    try:
        return str(to_text(value))  # of a `Markup`, too, which is no plain text
    except (TypeError, ValueError):
        raise no_text(value) from None


def printable(value: Any) -> Any:
    """Return a number or a text unchanged, for the formats of numbers, and the text of every other value."""
    is_unchanged = isinstance(value, str | int | float | Undefined) and not isinstance(value, bool)
    return value if is_unchanged else text(value)


def operands(left: Any, right: Any) -> Any:
    """Return the right side of `left % right`, in which values are printable if the left side is a text."""
    if not isinstance(left, str):
        return right
    if isinstance(right, tuple):
        return tuple(map(printable, right))
    if isinstance(right, dict) and "%(" in left:
        return {name: printable(value) for name, value in right.items()}
    return printable(right)


class TextFormatter(SandboxedFormatter):
    """`str.format` with the texts of values."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value in a format."""
        formatted: str = super().format_field(printable(value), format_spec)
        return formatted

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        """Return the value for `!s`, `!r` and `!a`."""
        if conversion is None:
            return value
        return text(value) if conversion == "s" else _tojson(value)


def text_filters(filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the filters so that they convert values with `text`, and return plain text."""
    replaced = {name: _with_text(name, function) for name, function in filters.items()}
    for name in ("e", "escape", "forceescape"):
        replaced[name] = lambda value: str(escape(text(value)))
    return replaced | {
        "string": text, "safe": text, "tojson": _tojson, "pprint": functools.partial(_tojson, indent=2), "join": _join,
        "urlencode": _with_query(filters["urlencode"]), "xmlattr": _with_attributes(filters["xmlattr"]),
    }  # fmt: skip


def _with_text(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    value_at = value_position(function)

    @functools.wraps(function)
    def converted(*args: Any, **kwargs: Any) -> Any:
        before, value, others = args[:value_at], args[value_at], args[value_at + 1 :]
        if name in _TEXT:
            value = text(value)
        if name in _TEXT_ARGUMENTS:
            others, kwargs = tuple(map(printable, others)), {key: printable(each) for key, each in kwargs.items()}
        result = function(*before, value, *others, **kwargs)
        return str(result) if isinstance(result, Markup) else result

    return converted


def _tojson(value: Any, indent: int | None = None) -> str:
    """Return JSON: the fields in their order, compact or indented."""
    if isinstance(value, Undefined):
        return text(value)
    try:
        separators = (",", ":") if indent is None else (",", ": ")
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=separators, indent=indent)
    except (TypeError, ValueError):
        raise TemplateRuntimeError(f"a {type(value).__name__} is not JSON; call it, or convert it to a list") from None


@pass_environment
def _join(environment: Environment, value: Iterable[Any], d: Any = "", attribute: str | int | None = None) -> str:
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    return text(d).join(map(text, items))


def _with_query(function: Callable[[Any], str]) -> Callable[[Any], str]:
    def urlencode(value: Any) -> str:
        pairs = value.items() if isinstance(value, dict) else value
        if isinstance(pairs, str) or not isinstance(pairs, Iterable):
            return function(text(value))
        return function([(text(name), text(each)) for name, each in pairs])

    return urlencode


def _with_attributes(function: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(function)
    def xmlattr(context: Any, value: Mapping[str, Any], autospace: bool = True) -> str:  # noqa: FBT001, FBT002 -- as in Jinja
        shown = {
            name: each if each is None or isinstance(each, Undefined) else text(each) for name, each in value.items()
        }
        return str(function(context, shown, autospace))

    return xmlattr
