"""Contracts: what another live version breaks for programs is published only by whoever says so."""

from collections.abc import Set as AbstractSet
from typing import Protocol

import msgspec

from moorage.core.contract import (
    NOTHING,
    Contract,
    ContractChange,
    Names,
    NamesOf,
    Needs,
    Templates,
    contract_changes,
    joined,
    names_without_jinja,
    needs_of,
)
from moorage.core.deployment import UNREADABLE, Deployment
from moorage.core.ownership import Terms
from moorage.core.plan import Prepared, render_all, texts_of
from moorage.core.prompt_config import PromptConfig, Variable, decode_prompt_config, decode_variables
from moorage.core.routing import reachable
from moorage.core.serving import decode_serving
from moorage.core.strict_json import join
from moorage.core.template_errors import InvalidTemplate, JinjaNotEnabled, MissingInputs, TemplateError
from moorage.core.usage import broken_callers
from moorage.core.usage_errors import BreakingChange
from moorage.core.variant import DEFAULT_VARIANT, Settings
from moorage.store.reading import Reading

#: How many changes and callers are listed, and how long a path or message may be: a body can hold many long names.
_MAX_LISTED = 200
_MAX_TEXT = 1_000


class Contracted(Protocol):
    """What has a contract: a version, however it is kept. All three are JSON."""

    @property
    def prompt_config(self) -> str:
        """A `PromptConfig`."""
        ...

    @property
    def variables(self) -> str:
        """A list of `Variable`."""
        ...

    @property
    def serving(self) -> str:
        """A `Serving`."""
        ...


class _Break(msgspec.Struct, frozen=True):
    """What breaks in a variant, and for which callers."""

    variant: str
    changes: list[ContractChange]
    needs: Needs


_NO_NEEDS = Needs([], [])


class _Variant(msgspec.Struct, frozen=True):
    config: PromptConfig
    variables: list[Variable]
    settings: Settings

    @property
    def templates(self) -> Templates:
        return self.settings.engine or "text", tuple(texts_of(msgspec.to_builtins(self.config.messages)))

    def contract(self, names: Names) -> Contract:
        """Where its names cannot be told, those count that it declares."""
        used = names if isinstance(names, AbstractSet) else {variable.key for variable in self.variables}
        contract = Contract(used, self.variables, self.config.tools)
        if self.settings.missing_inputs != "error":
            return contract
        return msgspec.structs.replace(contract, refused=self._refused(contract))

    def _refused(self, contract: Contract) -> AbstractSet[str]:
        """What a call without any input is refused for: all that is needed where jinja would have to tell."""
        if self.settings.engine == "jinja":
            return contract.needed
        try:
            render_all(Prepared(self.config, self.variables, self.settings, ""), {})
        except MissingInputs as error:
            return frozenset(error.names)
        except TemplateError:
            pass  # too large, or too much work: it is refused whatever is sent
        return frozenset()


def check_jinja(new: Contracted, terms: Terms) -> None:
    """Refuse jinja templates that nobody could use.

    Raises:
        JinjaNotEnabled: nothing here renders them.
        InvalidTemplate: one of them is broken, which only the process knows that renders them.
    """
    jinja = {name: each.templates for name, each in _variants(new).items() if each.settings.engine == "jinja"}
    if jinja and not terms.has_jinja:
        raise JinjaNotEnabled(param="engine")
    for name, found in zip(jinja, terms.names_of([*jinja.values()]), strict=True):
        if isinstance(found, InvalidTemplate):
            where = "prompt_config.messages" if name == DEFAULT_VARIANT else join("variants", name)
            raise InvalidTemplate(param=where, engine="jinja", reason=found.fields["reason"])


def check_contract(reading: Reading, live: Deployment, new: Contracted, terms: Terms) -> list[str]:
    """What breaks for programs when `new` takes the place of the live version: paths.

    Raises:
        BreakingChange: something does, and `terms` do not allow it.
    """
    breaks = _breaks(live, new, terms.names_of)
    breaking = _listed(breaks)
    if breaking and not terms.allow_breaking:
        required = sorted({name for each in breaks for name in each.needs.required})
        removed = sorted({name for each in breaks for name in each.needs.removed})
        callers = broken_callers(reading.usage_of_version(live.live_version_id, 0), Needs(required, removed))
        raise BreakingChange.of(live.key, str(live.version), breaking, callers[:_MAX_LISTED])
    return [each.path for each in breaking]


def breaking_changes(live: Contracted, new: Contracted) -> list[ContractChange]:
    """What breaks for programs when `new` takes the place of `live`, as far as that can be told without jinja."""
    return _listed(_breaks(live, new, names_without_jinja))


def _listed(breaks: list[_Break]) -> list[ContractChange]:
    """All of them, those of variants beside the default one with their names in the paths."""
    found = []
    for each in breaks:
        where = "" if each.variant == DEFAULT_VARIANT else join("variants", each.variant)
        for change in each.changes:
            path = f"{where}.{change.path}" if where else change.path
            found.append(ContractChange(change.kind, path[:_MAX_TEXT], change.message[:_MAX_TEXT]))
    return found[:_MAX_LISTED]


def _breaks(live: Contracted, new: Contracted, names_of: NamesOf) -> list[_Break]:
    """What breaks, variant by variant, of those that some call gets.

    One that calls got until now is held against itself. A program cannot know which it gets, so one that calls get only
    from now on breaks what it breaks whichever of the others they got; and of one that no call gets any more, what none
    of the others has is gone.
    """
    after = _variants(new)
    try:
        before = _variants(live)
    except UNREADABLE:
        return []  # it was written past this program, and nobody was served by it
    was_served, is_served = _served(live, before), _served(new, after)
    names = names_of([each.templates for each in (*before.values(), *after.values())])
    old_names, new_names = dict(zip(before, names, strict=False)), dict(zip(after, names[len(before) :], strict=True))
    breaks = []
    for name in is_served:
        if name in was_served:
            both = old_names[name], new_names[name]
            # Where the names of either cannot be told, both are held against what they declare.
            old, new_ = both if all(isinstance(each, AbstractSet) for each in both) else (None, None)
            breaks.append(_between(name, before[name].contract(old), after[name].contract(new_)))
    if was_served != is_served:
        was = {name: before[name].contract(old_names[name]) for name in was_served}
        is_ = {name: after[name].contract(new_names[name]) for name in is_served}
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
    """What is in all of them."""
    first, *others = breaks
    places = [{(change.kind, change.path) for change in each.changes} for each in others]
    changes = [change for change in first.changes if all((change.kind, change.path) in each for each in places)]
    required = {*first.needs.required}.intersection(*(each.needs.required for each in others))
    return _Break(first.variant, changes, Needs(sorted(required), []))


def _served(content: Contracted, variants: dict[str, _Variant]) -> list[str]:
    """The variants that some call may get, the default one first."""
    if len(variants) == 1:
        return [DEFAULT_VARIANT]
    served = reachable(decode_serving(content.serving).routing, DEFAULT_VARIANT)
    return [name for name in variants if name in served]


def _variants(content: Contracted) -> dict[str, _Variant]:
    serving = decode_serving(content.serving)
    default = _Variant(
        decode_prompt_config(content.prompt_config), decode_variables(content.variables), serving.settings or Settings()
    )
    others = {
        each.name: _Variant(each.prompt_config, each.variables or [], each.settings or Settings())
        for each in serving.variants
    }
    return {DEFAULT_VARIANT: default, **others}
