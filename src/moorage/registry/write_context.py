"""The context of a write: the project, who writes, on which conditions, and what inspects and calculates."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from msgspec import UnsetType

from moorage.core.access import Scope
from moorage.core.compatibility.contract import Templates, VariableNames, find_variables_without_jinja
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.history import Actor, KeyName
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.environments import Environment
from moorage.core.errors.base import Problem
from moorage.core.integrations import Integration
from moorage.core.lint.content import lint
from moorage.core.lint.integrations import can_name_integrations, named_integrations
from moorage.core.times import date_of
from moorage.core.validation.validate import MAX_PROBLEMS
from moorage.registry.calculations import Calculate, calculate_now
from moorage.registry.gate import Gate
from moorage.store.reader import Reader


class TemplateInspector(Protocol):
    """Finds the variables of templates."""

    @property
    def has_jinja(self) -> bool:
        """Whether jinja templates can be rendered, and so be published."""
        ...

    def find_variables(self, templates: Sequence[Templates]) -> list[VariableNames]:
        """Return the variables of each variant's templates."""
        ...


class _WithoutJinja:
    has_jinja = False

    def find_variables(self, templates: Sequence[Templates]) -> list[VariableNames]:
        return find_variables_without_jinja(templates)


#: Inspects text and mustache templates; jinja templates are rejected.
WITHOUT_JINJA = _WithoutJinja()


class WriteContext(msgspec.Struct, frozen=True):
    """The arguments that every write of the registry has in common.

    `scopes` are those that the request needs, and `token_sha256` is that of its token; `moorage.registry.authorization`
    checks them when the write happens. `environment` is that of the write (None: production); in one that is not
    protected, the request needs `unprotected_scopes` instead, if they are given.

    The `gate` collects what needs approval. A write that an approval completes has its `proposal_id`, and the keys that
    proposed and approved it.
    """

    project_id: str
    actor: Actor = Actor()
    options: WriteOptions = WriteOptions()
    templates: TemplateInspector = WITHOUT_JINJA
    scopes: frozenset[Scope] = frozenset()
    token_sha256: str | None = None
    calculate: Calculate = calculate_now
    environment: Environment | None = None
    unprotected_scopes: frozenset[Scope] | None = None
    gate: Gate = msgspec.field(default_factory=Gate)
    proposal_id: str | None = None
    approved_by: tuple[KeyName, ...] = ()
    proposed_by: KeyName | None = None

    @property
    def environment_id(self) -> str | None:
        """The id of the environment in pointers; None for production."""
        return None if self.environment is None else self.environment.pointer_id

    def warnings(self, reader: Reader, content: StoredContent) -> Sequence[Problem]:
        """Return the warnings about a content that is written."""
        found: Sequence[Problem] = self.calculate(
            lint, content, self.templates.find_variables, date_of(reader.clock_us)
        )
        return [*found, *self.integration_warnings(reader, content)][:MAX_PROBLEMS]

    def integration_warnings(self, reader: Reader, content: StoredContent) -> Iterator[Problem]:
        """Yield the warnings about integrations that a content names. They can be created later."""
        if not can_name_integrations(content):
            return
        known: dict[str, Integration | None] = {}
        for model in self.calculate(named_integrations, content):
            name = model.integration_id or ""
            if name not in known:
                known[name] = reader.find_named_integration(self.project_id, name)
            integration, path = known[name], f"{model.path}.integration_id"
            if integration is not None and integration.provider != model.provider:
                yield Problem(path, f"{name!r} is of {integration.provider}, and the model is of {model.provider}")
            elif integration is None and name != model.provider:  # that one can be in the environment
                yield Problem(path, f"there is no integration {name!r} in this project; create it before a call")

    def with_reason(self, reason: str | UnsetType) -> "WriteContext":
        """Return a copy with the reason of a body, if the body has one."""
        return msgspec.structs.replace(self, actor=self.actor.with_reason(reason))
