"""From a parsed body to its type, with every problem at once."""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.conform import Report, conform
from moorage.core.deployment import Content, Deployment, PutDeployment
from moorage.core.errors import InvalidBody
from moorage.core.history import Actor
from moorage.core.prompt_config import Variable
from moorage.core.serving import NOTHING, check_variables, decode_serving
from moorage.core.version import PostVersion, Reason

T = TypeVar("T")

_variables = msgspec.json.Decoder(list[Variable]).decode


def read_body(value: Any, to: type[T]) -> tuple[T, list[str]]:
    """Hold a parsed body against a type; returns it and the paths that were rewritten to an equivalent.

    Raises:
        InvalidBody: with every problem.
    """
    conformed, report = conform(value, to)
    if report.problems:
        raise InvalidBody.of(report.problems)
    try:
        return msgspec.convert(conformed, to), report.rewritten
    except msgspec.ValidationError as error:  # a rule of the type that `conform` does not know
        report.problem("", str(error))
        raise InvalidBody.of(report.problems) from None


def content_of(wanted: PutDeployment | PostVersion, live: Deployment | None = None) -> Content:
    """What a body makes of a deployment's content; what it leaves out stays as in the `live` version.

    Raises:
        InvalidBody: its parts do not fit together, or not with what stays.
    """
    variables, serving = ([], NOTHING) if live is None else (_variables(live.variables), decode_serving(live.serving))
    if wanted.variables is not UNSET:
        variables = wanted.variables
    serving, report = serving.changed(wanted), Report()
    check_variables(variables, report)
    serving.check(report)
    if report.problems:
        raise InvalidBody.of(report.problems)
    return Content.of(wanted.prompt_config, variables, serving)


def with_reason(body: bytes, by: Actor) -> Actor:
    """Who asks, with the reason of a body (JSON, `Reason`) if there is one.

    Raises:
        InvalidJson, InvalidBody
    """
    if not body.strip():
        return by
    return by.because(read_body(strict_json.parse(body), Reason)[0].reason)
