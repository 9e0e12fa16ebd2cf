"""`/v2/api-keys`: a key makes keys, and never one that may do more than itself."""

import json
import time
from itertools import combinations
from pathlib import Path

import pytest

from moorage.core.access import Scope
from tests.support import golden
from tests.support.server import Answer, Project, Server
from tests.support.stores import Database


@pytest.fixture
def admin(project: Project) -> Project:
    """The project, by a key that may make keys and read deployments."""
    return Project(project.server, project.id, project.name, project.key(Scope.KEYS_ADMIN, Scope.READ)[1])


def send(project: Project, method: str, path: str = "", body: object = None, **headers: str) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.request(method, f"/v2/api-keys{path}", data, names)


def by(project: Project, token: str) -> Project:
    return Project(project.server, project.id, project.name, token)


def test_a_key_is_made_and_its_token_shown_once(admin: Project) -> None:
    made = send(admin, "POST", body={"name": "ci", "scopes": ["deployments:read"]})

    assert made.status == 201
    assert by(admin, made.json["token"]).page().status == 200
    shown = send(admin, "GET", f"/{made.json['id']}").json
    assert shown == made.json | {"token": f"mrg_{made.json['id']}_…"}
    listed = send(admin, "GET")
    assert listed.json["data"][0] == shown
    assert made.json["token"].encode() not in listed.body


def test_without_scopes_it_has_the_askers_but_not_the_making_of_keys(admin: Project) -> None:
    assert send(admin, "POST", body={"name": "a"}).json["scopes"] == ["deployments:read"]


@pytest.mark.parametrize("held", [set(each) for size in (1, 2, 5) for each in combinations(Scope, size)])
def test_no_key_gives_more_than_it_has(project: Project, held: set[Scope]) -> None:
    asking = by(project, project.key(*held, Scope.KEYS_ADMIN)[1])

    for scope in Scope:
        answer = send(asking, "POST", body={"name": "a", "scopes": [scope]})
        allowed = scope in held | {Scope.KEYS_ADMIN}
        assert answer.status == (201 if allowed else 403), (held, scope)
        if allowed:
            assert answer.json["scopes"] == [scope]


def test_no_key_outlives_the_one_that_made_it(project: Project) -> None:
    expires_us = time.time_ns() // 1000 + 3_600_000_000
    asking = by(project, project.key(Scope.KEYS_ADMIN, Scope.READ, expires_us=expires_us)[1])

    inherited = send(asking, "POST", body={"name": "a"})
    longer = send(asking, "POST", body={"name": "a", "expires_at": "2099-01-01T00:00:00Z"})

    assert "expires_at" in inherited.json
    assert (longer.status, longer.error["param"]) == (400, "expires_at")


def test_a_key_revokes_another_and_itself_at_once(admin: Project) -> None:
    made = send(admin, "POST", body={"name": "a"}).json
    own = admin.token.split("_")[1]

    revoked = send(admin, "DELETE", f"/{made['id']}")
    itself = send(admin, "DELETE", f"/{own}")

    assert (revoked.json["status"], itself.json["status"]) == ("revoked", "revoked")
    assert by(admin, made["token"]).page().status == 401
    assert send(admin, "GET").status == 401


def test_only_the_name_can_change(admin: Project) -> None:
    made = send(admin, "POST", body={"name": "a"}).json

    renamed = send(admin, "PATCH", f"/{made['id']}", {"name": "b"})
    widened = send(admin, "PATCH", f"/{made['id']}", {"name": "b", "scopes": ["deployments:write"]})

    assert renamed.json["name"] == "b"
    assert widened.status == 400
    assert send(admin, "GET", f"/{made['id']}").json["scopes"] == ["deployments:read"]


def test_another_projects_keys_are_not_there(admin: Project, server: Server) -> None:
    other = server.new_project()
    foreign = other.token.split("_")[1]

    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = send(admin, method, f"/{foreign}", body)
        assert (answer.status, answer.error["code"]) == (404, "api_key_not_found")
    assert foreign not in json.dumps(send(admin, "GET").json)
    assert other.page().status == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u202e"}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["everything"]}, "scopes[0]"),
        ({"name": "a", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "a", "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"name": "a", "expires_at": "2001-01-01T00:00:00Z"}, "expires"),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-23:00"}, "expires"),
    ],
)
def test_a_bad_body_is_told_and_makes_no_key(admin: Project, body: object, param: str) -> None:
    before = len(send(admin, "GET").json["data"])

    answer = send(admin, "POST", body=body)

    assert (answer.status, answer.error["param"]) == (400, param)
    assert len(send(admin, "GET").json["data"]) == before


def test_a_key_that_is_asked_for_twice_is_made_once(admin: Project) -> None:
    first = send(admin, "POST", body={"name": "a"}, Idempotency_Key="k")
    again = send(admin, "POST", body={"name": "a"}, Idempotency_Key="k")

    assert first.json["token"] not in again.body.decode()
    assert again.json == first.json | {"token": f"mrg_{first.json['id']}_…"}
    assert len(send(admin, "GET").json["data"]) == 3  # the project's, this one's, the new one


def test_no_token_is_kept_anywhere(database: Database, folder: Path) -> None:
    with Server(folder, database=database.url) as server:
        project = server.new_project()
        asking = by(project, project.key(Scope.KEYS_ADMIN, Scope.READ)[1])
        tokens = [send(asking, "POST", body={"name": "a"}, Idempotency_Key=f"k{n}").json["token"] for n in range(3)]
        send(asking, "GET")

        kept = b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "output")
        kept += str(golden.rows(database.url)).encode()

    for token in [*tokens, asking.token, project.token]:
        assert token.encode() not in kept
        assert token[-20:].encode() not in kept
