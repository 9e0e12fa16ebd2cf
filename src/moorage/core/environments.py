"""Environments: named sets of live versions of a project, and the choice of one for a request.

`production` always exists. In another environment, a deployment has a live version of its own, or it follows
production.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.errors.environments import (
    EnvironmentGone,
    EnvironmentNotFound,
    InvalidEnvironmentName,
    WrongEnvironment,
)
from moorage.core.times import iso
from moorage.core.validation.bounds import Number, bounded

PRODUCTION: Final = "production"

#: The number of environments of a project, production included.
MAX_ENVIRONMENTS: Final = 20

#: The largest number of approvals that an environment can require.
MAX_APPROVALS: Final = 5

MAX_DISPLAY_NAME: Final = 128
MAX_DESCRIPTION: Final = 2_000
MAX_REASON: Final = 10_000

#: The form of a name. Ids and version numbers have another one, so that each can stand where a name can.
NAME_PATTERN: Final = r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?"
RESERVED_NAMES: Final = frozenset({"live", "all", "latest", "none", "diff"})

UnknownNames = Literal["production", "reject"]

#: Where the environment of a request comes from.
Source = Literal["parameter", "key", "context", "default"]

ContextWarning = Literal["unknown_environment", "ambiguous_environment"]

_is_name = re.compile(NAME_PATTERN).fullmatch


class EnvironmentSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings of an environment.

    With `required_approvals`, a change of its live versions is a proposal; `approve_undo` includes undo.
    `unknown_names` says what a call gets whose context names no environment of the project.
    """

    display_name: str = ""
    description: str = ""
    protected: bool = False
    required_approvals: int = 0
    approve_undo: bool = False
    unknown_names: UnknownNames = "production"


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """A stored environment; a deleted one remains as a tombstone."""

    id: str
    project_id: str
    name: str
    settings: EnvironmentSettings
    created_us: int
    created_by: str | None = None
    updated_us: int
    updated_by: str | None = None
    deleted_us: int | None = None
    rev: int = 0

    @property
    def is_production(self) -> bool:
        """Whether it is production."""
        return self.name == PRODUCTION

    @property
    def pointer_id(self) -> str | None:
        """Its id in pointers, usage and history: that of production is None."""
        return None if self.is_production else self.id

    @property
    def etag(self) -> str:
        """The ETag of its current state."""
        return f'"{self.rev}-{self.id}"'


class Pointer(msgspec.Struct, frozen=True):
    """The live version of a deployment in an environment other than production; without a version, it follows."""

    version_id: str | None
    updated_us: int
    owner: Literal["files", "api"]
    file: str | None
    rev: int


class PutEnvironment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /v2/environments/{name}`. Omitted fields are unchanged, or have their defaults."""

    display_name: Annotated[str, Meta(max_length=MAX_DISPLAY_NAME)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    required_approvals: (
        Annotated[
            Number,
            bounded(0, MAX_APPROVALS, decimals=0, description="How many other keys must approve a change."),
        ]
        | UnsetType
    ) = UNSET
    approve_undo: bool | UnsetType = UNSET
    unknown_names: UnknownNames | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=MAX_REASON)] | UnsetType = UNSET


class EnvironmentItem(msgspec.Struct, frozen=True):
    """An environment in responses. No key of the operator is `null`."""

    id: str
    name: str
    display_name: str
    description: str
    protected: bool
    required_approvals: int
    approve_undo: bool
    unknown_names: UnknownNames
    created_at: str
    created_by: str | None
    updated_at: str
    updated_by: str | None

    @classmethod
    def of(cls, environment: Environment) -> "EnvironmentItem":
        """Return the representation in responses."""
        settings = environment.settings
        return cls(
            id=environment.id,
            name=environment.name,
            display_name=settings.display_name,
            description=settings.description,
            protected=settings.protected,
            required_approvals=settings.required_approvals,
            approve_undo=settings.approve_undo,
            unknown_names=settings.unknown_names,
            created_at=iso(environment.created_us),
            created_by=environment.created_by,
            updated_at=iso(environment.updated_us),
            updated_by=environment.updated_by,
        )


class EnvironmentPage(msgspec.Struct, frozen=True):
    """All environments of a project, production first, and the unknown names that calls sent in the last 7 days."""

    object: Literal["list"]
    data: list[EnvironmentItem]
    has_more: bool
    unknown_names: list[str] | UnsetType = UNSET


def production_id(project_id: str) -> str:
    """Return the id of the environment `production` of a project."""
    return f"env_{project_id.replace('-', '')}"


def production_of(project_id: str, created_us: int, rev: int) -> Environment:
    """Return the environment `production` of a new project."""
    settings = EnvironmentSettings("Production", protected=True)
    return Environment(
        id=production_id(project_id), project_id=project_id, name=PRODUCTION, settings=settings,
        created_us=created_us, updated_us=created_us, rev=rev,
    )  # fmt: skip


def is_environment_name(text: str) -> bool:
    """Return whether a text has the form of a name, which ids and version numbers do not have."""
    return _is_name(text) is not None and text not in RESERVED_NAMES


def check_environment_name(name: str) -> str:
    """Return the name of an environment if it is valid.

    Raises:
        InvalidEnvironmentName
    """
    if name in RESERVED_NAMES:
        reason = f"it is reserved ({', '.join(sorted(RESERVED_NAMES))})"
    elif _is_name(name):
        return name
    else:
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.casefold()).lstrip("-0123456789")[:40].rstrip("-")
        example = f", for example {suggestion!r}" if _is_name(suggestion) and suggestion not in RESERVED_NAMES else ""
        reason = f"use 1 to 40 characters from a-z, 0-9 and '-', with a letter first and no '-' at the end{example}"
    raise InvalidEnvironmentName(param="name", name=name[:200], reason=reason)


class Choice(NamedTuple):
    """The environment of a request, and where it comes from.

    `warning` is set if the context has a name that chose nothing: `unknown_name`, or one of several names.
    """

    environment: Environment
    source: Source
    warning: ContextWarning | None = None
    unknown_name: str | None = None


def choose(
    environments: Mapping[str, Environment],
    bound: Environment | None,
    parameter: str | None = None,
    attribute: object = None,
) -> Choice:
    """Return the environment of a request: that of its parameter, its API key, its context, else production.

    Args:
        environments: Those of the project by name.
        bound: The environment that the API key is bound to, also a deleted one.
        parameter: `?environment=`.
        attribute: `context.environments` of a call; None for other requests.

    Raises:
        EnvironmentGone: that of the API key was deleted.
        EnvironmentNotFound: `parameter`; or the name in `attribute` if nothing else chooses an environment, and
            production rejects unknown names.
        WrongEnvironment: the API key is bound to another one.
    """
    if bound is not None and bound.deleted_us is not None:
        raise EnvironmentGone
    if parameter is not None:
        found = find_environment(environments, parameter)
        if bound is not None and found.id != bound.id:
            raise WrongEnvironment(param="environment", bound=bound.name, requested=repr(found.name))
        return Choice(found, "parameter")
    production = environments[PRODUCTION]
    without_context = Choice(production, "default") if bound is None else Choice(bound, "key")
    if attribute is None:
        return without_context
    name, others = _named(attribute)
    if name is None:
        is_ambiguous = any(other in environments for other in others)
        return without_context._replace(warning="ambiguous_environment") if is_ambiguous else without_context
    named = environments.get(name)
    if named is None:
        if bound is None and production.settings.unknown_names == "reject":
            raise environment_not_found(environments, name, "context.environments")
        return without_context._replace(warning="unknown_environment", unknown_name=name)
    if bound is None:
        return Choice(named, "context")
    if named.id != bound.id:
        raise WrongEnvironment(param="context.environments", bound=bound.name, requested=repr(named.name))
    return without_context


def find_environment(environments: Mapping[str, Environment], name: str) -> Environment:
    """Return the environment with a name.

    Raises:
        EnvironmentNotFound
    """
    found = environments.get(name)
    if found is None:
        raise environment_not_found(environments, name, "environment")
    return found


def environment_not_found(environments: Mapping[str, Environment], name: str, param: str) -> EnvironmentNotFound:
    """Return the error for an unknown name, which lists the known ones."""
    return EnvironmentNotFound(param=param, name=name[:200], existing=", ".join(environments))


def _named(attribute: object) -> tuple[str | None, list[str]]:
    """Return the name in `context.environments`, else the names in a list that does not name one environment."""
    if isinstance(attribute, str):
        return attribute, []
    if not isinstance(attribute, list):
        return None, []
    if len(attribute) == 1 and isinstance(attribute[0], str):
        return attribute[0], []
    return None, [item for item in attribute if isinstance(item, str)]
