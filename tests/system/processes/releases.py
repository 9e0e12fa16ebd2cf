"""Two servers on one database with environments, and the requests that move live versions between them."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.environments import EnvironmentSettings
from moorage.registry import api_keys, deployments
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support.environments import set_environment
from tests.support.nodes import Nodes
from tests.support.program import moorage
from tests.support.registry import parsed
from tests.support.server import Project, Response, Server, a_body
from tests.support.threads import until

#: The number of deployments of a promotion, which is the largest.
MANY = 1_000

#: How many deployments are inserted in one commit.
_GROUP = 200

_numbers = itertools.count()


@contextmanager
def two_servers(folder: Path, database: str) -> Iterator[list[Project]]:
    """Start two nodes on PostgreSQL, or a server with two workers on SQLite; yield the same project twice.

    Each connection to the second one can lead to another worker.
    """
    if database.startswith("sqlite"):
        with Server(folder, "--workers", "2", database=database) as server:
            project = server.new_project()
            yield [project, with_token(project, project.token)]
    else:
        with Nodes(folder, database) as nodes:
            yield nodes.projects


def with_token(project: Project, token: str) -> Project:
    """Return a project as a client with another key, on a connection of its own."""
    return Project(project.server, project.id, project.name, token)


def with_key(project: Project, name: str, *scopes: Scope, environment: str | None = None) -> tuple[str, Project]:
    """Create a key, which is bound to an environment if it is given; return its id, and a client with it."""
    with project.server.open_store() as store:
        environment_id = None
        if environment is not None:
            with store.read() as reader:
                environment_id = reader.environments(project.id)[environment].id
        created = store.run(
            api_keys.create_api_key, project.id, name, scopes or DEFAULT_SCOPES, environment_id=environment_id
        )
    client = with_token(project, created.token)
    until(lambda: client.request("GET", "/v2/environments").status == 200)
    return created.key.id, client


def admin_of(project: Project) -> Project:
    """Return a client with all scopes."""
    return with_key(project, f"admin-{project.server.port}-{next(_numbers)}", *Scope)[1]


def post(project: Project, path: str, body: object = None, **headers: str) -> Response:
    """Send a POST request."""
    return project.request("POST", path, None if body is None else json.dumps(body).encode(), headers)


def put_environment(project: Project, name: str, **settings: Any) -> Response:
    """Create an environment, or set its settings."""
    response = project.request("PUT", f"/v2/environments/{name}", json.dumps(settings).encode())
    assert response.status in (200, 201), response.body
    return response


def promote(project: Project, source: str, target: str, keys: Iterable[str]) -> Response:
    """Promote deployments."""
    return post(
        project, "/v2/promotions", {"from": source, "to": target, "deployments": [{"key": key} for key in keys]}
    )


def propose(project: Project, environment: str, versions: dict[str, str]) -> str:
    """Propose versions by the keys of their deployments; return the id of the proposal."""
    items = [{"key": key, "version": version} for key, version in versions.items()]
    response = post(project, "/v2/proposals", {"environment": environment, "deployments": items})
    assert response.status == 202, response.body
    proposal_id: str = response.json["id"]
    return proposal_id


def approve(project: Project, proposal_id: str) -> Response:
    """Approve a proposal."""
    return post(project, f"/v2/proposals/{proposal_id}/approve")


def history(project: Project, key: str) -> list[dict[str, Any]]:
    """Return the history of a deployment in all environments, oldest entry first."""
    page = project.request("GET", f"/v2/deployments/{key}/history?limit=50").json
    assert not page["has_more"]
    entries: list[dict[str, Any]] = page["data"]
    return entries[::-1]


def keys(count: int) -> list[str]:
    """Return the keys of `fill`."""
    return [f"d{number}" for number in range(count)]


def fill(store: Store, project_id: str, models: Sequence[tuple[str, str]], count: int = MANY) -> None:
    """Put deployments in environments, each with the model of its environment; production is the first one."""
    for name, model in models:
        environment = None
        if name != "production":
            environment = set_environment(store, project_id, name, EnvironmentSettings())
        ctx, body = WriteContext(project_id, environment=environment), parsed(a_body(model=model), PutDeployment)
        puts = [partial(_put, ctx=ctx, key=key, body=body) for key in keys(count)]
        for start in range(0, count, _GROUP):
            for result in store.group_commit(puts[start : start + _GROUP]):
                assert not isinstance(result, Exception), result


def _put(tx: Transaction, ctx: WriteContext, key: str, body: PutDeployment) -> None:
    # Each write has a gate of its own.
    fresh = WriteContext(ctx.project_id, environment=ctx.environment)
    deployments.put_deployment(tx, fresh, key, body)


def models(page: Response) -> set[str]:
    """Return the models of the deployments of a page."""
    return {item["prompt_config"]["model"] for item in page.json["data"]}


def findings(project: Project) -> str:
    """Return what `moorage db check` finds in the database; an empty text if that is nothing."""
    result = moorage("db", "check", "--database", project.server.database, folder=project.server.folder)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def each_page(project: Project, environment: str) -> Iterator[Response]:
    """Yield the pages of the list of an environment."""
    cursor = ""
    while True:
        page = project.request("GET", f"/v2/deployments?environment={environment}&limit=50{cursor}")
        assert page.status == 200, page.body
        yield page
        if not page.json["has_more"]:
            return
        cursor = f"&starting_after={page.json['data'][-1]['id']}"


def snapshot(project: Project, environment: str = "production") -> Any:
    """Return the snapshot of an environment."""
    return msgspec.json.decode(project.request("GET", f"/v2/deployments/snapshot?environment={environment}").body)
