"""RuntimeConfig: everything in a version except its `prompt_config` and variables.

It is versioned and published with them, so that the routing rules always match the variants.
"""

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.deployments.prompt_config import Variable
from moorage.core.deployments.variant import (
    Fallback,
    Fallbacks,
    RetryCount,
    Settings,
    Variant,
    Variants,
    check_variants,
)
from moorage.core.routing.rules import DEFAULT_VARIANT, Routing, RoutingRule, check_routing
from moorage.core.validation.bounds import Number
from moorage.core.validation.validate import Report


class RuntimeConfigFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of the runtime configuration in a body. Omitted fields are unchanged."""

    settings: Settings | UnsetType = UNSET
    fallbacks: Fallbacks | UnsetType = UNSET
    retry_count: RetryCount | UnsetType = UNSET
    variants: Variants | UnsetType = UNSET
    routing: Routing | UnsetType = UNSET


class RuntimeConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored form, which omits empty fields.

    `settings`, `fallbacks` and `retry_count` are those of the default variant.
    """

    settings: Settings | UnsetType = UNSET
    fallbacks: list[Fallback] = []
    retry_count: Number | UnsetType = UNSET
    variants: list[Variant] = []
    routing: list[RoutingRule] = []

    def updated(self, fields: RuntimeConfigFields) -> "RuntimeConfig":
        """Return a copy with the fields that a body sets."""
        given = {name: value for name in self.__struct_fields__ if (value := getattr(fields, name)) is not UNSET}
        return msgspec.structs.replace(self, **given)

    def check(self, report: Report) -> None:
        """Report problems between fields."""
        check_variants(self.variants, report)
        check_routing(self.routing, [DEFAULT_VARIANT, *(variant.name for variant in self.variants)], report)
        for index, variant in enumerate(self.variants):
            check_variables(variant.variables, report, f"variants[{index}].variables")


EMPTY = RuntimeConfig()


def check_variables(variables: list[Variable] | UnsetType, report: Report, path: str = "variables") -> None:
    """Report variables that are declared twice."""
    seen = set[str]()
    for index, variable in enumerate(variables or ()):
        if variable.key in seen:
            report.problem(f"{path}[{index}].key", f"is declared twice: {variable.key!r}; remove one")
        seen.add(variable.key)


decode_runtime_config = msgspec.json.Decoder(RuntimeConfig).decode
