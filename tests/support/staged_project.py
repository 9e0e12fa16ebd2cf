"""Environments of a store, and writes in them as the operator."""

from typing import Any

import msgspec

from moorage.core.deployments.deployment import Deployment, PutDeployment
from moorage.core.deployments.history import OPERATOR, Subject
from moorage.core.deployments.ids import new_id
from moorage.core.environments import Environment, EnvironmentSettings
from moorage.registry import deployments, versions
from moorage.registry.results import DeploymentResult, VersionResult
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support.registry import parsed


def create_environment(store: Store, project_id: str, name: str, **settings: Any) -> Environment:
    """Create an environment."""

    def insert(tx: Transaction) -> Environment:
        made = Environment(
            id=f"env_{new_id()}", project_id=project_id, name=name, settings=EnvironmentSettings(**settings),
            created_us=tx.now_us, updated_us=tx.now_us,
        )  # fmt: skip
        made = tx.put_environment(made, is_new=True)
        tx.record("environment_set", OPERATOR, Subject(project_id, environment_id=made.id))
        return made

    return store.run(insert)


def set_environment(store: Store, environment: Environment, **settings: Any) -> Environment:
    """Replace the settings of an environment."""

    def update(tx: Transaction) -> Environment:
        changed = msgspec.structs.replace(environment, settings=EnvironmentSettings(**settings))
        changed = tx.put_environment(changed, is_new=False)
        tx.record("environment_set", OPERATOR, Subject(environment.project_id, environment_id=environment.id))
        return changed

    return store.run(update)


def delete_environment(store: Store, environment: Environment) -> None:
    """Delete an environment."""

    def delete(tx: Transaction) -> None:
        tx.delete_environment(environment.id, OPERATOR)
        tx.record("environment_deleted", OPERATOR, Subject(environment.project_id, environment_id=environment.id))

    store.run(delete)


def put_in(store: Store, environment: Environment, key: str, body: dict[str, Any]) -> DeploymentResult:
    """Put a deployment in an environment."""
    return store.run(deployments.put_deployment, _context(environment), key, parsed(body, PutDeployment))


def publish_in(store: Store, environment: Environment, key: str, version: str) -> VersionResult:
    """Publish a version in an environment."""
    return store.run(versions.publish_version, _context(environment), key, version)


def unpublish_in(store: Store, environment: Environment, key: str) -> VersionResult:
    """Let a deployment follow production again."""
    return store.run(versions.unpublish, _context(environment), key)


def undo_in(store: Store, environment: Environment, key: str) -> VersionResult:
    """Undo the last move in an environment."""
    return store.run(versions.undo, _context(environment), key)


def find_in(store: Store, environment: Environment, key_or_id: str) -> Deployment | None:
    """Return a deployment as it is in an environment, from the database."""
    with store.read() as reader:
        return reader.find_deployment(environment.project_id, key_or_id, environment.pointer_id)


def _context(environment: Environment) -> WriteContext:
    return WriteContext(environment.project_id, environment=environment)
