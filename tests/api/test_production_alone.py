"""Environments leave production alone: creating them changes nothing, and neither do moves in others."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest
import urllib3

from moorage.core.access import Scope
from tests.support.server import Project, Response, a_body
from tests.support.team import Team, refusal, with_text
from tests.support.threads import HANG_SECONDS, Background

pytestmark = pytest.mark.system

KEYS = ("a", "b", "c", "d", "e", "f")

RULES = {
    "variants": [{"name": "tested", "prompt_config": a_body(model="tested")["prompt_config"]}],
    "routing": [
        {"variant": "tested", "when": {"environments": {"eq": "staging"}}},
        {"variant": "tested", "split": {"by": "user", "percent": 50}},
    ],
}


def change_at_random(team: Team, seed: int, steps: int = 40) -> None:
    """Write to a project at random: puts, drafts, publications, undos, deletions and restorations."""
    chosen = random.Random(seed)

    def put(key: str, query: str = "") -> Response:
        body = with_text(chosen.choice(["one", "two", "Hello {{name}}"])) | chosen.choice([{}, RULES])
        return team.send("PUT", f"/v2/deployments/{key}?allow_breaking=true{query}", body)

    writes: list[Callable[[str], Response]] = [
        put, put, put,
        lambda key: put(key, "&draft=true"),
        lambda key: put(key, "&file=prompts.yaml&take_ownership=true"),
        lambda key: team.send("POST", f"/v2/deployments/{key}/versions", with_text(str(chosen.random()))),
        lambda key: team.send("POST", f"/v2/deployments/{key}/versions/1.0/publish?allow_breaking=true"),
        lambda key: team.send("POST", f"/v2/deployments/{key}/undo"),
        lambda key: team.send("PATCH", f"/v2/deployments/{key}", {"description": str(chosen.random())}),
        lambda key: team.send("DELETE", f"/v2/deployments/{key}?force=true"),
        lambda key: team.send("POST", f"/v2/deployments/{key}/restore"),
        lambda key: team.send("DELETE", f"/v2/deployments/{key}/versions/1.1?force=true"),
    ]  # fmt: skip
    for key in KEYS:
        assert put(key).status == 201
    for _ in range(steps):
        response = chosen.choice(writes)(chosen.choice(KEYS))
        assert response.status < 500, response.body


def reads(query: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield the method, path and body of all reads of a project without the environments."""
    yield "GET", f"/v2/deployments?{query}", None
    yield "GET", f"/v2/deployments?limit=2&{query}", None
    yield "GET", f"/v2/deployments?key=a&{query}", None
    yield "GET", f"/v2/manifests?{query}", None
    yield "GET", f"/v2/deployments/snapshot?{query}", None
    for prefix in ("/v1", "/v2/router", "/v3/router"):
        yield "GET", f"{prefix}/models?{query}", None
    for key in KEYS:
        path = f"/v2/deployments/{key}"
        for rest in ("", "/versions", "/versions/1.0", "/versions/live", "/history", "/diff", "/callers"):
            yield "GET", f"{path}{rest}?{'to=1.0&' * (rest == '/diff')}{query}", None
        yield "GET", f"/v1/models/{key}?{query}", None
        yield "POST", f"{path}/simulate?{query}", {"contexts": [{"user": "u"}], "routing": []}
        for context in ({}, {"user": "u1"}, {"environments": ["a", "b"]}, {"plan": "pro"}):
            body = {"key": key, "context": context, "inputs": {"name": "Ada"}}
            yield "POST", f"/v2/deployments/get_config?{query}", body
            yield "POST", "/v2/deployments/get_config", body  # the fast path
            yield "POST", f"/v2/deployments/invoke?{query}", {**body, "invoke_options": {"mock_response": "Hello"}}


#: The ids and times of a response to a call.
VOLATILE = {"id", "created", "finalized", "telemetry"}


#: The fields of a snapshot that name environments.
NAMES = {"environment", "environments", "revision"}


def everything(team: Team, query: str = "") -> dict[str, Any]:
    """Return the status, the ETag, the environment and the body of all reads."""
    found: dict[str, Any] = {}
    for method, path, body in reads(query):
        response = team.send(method, path, body)
        data: Any = response.body
        if "/invoke" in path and response.status == 200:
            data = {name: value for name, value in response.json.items() if name not in VOLATILE}
        if response.status >= 400:
            data = response.json["error"]["code"]
        headers = [response.headers.get(name) for name in ("etag", "x-moorage-version", "x-moorage-variant")]
        if "snapshot" in path:
            data = {name: value for name, value in response.json.items() if name not in NAMES}
            headers = headers[1:]
        found[f"{method} {path} {json.dumps(body)}"] = response.status, headers, data
    return found


@pytest.mark.parametrize("seed", range(3))
def test_creating_environments_changes_no_response_and_no_etag_of_production(project: Project, seed: int) -> None:
    team = Team(project)
    change_at_random(team, seed)
    everything(team)  # so that all keys are callers
    before = everything(team)

    for name in ("staging", "qa", "strict"):
        team.create(name, required_approvals=int(name == "strict"))

    assert everything(team) == before
    assert [*everything(team, "environment=production").values()] == [*before.values()]


@pytest.mark.parametrize("seed", range(3))
def test_a_new_environment_shows_what_production_shows(project: Project, seed: int) -> None:
    team = Team(project)
    change_at_random(team, seed)
    team.create("staging")

    def shown(environment: str) -> dict[str, Any]:
        found = {}
        for method, path, body in reads(f"environment={environment}"):
            if any(part in path for part in ("snapshot", "history", "callers")) or "?" not in path:
                continue
            response = team.send(method, path, body)
            data: Any = response.json if "/invoke" not in path else response.status
            if response.status >= 400:
                data = response.json["error"]["code"]
            elif "manifests" in path:  # a follower has no owner
                data = [{**item, "owner": None, "file": None} for item in data["data"]]
            found[path.replace(environment, "E") + json.dumps(body)] = response.status, data
        return found

    assert shown("staging") == shown("production")


class Feed:
    """The change feed of production, from now on."""

    def __init__(self, team: Team, query: str = "") -> None:
        self._pool = urllib3.PoolManager(retries=False, timeout=HANG_SECONDS)
        self._response = self._pool.request(
            "GET", f"{team.project.server.url}/v2/deployments/changes{query}",
            headers={"Authorization": f"Bearer {team.admin}"}, preload_content=False,
        )  # fmt: skip

    def until(self, text: str) -> str:
        """Return what the stream sends until a text is in it."""
        received = b""
        while text.encode() not in received:
            received += self._response.read1()
        return received.decode()

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._pool.clear()


def test_a_key_that_may_only_write_never_changes_production(project: Project) -> None:
    team = Team(project)
    for key in KEYS:
        team.put(key, "one")
    team.create("staging")
    team.create("qa")
    writer = team.key("writer", [Scope.READ, Scope.WRITE, Scope.INVOKE])

    def send(method: str, path: str, body: object = None, **headers: str) -> Response:
        response = team.send(method, path, body, writer, **headers)
        assert response.status < 300, (path, response.body)
        return response

    def production() -> dict[str, Any]:
        found = everything(team)
        list_etag = team.send("GET", "/v2/deployments").headers["etag"]
        snapshot = team.send("GET", "/v2/deployments/snapshot").headers["etag"]
        items = {key: team.send("GET", f"/v2/deployments/{key}").headers["etag"] for key in KEYS}
        of_versions = ("/versions", "/history", "/diff", "/callers")  # which also show drafts and other environments
        return {name: value for name, value in found.items() if not any(part in name for part in of_versions)} | {
            "etags": (list_etag, snapshot, items)
        }

    before = production()
    with closing(Feed(team)) as feed:
        feed.until("\n\n")
        staging, body = "?environment=staging", with_text("two")
        send("PUT", f"/v2/deployments/a{staging}", body)
        send("PUT", f"/v2/deployments/a{staging}&allow_breaking=true", with_text("Hello {{name}}"))
        send("PUT", f"/v2/deployments/b{staging}&file=b.yaml", body)
        send("PUT", f"/v2/deployments/new{staging}", body)
        send("PUT", f"/v2/deployments/drafted{staging}&draft=true", body)
        send("POST", f"/v2/deployments{staging}", {"key": "posted", **body})
        send("POST", f"/v2/deployments/c/versions{staging}", {**body, "status": "published"})
        send("POST", f"/v2/deployments/c/versions/1.0/publish{staging}")
        send("POST", f"/v2/deployments/c/undo{staging}")
        send("POST", f"/v2/deployments/c/unpublish{staging}")
        promotion = {
            "from": "staging",
            "to": "qa",
            "deployments": [{"key": "a"}, {"key": "new"}],
            "allow_breaking": True,
        }
        send("POST", "/v2/promotions", promotion)
        back = {
            "from": "production",
            "to": "staging",
            "deployments": [{"key": "a"}, {"key": "d"}],
            "allow_breaking": True,
        }
        send("POST", "/v2/promotions", back)
        send("POST", "/v2/deployments/usage?environment=staging", {"versions": []})
        assert production() == before

        for method, path, refused in (
            ("PUT", "/v2/deployments/a", body),
            ("POST", "/v2/deployments", {"key": "other", **body}),
            ("POST", "/v2/deployments/a/versions", {**body, "status": "published"}),
            ("POST", "/v2/deployments/a/versions/1.1/publish", None),
            ("POST", "/v2/deployments/a/undo", None),
            ("POST", "/v2/promotions", promotion | {"to": "production"}),
            ("DELETE", "/v2/deployments/a", None),
            ("DELETE", "/v2/deployments/new", None),
            ("PUT", "/v2/environments/production", {"required_approvals": 1}),
        ):
            assert refusal(team.send(method, path, refused, writer)) == (403, "insufficient_scope"), path
        assert production() == before

        team.put("sentinel", "one")
        received = feed.until("sentinel")
    for key in (*KEYS, "new", "posted", "drafted"):
        assert f'"key":"{key}"' not in received, received


def test_a_follower_sees_every_move_of_production_and_production_none_of_its_own(project: Project) -> None:
    team = Team(project)
    team.put("a", "one")
    team.create("staging")
    with closing(Feed(team)) as production, closing(Feed(team, "?environment=staging")) as staging:
        production.until("\n\n")
        staging.until("\n\n")
        team.put("a", "two")
        assert "1.1" in staging.until('"1.1"')
        team.put("b", "staged", "staging")
        assert '"key":"b"' in staging.until('"key":"b"')
        team.put("c", "three")
        assert '"key":"b"' not in production.until('"key":"c"')


def test_a_read_that_waits_for_a_revision_shows_the_move_of_an_environment(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    works = [Background(partial(team.put, f"k{number}", "x", "staging")) for number in range(8)]

    for number, work in enumerate(works):
        revision = work.result().headers["x-moorage-revision"]
        path = f"/v2/deployments/k{number}?environment=staging"
        assert team.send("GET", path, X_Moorage_Min_Revision=revision).status == 200
