"""Breaking changes: a version that breaks callers of the live one is published only on request."""

from collections.abc import Set as AbstractSet

import msgspec

from moorage.core.compatibility.contract import (
    NOTHING,
    Contract,
    ContractChange,
    Names,
    Needs,
    Templates,
    VariableFinder,
    contract_changes,
    find_variables_without_jinja,
    joined,
    needs_of,
)
from moorage.core.deployments.content import DECODE_ERRORS, Content, StoredContent, VariantContent
from moorage.core.errors.templates import MissingInputs, TemplateError
from moorage.core.resolution.compiled import CompiledVariant, render_all, texts_of
from moorage.core.routing.rules import DEFAULT_VARIANT, reachable
from moorage.core.validation.strict_json import join

#: How many changes and callers are listed, and how long a path or message may be: a body can hold many long names.
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
    return variant.settings.engine or "text", tuple(texts_of(msgspec.to_builtins(variant.prompt_config.messages)))


def _contract(variant: VariantContent, names: Names) -> Contract:
    """Return the contract of a variant; with unknown names, the declared variables count."""
    used = names if isinstance(names, AbstractSet) else {variable.key for variable in variant.variables}
    contract = Contract(used, variant.variables, variant.prompt_config.tools)
    if variant.settings.missing_inputs != "error":
        return contract
    return msgspec.structs.replace(contract, refused=_rejected(variant, contract))


def _rejected(variant: VariantContent, contract: Contract) -> AbstractSet[str]:
    """Return the inputs without which a request is rejected; for jinja, all inputs without a default."""
    if variant.settings.engine == "jinja":
        return contract.needed
    try:
        render_all(CompiledVariant(variant, ""), {})
    except MissingInputs as error:
        return frozenset(error.names)
    except TemplateError:
        pass  # too large, or too much work: rejected for any inputs
    return frozenset()


def breaking_changes(live: StoredContent, new: StoredContent) -> list[ContractChange]:
    """Return the changes that break callers when `new` replaces `live`, as far as they are known without jinja."""
    return listed(breaks(live, new, find_variables_without_jinja))


def listed(breaks: list[_Break]) -> list[ContractChange]:
    """All of them, those of other variants than the default one with their names in the paths."""
    found = []
    for each in breaks:
        where = "" if each.variant == DEFAULT_VARIANT else join("variants", each.variant)
        for change in each.changes:
            path = f"{where}.{change.path}" if where else change.path
            found.append(ContractChange(change.kind, path[:_MAX_TEXT], change.message[:_MAX_TEXT]))
    return found[:MAX_LISTED]


def breaks(live: StoredContent, new: StoredContent, find_variables: VariableFinder) -> list[_Break]:
    """Return the breaking changes of each variant that some request gets.

    One that calls got until now is held against itself. A program cannot know which it gets, so one that calls get only
    from now on breaks what it breaks whichever of the others they got; and of one that no call gets any more, what none
    of the others has is gone.
    """
    after_content = new.decode()
    after = after_content.variants()
    try:
        before_content = live.decode()
    except DECODE_ERRORS:
        return []  # it was written past this program, and nobody was served by it
    before = before_content.variants()
    was_served, is_served = _served(before_content, before), _served(after_content, after)
    names = find_variables([templates_of(each) for each in (*before.values(), *after.values())])
    old_names, new_names = dict(zip(before, names, strict=False)), dict(zip(after, names[len(before) :], strict=True))
    breaks = []
    for name in is_served:
        if name in was_served:
            both = old_names[name], new_names[name]
            # If the names of either are unknown, both are compared by the variables that they declare.
            old, new_ = both if all(isinstance(each, AbstractSet) for each in both) else (None, None)
            breaks.append(_between(name, _contract(before[name], old), _contract(after[name], new_)))
    if was_served != is_served:
        was = {name: _contract(before[name], old_names[name]) for name in was_served}
        is_ = {name: _contract(after[name], new_names[name]) for name in is_served}
        breaks += [
            _common([_between(name, each.shared_with(is_[name]), is_[name]) for each in was.values()])
            for name in is_.keys() - was.keys()
        ]
        left = joined([*is_.values()])
        breaks += [_between(name, was[name].beyond(left), NOTHING) for name in was.keys() - is_.keys()]
    return sorted(breaks, key=lambda each: (each.variant != DEFAULT_VARIANT, each.variant))


def _between(variant: str, before: Contract, after: Contract) -> _Break:
    changes = [change for change in contract_changes(before, after) if change.is_breaking]
    return _Break(variant, changes, needs_of(before, after) if changes else _NO_NEEDS)


def _common(breaks: list[_Break]) -> _Break:
    """Return the intersection."""
    first, *others = breaks
    places = [{(change.kind, change.path) for change in each.changes} for each in others]
    changes = [change for change in first.changes if all((change.kind, change.path) in each for each in places)]
    required = {*first.needs.required}.intersection(*(each.needs.required for each in others))
    return _Break(first.variant, changes, Needs(sorted(required), []))


def _served(content: Content, variants: dict[str, VariantContent]) -> list[str]:
    """The variants that some call may get, the default one first."""
    if len(variants) == 1:
        return [DEFAULT_VARIANT]
    served = reachable(content.runtime_config.routing, DEFAULT_VARIANT)
    return [name for name in variants if name in served]
