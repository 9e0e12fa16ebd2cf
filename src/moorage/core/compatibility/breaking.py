"""Breaking changes of a new version, and the variants that they affect."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import msgspec

from moorage.core.compatibility.changes import Comparison, ContractChange
from moorage.core.compatibility.contract import (
    NOTHING,
    Contract,
    Needs,
    Templates,
    VariableFinder,
    VariableNames,
    contract_changes,
    find_variables_without_jinja,
    needs_of,
    union,
)
from moorage.core.deployments.content import DECODE_ERRORS, Content, StoredContent, VariantContent
from moorage.core.deployments.message_templates import templates_in
from moorage.core.errors.templates import MissingInputs, TemplateError
from moorage.core.resolution.compiled import CompiledVariant, render_all
from moorage.core.routing.rules import DEFAULT_VARIANT, reachable
from moorage.core.validation.json_path import join

#: The limits of lists, and of a path or message in characters, because a body can contain many long names.
MAX_LISTED = 200
_MAX_TEXT = 1_000


class _Break(msgspec.Struct, frozen=True):
    """The breaking changes of a variant, and the affected callers."""

    variant: str
    changes: list[ContractChange]
    needs: Needs


_NO_NEEDS = Needs([], [])


def templates_of(variant: VariantContent) -> Templates:
    """Return the engine and the templates of a variant."""
    messages = msgspec.to_builtins(variant.prompt_config.messages)
    return variant.settings.engine or "text", tuple(text for _, text in templates_in(messages))


def _contract(variant: VariantContent, names: VariableNames) -> Contract:
    """Return the contract of a variant; with unknown names, the declared variables count."""
    used = names if isinstance(names, AbstractSet) else {variable.key for variable in variant.variables}
    contract = Contract(used, variant.variables, variant.prompt_config.tools)
    if variant.settings.missing_inputs != "error":
        return contract
    return msgspec.structs.replace(contract, rejected=_rejected(variant, contract))


def _rejected(variant: VariantContent, contract: Contract) -> AbstractSet[str]:
    """Return the inputs without which a request is rejected; for jinja, all inputs without a default."""
    if variant.settings.engine == "jinja":
        return contract.needed
    try:
        render_all(CompiledVariant(variant, ""), {})
    except MissingInputs as error:
        return frozenset(error.names)
    except TemplateError:
        pass  # too large or too many steps, for all inputs
    return frozenset()


def breaking_changes(live: StoredContent, new: StoredContent) -> list[ContractChange]:
    """Return the changes that break callers when `new` replaces `live`, without those of jinja templates."""
    return listed(breaks(live, new, find_variables_without_jinja))


def listed(breaks: list[_Break]) -> list[ContractChange]:
    """Return all changes; the paths of variants other than the default one contain their names."""
    found = []
    for breaking in breaks:
        prefix = "" if breaking.variant == DEFAULT_VARIANT else join("variants", breaking.variant)
        for change in breaking.changes:
            path = f"{prefix}.{change.path}" if prefix else change.path
            found.append(ContractChange(change.kind, path[:_MAX_TEXT], change.message[:_MAX_TEXT]))
    return found[:MAX_LISTED]


def breaks(live: StoredContent, new: StoredContent, find_variables: VariableFinder) -> list[_Break]:
    """Return the breaking changes of each variant that requests can get.

    A variant that requests could already get is compared with its previous content. A caller cannot choose the
    variant. So for a new variant, only changes relative to all previous variants count; for a removed variant, the
    names and tools that no remaining variant has count.

    Raises:
        ComparisonTooLarge
    """
    comparison = Comparison()
    after_content = new.decode()
    after = after_content.variants()
    try:
        before_content = live.decode()
    except DECODE_ERRORS:
        return []  # another program wrote it, so it was never served
    before = before_content.variants()
    was_served, is_served = _served(before_content, before), _served(after_content, after)
    names = find_variables([templates_of(variant) for variant in (*before.values(), *after.values())])
    old_names, new_names = dict(zip(before, names, strict=False)), dict(zip(after, names[len(before) :], strict=True))
    breaks = []
    for name in is_served:
        if name in was_served:
            both = old_names[name], new_names[name]
            # If the names of either are unknown, compare the declared variables of both.
            old, new_ = both if all(isinstance(names, AbstractSet) for names in both) else (None, None)
            breaks.append(_between(name, _contract(before[name], old), _contract(after[name], new_), comparison))
    if was_served != is_served:
        was = {name: _contract(before[name], old_names[name]) for name in was_served}
        is_ = {name: _contract(after[name], new_names[name]) for name in is_served}
        previous = _distinct(was.values())
        for name in is_.keys() - was.keys():
            shared = [contract.intersection(is_[name]) for contract in previous]
            breaks.append(_common([_between(name, contract, is_[name], comparison) for contract in shared]))
        remaining = union([*is_.values()])
        breaks += [
            _between(name, was[name].difference(remaining), NOTHING, comparison) for name in was.keys() - is_.keys()
        ]
    return sorted(breaks, key=lambda breaking: (breaking.variant != DEFAULT_VARIANT, breaking.variant))


def _distinct(contracts: Iterable[Contract]) -> list[Contract]:
    """Return the contracts that differ; variants often share one."""
    distinct: list[Contract] = []
    for contract in contracts:
        if contract not in distinct:
            distinct.append(contract)
    return distinct


def _between(variant: str, before: Contract, after: Contract, comparison: Comparison) -> _Break:
    changes = [change for change in contract_changes(before, after, comparison) if change.is_breaking]
    return _Break(variant, changes, needs_of(before, after) if changes else _NO_NEEDS)


def _common(breaks: list[_Break]) -> _Break:
    """Return the changes that all have in common."""
    first, *others = breaks
    sets = [{(change.kind, change.path) for change in other.changes} for other in others]
    changes = [change for change in first.changes if all((change.kind, change.path) in found for found in sets)]
    required = {*first.needs.required}.intersection(*(other.needs.required for other in others))
    return _Break(first.variant, changes, Needs(sorted(required), []))


def _served(content: Content, variants: dict[str, VariantContent]) -> list[str]:
    """Return the variants that requests can get, the default variant first."""
    if len(variants) == 1:
        return [DEFAULT_VARIANT]
    served = reachable(content.runtime_config.routing, DEFAULT_VARIANT)
    return [name for name in variants if name in served]
