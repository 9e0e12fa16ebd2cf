"""Registry functions on a store, each in its own transaction, as the operator."""

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from moorage.core.access import DEFAULT_SCOPES, ApiKey, Project, Scope
from moorage.core.deployments.deployment import Deployment, PostDeployment, PutDeployment
from moorage.core.deployments.history import Actor
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.version import PostVersion
from moorage.core.integrations import Integration, PutIntegration
from moorage.core.secret_keys import SecretKeys
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.registry import api_keys, deployments, integrations, projects, versions
from moorage.registry.purge import purge as purge_deleted
from moorage.registry.results import DeploymentResult, VersionResult
from moorage.registry.write_context import WriteContext
from moorage.store.sealing import KeyRing
from moorage.store.store import Store

Body = bytes | dict[str, Any]

#: The keys that encrypt credentials; a PostgreSQL database has none of its own.
KEYS = KeyRing(SecretKeys(["s" * 40]))

T = TypeVar("T")


def parsed(body: Body, kind: type[T]) -> T:
    """Return a body as a value of a type."""
    return read_body(strict_json.parse(body if isinstance(body, bytes) else json.dumps(body).encode()), kind)[0]


def create_project(store: Store, name: str) -> Project:
    """Create a project."""
    return store.run(projects.create_project, name)


def create_api_key(
    store: Store,
    project_id: str,
    name: str,
    scopes: Iterable[Scope] = DEFAULT_SCOPES,
    expires_us: int | None = None,
) -> tuple[ApiKey, str]:
    """Create an API key; return it and its token."""
    created = store.run(api_keys.create_api_key, project_id, name, scopes, expires_us)
    return created.key, created.token


def revoke_api_key(store: Store, id_or_name: str) -> ApiKey:
    """Revoke an API key."""
    key = api_keys.get_api_key(store, id_or_name)
    return store.run(api_keys.revoke_api_key, WriteContext(key.project_id), key.id)


def put_integration(store: Store, project_id: str, name: str, body: Body, keys: KeyRing = KEYS) -> Integration:
    """Create or replace an integration."""
    ctx = WriteContext(project_id)
    return store.run(integrations.put_integration, ctx, keys, name, parsed(body, PutIntegration)).integration


def delete_integration(store: Store, project_id: str, name: str) -> Integration:
    """Delete an integration."""
    return store.run(integrations.delete_integration, WriteContext(project_id), name, ())


def fill_with_integrations(store: Store, project_id: str) -> None:
    """Create integrations: `local` without credentials, `bad` and `vendor` with some, and a deleted one."""
    local = {"provider": "openailike", "base_url": "http://127.0.0.1:8000/v1", "options": {"max_connections": 5}}
    put_integration(store, project_id, "local", local)
    for name in ("bad", "vendor", "gone"):
        put_integration(store, project_id, name, vendor_body())
    put_integration(store, project_id, "vendor", vendor_body(options={"project": "p1"}))
    delete_integration(store, project_id, "gone")
    store.run(integrations.rotate_key, KeyRing(SecretKeys(["k" * 40, "s" * 40])))


def vendor_body(**fields: Any) -> dict[str, Any]:
    """Return the body of an integration with a credential and a header."""
    return {
        "provider": "openai", "credentials": {"api_key": "sk-0123456789abcd"}, "headers": {"X-Team": "the-shop"},
        **fields,
    }  # fmt: skip


def put(
    store: Store,
    project_id: str,
    key: str,
    body: Body,
    options: WriteOptions = WriteOptions(),  # noqa: B008 -- frozen
    *,
    is_dry_run: bool = False,
    reason: str = "",
) -> DeploymentResult:
    """Put a deployment."""
    ctx = WriteContext(project_id, Actor(reason=reason), options)
    return store.run(deployments.put_deployment, ctx, key, parsed(body, PutDeployment), is_dry_run=is_dry_run)


def create(store: Store, project_id: str, body: Body) -> DeploymentResult:
    """Create a deployment."""
    return store.run(deployments.create_deployment, WriteContext(project_id), parsed(body, PostDeployment))


def delete(store: Store, project_id: str, key: str, *, take_ownership: bool = False) -> Deployment:
    """Delete a deployment."""
    options = WriteOptions(take_ownership=take_ownership)
    return store.run(deployments.delete_deployment, WriteContext(project_id, options=options), key)


def restore(store: Store, project_id: str, key: str) -> Deployment:
    """Restore a deployment."""
    return store.run(deployments.restore_deployment, WriteContext(project_id), key).deployment


def save(store: Store, project_id: str, key: str, body: Body) -> VersionResult:
    """Save a version."""
    return store.run(versions.save_version, WriteContext(project_id), key, parsed(body, PostVersion))


def publish(store: Store, project_id: str, key: str, version: str) -> VersionResult:
    """Publish a version."""
    return store.run(versions.publish_version, WriteContext(project_id), key, version)


def undo(store: Store, project_id: str, key: str) -> VersionResult:
    """Undo the last publish."""
    return store.run(versions.undo, WriteContext(project_id), key)


def delete_version(store: Store, project_id: str, key: str, version: str) -> VersionResult:
    """Delete a version."""
    return store.run(versions.delete_version, WriteContext(project_id), key, version)


def restore_version(store: Store, project_id: str, key: str, version: str) -> VersionResult:
    """Restore a version."""
    return store.run(versions.restore_version, WriteContext(project_id), key, version)


def purge(store: Store, days: int = 30) -> int:
    """Purge deleted objects."""
    return store.run(purge_deleted, days)
