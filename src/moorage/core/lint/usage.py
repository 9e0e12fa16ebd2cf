"""The names that a template uses, with what looks like a name and is none."""

from collections.abc import Collection, Iterator

import msgspec

from moorage.core.errors.templates import TemplateError
from moorage.core.templates import mustache
from moorage.core.templates.mustache_parser import Node, Section
from moorage.core.templates.placeholders import PLACEHOLDER, is_name, looks_like_a_name

_MAX_SHOWN = 60


class Usage(msgspec.Struct):
    """The names that templates use, each with the path of the first template.

    `inner` has those that are only used inside a section of mustache, which looks them up in the section's value first.
    `not_names` has a path and a message for each placeholder that is none.
    """

    names: dict[str, str] = {}
    inner: set[str] = set()
    not_names: list[tuple[str, str]] = []

    def add(self, name: str, path: str) -> None:
        """Add a name."""
        self.names.setdefault(name, path)


def text_usage(path: str, template: str, declared: Collection[str]) -> Usage:
    """Return the names in a text template."""
    usage = Usage()
    for inside in dict.fromkeys(PLACEHOLDER.findall(template)):
        name = inside.strip()
        if is_name(name):
            usage.add(name, path)
        elif name in declared or inside in declared:
            usage.add(name if name in declared else inside, path)
        elif looks_like_a_name(name):
            message = f"{{{{{inside[:_MAX_SHOWN]}}}}} is not a placeholder of the text engine: it is sent as written"
            usage.not_names.append((path, f"{message}{_engine_hint(name)}"))
    return usage


def _engine_hint(name: str) -> str:
    """Return the engine that knows such a tag."""
    if name[0] in "#^/&>!":
        return "; if it is mustache, set settings.engine"
    return "; if it is jinja, set settings.engine" if any(mark in name for mark in "|[(+~'\"") else ""


def mustache_usage(path: str, template: str, declared: Collection[str]) -> Usage:
    """Return the names in a mustache template."""
    usage = Usage()
    try:
        nodes = mustache.parse(template)
    except TemplateError:  # rejected on a write; a version that another program stored
        return usage
    outer = set[str]()
    for name, is_inner in _names(nodes, is_inner=False):
        usage.add(name, path)
        if not is_inner:
            outer.add(name)
    usage.inner = usage.names.keys() - outer
    return usage


def _names(nodes: list[Node], *, is_inner: bool) -> Iterator[tuple[str, bool]]:
    for node in nodes:
        if isinstance(node, str):
            continue
        if node.name != ".":
            yield node.name, is_inner
        if isinstance(node, Section):
            yield from _names(node.children, is_inner=is_inner or not node.inverted)
