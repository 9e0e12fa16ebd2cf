"""Checks of jinja templates: of their syntax when they are parsed, and of the values that become text.

Jinja reports an unknown filter or test in a branch, and a template that `include` does not find, only when it renders
them. And it writes a function or another object of Python as its `repr`, with an address in memory.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Undefined, nodes
from jinja2.environment import Environment
from jinja2.exceptions import TemplateRuntimeError, TemplateSyntaxError
from jinja2.visitor import NodeTransformer

_OTHER_TEMPLATES: Final = {
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
}

#: The filters that select items of their value; every other one writes it as text.
_SELECTING: Final = frozenset(
    {"batch", "count", "d", "default", "first", "groupby", "last", "length", "list", "map", "max", "min", "reject"}
    | {"rejectattr", "reverse", "select", "selectattr", "slice", "sort", "sum", "unique"}
)

#: The types that are written without an address, and are not searched for others.
_LEAVES: Final = (str, int, float, bool, type(None), Undefined, range)
_VIEWS: Final = frozenset({type({}.keys()), type({}.values()), type({}.items())})


def check_syntax(template: nodes.Template, environment: Environment) -> nodes.Template:
    """Return the template, in which `~` writes only text.

    Raises:
        TemplateSyntaxError: it uses another template, or a filter or a test that does not exist.
    """
    for node in template.find_all(tuple(_OTHER_TEMPLATES)):
        tag = _OTHER_TEMPLATES[type(node)]
        raise TemplateSyntaxError(f"{tag!r} is not supported: there are no other templates", node.lineno)
    for use in template.find_all((nodes.Filter, nodes.Test)):
        kind, known = ("filter", environment.filters) if isinstance(use, nodes.Filter) else ("test", environment.tests)
        if use.name not in known:
            raise TemplateSyntaxError(f"there is no {kind} named {use.name[:64]!r}", use.lineno)
    return _ConcatenatedText().visit(template)  # type: ignore[no-any-return]  # it has no types


class _ConcatenatedText(NodeTransformer):
    """Applies the filter `string` to the operands of `~`."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Concat:  # noqa: N802 -- the name of the node
        """Replace each operand."""
        self.generic_visit(node)
        node.nodes = [nodes.Filter(operand, "string", [], [], None, None, lineno=node.lineno) for operand in node.nodes]
        return node


def checked_filters(filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the filters with a check of their arguments."""
    return {name: _checked(name, function) for name, function in filters.items()}


def value_position(function: Callable[..., Any]) -> int:
    """Return the position of the value in the arguments of a filter: after the environment or the context."""
    return 1 if hasattr(function, "jinja_pass_arg") else 0


def no_text(value: Any) -> TemplateRuntimeError:
    """Return the error for a value that is not JSON."""
    return TemplateRuntimeError(f"a {type(value).__name__} is not a text; call it, or convert it to a list")


def _checked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    value_at = value_position(function)

    @functools.wraps(function)
    def check(*args: Any, **kwargs: Any) -> Any:
        before, value, others = args[:value_at], args[value_at], args[value_at + 1 :]
        if name == "join" and hasattr(value, "__next__"):
            value = list(value)
        check_values((others, kwargs) if name in _SELECTING else (value, others, kwargs))
        return function(*before, value, *others, **kwargs)

    return check


def check_values(value: Any) -> None:
    """Check that a value can become text: that it is JSON, or only has items that are.

    Raises:
        TemplateRuntimeError
    """
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list | tuple) or type(item) in _VIEWS:
            waiting.extend(item)
        elif not isinstance(item, _LEAVES):
            raise no_text(item)
