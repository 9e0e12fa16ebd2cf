"""A server that is killed in a promotion of 1,000 deployments: afterwards all nodes show all of it, or nothing."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest
import urllib3

from moorage.core.access import DEFAULT_SCOPES
from tests.support.follower import Follower
from tests.support.mortal_server import MORTAL
from tests.support.nodes import Node
from tests.support.registry import create_api_key, create_project
from tests.support.server import Project, Server
from tests.support.stores import Database
from tests.support.threads import until
from tests.system.processes.releases import MANY, each_page, fill, findings, keys, models, promote

#: The number of kills on each engine; the start of a node on PostgreSQL takes longer.
KILLS = {"sqlite": 20, "postgresql": 10}

#: Statements around the commit, which is among the last ones, before what the catalog reads.
AROUND_COMMIT = 7


class Cluster:
    """A server that is killed, and on PostgreSQL a node that survives; on SQLite both are the same server."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._fatal = folder / "fatal"
        self._fatal.write_text("0")
        program = (*MORTAL, str(self._fatal))
        self.mortal = Server(folder, "--workers", "1", database=database.url, program=program)
        if not database.url.startswith("sqlite"):
            self.mortal = Node(folder / "mortal", database.url)
            self.mortal._program = ("env", f"TMPDIR={folder / 'mortal'}", *program)
        self.kills = KILLS[database.url.partition(":")[0]]
        self.other = self.mortal if database.url.startswith("sqlite") else Node(folder / "other", database.url)

    def kill_before(self, statement: int) -> None:
        """Kill the server before a statement of the next write; with 0, count the statements."""
        self._fatal.write_text(str(statement))

    def count(self) -> int:
        """Return the number of statements of the last write."""
        return int(self._fatal.with_suffix(".count").read_text())


@pytest.fixture
def cluster(database: Database, folder: Path) -> Iterator[Cluster]:
    """Return the running servers."""
    made = Cluster(folder, database)
    with ExitStack() as stack:
        for server in dict.fromkeys((made.mortal, made.other)):
            stack.enter_context(server)
        yield made


def model_of(project: Project) -> str:
    """Return the model of all deployments of production."""
    pages = [models(page) for page in each_page(project, "production")]
    assert len(pages) == MANY // 50
    (model,) = set[str]().union(*pages)  # a mix has both
    return model


def test_after_a_kill_all_nodes_show_all_of_a_promotion_or_nothing(cluster: Cluster) -> None:
    with cluster.mortal.open_store() as store:
        project = create_project(store, "shop")
        _, token = create_api_key(store, project.id, "test", DEFAULT_SCOPES)
        fill(store, project.id, (("production", "old"), ("new", "new"), ("old", "old")))
    first, other = (Project(server, project.id, "shop", token) for server in (cluster.mortal, cluster.other))
    for each in (first, other):
        until(partial(_is_filled, each))
    cluster.kill_before(0)
    assert promote(first, "new", "production", keys(MANY)).status == 200
    statements, model = cluster.count(), "new"
    assert statements > 2 * MANY
    random_ = random.Random(20)
    moments = [
        *random_.sample(range(1, statements), cluster.kills - AROUND_COMMIT),
        *range(statements - AROUND_COMMIT, statements),
    ]

    outcomes = []
    with Follower(other) as follower:
        for statement in moments:
            source = "old" if model == "new" else "new"
            cluster.kill_before(statement)
            with suppress(urllib3.exceptions.HTTPError):  # the last statements may come after the response
                assert promote(first, source, "production", keys(MANY)).status == 200
            cluster.mortal.kill()
            cluster.kill_before(0)
            cluster.mortal.start()
            revision = first.page().headers["x-moorage-revision"]
            other.get_at("/v2/deployments?limit=1", revision)
            model, before = model_of(first), model
            assert cluster.other is cluster.mortal or model_of(other) == model
            outcomes.append(model != before)
        follower.wait(partial(_is_complete, follower, model))

    assert set(outcomes) == {True, False}, "kills before and after the commit"
    assert promote(first, "old" if model == "new" else "new", "production", keys(MANY)).status == 200
    assert findings(first) == ""


def _is_filled(project: Project) -> bool:
    return project.page().status == 200 and len(list(each_page(project, "production"))) == MANY // 50


def _is_complete(follower: Follower, model: str) -> bool:
    state = {each["key"]: each["prompt_config"]["model"] for each in follower.state().values()}
    return state == dict.fromkeys(keys(MANY), model)
