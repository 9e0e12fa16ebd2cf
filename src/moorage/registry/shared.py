"""The fields that all environments share of a deployment, and no version has: its description and its aliases.

A name, which is a key or an alias, leads to one deployment of a project.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import UNSET

from moorage.core.deployments.aliases import check_aliases
from moorage.core.deployments.deployment import Deployment, PatchDeployment, PutDeployment
from moorage.core.errors.base import AliasTaken, KeyTaken
from moorage.registry.ownership import check_ownership, record_change, store_owner
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction

Shared = dict[Literal["description", "aliases"], Any]

#: The warnings about fields that a write in one environment does not change.
NOT_CHANGED: Final[Shared] = {
    "description": "is shared by all environments, and is unchanged: `PATCH /v2/deployments/{key}` changes it",
    "aliases": "are shared by all environments, and are unchanged: `PATCH /v2/deployments/{key}` changes them",
}


def new_shared(current: Deployment, body: PutDeployment | PatchDeployment) -> Shared:
    """Return the new description and the new aliases of a body, by the names of their fields."""
    given: Shared = {"description": body.description, "aliases": body.aliases}
    before: Shared = {"description": current.description, "aliases": [*current.aliases]}
    return {name: value for name, value in given.items() if value is not UNSET and value != before[name]}


def set_shared(tx: Transaction, current: Deployment, shared: Shared) -> None:
    """Set the new fields of a deployment; `tx.record` must follow.

    Raises:
        InvalidBody, AliasTaken
    """
    if "description" in shared:
        tx.set_description(current.id, shared["description"])
    if "aliases" in shared:
        set_aliases(tx, current.project_id, current.id, current.key, shared["aliases"])


def change_shared(tx: Transaction, ctx: WriteContext, current: Deployment, shared: Shared) -> None:
    """Set the new fields of a deployment in a write that changes nothing else of it.

    Raises:
        InvalidBody, AliasTaken, OwnedByFiles, OwnedByApi
    """
    store_owner(tx, current, check_ownership(ctx, current))
    set_shared(tx, current, shared)
    record_change(tx, ctx, current)


def check_key_is_free(tx: Transaction, project_id: str, key: str) -> None:
    """Check that no deployment has a key, neither as its key nor as an alias.

    Raises:
        KeyTaken, AliasTaken
    """
    found = tx.find_deployment(project_id, key)
    if found is not None and found.key == key:
        raise KeyTaken(param="key", key=key)
    if found is not None:
        raise AliasTaken(param="key", name=key, kind="an alias", key=found.key)


def set_aliases(tx: Transaction, project_id: str, deployment_id: str, key: str, aliases: Sequence[str]) -> None:
    """Set the aliases of a deployment; `tx.record` must follow.

    Raises:
        InvalidBody, AliasTaken
    """
    check_aliases(key, aliases)
    check_aliases_are_free(tx, project_id, deployment_id, aliases)
    tx.set_aliases(project_id, deployment_id, aliases)


def check_aliases_are_free(tx: Transaction, project_id: str, deployment_id: str, aliases: Sequence[str]) -> None:
    """Check that no other deployment has one of these names.

    Raises:
        AliasTaken
    """
    for n, name in enumerate(aliases):
        found = tx.find_deployment(project_id, name)
        if found is not None and found.id != deployment_id:
            kind = "the key" if found.key == name else "an alias"
            raise AliasTaken(param=f"aliases[{n}]", name=name, kind=kind, key=found.key)
