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
from moorage.core.deployment import Deployment
from moorage.core.ownership import Terms
from moorage.core.plan import Prepared, render_all, texts_of
from moorage.core.prompt_config import PromptConfig, Variable
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

_prompt_config = msgspec.json.Decoder(PromptConfig).decode
_variables = msgspec.json.Decoder(list[Variable]).decode


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


#: The name of a variant, and what is compared: before, and after.
_Pair = tuple[str, Contract, Contract]


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


def check_jinja(new: Contracted, terms: Terms, names_of: NamesOf) -> None:
    """Refuse jinja templates that nobody could use.

    Raises:
        JinjaNotEnabled: nothing here renders them.
        InvalidTemplate: one of them is broken, which only the process knows that renders them.
    """
    jinja = {name: each.templates for name, each in _variants(new).items() if each.settings.engine == "jinja"}
    if jinja and not terms.has_jinja:
        raise JinjaNotEnabled(param="engine")
    for name, found in zip(jinja, names_of([*jinja.values()]), strict=True):
        if isinstance(found, InvalidTemplate):
            where = "prompt_config.messages" if name == DEFAULT_VARIANT else join("variants", name)
            raise InvalidTemplate(param=where, engine="jinja", reason=found.fields["reason"])


def check_contract(reading: Reading, live: Deployment, new: Contracted, terms: Terms, names_of: NamesOf) -> list[str]:
    """What breaks for programs when `new` takes the place of the live version: paths.

    Raises:
        BreakingChange: something does, and `terms` do not allow it.
    """
    pairs = _pairs(live, new, names_of)
    breaking = _breaking(pairs)
    if breaking and not terms.allow_breaking:
        needs = [needs_of(before, after) for _, before, after in pairs]
        required = sorted({name for each in needs for name in each.required})
        removed = sorted({name for each in needs for name in each.removed})
        callers = broken_callers(reading.usage_of_version(live.live_version_id, 0), Needs(required, removed))
        raise BreakingChange.of(live.key, str(live.version), breaking, callers[:_MAX_LISTED])
    return [each.path for each in breaking]


def breaking_changes(live: Contracted, new: Contracted) -> list[ContractChange]:
    """What breaks for programs when `new` takes the place of `live`, as far as that can be told without jinja."""
    return _breaking(_pairs(live, new, names_without_jinja))


def _breaking(pairs: list[_Pair]) -> list[ContractChange]:
    """The breaking changes of all variants, of which those beside the default one are named in the paths."""
    found = []
    for name, before, after in pairs:
        where = "" if name == DEFAULT_VARIANT else join("variants", name)
        for change in contract_changes(before, after):
            if change.is_breaking:
                path = f"{where}.{change.path}" if where else change.path
                found.append(ContractChange(change.kind, path[:_MAX_TEXT], change.message[:_MAX_TEXT]))
    return found[:_MAX_LISTED]


def _pairs(live: Contracted, new: Contracted, names_of: NamesOf) -> list[_Pair]:
    """What is to be compared: each variant with the one of its name; one that calls get only from now on, with all that
    they got until now, of which a program cannot know which it gets; and likewise one that no call gets any more."""
    after = _variants(new)
    try:
        before = _variants(live)
    except msgspec.DecodeError:
        return []  # it was written past this program, and nobody was served by it
    names = names_of([each.templates for each in (*before.values(), *after.values())])
    old_names, new_names = dict(zip(before, names, strict=False)), dict(zip(after, names[len(before) :], strict=True))
    pairs: list[_Pair] = []
    for name in before.keys() & after.keys():
        both = old_names[name], new_names[name]
        # Where the names of either cannot be told, both are held against what they declare.
        old, new_ = both if all(isinstance(each, AbstractSet) for each in both) else (None, None)
        pairs.append((name, before[name].contract(old), after[name].contract(new_)))
    was_served, is_served = _served(live, before), _served(new, after)
    if was_served != is_served:
        was = {name: before[name].contract(old_names[name]) for name in was_served}
        is_ = {name: after[name].contract(new_names[name]) for name in is_served}
        until_now, from_now = joined([*was.values()]), joined([*is_.values()])
        pairs += [(name, until_now.shared_with(each), each) for name, each in is_.items() if name not in was]
        pairs += [(name, each.beyond(from_now), NOTHING) for name, each in was.items() if name not in is_]
    return sorted(pairs, key=lambda pair: (pair[0] != DEFAULT_VARIANT, pair[0]))


def _served(content: Contracted, variants: dict[str, _Variant]) -> list[str]:
    """The variants that some call may get, the default one first."""
    if len(variants) == 1:
        return [DEFAULT_VARIANT]
    served = reachable(decode_serving(content.serving).routing, DEFAULT_VARIANT)
    return [name for name in variants if name in served]


def _variants(content: Contracted) -> dict[str, _Variant]:
    serving = decode_serving(content.serving)
    default = _Variant(
        _prompt_config(content.prompt_config), _variables(content.variables), serving.settings or Settings()
    )
    others = {
        each.name: _Variant(each.prompt_config, each.variables or [], each.settings or Settings())
        for each in serving.variants
    }
    return {DEFAULT_VARIANT: default, **others}
