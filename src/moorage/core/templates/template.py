"""Templates: messages with placeholders for inputs.

Three engines. `text` puts values in the place of names, and `mustache` has sections too; both are rendered
here, in time that is linear in the template and the output. `jinja` runs code, so it is rendered in a process of its
own, by `moorage.rendering.jinja`.

Inputs are JSON values. Whatever the engine, a string is put in as it is (it is never read as a template, and not
escaped: a prompt is no HTML), null as nothing, and all else as compact JSON. At most `MAX_OUTPUT` bytes come out.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from moorage.core.errors.templates import JinjaNotEnabled, MissingInputs, UnsupportedEngine
from moorage.core.templates import mustache
from moorage.core.templates.lookup import ABSENT, find, to_text
from moorage.core.templates.output import MAX_OUTPUT, Output

Engine = Literal["text", "jinja", "mustache"]

_ENGINES = frozenset(get_args(Engine))

#: The treatment of a name without an input: it is replaced by nothing, it stays as written, or it is an error.
Missing = Literal["empty", "keep", "error"]

# Possessive, so that nothing is ever tried twice: `{{{{{{…` takes linear time.
_PLACEHOLDER = re.compile(r"\{\{(\s*+[^\W\d][\w-]*+(?:\.[\w-]++)*+\s*+)\}\}")


class Rendered(msgspec.Struct, frozen=True):
    """A text with the inputs in it, its size in bytes, and the names that no input had, each once."""

    text: str
    missing: list[str]
    size: int


class Template:
    """A text or mustache template made ready to be rendered many times. `parts` are those of a text template: what is
    said, and between that what stands inside of each pair of braces."""

    def __init__(self, engine: str, template: str) -> None:
        """Read a template.

        Raises:
            UnsupportedEngine: there is no such engine; JinjaNotEnabled: it is not rendered here.
            InvalidTemplate: it is broken (mustache only; every text is a text template).
        """
        _check(engine)
        self._mustache = mustache.parse(template) if engine == "mustache" else None
        self.parts = [] if self._mustache else _PLACEHOLDER.split(template)
        self._names = {inside: inside.strip() for inside in self.parts[1::2]}

    def render(self, inputs: Mapping[str, Any], missing: Missing, *, budget: int = MAX_OUTPUT) -> Rendered:
        """Put the inputs in. `budget` is how many bytes the text may have: several templates of a request share
        `MAX_OUTPUT`.

        Raises:
            MissingInputs: naming all that is missing, where `missing` is "error".
            OutputTooLarge, TemplateTooHeavy: the text, or the way to it, is too long.
            TypeError: an input is not a JSON value.
        """
        output = Output(budget, keep=missing == "keep")
        if self._mustache is None:
            self._render_text(inputs, output)
        else:
            mustache.render(self._mustache, inputs, output)
        if missing == "error" and output.missing:
            raise MissingInputs.of([*output.missing])
        return Rendered(output.text(), [*output.missing], output.size)

    def _render_text(self, inputs: Mapping[str, Any], output: Output) -> None:
        parts, texts, needed = self.parts.copy(), dict[str, str](), 0
        for inside, name in self._names.items():
            value = find(name, inputs)
            texts[inside] = output.mark_missing(name, f"{{{{{inside}}}}}") if value is ABSENT else to_text(value)
            # Each is written at least once, and nothing large is made that will not fit.
            needed += len(texts[inside])
            output.require(needed)
        parts[1::2] = map(texts.__getitem__, parts[1::2])
        output.require(sum(map(len, parts)))
        output.write("".join(parts))


def render(
    engine: str, template: str, inputs: Mapping[str, Any], missing: Missing, *, budget: int = MAX_OUTPUT
) -> Rendered:
    """Read a template and put the inputs in, once.

    Raises:
        The errors of `Template` and `Template.render`.
    """
    return Template(engine, template).render(inputs, missing, budget=budget)


def names(engine: str, template: str) -> list[str]:
    """The names that a template uses, each once, in the order in which they come: dotted as they are written.

    Raises:
        UnsupportedEngine, JinjaNotEnabled, InvalidTemplate: as `render`.
    """
    _check(engine)
    if engine == "mustache":
        return mustache.names(mustache.parse(template))
    return list(dict.fromkeys(inside.strip() for inside in _PLACEHOLDER.findall(template)))


def _check(engine: str) -> None:
    if engine == "jinja":
        raise JinjaNotEnabled
    if engine not in _ENGINES:
        raise UnsupportedEngine(engine=engine[:64])
