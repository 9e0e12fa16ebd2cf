"""Idempotency keys: outcomes are stored, not bodies, and each API key has a quota of them."""

import json
from typing import Any

import pytest

from moorage.api import idempotency
from moorage.api.errors import error_response
from moorage.api.idempotency import run_idempotent
from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.deployments.history import Actor
from moorage.core.errors.base import IdempotencyQuotaExceeded
from moorage.registry.deployments import create_deployment
from moorage.registry.outcomes import MAX_BREAKING, VersionOutcome, outcome_of, result_of
from moorage.registry.results import DeploymentResult, VersionResult
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction
from tests.support.registry import create_api_key, create_project, parsed, put, save
from tests.support.server import Project, Response, a_body
from tests.support.stores import Clock, Database, run_sql

#: A prompt of half a megabyte.
LARGE = "the words of the prompt " * 20_000

HOUR, SECOND = 3_600_000_000_000, 1_000_000_000


def post(project: Project, path: str, body: object = None, idempotency_key: str | None = None) -> Response:
    data = None if body is None else json.dumps(body).encode()
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    return project.request("POST", f"/v2/{path}", data, headers)


def stored(project: Project) -> list[str]:
    """Return the stored outcomes of a project."""
    query = f"SELECT result FROM idempotency WHERE project_id = '{project.id}'"
    return [result for (result,) in run_sql(project.server.database, query)]


def test_forty_requests_that_change_nothing_store_only_their_outcomes(project: Project) -> None:
    project.put("a", a_body(messages=[{"role": "user", "content": LARGE}]))

    responses = [post(project, "deployments/a/versions/1.0/publish", None, f"k{number}") for number in range(40)]

    assert {response.status for response in responses} == {200}
    assert len({response.body for response in responses}) == 1
    assert len(stored(project)) == 40
    assert sum(map(len, stored(project))) <= 40 * 250
    again = post(project, "deployments/a/versions/1.0/publish", None, "k7")
    assert (again.status, again.body) == (200, responses[7].body)
    assert again.headers["x-moorage-replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("deployments", {"key": "new", **a_body(messages=[{"role": "user", "content": LARGE}])}),
        ("deployments/a/versions", a_body(messages=[{"role": "user", "content": LARGE}])),
        ("deployments/deleted/restore", None),
    ],
)
def test_no_outcome_has_content(project: Project, path: str, body: object) -> None:
    for key in ("a", "deleted"):
        project.put(key, a_body(messages=[{"role": "user", "content": LARGE}]))
    project.request("DELETE", "/v2/deployments/deleted")

    response = post(project, path, body, "k")

    assert response.status in (200, 201)
    (outcome,) = stored(project)
    assert len(outcome) < 300
    assert "words" not in outcome


CHANGES: dict[str, list[tuple[str, str, object]]] = {
    "its description changed": [("PATCH", "new", {"description": "changed"})],
    "another version is live": [("PUT", "new", a_body(model="other"))],
    "it is deleted": [("DELETE", "new", None)],
    "another deployment has its key": [("DELETE", "new", None), ("PUT", "new", a_body(model="other"))],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_replay_shows_the_deployment_as_it_was(project: Project, change: str) -> None:
    body = {"key": "new", **a_body()}
    first = post(project, "deployments", body, "k")
    for method, path, changed in CHANGES[change]:
        data = None if changed is None else json.dumps(changed).encode()
        assert project.request(method, f"/v2/deployments/{path}", data).status in (200, 201)

    replayed = post(project, "deployments", body, "k")

    assert (replayed.status, replayed.body) == (first.status, first.body)
    assert replayed.headers["etag"] == first.headers["etag"]
    assert replayed.headers["x-moorage-replayed"] == "true"


def test_a_replay_shows_a_version_as_it_was_when_it_is_deleted(project: Project) -> None:
    project.put("a")
    first = post(project, "deployments/a/versions", a_body(model="draft"), "k")
    assert project.request("DELETE", "/v2/deployments/a/versions/1.1").status == 200

    replayed = post(project, "deployments/a/versions", a_body(model="draft"), "k")

    assert (replayed.status, replayed.body, replayed.headers["etag"]) == (201, first.body, first.headers["etag"])


def test_a_replay_shows_a_key_as_it_was_when_it_is_renamed_and_revoked(project: Project) -> None:
    admin = Project(project.server, project.id, project.name, project.key(*Scope)[1])
    first = post(admin, "api-keys", {"name": "before"}, "k")
    path = f"/v2/api-keys/{first.json['id']}"
    assert admin.request("PATCH", path, b'{"name": "after"}').status == 200
    assert admin.request("DELETE", path).status == 200

    replayed = post(admin, "api-keys", {"name": "before"}, "k")

    assert replayed.json == first.json | {"token": f"mrg_{first.json['id']}_…"}


def test_an_outcome_keeps_as_many_breaking_changes_as_a_response_shows(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p")
    put(store, project.id, "a", a_body())
    saved = save(store, project.id, "a", {"prompt_config": a_body(model="other")["prompt_config"]})
    paths = [f"inputs.{'n' * 100}{number}" for number in range(200)]

    outcome = outcome_of(VersionResult(saved.version, saved.etag, paths))

    assert isinstance(outcome, VersionOutcome)
    assert MAX_BREAKING < sum(map(len, outcome.breaking)) <= MAX_BREAKING + 1
    assert [*outcome.breaking[:-1]] == paths[: len(outcome.breaking) - 1]
    with store.write() as tx:
        assert result_of(tx, WriteContext(project.id), outcome) == VersionResult(
            saved.version, saved.etag, outcome.breaking
        )


class Writer:
    """Idempotent writes of several API keys, and a clock."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self._store = database.store(self.clock)
        self._project = create_project(self._store, "p").id
        self._numbers = iter(range(10_000))
        self.keys = [create_api_key(self._store, self._project, name, DEFAULT_SCOPES)[0] for name in "ab"]

    def write(self, api_key_id: str | None) -> None:
        """Create a deployment under a new idempotency key."""
        name = f"d{next(self._numbers)}"
        ctx = WriteContext(self._project, Actor(api_key_id))
        body = parsed({"key": name, **a_body()}, PostDeployment)

        def create(tx: Transaction) -> DeploymentResult:
            return create_deployment(tx, ctx, body)

        self._store.run(run_idempotent, ctx, name, "", create)

    def write_until_rejected(self, api_key_id: str | None, most: int) -> int:
        """Write at most so often; return how many were stored."""
        for number in range(most):
            try:
                self.write(api_key_id)
            except IdempotencyQuotaExceeded:
                return number
        return most


@pytest.fixture
def writer(database: Database, monkeypatch: pytest.MonkeyPatch) -> Writer:
    monkeypatch.setattr(idempotency, "MAX_STORED", 10_000)
    return Writer(database)


def test_an_api_key_stores_outcomes_up_to_its_quota_of_a_day(writer: Writer) -> None:
    first, second = (key.id for key in writer.keys)

    stored_first = writer.write_until_rejected(first, 100)
    stored_second = writer.write_until_rejected(second, 100)
    by_operator = writer.write_until_rejected(None, 50)
    writer.clock.now += 23 * HOUR
    early = writer.write_until_rejected(first, 100)
    writer.clock.now += HOUR + SECOND
    late = writer.write_until_rejected(first, 100)

    assert 10 <= stored_first == stored_second <= 20
    assert by_operator == 50
    assert early == 0
    assert late == stored_first


def test_a_quota_becomes_free_as_outcomes_expire(writer: Writer) -> None:
    first = writer.keys[0].id
    for _ in range(3):
        writer.write(first)
    writer.clock.now += 12 * HOUR
    half = writer.write_until_rejected(first, 100)
    writer.clock.now += 12 * HOUR - SECOND
    before = writer.write_until_rejected(first, 100)
    writer.clock.now += 2 * SECOND

    assert half > 3
    assert before == 0
    assert writer.write_until_rejected(first, 100) == 3


def test_a_used_quota_is_429_with_a_time_to_retry() -> None:
    error: dict[str, Any] = {"held": 1, "maximum": 1}

    response = error_response(IdempotencyQuotaExceeded(**error), "r")

    assert (response.status_code, response.headers["retry-after"]) == (429, "3600")
