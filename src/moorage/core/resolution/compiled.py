"""A live version, compiled for the resolution of requests.

The server and the client library use the same class, so both return the same bytes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any, Self

import msgspec
from msgspec import UNSET

from moorage.core.deployments.content import VariantContent
from moorage.core.deployments.defaults import Defaults
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.deployments.message_templates import templates_in, with_texts
from moorage.core.errors.base import VariantNotFound, VariantNotResolved
from moorage.core.errors.templates import MissingInputs, OutputTooLarge
from moorage.core.resolution.config import GetConfigRequest, Object, ResolvedConfig, encode, with_id
from moorage.core.resolution.messages import with_content
from moorage.core.routing.context import Context
from moorage.core.routing.table import Resolution, RoutingTable
from moorage.core.templates.lookup import ABSENT
from moorage.core.templates.output import MAX_OUTPUT, RenderBudget
from moorage.core.templates.template import Engine, Missing, Rendered, Template, names

_FIRST_ROLES = ("system", "developer")

#: The mark of a name during precompilation; stored content has no NUL.
_MARK = "\0"
#: The variable `input` within an expression or a statement of jinja.
_JINJA_INPUT = re.compile(r"\{[{%][^{}]*\binput\b")

_EMPTY_REQUEST = GetConfigRequest("")

_encode = msgspec.json.Encoder().encode
_decode_config = msgspec.json.Decoder(ResolvedConfig).decode


class CompiledVariant:
    """A variant: the parts that are equal for all requests, and the `texts` of messages, which differ.

    `templates` has the texts as compiled templates; it is empty for jinja.
    """

    def __init__(self, content: VariantContent, version: str) -> None:
        self.engine: Engine = content.settings.engine or "text"
        self.missing: Missing = content.settings.missing_inputs or "empty"
        self._config, self._version = content.prompt_config, version
        self.provider: str = content.prompt_config.provider
        self.model_type: str = content.prompt_config.model_type
        config, cache = content.prompt_config, content.settings.cache
        #: How long responses are cached (seconds); None if they are not.
        self.cache_seconds = cache.seconds if cache else None
        self.fallbacks, self.retry_count = content.fallbacks, content.retry_count
        #: The name or id of the integration that calls use, if one is set.
        self.integration: str | None = getattr(config, "integration_id", None) or None
        self._defaults = Defaults(content.variables)
        self._parameters: Object = msgspec.to_builtins(config.model_parameters)
        self._tools: list[Object] = msgspec.to_builtins(config.tools)
        messages: list[Object] = msgspec.to_builtins(config.messages)
        self.texts = [text for _, text in templates_in(messages)]
        self.templates = [] if self.engine == "jinja" else [Template(self.engine, text) for text in self.texts]
        first = 0
        while first < len(messages) and messages[first]["role"] in _FIRST_ROLES:
            first += 1
        self._system, self._rest = messages[:first], messages[first:]
        self._template, self._slots = self._precompile()

    @cached_property
    def takes_input(self) -> bool:
        """Whether a text has the variable `input`, in which calls of models other than chats put their text."""
        if self.engine == "jinja":
            return any(map(_JINJA_INPUT.search, self.texts))
        return any("input" in {name.partition(".")[0] for name in names(self.engine, text)} for text in self.texts)

    def for_preview(self) -> Self:
        """Return the variant with names without an input as they are written, in place of an error."""
        if self.missing != "error":
            return self
        shown = copy(self)
        shown.missing, shown._template = "keep", None
        return shown

    def for_another_model(self, *, has_same_provider: bool) -> Self:
        """Return the variant for a call of another model: without fallbacks, which would respond in its place."""
        alone = copy(self)
        alone.fallbacks = []
        alone.integration = self.integration if has_same_provider else None
        return alone

    def inputs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs of a request, with the defaults of omitted inputs."""
        return self._defaults.merge(given)

    def configuration(self, rendered: Sequence[Rendered], request: GetConfigRequest) -> ResolvedConfig:
        """Return the configuration with the rendered templates, in order, and without an id."""
        texts = (template.text for template in rendered)
        extra = _given(request.extra_params)
        system = [with_texts(message, texts) for message in self._system]
        rest = [with_texts(message, texts) for message in self._rest]
        return ResolvedConfig(
            id="",
            provider=self._config.provider,
            model=self._config.model,
            type=self._config.model_type,
            version=self._version,
            messages=[
                *system,
                *map(with_content, request.prefix_messages),
                *rest,
                *map(with_content, request.messages),
            ],
            parameters={**self._parameters, **extra},
            tools=self._tools or UNSET,
            missing_inputs=_missing(rendered) or UNSET,
        )

    def encoded(self, rendered: Sequence[Rendered], request: GetConfigRequest) -> bytes:
        """Return the configuration as JSON with its id."""
        return with_id(encode(self.configuration(rendered, request)))

    def render(self, request: GetConfigRequest, budget: RenderBudget | None = None) -> bytes:
        """Return the configuration for a request as JSON with its id; not for jinja.

        `budget` replaces that of one request.

        Raises:
            TemplateError
        """
        if not (request.prefix_messages or request.messages or request.extra_params):
            filled = self._fill(request.inputs)
            if filled is not None:
                return with_id(filled)
        return self.encoded(render_all(self, request.inputs, budget), request)

    def rendered(self, request: GetConfigRequest, budget: RenderBudget | None = None) -> ResolvedConfig:
        """Return the configuration for a request without an id; not for jinja. See `render`.

        Raises:
            TemplateError
        """
        filled = self._fill(request.inputs)
        if filled is None:
            return self.configuration(render_all(self, request.inputs, budget), request)
        config, first = _decode_config(filled), len(self._system)
        config.messages[first:first] = map(with_content, request.prefix_messages)
        config.messages.extend(map(with_content, request.messages))
        config.parameters.update(_given(request.extra_params))
        return config

    def _fill(self, inputs: Mapping[str, Any]) -> bytes | None:
        """Return the JSON without an id at a fifth of the cost, by inserting the inputs into encoded parts.

        It has no messages and parameters of a request. Return None for inputs other than strings.
        """
        if self._template is None:
            return None
        given = inputs.get
        pieces, missing, size = list[bytes](), dict[str, None](), 0
        for name, default, absent in self._slots:
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
        filled = self._template % tuple(pieces)
        if missing:
            filled = b'%b,"missing_inputs":%b}' % (filled[:-1], _encode([*missing]))
        return filled if len(filled) <= MAX_OUTPUT else None

    def _precompile(self) -> tuple[bytes | None, list[tuple[str, Any, bytes | None]]]:
        """Return the JSON of a configuration with a `%b` for each name in its texts, and the slots of these names.

        A slot has the name, the default and the replacement of a missing input; None if `_fill` cannot replace it.
        The JSON is None for other engines than `text`.
        """
        if self.engine != "text":
            return None, []
        parts = [template.parts for template in self.templates]
        marked = [Rendered(_MARK.join(template_parts[::2]), []) for template_parts in parts]
        slots = [
            self._slot(inside, is_name=inside not in template.no_names)
            for template in self.templates
            for inside in template.parts[1::2]
        ]
        pieces = encode(self.configuration(marked, _EMPTY_REQUEST)).split(_encode(_MARK)[1:-1])
        if len(pieces) != len(slots) + 1:
            return None, []  # a text contains a NUL
        return b"%b".join(piece.replace(b"%", b"%%") for piece in pieces), slots

    def _slot(self, inside: str, *, is_name: bool) -> tuple[str, Any, bytes | None]:
        name = inside.strip()
        default = ABSENT if "." in name else self._defaults.values.get(name, ABSENT)
        if self.missing == "error" or "." in name or not is_name:  # the input of `a.b` is `a`
            return name, default, None
        return name, default, b"" if self.missing == "empty" else _encode(f"{{{{{inside}}}}}")[1:-1]


def _given(parameters: Mapping[str, Any]) -> Object:
    """Return the parameters of a request; a null changes nothing."""
    return {name: value for name, value in parameters.items() if value is not None}


class CompiledDeployment:
    """All variants of a live version, and the routing table."""

    def __init__(self, live: LiveVersion) -> None:
        content = live.content.decode()
        variants = content.variants()
        self.live = live
        self.routing, self.variants = (
            content.runtime_config.routing,
            [variant.name for variant in content.runtime_config.variants],
        )
        self.table = RoutingTable.compile(live.key, self.routing)
        self._variants = {name: CompiledVariant(variant, live.version) for name, variant in variants.items()}

    def variant(self, name: str) -> CompiledVariant:
        """Return a variant by its name.

        Raises:
            VariantNotFound
        """
        variant = self._variants.get(name)
        if variant is None:
            existing = ", ".join(sorted(self._variants))
            raise VariantNotFound(param="model", key=self.live.key, variant=name[:200], existing=existing)
        return variant

    def resolve(self, context: Context) -> tuple[Resolution, CompiledVariant]:
        """Return the resolution and the variant for a context.

        Raises:
            ContextTooLarge
            VariantNotResolved: the table names a variant that does not exist.
        """
        self.table.check_size(context)
        resolution = self.table.resolve(context)
        variant = self._variants.get(resolution.variant)
        if variant is None:
            raise VariantNotResolved(key=self.live.key, variant=resolution.variant)
        return resolution, variant


def render_all(
    variant: CompiledVariant, inputs: Mapping[str, Any], budget: RenderBudget | None = None
) -> list[Rendered]:
    """Render the templates of a variant with the inputs of a request; not for jinja.

    `budget` replaces that of one request.

    Raises:
        TemplateError
    """
    if budget is not None:
        return _render_all(variant, inputs, budget)
    try:
        return _render_all(variant, inputs, RenderBudget())
    except OutputTooLarge:  # the size of the inputs is rarely needed
        return _render_all(variant, inputs, RenderBudget(MAX_OUTPUT + len(_encode(inputs))))


def _render_all(variant: CompiledVariant, inputs: Mapping[str, Any], budget: RenderBudget) -> list[Rendered]:
    is_error, values = variant.missing == "error", variant.inputs(inputs)
    missing: Missing = "empty" if is_error else variant.missing
    rendered = [template.render(values, missing, budget) for template in variant.templates]
    if is_error and (names := _missing(rendered)):
        raise MissingInputs.of(names)
    return rendered


def _missing(rendered: Iterable[Rendered]) -> list[str]:
    """Return the distinct names without an input."""
    return list(dict.fromkeys([name for template in rendered for name in template.missing]))
