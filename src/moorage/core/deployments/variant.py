"""Variant: one of several configurations of a deployment.

The deployment's own `prompt_config` is the default variant, named `default`; `variants` has the others.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.ids import KEY_PATTERN
from moorage.core.deployments.key_check import check_characters
from moorage.core.deployments.model_parameters import ModelParameters
from moorage.core.deployments.prompt_config import (
    IntegrationId,
    ModelType,
    PromptConfig,
    Provider,
    Variable,
)
from moorage.core.routing.rules import DEFAULT_VARIANT
from moorage.core.validation.bounds import Number, bounded
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report

MAX_VARIANTS = 50
MAX_FALLBACKS = 10
MAX_CHECKS = 100
MAX_RETRIES = 10


class Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that is called with the same messages if the previous model failed."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    model_type: ModelType
    provider: Provider
    model_parameters: ModelParameters = msgspec.field(default_factory=ModelParameters)
    integration_id: IntegrationId | UnsetType = UNSET


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guardrail or an evaluator, by its id."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    execute_on: Literal["input", "output", "both"]
    sample_rate: (
        Annotated[Number, bounded(0, 100, decimals=2, description="The percentage of calls to check, such as 50.")]
        | UnsetType
    ) = UNSET


#: Ten years, in seconds: databases cannot store any time in the future, and no response is cached that long.
_LONGEST: Final = 10 * 366 * 24 * 3600


class Cache(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether responses are cached, for `ttl` seconds."""

    enabled: bool
    type: Literal["exact", "semantic"] | UnsetType = UNSET
    ttl: Number | UnsetType = UNSET

    @property
    def seconds(self) -> float | None:
        """How long responses are cached; None for a cache that is off, or of a type that Moorage does not have."""
        if not self.enabled or self.type != "exact" or not isinstance(self.ttl, int | float) or self.ttl <= 0:
            return None
        return float(min(self.ttl, _LONGEST))


def _complete_cache(value: Any, path: JsonPath, report: Report) -> Any:
    if isinstance(value, dict) and value.get("enabled") is True:
        for field in ("type", "ttl"):
            if value.get(field) is None:
                report.problem(path / field, "is required if the cache is enabled")
        if value.get("type") == "semantic":
            report.problem(path / "type", "must be `exact`: semantic caches are not available")
        ttl = value.get("ttl")
        if isinstance(ttl, int | float) and ttl <= 0:
            report.problem(path / "ttl", f"must be more than 0 seconds; got {ttl}")
    return value


#: The treatment of a variable that has neither input nor default.
Missing = Literal["empty", "keep", "error"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a variant other than its `prompt_config`."""

    engine: (
        Annotated[
            Literal["text", "mustache", "jinja"],
            Meta(description="The template engine of the messages; the default is `text`."),
        ]
        | UnsetType
    ) = UNSET
    missing_inputs: (
        Annotated[
            Missing,
            Meta(
                description="The treatment of a variable that has neither input nor default. The default is `error` for"
                " a new deployment with variables, and unchanged for an existing one."
            ),
        ]
        | UnsetType
    ) = UNSET
    cache: Annotated[Cache, Meta(extra={"normalize": _complete_cache})] | UnsetType = UNSET
    guardrails: Annotated[list[Check], Meta(max_length=MAX_CHECKS)] | UnsetType = UNSET
    evaluators: Annotated[list[Check], Meta(max_length=MAX_CHECKS)] | UnsetType = UNSET
    guardrail_behaviour: Literal["none", "retry", "fallback"] | UnsetType = msgspec.field(
        default=UNSET, name="guardrailBehaviour"
    )
    input_masking: bool | UnsetType = UNSET
    system_masking: bool | UnsetType = UNSET
    output_masking: bool | UnsetType = UNSET


Fallbacks = Annotated[
    list[Fallback], Meta(max_length=MAX_FALLBACKS, description="Tried in this order after the retries.")
]

RetryCount = Annotated[
    Number, bounded(0, MAX_RETRIES, decimals=0, description="The number of retries of a failed call.")
]


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variant in a body."""

    name: Annotated[
        str,
        Meta(
            pattern=KEY_PATTERN,
            description=f"The name in routing rules; unique, and not `{DEFAULT_VARIANT}`.",
            extra={"normalize": check_characters},
        ),
    ]
    prompt_config: PromptConfig
    variables: list[Variable] | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET
    fallbacks: Fallbacks | UnsetType = UNSET
    retry_count: RetryCount | UnsetType = UNSET


#: The field of a body with the variants other than the default one.
Variants = Annotated[
    list[Variant],
    Meta(max_length=MAX_VARIANTS, description="The variants other than the default one, `prompt_config`."),
]


def check_variants(variants: Sequence[Variant], report: Report, path: str = "variants") -> None:
    """Report duplicate names."""
    taken = {DEFAULT_VARIANT: "is the name of the default variant; choose another"}
    for index, variant in enumerate(variants):
        if variant.name in taken:
            report.problem(f"{path}[{index}].name", taken[variant.name])
        else:
            taken[variant.name] = f"is already the name of {path}[{index}]; choose another"
