"""Who may write is decided in the transaction, in every attempt, and before a stored result is returned."""

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from moorage.api.memory_budget import MemoryBudget
from moorage.api.operation import Operation
from moorage.api.request import RequestContext
from moorage.api.route_rules import RouteRules
from moorage.api.services import Services
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.access import DEFAULT_SCOPES, ApiKey, Scope
from moorage.core.compatibility.errors import BreakingChange
from moorage.core.deployments.history import Actor
from moorage.core.errors.api_keys import InsufficientScope, InvalidApiKey
from moorage.registry.api_keys import revoke_api_key
from moorage.registry.authorization import authorize
from moorage.registry.write_context import WriteContext
from moorage.registry.write_queue import WriteQueue
from moorage.rendering.variables import VariablesNotCached
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.api.test_authorization_matrix import BODIES, CLOSED, Harness, insufficient_scopes, parameter_id, pool
from tests.api.test_revocation import WITHOUT_WRITES
from tests.support.registry import create_api_key, create_project
from tests.support.server import Project
from tests.support.stores import Database

__all__ = ["pool"]

IDEMPOTENT = [
    operation
    for operation in CLOSED
    if operation.method == "POST"
    and operation.name not in {"DeploymentGetConfig", "Explain", "Simulate"}
    and operation.name not in WITHOUT_WRITES
]


class Caller:
    """A request of an API key, and what happens to the key while the request waits."""

    def __init__(self, database: Database, scopes: frozenset[Scope] = frozenset({Scope.WRITE})) -> None:
        self.store: Store = database.store()
        project = create_project(self.store, "p")
        self.key, _ = create_api_key(self.store, project.id, "k", DEFAULT_SCOPES)
        catalog = Catalog(self.store)
        follower = Follower(self.store, catalog)
        follower.start()
        self.attempts = 0
        services = SimpleNamespace(
            store=self.store, catalog=catalog, follower=follower, memory=MemoryBudget(), reader=None,
            write_queue=WriteQueue(self.store, catalog),
            consumers=SimpleNamespace(flush=self._revoke), template_variables=SimpleNamespace(load=self._revoke),
        )  # fmt: skip
        scope = {
            "type": "http", "method": "PUT", "path": "/", "query_string": b"", "headers": [],
            "moorage.request_id": "r",
        }  # fmt: skip
        self.context = RequestContext(Request(scope), cast(Services, services), self.key, RouteRules(scopes))

    def revoke(self) -> None:
        """Revoke the key."""
        self.store.run(revoke_api_key, WriteContext(self.key.project_id), self.key.id)

    async def _revoke(self, _: object = None) -> None:
        await asyncio.to_thread(self.revoke)

    def write(self, effects: Sequence[Exception]) -> str:
        """Write; the first attempts fail with these errors."""

        def operation(tx: Transaction, ctx: WriteContext) -> str:
            self.attempts += 1
            if self.attempts <= len(effects):
                raise effects[self.attempts - 1]
            return "done"

        return asyncio.run(self.context.write(operation))


@pytest.fixture
def caller(database: Database) -> Caller:
    return Caller(database)


RETRIED = {
    "the variables of a template are loaded": VariablesNotCached([]),
    "consumers are flushed": BreakingChange.of("a", "1.0", [], []),
}


@pytest.mark.parametrize("reason", RETRIED)
def test_a_key_that_is_revoked_between_two_attempts_of_a_write_is_rejected(caller: Caller, reason: str) -> None:
    with pytest.raises(InvalidApiKey):
        caller.write([RETRIED[reason]])

    assert caller.attempts == 1


def test_a_write_with_a_scope_that_its_key_does_not_have_is_rejected(database: Database) -> None:
    caller = Caller(database, frozenset({Scope.KEYS_ADMIN}))

    with pytest.raises(InsufficientScope):
        caller.write([])

    assert caller.attempts == 0


def test_a_write_that_is_committed_together_with_the_revocation_of_its_key_is_rejected(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p")
    key, _ = create_api_key(store, project.id, "k", DEFAULT_SCOPES)
    ctx = WriteContext(project.id, Actor(key.id, key.name), scopes=frozenset({Scope.WRITE}))

    def write(tx: Transaction) -> ApiKey | None:
        return authorize(tx, ctx)

    results = store.group_commit([write, lambda tx: tx.revoke_api_key(key.id), write])

    assert isinstance(results[0], ApiKey)
    assert isinstance(results[2], InvalidApiKey)


def test_a_write_of_the_operator_needs_no_key(database: Database) -> None:
    store = database.store()

    assert store.run(authorize, WriteContext("p", Actor())) is None


def send(harness: Harness, operation: Operation, authorization: str, idempotency_key: str) -> tuple[int, Any]:
    body = json.dumps(BODIES[operation.body]).encode() if operation.body else b""
    headers = {"Authorization": authorization, "Idempotency-Key": idempotency_key}
    response = harness.project.request(operation.method, harness.target(operation), body, headers)
    return response.status, response.json


@pytest.mark.parametrize("operation", IDEMPOTENT, ids=parameter_id)
def test_a_stored_result_is_returned_only_to_a_key_with_the_scopes_of_the_request(
    pool: Any, project: Project, operation: Operation
) -> None:
    harness = Harness(pool, project)
    first = send(harness, operation, harness.full, "k")
    assert first[0] in (200, 201, 202), first

    for held in insufficient_scopes(operation):
        status, body = send(harness, operation, harness.bearer(*held), "k")
        assert (status, body["error"]["code"]) == (403, "insufficient_scope"), held
    assert send(harness, operation, harness.full, "k")[0] == first[0]


def granted(project: Project, authorization: str, body: object) -> tuple[int, str | None]:
    headers = {"Authorization": authorization, "Idempotency-Key": "k"}
    response = project.request("POST", "/v2/api-keys", json.dumps(body).encode(), headers)
    return response.status, response.error["code"] if response.status >= 400 else None


@pytest.mark.parametrize("body", [{"name": "a", "scopes": ["deployments:publish"]}, {"name": "a"}])
def test_a_created_key_is_shown_again_only_to_a_key_that_could_grant_it(project: Project, body: object) -> None:
    creator, other = (
        f"Bearer {project.key(*scopes)[1]}" for scopes in ([Scope.KEYS_ADMIN, Scope.PUBLISH], [Scope.KEYS_ADMIN])
    )

    assert granted(project, creator, body) == (201, None)
    assert granted(project, other, body) == (403, "insufficient_scope")
    assert granted(project, creator, body) == (201, None)


def test_a_stored_published_version_is_shown_again_only_to_a_key_that_can_publish(project: Project) -> None:
    project.put("a")
    body = json.dumps(
        {"prompt_config": {"model": "m", "model_type": "chat", "provider": "openai"}, "status": "published"}
    )
    writer = f"Bearer {project.key(Scope.WRITE)[1]}"

    def post(authorization: str) -> tuple[int, str | None]:
        headers = {"Authorization": authorization, "Idempotency-Key": "k"}
        response = project.request("POST", "/v2/deployments/a/versions", body.encode(), headers)
        return response.status, response.error["code"] if response.status >= 400 else None

    assert post(f"Bearer {project.token}") == (201, None)
    assert post(writer) == (403, "insufficient_scope")
