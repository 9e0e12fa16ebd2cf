"""The errors of templates.

    MoorageError
    ├── TemplateError
    │   ├── UnsupportedEngine        JinjaNotEnabled
    │   ├── InvalidTemplate          TemplateNotAllowed
    │   ├── MissingInputs
    │   └── TemplateTooHeavy         OutputTooLarge
    ├── EngineNotSupported           the same as `UnsupportedEngine`, in a body that is to be kept
    ├── RenderingBusy, RenderingBroken    the template is not to blame
    └── JinjaNotInstalled            for whoever starts the program

They are made as all others are, see `moorage.core.errors`.
"""

from collections.abc import Sequence

from moorage.core.errors import MoorageError
from moorage.core.request_errors import InvalidBody, InvalidRequest

#: How many names a message lists.
_SHOWN = 20


class TemplateError(InvalidRequest):
    """The template cannot be rendered: {reason}."""

    code = "template_error"


class UnsupportedEngine(TemplateError):
    """There is no template engine {engine!r}; there are: text, jinja, mustache."""

    code = "unsupported_engine"


class JinjaNotEnabled(UnsupportedEngine):
    """The template engine jinja is not enabled here; whoever runs this can enable it. Or use text or mustache."""


class EngineNotSupported(InvalidBody):
    """{summary}"""

    code = UnsupportedEngine.code


class InvalidTemplate(TemplateError):
    """The {engine} template is not valid: {reason}."""

    code = "invalid_template"


class TemplateNotAllowed(InvalidTemplate):
    """The {engine} template uses what templates may not use: {reason}."""

    code = "template_not_allowed"


class MissingInputs(TemplateError):
    """The template needs inputs that were not given and have no default: {listed}."""

    code = "missing_inputs"

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str]) -> "MissingInputs":
        """The error for these names."""
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        error = cls(listed=", ".join(name[:256] for name in names[:_SHOWN]) + more)
        error.names = tuple(names)
        return error


class TemplateTooHeavy(TemplateError):
    """Rendering the {engine} template was stopped: {reason}. Loop over less, or prepare the text before it is sent."""

    code = "template_too_heavy"


class OutputTooLarge(TemplateTooHeavy):
    """What is rendered is larger than {maximum} bytes in all. Use shorter inputs, or use them less often."""

    code = "output_too_large"


class RenderingBusy(MoorageError):
    """Too many jinja templates are being rendered; this one waited {seconds} s for its turn. Try again."""

    code = "rendering_busy"


class RenderingBroken(MoorageError):
    """The process that renders jinja templates {what}. Nothing is wrong with the template; look at the memory and the
    processes that this machine has left."""

    code = "rendering_broken"


class JinjaNotInstalled(MoorageError):
    """Jinja templates need jinja2: pip install 'moorage[jinja]'."""

    code = "jinja_not_installed"
