"""From a parsed body to its type, with every problem at once."""

from typing import Any, TypeVar

import msgspec

from moorage.core.errors.requests import InvalidBody
from moorage.core.errors.templates import EngineNotSupported
from moorage.core.validation.validate import conform

T = TypeVar("T")


def read_body(value: Any, to: type[T]) -> tuple[T, list[str]]:
    """Hold a parsed body against a type; returns it and the paths that were rewritten to an equivalent.

    Raises:
        InvalidBody: with every problem; EngineNotSupported: one is a template engine.
    """
    conformed, report = conform(value, to)
    if any(problem.path.endswith("settings.engine") for problem in report.problems):
        raise EngineNotSupported.of(report.problems)
    if report.problems:
        raise InvalidBody.of(report.problems)
    try:
        return msgspec.convert(conformed, to), report.rewritten
    except msgspec.ValidationError as error:  # a rule of the type that `conform` does not know
        report.problem("", str(error))
        raise InvalidBody.of(report.problems) from None
