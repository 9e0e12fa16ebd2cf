"""Templates: messages with placeholders for inputs.

There are three engines. `text` replaces names by values, and `mustache` also has sections; this module renders both, in
time that is linear in the template and the output. `jinja` runs code, so `moorage.rendering.jinja` renders it in a
separate process.

Inputs are JSON values. Every engine inserts a string unchanged (not as a template, and not escaped), null as nothing,
and other values as compact JSON. The output and the steps of a request are limited, see
`moorage.core.templates.output`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from moorage.core.errors.templates import JinjaNotEnabled, MissingInputs, UnsupportedEngine
from moorage.core.templates import mustache
from moorage.core.templates.lookup import ABSENT, find, to_text
from moorage.core.templates.output import Output, RenderBudget
from moorage.core.templates.placeholders import PLACEHOLDER, is_name, looks_like_a_name

Engine = Literal["text", "jinja", "mustache"]

_ENGINES = frozenset(get_args(Engine))

#: The treatment of a name without an input: replace it by nothing, keep it as written, or raise an error.
Missing = Literal["empty", "keep", "error"]


#: One set for all templates that need none.
_NONE: Final[frozenset[str]] = frozenset()


class Rendered(msgspec.Struct, frozen=True):
    """A rendered text, and the distinct names without an input."""

    text: str
    missing: list[str]


class Template:
    """A compiled text or mustache template.

    `parts` of a text template alternates between literal text and the content of a pair of braces. Those contents that
    are no names are in `no_names`; they are replaced only if an input has exactly that name.
    """

    __slots__ = ("_mustache", "_names", "no_names", "parts")

    def __init__(self, engine: str, template: str) -> None:
        """Compile a template.

        Raises:
            UnsupportedEngine: the engine does not exist; JinjaNotEnabled: this module does not render it.
            InvalidTemplate: the syntax is invalid (mustache only; every text is a valid text template).
        """
        _check(engine)
        self._mustache = mustache.parse(template) if engine == "mustache" else None
        self.parts = [] if self._mustache else PLACEHOLDER.split(template)
        self._names = {inside: inside.strip() for inside in self.parts[1::2]}
        self.no_names = frozenset(inside for inside, name in self._names.items() if not is_name(name)) or _NONE

    def render(self, inputs: Mapping[str, Any], missing: Missing, budget: RenderBudget) -> Rendered:
        """Render with the inputs; the templates of a request share the budget.

        Raises:
            MissingInputs: with all missing names, if `missing` is "error".
            OutputTooLarge, TemplateLimitExceeded: the output or the number of steps exceeds the limit.
            TypeError: an input is not a JSON value.
        """
        output = Output(budget, keep_placeholders=missing == "keep")
        if self._mustache is None:
            self._render_text(inputs, output)
        else:
            mustache.render(self._mustache, inputs, output)
        if missing == "error" and output.missing:
            raise MissingInputs.of([*output.missing])
        return Rendered(output.text(), [*output.missing])

    def _render_text(self, inputs: Mapping[str, Any], output: Output) -> None:
        parts, texts, needed = self.parts.copy(), dict[str, str](), 0
        for inside, name in self._names.items():
            value = find(name, inputs)
            texts[inside] = self._without_input(inside, name, output) if value is ABSENT else to_text(value)
            # Each is written at least once; check before joining, so that nothing too large is created.
            needed += len(texts[inside])
            output.require(needed)
        parts[1::2] = map(texts.__getitem__, parts[1::2])
        output.require(sum(map(len, parts)))
        output.write("".join(parts))

    def _without_input(self, inside: str, name: str, output: Output) -> str:
        placeholder = f"{{{{{inside}}}}}"
        if inside not in self.no_names:
            return output.mark_missing(name, placeholder)
        if looks_like_a_name(name):
            output.mark_missing(name, placeholder)
        return placeholder


def render(
    engine: str, template: str, inputs: Mapping[str, Any], missing: Missing, budget: RenderBudget | None = None
) -> Rendered:
    """Compile a template and render it with the inputs.

    Raises:
        The errors of `Template` and `Template.render`.
    """
    return Template(engine, template).render(inputs, missing, budget or RenderBudget())


def names(engine: str, template: str) -> list[str]:
    """Return the distinct names that a template uses, in order and with their dots.

    Raises:
        UnsupportedEngine, JinjaNotEnabled, InvalidTemplate: as `render`.
    """
    _check(engine)
    if engine == "mustache":
        return mustache.names(mustache.parse(template))
    return list(filter(is_name, dict.fromkeys(inside.strip() for inside in PLACEHOLDER.findall(template))))


def count_tags(engine: str, template: str) -> int:
    """Return the number of tags or placeholders in a template.

    Raises:
        UnsupportedEngine, JinjaNotEnabled, InvalidTemplate: as `render`.
    """
    _check(engine)
    return mustache.count_tags(template) if engine == "mustache" else len(PLACEHOLDER.findall(template))


def _check(engine: str) -> None:
    if engine == "jinja":
        raise JinjaNotEnabled
    if engine not in _ENGINES:
        raise UnsupportedEngine(engine=engine[:64])
