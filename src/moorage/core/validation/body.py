"""Conversion of a parsed body to its type, with all problems at once."""

from typing import Any, TypeVar

import msgspec

from moorage.core.errors.requests import InvalidBody
from moorage.core.errors.templates import EngineNotSupported
from moorage.core.validation.validate import validate

T = TypeVar("T")


def read_body(value: Any, to: type[T]) -> tuple[T, list[str]]:
    """Return a parsed body as a type, and the paths that were normalized.

    Raises:
        InvalidBody: with all problems; EngineNotSupported: one is the template engine.
    """
    normalized, report = validate(value, to)
    if any(problem.path.endswith("settings.engine") for problem in report.problems):
        raise EngineNotSupported.of(report.problems)
    if report.problems:
        raise InvalidBody.of(report.problems)
    try:
        return msgspec.convert(normalized, to), report.normalized
    except msgspec.ValidationError as error:  # `validate` does not implement this rule of the type
        report.problem("", str(error))
        raise InvalidBody.of(report.problems) from None
