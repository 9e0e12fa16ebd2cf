"""A promotion of 1,000 deployments: clients of another node see all of it at one revision, or nothing.

On SQLite, the workers of one server take the place of the nodes.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3

from moorage.client.sse import Event, events
from tests.support.follower import Follower
from tests.support.server import Project, Response, a_body
from tests.support.stores import Database
from tests.support.threads import HANG_SECONDS, Background, until
from tests.system.processes.releases import (
    MANY,
    admin_of,
    each_page,
    fill,
    findings,
    keys,
    models,
    promote,
    snapshot,
    two_servers,
    with_key,
)

#: `qa` follows production.
ENVIRONMENTS = (("production", "old"), ("staging", "new"), ("previous", "old"))


@pytest.fixture
def nodes(database: Database, folder: Path) -> Iterator[list[Project]]:
    """Return a project with 1,000 deployments on both servers, as an administrator."""
    with two_servers(folder, database.url) as projects:
        with projects[0].server.open_store() as store:
            fill(store, projects[0].id, ENVIRONMENTS)
        admins = [admin_of(project) for project in projects]
        revision = admins[0].request("PUT", "/v2/environments/qa", b"{}").headers["x-moorage-revision"]
        admins[1].get_at("/v2/environments/qa", revision)
        yield admins


def revision_of(response: Response) -> int:
    return int(response.headers["x-moorage-revision"])


def promote_all(project: Project, source: str) -> int:
    """Promote all deployments to production; return the revision."""
    response = promote(project, source, "production", keys(MANY))
    assert response.status == 200, response.body
    assert {item["result"] for item in response.json["deployments"]} == {"promoted"}
    revision: int = response.json["revision"]
    return revision


def test_another_node_shows_all_of_a_promotion_at_one_revision(nodes: list[Project]) -> None:
    first, second = nodes
    start = revision_of(second.get("d0"))

    promotions = Background(lambda: [promote_all(first, source) for source in ("staging", "previous", "staging")])
    seen: list[tuple[str, int, set[str]]] = []
    is_last = False
    while not is_last:
        is_last = not promotions.is_running()
        for environment in ("production", "qa", "staging"):
            seen += [(environment, revision_of(page), models(page)) for page in each_page(second, environment)]
        for environment in ("production", "qa"):
            body = snapshot(second, environment)
            seen.append(
                (environment, body["revision"], {each["prompt_config"]["model"] for each in body["deployments"]})
            )
    revisions = promotions.result()
    until(lambda: revision_of(second.get("d0")) >= revisions[-1])

    states = dict(zip([start, *revisions], ["old", "new", "old", "new"], strict=True))
    for environment, revision, found in seen:
        since = max(each for each in states if each <= max(revision, start))
        assert found == {"new" if environment == "staging" else states[since]}, (environment, revision)
    for environment in ("production", "qa"):
        assert [models(page) for page in each_page(second, environment)] == [{"new"}] * (MANY // 50)
    assert findings(first) == ""


@pytest.mark.parametrize("received", [1, MANY // 2, MANY - 1])
def test_a_client_that_is_disconnected_in_a_promotion_gets_all_of_it(received: int, nodes: list[Project]) -> None:
    first, second = nodes
    since = str(revision_of(second.get("d0")))
    revision = promote_all(first, "staging")
    second.get_at("/v2/deployments/d0", revision)

    before = first_changes(second, since, received)
    assert [event.id for event in before] == [None] * received, "so the client resumes before the promotion"
    with Follower(second, since) as follower:
        follower.wait_for(revision)

    assert [event.rev for event in follower.events] == [None] * (MANY - 1) + [revision]
    assert {event.name for event in follower.events} == {"deployment"}
    state = {each["key"]: each["prompt_config"]["model"] for each in follower.state().values()}
    assert state == dict.fromkeys(keys(MANY), "new")
    assert findings(first) == ""


def first_changes(project: Project, since: str, count: int) -> list[Event]:
    """Return the first changes after a revision, and disconnect."""
    headers, found = {"Authorization": f"Bearer {project.token}", "Last-Event-ID": since}, list[Event]()
    with urllib3.PoolManager(retries=False, timeout=HANG_SECONDS) as pool:
        url = f"{project.server.url}/v2/deployments/changes"
        response = pool.request("GET", url, headers=headers, preload_content=False)
        with suppress(urllib3.exceptions.HTTPError, OSError):
            for event in events(response.stream(4_096)):
                found += [event] if event.name not in ("comment", "environments") else []
                if len(found) == count:
                    response.shutdown()
                    break
        response.close()
    return found


def test_a_client_of_production_gets_nothing_while_staging_moves(nodes: list[Project]) -> None:
    first, second = nodes
    clients = {name: with_key(second, name, environment=name)[1] for name in ("production", "qa")}
    names = ("deployments?limit=50", "deployments/d0", "deployments/snapshot", "manifests")
    paths = [f"/v2/{name}" for name in names]
    since = revision_of(second.get("d0"))
    before = [clients["production"].request("GET", path) for path in paths]

    with Follower(clients["production"], str(since)) as production, Follower(clients["qa"], str(since)) as qa:
        puts = [first.put(f"d{n % 3}", a_body(model=f"m{n}"), "?environment=staging") for n in range(100)]
        assert {put.status for put in puts} == {200}
        moved = puts[-1].headers["x-moorage-revision"]
        after = [clients["production"].get_at(path, moved) for path in paths]
        last = promote(first, "staging", "production", ["d0"]).json["revision"]
        for follower in (production, qa):
            follower.wait_for(last)

    for follower in (production, qa):
        assert [(event.rev, event.name, event.data["key"]) for event in follower.events] == [(last, "deployment", "d0")]
    for path, one, other in zip(paths, before, after, strict=True):
        assert revision_of(other) > revision_of(one)
        assert other.headers.get("etag") == one.headers.get("etag"), path
        assert other.body == one.body, path


def test_a_follower_gets_each_move_of_production(nodes: list[Project]) -> None:
    first, second = nodes
    client = with_key(second, "qa", environment="qa")[1]
    since = revision_of(second.get("d0"))

    with Follower(client, str(since)) as follower:
        revisions = []
        for number in range(100):
            put = first.put("d0", a_body(model=f"m{number}"))
            revisions.append(revision_of(put))
            follower.wait_for(revisions[-1])

    assert [event.rev for event in follower.events] == revisions
    assert [event.data["prompt_config"]["model"] for event in follower.events] == [f"m{n}" for n in range(100)]
