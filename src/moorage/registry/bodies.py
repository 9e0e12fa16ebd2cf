"""From a parsed body to its type, with every problem at once."""

from typing import Any, TypeVar

import msgspec
from msgspec import UnsetType

from moorage.core import strict_json
from moorage.core.conform import Report, conform
from moorage.core.errors import InvalidBody
from moorage.core.history import Actor
from moorage.core.prompt_config import Variable
from moorage.core.version import Reason

T = TypeVar("T")


def read_body(value: Any, to: type[T]) -> tuple[T, list[str]]:
    """Hold a parsed body against a type; returns it and the paths that were rewritten to an equivalent.

    Raises:
        InvalidBody: with every problem.
    """
    conformed, report = conform(value, to)
    if report.problems:
        raise _invalid(report)
    try:
        return msgspec.convert(conformed, to), report.rewritten
    except msgspec.ValidationError as error:  # a rule of the type that `conform` does not know
        report.problem("", str(error))
        raise _invalid(report) from None


def refuse_repeated_variables(variables: list[Variable] | UnsetType) -> None:
    """Raise `InvalidBody` if two variables have one key."""
    report, seen = Report(), set[str]()
    for index, variable in enumerate(variables or ()):
        if variable.key in seen:
            report.problem(f"variables[{index}].key", f"{variable.key!r} is declared twice")
        seen.add(variable.key)
    if report.problems:
        raise _invalid(report)


def with_reason(body: bytes, by: Actor) -> Actor:
    """Who asks, with the reason of a body (JSON, `Reason`) if there is one.

    Raises:
        InvalidJson, InvalidBody
    """
    if not body.strip():
        return by
    return by.because(read_body(strict_json.parse(body), Reason)[0].reason)


def _invalid(report: Report) -> InvalidBody:
    first, more = report.problems[0], len(report.problems) - 1
    summary = f"{first.path or 'the body'} {first.message}" + (f" (and {more} more)" if more else "")
    return InvalidBody(param=first.path or None, problems=tuple(report.problems), summary=summary)
