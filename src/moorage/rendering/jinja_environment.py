"""The environment of jinja templates: the strict sandbox, without random results.

Values have the same text as in the other engines (`moorage.core.templates.lookup`).
"""

from collections.abc import Callable, Iterator
from types import BuiltinMethodType, MethodType
from typing import Any, ClassVar, NoReturn

from jinja2 import ChainableUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from moorage.core.templates.output import Output
from moorage.rendering.jinja_checks import check_syntax, check_values, checked_filters
from moorage.rendering.jinja_text import TextFormatter, operands, text, text_filters


class Unfilled(ChainableUndefined):
    """A name without an input.

    It counts as missing when its value is used; `{% if name %}` and `is defined` do not use it.
    """

    __slots__ = ()

    #: The output that records missing names: a process renders one template at a time.
    _output: ClassVar[Output]

    def __getattr__(self, name: str) -> "Unfilled":
        super().__getattr__(name)
        return self[name]

    def __getitem__(self, name: object) -> "Unfilled":  # type: ignore[override]  # or an index
        return Unfilled(name=f"{self._undefined_name}.{name}")

    @classmethod
    def report_to(cls, output: Output) -> None:
        """Record missing names in this output from now on."""
        cls._output = output

    def __str__(self) -> str:
        name = str(self._undefined_name)
        return self._output.mark_missing(name, f"{{{{ {name} }}}}")

    def __iter__(self) -> Iterator[Any]:
        str(self)
        return iter(())

    def __len__(self) -> int:
        str(self)
        return 0


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """An environment whose results depend only on the template and the inputs."""

    intercepted_binops = frozenset({"%"})

    def __init__(self) -> None:
        super().__init__(undefined=Unfilled, finalize=text, keep_trailing_newline=True)
        del self.globals["lipsum"], self.filters["random"]
        self.filters = checked_filters(text_filters(self.filters))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer a field of an object to a method of the same name: `order.items` is the field that was sent."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return check_syntax(super()._parse(source, name, filename), self)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Check the operands of `%`, which writes them into a text."""
        check_values((left, right))
        return super().call_binop(context, operator, left, operands(left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return `str.format` or `format_map` with a check of its arguments, and with the texts of values."""
        if not isinstance(value, MethodType | BuiltinMethodType) or value.__name__ not in ("format", "format_map"):
            return None
        template = value.__self__
        if not isinstance(template, str):
            return None
        is_map = value.__name__ == "format_map"

        def formatted(*args: Any, **kwargs: Any) -> str:
            check_values((args, kwargs))
            if is_map and (kwargs or len(args) != 1):
                raise TypeError("format_map() takes exactly one argument")
            return TextFormatter(self).vformat(template, () if is_map else args, args[0] if is_map else kwargs)

        return formatted

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        """Raise an error for unsafe access immediately, not only when the value is used."""
        raise SecurityError(f"the attribute {attribute[:64]!r} of a {type(obj).__name__}")
