"""A live version, compiled for the resolution of requests. The server and the client library use the same class, so
both return the same bytes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from moorage.core.deployments.content import VariantContent
from moorage.core.deployments.defaults import Defaults
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.base import VariantNotResolved
from moorage.core.errors.templates import MissingInputs
from moorage.core.resolution.config import GetConfigRequest, Object, ResolvedConfig, encode, with_id
from moorage.core.resolution.messages import completed
from moorage.core.routing.context import Context
from moorage.core.routing.table import Resolution, RoutingTable
from moorage.core.templates.lookup import ABSENT
from moorage.core.templates.output import MAX_OUTPUT
from moorage.core.templates.template import Engine, Missing, Rendered, Template

_FIRST_ROLES = ("system", "developer")

#: Stands for a name while a configuration is cut; nothing that is stored has a NUL.
_MARK = "\0"
_ASKED = GetConfigRequest("")

_encode = msgspec.json.Encoder().encode


class CompiledVariant:
    """A variant: the parts that are equal for all requests, and the `texts` that do, as `templates` unless they are
    jinja's."""

    def __init__(self, content: VariantContent, version: str) -> None:
        self.engine: Engine = content.settings.engine or "text"
        self.missing: Missing = content.settings.missing_inputs or "empty"
        self._config, self._version = content.prompt_config, version
        config = content.prompt_config
        self._defaults = Defaults(content.variables)
        self._parameters: Object = msgspec.to_builtins(config.model_parameters)
        self._tools: list[Object] = msgspec.to_builtins(config.tools)
        messages: list[Object] = msgspec.to_builtins(config.messages)
        self.texts = texts_of(messages)
        self.templates = [] if self.engine == "jinja" else [Template(self.engine, text) for text in self.texts]
        first = 0
        while first < len(messages) and messages[first]["role"] in _FIRST_ROLES:
            first += 1
        self._system, self._rest = messages[:first], messages[first:]
        self._form, self._blanks = self._cut()

    def inputs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a call, with the defaults of those that are not given."""
        return self._defaults.complete(given)

    def configuration(self, rendered: Sequence[Rendered], request: GetConfigRequest) -> ResolvedConfig:
        """The answer to a call whose templates were rendered, in order; not `with_id` yet."""
        texts = (each.text for each in rendered)
        extra = {name: value for name, value in request.extra_params.items() if value is not None}
        system = [_filled(message, texts) for message in self._system]
        rest = [_filled(message, texts) for message in self._rest]
        return ResolvedConfig(
            id="",
            provider=self._config.provider,
            model=self._config.model,
            type=self._config.model_type,
            version=self._version,
            messages=[*system, *map(completed, request.prefix_messages), *rest, *map(completed, request.messages)],
            parameters={**self._parameters, **extra},
            tools=self._tools or UNSET,
            missing_inputs=_missing(rendered) or UNSET,
        )

    def encoded(self, rendered: Sequence[Rendered], request: GetConfigRequest) -> bytes:
        """The same as JSON, sealed."""
        return with_id(encode(self.configuration(rendered, request)))

    def render(self, request: GetConfigRequest) -> bytes:
        """The answer to a call as JSON, sealed; not for jinja.

        Raises:
            TemplateError
        """
        filled = self._fill(request)
        return filled if filled is not None else self.encoded(render_all(self, request.inputs), request)

    def _fill(self, request: GetConfigRequest) -> bytes | None:
        """The same at a fifth of the cost for most calls: those that add nothing of their own, and whose inputs are
        strings. They are inserted into encoded parts. Return None for all others."""
        if self._form is None or request.prefix_messages or request.messages or request.extra_params:
            return None
        given = request.inputs.get
        pieces, missing, size = list[bytes](), dict[str, None](), 0
        for name, default, absent in self._blanks:
            value = given(name, default)
            if type(value) is str:
                piece = _encode(value)[1:-1]
            elif value is ABSENT and absent is not None:
                missing[name], piece = None, absent
            else:
                return None
            size += len(piece)
            if size > MAX_OUTPUT:
                return None
            pieces.append(piece)
        filled = self._form % tuple(pieces)
        if missing:
            filled = b'%b,"missing_inputs":%b}' % (filled[:-1], _encode([*missing]))
        return with_id(filled) if len(filled) <= MAX_OUTPUT else None

    def _cut(self) -> tuple[bytes | None, list[tuple[str, Any, bytes | None]]]:
        """The JSON of a configuration with a `%b` for each name in its texts; and of each the name, its default, and
        what stands there without an input: nothing if that is not for here. No JSON for other engines' texts."""
        if self.engine != "text":
            return None, []
        parts = [template.parts for template in self.templates]
        names = [name for each in parts for name in each[1::2]]
        marked = [Rendered(_MARK.join(each[::2]), [], 0) for each in parts]
        pieces = encode(self.configuration(marked, _ASKED)).split(_encode(_MARK)[1:-1])
        if len(pieces) != len(names) + 1:
            return None, []  # there is a NUL in it after all
        defaults = self._defaults.values
        blanks = [
            (name.strip(), ABSENT if "." in name else defaults.get(name.strip(), ABSENT), self._absent(name))
            for name in names
        ]
        return b"%b".join(piece.replace(b"%", b"%%") for piece in pieces), blanks

    def _absent(self, name: str) -> bytes | None:
        if self.missing == "error" or "." in name:  # of `a.b`, the input is `a`
            return None
        return b"" if self.missing == "empty" else _encode(f"{{{{{name}}}}}")[1:-1]


class CompiledDeployment:
    """All variants of a live version, and the table that chooses."""

    def __init__(self, live: LiveVersion) -> None:
        content = live.content.decode()
        variants = content.variants()
        self.live = live
        self.routing, self.variants = (
            content.runtime_config.routing,
            [each.name for each in content.runtime_config.variants],
        )
        self.table = RoutingTable.compile(live.key, self.routing)
        self._variants = {name: CompiledVariant(variant, live.version) for name, variant in variants.items()}

    def resolve(self, context: Context) -> tuple[Resolution, CompiledVariant]:
        """The variant that a context gets.

        Raises:
            VariantNotResolved: the table names one that there is not.
        """
        resolution = self.table.resolve(context)
        variant = self._variants.get(resolution.variant)
        if variant is None:
            raise VariantNotResolved(key=self.live.key, variant=resolution.variant)
        return resolution, variant


def render_all(prepared: CompiledVariant, inputs: Mapping[str, Any]) -> list[Rendered]:
    """The templates of a variant with the inputs of a call in them; not for jinja.

    Raises:
        TemplateError
    """
    rendered, budget, is_error = [], MAX_OUTPUT, prepared.missing == "error"
    values = prepared.inputs(inputs)
    for template in prepared.templates:
        each = template.render(values, "empty" if is_error else prepared.missing, budget=budget)
        budget -= each.size
        rendered.append(each)
    if is_error and (missing := _missing(rendered)):
        raise MissingInputs.of(missing)
    return rendered


def _missing(rendered: Iterable[Rendered]) -> list[str]:
    """The names that no input had, each once."""
    return list(dict.fromkeys([name for each in rendered for name in each.missing]))


def texts_of(messages: Iterable[Object]) -> list[str]:
    """The templates in messages, in order."""
    return [text for message in messages for text in _texts(message)]


def _texts(message: Object) -> Iterator[str]:
    """The templates in a message: its text, or that of its parts, and the addresses of images."""
    content = message["content"]
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if part["type"] == "text":
            yield part["text"]
        elif part["type"] == "image_url":
            yield part["image_url"]["url"]


def _filled(message: Object, texts: Iterator[str]) -> Object:
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": next(texts)}
    if isinstance(content, list):
        return {**message, "content": [_filled_part(part, texts) for part in content]}
    return message


def _filled_part(part: Object, texts: Iterator[str]) -> Object:
    if part["type"] == "text":
        return {**part, "text": next(texts)}
    if part["type"] == "image_url":
        return {**part, "image_url": {**part["image_url"], "url": next(texts)}}
    return part
