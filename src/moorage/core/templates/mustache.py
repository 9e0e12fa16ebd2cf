"""Mustache: logic-less templates, rendered from the output of `moorage.core.templates.mustache_parser`.

Unlike in the specification, values are not escaped for HTML, because a model would read `&quot;`. So `{{name}}`,
`{{&name}}` and `{{{name}}}` are the same.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from moorage.core.templates.lookup import ABSENT, member, to_text
from moorage.core.templates.mustache_parser import Node, Section, VariableTag, count_tags, parse
from moorage.core.templates.output import Output

__all__ = ["count_tags", "names", "parse", "render"]


def render(nodes: list[Node], inputs: Any, output: Output) -> None:
    """Render with the inputs. A variable without an input is missing; a section only tests for a value.

    Raises:
        OutputTooLarge, TemplateLimitExceeded: the output or the number of steps exceeds the limit.
    """
    _Rendering(inputs, output).render(nodes)


def names(nodes: list[Node]) -> list[str]:
    """Return the distinct names of variables and sections as written, without `.`."""
    return [name for name in dict.fromkeys(_names(nodes)) if name != "."]


def _names(nodes: list[Node]) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, str):
            yield node.name
        if isinstance(node, Section):
            yield from _names(node.children)


class _Rendering:
    """One rendering: `contexts` has the values of the open sections, the innermost last."""

    def __init__(self, inputs: Any, output: Output) -> None:
        self.contexts = [inputs]
        self.output = output
        self.step = output.budget.spend_step

    def render(self, nodes: list[Node]) -> None:
        for node in nodes:
            if isinstance(node, str):
                self.step()
                self.output.write(node)
            elif isinstance(node, VariableTag):
                value = self.find(node.path)
                if value is ABSENT:
                    self.output.write(self.output.mark_missing(node.name, node.written))
                else:
                    self.output.write(to_text(value))
            else:
                self.section(node)

    def section(self, section: Section) -> None:
        value = self.find(section.path)
        # An empty object counts as a value.
        is_truthy = isinstance(value, dict) or (value is not ABSENT and bool(value))
        if section.inverted:
            if not is_truthy:
                self.render(section.children)
        elif is_truthy:
            for item in value if isinstance(value, list | tuple) else (value,):
                self.step()
                self.contexts.append(item)
                self.render(section.children)
                self.contexts.pop()

    def find(self, path: tuple[str, ...]) -> Any:
        """Return the value at a path, which starts in the innermost context that has its first part."""
        first = path[0]
        if first == ".":
            self.step()
            return self.contexts[-1]
        value: Any = ABSENT
        for context in reversed(self.contexts):
            self.step()
            if isinstance(context, dict) and first in context:
                value = context[first]
                break
        for part in islice(path, 1, None):
            value = member(value, part)
            if value is ABSENT:
                break
        return value
