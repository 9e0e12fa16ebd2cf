"""Warnings about model parameters that the provider rejects or does not have.

The ranges are those of the providers' API references in November 2026. They are warnings and not rules, because
providers change them, and differ between models.
"""

from typing import Final, NamedTuple

from moorage.core.deployments.model_parameters import ModelParameters
from moorage.core.deployments.prompt_config import ModelType, Provider
from moorage.core.deployments.provider_parameters import (
    PROVIDER_PARAMETERS,
    protocol_of,
    set_provider_parameters,
    takes,
)
from moorage.core.validation.bounds import Number
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report


class _Range(NamedTuple):
    """The values of a parameter that a provider accepts; `high` is None without a limit."""

    low: float
    high: float | None
    is_whole: bool = False


_COUNT: Final = _Range(1, None, is_whole=True)

#: Name in Python -> the range of providers without one in `_OF_PROVIDER`.
_RANGES: Final[dict[str, _Range]] = {
    "temperature": _Range(0, 2),
    "top_p": _Range(0, 1),
    "top_k": _Range(0, None, is_whole=True),
    "max_tokens": _COUNT,
    "budget_tokens": _COUNT,
    "num_images": _COUNT,
    "frequency_penalty": _Range(-2, 2),
    "presence_penalty": _Range(-2, 2),
    "seed": _Range(float("-inf"), None, is_whole=True),
}

_UP_TO_ONE: Final = _Range(0, 1)

_OF_PROVIDER: Final[dict[tuple[str, str], _Range]] = {
    ("anthropic", "temperature"): _UP_TO_ONE,
    ("anthropic", "budget_tokens"): _Range(1024, None, is_whole=True),
    ("aws", "temperature"): _UP_TO_ONE,
    ("cohere", "temperature"): _UP_TO_ONE,
    ("cohere", "top_p"): _Range(0.01, 0.99),
    ("cohere", "top_k"): _Range(0, 500, is_whole=True),
    ("cohere", "frequency_penalty"): _UP_TO_ONE,
    ("cohere", "presence_penalty"): _UP_TO_ONE,
    ("mistral", "temperature"): _Range(0, 1.5),
    ("moonshotai", "temperature"): _UP_TO_ONE,
    ("zai", "temperature"): _UP_TO_ONE,
    ("openai", "num_images"): _Range(1, 10, is_whole=True),
}


#: Model types for which the table of provider parameters has the providers.
_CALLED: Final = ("chat", "vision", "completion")


def check_parameters(
    provider: Provider, model_type: ModelType, parameters: ModelParameters, report: Report, path: JsonPath
) -> None:
    """Report parameters out of the range that the provider accepts, and those that it does not have."""
    for name, usual in _RANGES.items():
        value = getattr(parameters, name)
        if not isinstance(value, int | float):
            continue
        accepted = _OF_PROVIDER.get((provider, name), usual)
        is_inside = accepted.low <= value and (accepted.high is None or value <= accepted.high)
        if not is_inside or (accepted.is_whole and value != int(value)):
            where = path / parameters.__struct_encode_fields__[parameters.__struct_fields__.index(name)]
            report.problem(where, f"{_shown(value)} is out of range: {provider} accepts {_described(accepted)}")
    dimensions = parameters.dimensions
    if (
        model_type != "image"
        and isinstance(dimensions, str)
        and not (dimensions.isascii() and dimensions.isdecimal() and dimensions.strip("0"))
    ):
        report.problem(
            path / "dimensions", f"{dimensions[:40]!r} is out of range: {provider} accepts {_described(_COUNT)}"
        )
    if model_type in _CALLED:
        _check_known(provider, protocol_of(provider, model_type), parameters, report, path)


def _check_known(provider: str, protocol: str, parameters: ModelParameters, report: Report, path: JsonPath) -> None:
    for name, value in set_provider_parameters(parameters).items():
        row = PROVIDER_PARAMETERS[name]
        if value != row.default and not takes(protocol, provider, name):
            result = "is omitted from" if row.only_tunes else "makes Moorage reject"
            report.problem(path / name, f"{provider} has no such parameter: it {result} calls; remove it")


def _described(accepted: _Range) -> str:
    numbers = "whole numbers" if accepted.is_whole else "numbers"
    if accepted.high is not None:
        return f"{numbers} from {_shown(accepted.low)} to {_shown(accepted.high)}"
    return numbers if accepted.low == float("-inf") else f"{numbers} from {_shown(accepted.low)}"


def _shown(number: Number) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)[:40]
