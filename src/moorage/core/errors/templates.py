"""Errors of templates.

    MoorageError
    ├── TemplateError
    │   ├── UnsupportedEngine        JinjaNotEnabled
    │   ├── InvalidTemplate          TemplateNotAllowed
    │   ├── MissingInputs
    │   └── TemplateLimitExceeded    OutputTooLarge
    ├── EngineNotSupported           `UnsupportedEngine`, in a body that is stored
    ├── RendererBusy
    ├── RendererUnavailable          RendererFailed
    └── JinjaNotInstalled            at the start of the server

They are built like all errors, see `moorage.core.errors.base`.
"""

from collections.abc import Sequence

from moorage.core.errors.base import MoorageError
from moorage.core.errors.requests import InvalidBody, InvalidRequest

#: How many names a message lists.
_MAX_LISTED = 20


class TemplateError(InvalidRequest):
    """The template cannot be rendered: {reason}."""

    code = "template_error"


class UnsupportedEngine(TemplateError):
    """Unknown template engine {engine!r}; the engines are text, jinja and mustache."""

    code = "unsupported_engine"


class JinjaNotEnabled(UnsupportedEngine):
    """The template engine jinja is not enabled on this server."""

    hint = "Ask the operator to enable it (MOORAGE_JINJA), or use text or mustache."


class EngineNotSupported(InvalidBody):
    """{summary}"""

    code = UnsupportedEngine.code


class InvalidTemplate(TemplateError):
    """The {engine} template is invalid: {reason}."""

    code = "invalid_template"


class TemplateNotAllowed(InvalidTemplate):
    """The {engine} template uses a feature that templates must not use: {reason}."""

    code = "template_not_allowed"


class MissingInputs(TemplateError):
    """Missing inputs without a default: {listed}."""

    code = "missing_inputs"

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str]) -> "MissingInputs":
        """Return the error for these names."""
        more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
        error = cls(listed=", ".join(name[:256] for name in names[:_MAX_LISTED]) + more)
        error.names = tuple(names)
        return error


class TemplateLimitExceeded(TemplateError):
    """Rendering the {engine} template was stopped: {reason}."""

    code = "template_limit_exceeded"
    hint = "Loop over fewer items, or prepare the text in the application."


class OutputTooLarge(TemplateLimitExceeded):
    """The rendered messages are larger than {maximum} bytes in total."""

    code = "output_too_large"
    hint = "Use shorter inputs, or use them less often."


class RendererBusy(MoorageError):
    """The jinja renderer is busy (waited {seconds} s)."""

    code = "renderer_busy"
    hint = "Retry."


class RendererUnavailable(MoorageError):
    """The process that renders jinja templates does not start. The template is not the cause."""

    code = "renderer_unavailable"
    hint = "Check the memory and the process limit of this machine."


class RendererFailed(RendererUnavailable):
    """The process that renders jinja templates sent an invalid reply. The template is not the cause."""


class JinjaNotInstalled(MoorageError):
    """Jinja templates require jinja2."""

    code = "jinja_not_installed"
    hint = "Run: pip install 'moorage[jinja]'"
