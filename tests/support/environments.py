"""Environments, proposals and approvals on a store, each in its own transaction."""

import msgspec

from moorage.core.access import DEFAULT_SCOPES, ApiKey, hash_token, new_token
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.history import OPERATOR, Actor, Subject
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.proposal import Proposal
from moorage.core.environments import Environment, EnvironmentSettings
from moorage.registry import deployments, environments, versions
from moorage.registry.results import DeploymentResult, VersionResult
from moorage.registry.stale_proposals import record_proposal
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support import registry
from tests.support.registry import Body, parsed
from tests.support.server import a_body


def set_environment(
    store: Store,
    project_id: str,
    name: str,
    settings: EnvironmentSettings = EnvironmentSettings(),  # noqa: B008 -- frozen
    by: Actor = OPERATOR,
) -> Environment:
    """Create an environment, or set its settings."""
    with store.write() as tx:
        before = tx.environments(project_id).get(name)
        made = before or Environment(
            id=f"env_{new_id()}", project_id=project_id, name=name, settings=settings, created_us=tx.now_us,
            created_by=by.api_key_id, updated_us=tx.now_us,
        )  # fmt: skip
        after = msgspec.structs.replace(made, settings=settings, updated_us=tx.now_us, updated_by=by.api_key_id)
        after = tx.put_environment(after, is_new=before is None)
        tx.record("environment_set", by, Subject(project_id, environment_id=after.id))
        return after


def delete_environment(store: Store, environment: Environment) -> None:
    """Delete an environment: its deployments follow production, and its open proposals become stale."""
    store.run(
        environments.delete_environment, WriteContext(environment.project_id, options=WriteOptions(force=True)),
        environment.name,
    )  # fmt: skip


def in_environment(environment: Environment, by: Actor = OPERATOR, file: str | None = None) -> WriteContext:
    """Return the context of a write in an environment."""
    return WriteContext(environment.project_id, by, WriteOptions(file=file), environment=environment)


def put(store: Store, environment: Environment, key: str, body: Body, file: str | None = None) -> DeploymentResult:
    """Put a deployment in an environment."""
    return store.run(
        deployments.put_deployment, in_environment(environment, file=file), key, parsed(body, PutDeployment)
    )


def unpublish(store: Store, environment: Environment, key: str) -> VersionResult:
    """Let a deployment follow production again."""
    return store.run(versions.unpublish, in_environment(environment), key)


def undo(store: Store, environment: Environment, key: str) -> VersionResult:
    """Undo the last move of a live version in an environment, also if a file manages the deployment."""
    ctx = msgspec.structs.replace(in_environment(environment), options=WriteOptions(take_ownership=True))
    return store.run(versions.undo, ctx, key)


def bound_key(store: Store, environment: Environment, name: str, by: Actor = OPERATOR) -> ApiKey:
    """Create an API key that is bound to an environment."""
    with store.write() as tx:
        key_id, token = new_token()
        key = ApiKey(
            key_id, environment.project_id, name, DEFAULT_SCOPES, hash_token(token), tx.now_us,
            environment_id=environment.id, created_by=by.api_key_id,
        )  # fmt: skip
        tx.insert_api_key(key)
        tx.record("key_created", by, Subject(environment.project_id, subject_key_id=key_id))
        return key


def actor(store: Store, project_id: str, name: str, reason: str = "") -> Actor:
    """Create an API key, and return it as an author."""
    key, _ = registry.create_api_key(store, project_id, name)
    return Actor(key.id, key.name, reason=reason)


def propose(store: Store, environment: Environment, key: str, body: Body, by: Actor) -> Proposal:
    """Propose a version of a deployment in an environment that requires approvals."""
    ctx = in_environment(environment, by, file="proposed.yaml")
    with store.write() as tx:
        deployments.put_deployment(tx, ctx, key, parsed(body, PutDeployment))
        proposal = Proposal(
            id=new_id(), project_id=environment.project_id, environment_id=environment.id, kind=ctx.gate.kind,
            source=ctx.gate.source, status="open", reason=by.reason, allow_breaking=False, created_us=tx.now_us,
            created_by=by.api_key_id, created_name=by.api_key_name,
        )  # fmt: skip
        proposal = tx.insert_proposal(proposal, ctx.gate.items)
        record_proposal(tx, ctx, "proposed", proposal, ctx.gate.items)
        return proposal


def approve(store: Store, environment: Environment, proposal: Proposal, by: Actor, *, is_last: bool = False) -> None:
    """Approve a proposal; the last approval publishes it."""
    with store.write() as tx:
        ctx = msgspec.structs.replace(in_environment(environment, by), proposal_id=proposal.id)
        tx.insert_approval(proposal.id, by)
        record_proposal(tx, ctx, "approved", proposal, tx.items_of_proposal(proposal.id))
        if is_last:
            _publish(tx, ctx, proposal)


def _publish(tx: Transaction, ctx: WriteContext, proposal: Proposal) -> None:
    for item in tx.items_of_proposal(proposal.id):
        options = WriteOptions(file=item.file, take_ownership=True)
        versions.publish_version(
            tx, msgspec.structs.replace(ctx, options=options), item.deployment_id, item.version_id or ""
        )
    tx.close_proposal(proposal.id, "published", ctx.actor, ctx.actor.reason)


def reject(store: Store, environment: Environment, proposal: Proposal, by: Actor) -> None:
    """Reject a proposal."""
    with store.write() as tx:
        tx.close_proposal(proposal.id, "rejected", by, by.reason)
        items = tx.items_of_proposal(proposal.id)
        record_proposal(tx, in_environment(environment, by), "rejected", proposal, items)


def model(name: str) -> dict[str, object]:
    """Return a body with a model."""
    return a_body(model=name)


def fill_with_environments(store: Store, project_id: str) -> None:
    """Create environments with every kind of live version, bound keys, and proposals in every state but withdrawn.

    The environments are `staging`, `strict`, which requires two approvals, and `closed`, a deleted one.
    """
    staging = set_environment(store, project_id, "staging", EnvironmentSettings("Staging", "à tester"))
    strict = set_environment(store, project_id, "strict", EnvironmentSettings(required_approvals=2))
    closed = set_environment(store, project_id, "closed")
    production = store_production(store, project_id)
    set_environment(store, project_id, "production", msgspec.structs.replace(production.settings, description="live"))
    put(store, staging, "candidate", model("only in staging"))
    for key in ("own", "follower", "promoted", "contested", "rejected"):
        registry.put(store, project_id, key, model("in production"))
    put(store, staging, "own", model("in staging"), file="own.yaml")
    put(store, staging, "follower", model("in staging"))
    unpublish(store, staging, "follower")
    put(store, closed, "own", model("in a deleted one"))
    delete_environment(store, closed)
    bound_key(store, staging, "bound", actor(store, project_id, "author"))
    by, first, second = (actor(store, project_id, name, f"as {name}") for name in ("proposer", "first", "second"))
    promoted = propose(store, strict, "promoted", model("proposed"), by)
    approve(store, strict, promoted, first)
    approve(store, strict, promoted, second, is_last=True)
    propose(store, strict, "contested", model("proposed"), by)
    registry.put(store, project_id, "contested", model("moved"))  # so the proposal is stale
    reject(store, strict, propose(store, strict, "rejected", model("proposed"), by), second)
    is_open = propose(store, strict, "open", model("proposed"), by)
    approve(store, strict, is_open, first)
    registry.delete(store, project_id, "follower")


def store_production(store: Store, project_id: str) -> Environment:
    """Return the environment `production` of a project."""
    with store.read() as reader:
        return reader.environments(project_id)["production"]
