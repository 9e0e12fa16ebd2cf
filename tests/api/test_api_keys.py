"""`/v2/api-keys`: a key creates keys with at most its own scopes and expiry."""

import json
import time
import urllib.request
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from moorage.core.access import APPROVING_SCOPES, Scope
from moorage.core.deployments.history import Actor
from moorage.core.errors.api_keys import InvalidApiKey
from moorage.registry.api_keys import rotate_api_key
from moorage.registry.authorization import authorize
from moorage.registry.write_context import WriteContext
from moorage.store.opening import open_store
from tests.support import golden
from tests.support.program import moorage
from tests.support.registry import create_api_key, create_project
from tests.support.server import Project, Response, Server
from tests.support.stores import Database, run_sql
from tests.support.threads import HANG_SECONDS, until


@pytest.fixture
def admin(project: Project) -> Project:
    """Return the project with a key that has the scopes keys:admin and deployments:read."""
    return Project(project.server, project.id, project.name, project.key(Scope.KEYS_ADMIN, Scope.READ)[1])


def send(project: Project, method: str, path: str = "", body: object = None, **headers: str) -> Response:
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.request(method, f"/v2/api-keys{path}", data, names)


def with_token(project: Project, token: str) -> Project:
    return Project(project.server, project.id, project.name, token)


def test_a_new_key_works_and_only_its_creation_returns_the_token(admin: Project) -> None:
    created = send(admin, "POST", body={"name": "ci", "scopes": ["deployments:read"]})

    assert created.status == 201
    assert with_token(admin, created.json["token"]).page().status == 200
    fetched = send(admin, "GET", f"/{created.json['id']}").json
    assert fetched == created.json | {"token": f"mrg_{created.json['id']}_…"}
    listed = send(admin, "GET")
    assert listed.json["data"][0] == fetched
    assert created.json["token"].encode() not in listed.body


def test_the_history_has_each_change_of_a_key_with_its_author(admin: Project) -> None:
    headers = {"X_Moorage_Change_Reason": "for ci", "X_Request_Id": "req-1"}
    key_id = send(admin, "POST", body={"name": "ci", "scopes": ["deployments:read"]}, **headers).json["id"]
    send(admin, "PATCH", f"/{key_id}", {"name": "ci2"})
    send(admin, "DELETE", f"/{key_id}")
    send(admin, "DELETE", f"/{key_id}")

    author = admin.token.split("_")[1]
    database, columns = admin.server.database, "action, api_key_id, reason, request_id, changes"
    rows = run_sql(database, f"SELECT {columns} FROM history WHERE subject_key_id = '{key_id}' ORDER BY rev")
    assert [(action, by) for action, by, *_ in rows] == [
        (action, author) for action in ("key_created", "key_renamed", "key_revoked")
    ]
    _, _, reason, request_id, changes = rows[0]
    assert (reason, request_id) == ("for ci", "req-1")
    ((token_sha256, created_us),) = run_sql(
        database, f"SELECT token_sha256, created_us FROM api_key WHERE id = '{key_id}'"
    )
    assert json.loads(changes) == {
        "name": "ci", "scopes": "deployments:read", "token_sha256": token_sha256, "expires_us": None,
        "created_us": created_us,
    }  # fmt: skip
    assert json.loads(rows[1][-1]) == {"name": "ci2"}


def test_the_keys_of_a_project_are_listed_in_pages_newest_first(admin: Project) -> None:
    names = [f"k{number}" for number in range(25)]
    for name in names:
        assert send(admin, "POST", body={"name": name}).status == 201
    expected = [*reversed(names), "more", "test"]  # the keys of `admin` and of the project
    send(admin, "PATCH", f"/{send(admin, 'GET', '?limit=3').json['data'][2]['id']}", {"name": "k22"})

    def walk(direction: str, cursor: str | None) -> list[list[str]]:
        pages = []
        while True:
            page = send(admin, "GET", f"?limit=10&{direction}={cursor or ''}").json
            pages.append([key["name"] for key in page["data"]])
            cursor = page["data"][-1 if direction == "starting_after" else 0]["id"]
            if not page["has_more"]:
                return pages

    assert walk("starting_after", None) == [expected[:10], expected[10:20], expected[20:]]
    oldest = send(admin, "GET", "?limit=50").json["data"][-1]["id"]
    assert walk("before", oldest) == [expected[16:26], expected[6:16], expected[:6]]
    assert len(send(admin, "GET").json["data"]) == 10


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=51", "invalid_limit"),
        ("limit=1&limit=2", "repeated_parameter"),
        ("starting_after=000000000000", "invalid_cursor"),
        ("scopes=a", "unknown_parameter"),
        ("after=a&before=b", "conflicting_cursors"),
    ],
)
def test_an_invalid_page_of_keys_is_rejected(admin: Project, query: str, code: str) -> None:
    response = send(admin, "GET", f"?{query}")

    assert (response.status, response.error["code"]) == (400, code)


def test_a_key_of_another_project_is_no_cursor(admin: Project, server: Server) -> None:
    foreign = server.new_project().token.split("_")[1]

    for direction in ("starting_after", "ending_before"):
        assert send(admin, "GET", f"?{direction}={foreign}").error["code"] == "invalid_cursor"


def test_the_revision_of_a_response_includes_the_write_of_a_key(admin: Project) -> None:
    def revision(response: Response) -> int:
        return int(response.headers["x-moorage-revision"])

    created = send(admin, "POST", body={"name": "a"})
    renamed = send(admin, "PATCH", f"/{created.json['id']}", {"name": "b"})
    revoked = send(admin, "DELETE", f"/{created.json['id']}")

    assert revision(created) < revision(renamed) < revision(revoked) <= revision(send(admin, "GET"))


def test_no_response_with_keys_may_be_stored_by_a_cache(admin: Project) -> None:
    created = send(admin, "POST", body={"name": "a"})
    path = f"/{created.json['id']}"

    for response in (created, send(admin, "GET"), send(admin, "GET", path), send(admin, "DELETE", path)):
        assert response.headers["cache-control"] == "no-store"


def test_a_new_key_without_scopes_gets_the_scopes_of_the_caller_except_keys_admin(admin: Project) -> None:
    assert send(admin, "POST", body={"name": "a"}).json["scopes"] == ["deployments:read"]


@pytest.mark.parametrize("held", [set(scopes) for size in (1, 2, 5) for scopes in combinations(Scope, size)])
def test_a_key_grants_only_scopes_that_it_has(project: Project, held: set[Scope]) -> None:
    caller = with_token(project, project.key(*held, Scope.KEYS_ADMIN)[1])

    for scope in Scope:
        response = send(caller, "POST", body={"name": "a", "scopes": [scope]})
        needed = {scope} | ({Scope.ENVIRONMENTS_ADMIN} if scope in APPROVING_SCOPES else set())
        allowed = needed <= held | {Scope.KEYS_ADMIN}
        assert response.status == (201 if allowed else 403), (held, scope)
        if allowed:
            assert response.json["scopes"] == [scope]


def test_a_key_expires_no_later_than_the_key_that_created_it(project: Project) -> None:
    expires_us = time.time_ns() // 1000 + 3_600_000_000
    caller = with_token(project, project.key(Scope.KEYS_ADMIN, Scope.READ, expires_us=expires_us)[1])

    inherited = send(caller, "POST", body={"name": "a"})
    longer = send(caller, "POST", body={"name": "a", "expires_at": "2099-01-01T00:00:00Z"})

    assert "expires_at" in inherited.json
    assert (longer.status, longer.error["param"]) == (400, "expires_at")


def test_a_key_can_revoke_another_key_and_itself_immediately(admin: Project) -> None:
    created = send(admin, "POST", body={"name": "a"}).json
    own_id = admin.token.split("_")[1]

    revoked = send(admin, "DELETE", f"/{created['id']}")
    itself = send(admin, "DELETE", f"/{own_id}")

    assert (revoked.json["status"], itself.json["status"]) == ("revoked", "revoked")
    assert with_token(admin, created["token"]).page().status == 401
    assert send(admin, "GET").status == 401


def test_only_the_name_of_a_key_can_change(admin: Project) -> None:
    created = send(admin, "POST", body={"name": "a"}).json

    renamed = send(admin, "PATCH", f"/{created['id']}", {"name": "b"})
    widened = send(admin, "PATCH", f"/{created['id']}", {"name": "b", "scopes": ["deployments:write"]})

    assert renamed.json["name"] == "b"
    assert widened.status == 400
    assert send(admin, "GET", f"/{created['id']}").json["scopes"] == ["deployments:read"]


def test_an_unknown_key_is_reported_before_an_invalid_body(admin: Project) -> None:
    rejected = send(admin, "PATCH", "/000000000000", {"scopes": []})

    assert (rejected.status, rejected.error["code"]) == (404, "api_key_not_found")


def test_keys_of_another_project_are_not_found(admin: Project, server: Server) -> None:
    other = server.new_project()
    foreign = other.token.split("_")[1]

    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        response = send(admin, method, f"/{foreign}", body)
        assert (response.status, response.error["code"]) == (404, "api_key_not_found")
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
def test_an_invalid_body_is_rejected_and_creates_no_key(admin: Project, body: object, param: str) -> None:
    before = len(send(admin, "GET").json["data"])

    response = send(admin, "POST", body=body)

    assert (response.status, response.error["param"]) == (400, param)
    assert len(send(admin, "GET").json["data"]) == before


def test_a_replay_of_a_creation_returns_the_same_key_without_its_token(admin: Project) -> None:
    first = send(admin, "POST", body={"name": "a"}, Idempotency_Key="k")
    repeated = send(admin, "POST", body={"name": "a"}, Idempotency_Key="k")

    assert first.json["token"] not in repeated.body.decode()
    assert repeated.json == first.json | {"token": f"mrg_{first.json['id']}_…"}
    assert len(send(admin, "GET").json["data"]) == 3  # the keys of the project and of `admin`, and the new one


def test_no_token_is_stored_in_the_database_or_the_log(database: Database, folder: Path) -> None:
    with Server(folder, database=database.url) as server:
        project = server.new_project()
        caller = with_token(project, project.key(Scope.KEYS_ADMIN, Scope.READ)[1])
        tokens = [send(caller, "POST", body={"name": "a"}, Idempotency_Key=f"k{n}").json["token"] for n in range(3)]
        send(caller, "GET")

        stored = b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "output")
        stored += str(golden.rows(database.url)).encode()

    for token in [*tokens, caller.token, project.token]:
        assert token.encode() not in stored
        assert token[-20:].encode() not in stored


def test_a_rotation_replaces_the_token_and_nothing_else(admin: Project) -> None:
    body = {"name": "ci", "scopes": ["deployments:read"], "expires_at": "2099-01-01T00:00:00Z"}
    created = send(admin, "POST", body=body).json
    old = with_token(admin, created["token"])
    assert old.page().status == 200

    rotated = send(admin, "POST", f"/{created['id']}/rotate")

    assert rotated.status == 200
    assert rotated.headers["cache-control"] == "no-store"
    assert rotated.json == created | {"token": rotated.json["token"]}
    assert rotated.json["token"].startswith(f"mrg_{created['id']}_")
    assert rotated.json["token"] != created["token"]
    assert (old.page().status, with_token(admin, rotated.json["token"]).page().status) == (401, 200)
    assert rotated.json["token"].encode() not in send(admin, "GET", f"/{created['id']}").body


def test_the_history_has_a_rotation_and_the_database_check_accepts_it(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        admin = Project(server, project.id, project.name, project.key(Scope.KEYS_ADMIN)[1])
        key_id = send(admin, "POST", body={"name": "ci", "scopes": ["keys:admin"]}).json["id"]
        send(admin, "POST", f"/{key_id}/rotate", {"reason": "leaked"})

        columns = "action, reason, changes, api_key_id"
        rows = run_sql(server.database, f"SELECT {columns} FROM history WHERE subject_key_id = '{key_id}' ORDER BY rev")
        ((stored,),) = run_sql(server.database, f"SELECT token_sha256 FROM api_key WHERE id = '{key_id}'")
        checked = moorage("db", "check", "--database", server.database, folder=folder)

    action, reason, changes, author = rows[-1]
    assert (action, reason, author) == ("key_rotated", "leaked", admin.token.split("_")[1])
    assert json.loads(changes) == {"token_sha256": stored}
    assert checked.returncode == 0, checked.stdout


def test_a_key_rotates_itself_and_its_old_token_ends(admin: Project) -> None:
    key_id = admin.token.split("_")[1]

    rotated = send(admin, "POST", f"/{key_id}/rotate")

    assert rotated.status == 200
    assert send(admin, "GET").error["code"] == "invalid_api_key"
    assert send(with_token(admin, rotated.json["token"]), "GET", f"/{key_id}").json["status"] == "active"


def test_a_key_cannot_get_the_token_of_a_key_with_more_rights(admin: Project) -> None:
    stronger = admin.key(Scope.KEYS_ADMIN, Scope.WRITE)[0]
    _, limited = admin.key(Scope.KEYS_ADMIN, Scope.READ, expires_us=int((time.time() + 3_600) * 1e6))
    longer = admin.key(Scope.READ)[0]

    scope = send(admin, "POST", f"/{stronger}/rotate")
    expiry = send(with_token(admin, limited), "POST", f"/{longer}/rotate")

    assert (scope.status, scope.error["code"]) == (403, "insufficient_scope")
    assert "deployments:write" in scope.error["message"]
    assert (expiry.status, expiry.error["param"]) == (400, "api_key_id")
    assert "valid longer than your own key" in expiry.error["message"]


@pytest.mark.parametrize("status", ["revoked", "expired"])
def test_a_key_that_is_not_active_gets_no_new_token(admin: Project, status: str) -> None:
    key_id, _ = admin.key(Scope.READ, expires_us=int((time.time() + 1) * 1e6) if status == "expired" else None)
    if status == "revoked":
        send(admin, "DELETE", f"/{key_id}")
    until(lambda: send(admin, "GET", f"/{key_id}").json["status"] == status)

    rejected = send(admin, "POST", f"/{key_id}/rotate")

    assert (rejected.status, rejected.error["code"]) == (409, "api_key_not_active")
    assert f"is {status}" in rejected.error["message"]


def test_a_repeated_rotation_with_an_idempotency_key_has_no_token(admin: Project) -> None:
    key_id = admin.key(Scope.READ)[0]

    first, second = (send(admin, "POST", f"/{key_id}/rotate", Idempotency_Key="once") for _ in range(2))

    assert second.json == first.json | {"token": f"mrg_{key_id}_…"}
    assert second.headers["x-moorage-replayed"] == "true"
    assert with_token(admin, first.json["token"]).page().status == 200


def test_a_change_stream_of_a_rotated_key_ends(admin: Project) -> None:
    key_id, token = admin.key(Scope.INVOKE, Scope.READ)
    headers = {"Authorization": f"Bearer {token}"}
    admin.get_at("/v2/deployments", 0, headers)
    request = urllib.request.Request(f"{admin.server.url}/v2/deployments/changes", headers=headers)
    strong = with_token(admin, admin.key(Scope.KEYS_ADMIN, Scope.INVOKE, Scope.READ)[1])
    with urllib.request.urlopen(request, timeout=HANG_SECONDS) as stream:
        assert stream.readline() == b"retry: 1000\n"
        assert send(strong, "POST", f"/{key_id}/rotate").status == 200

        stream.read()  # ends, because the server ends the stream


def test_a_write_that_waits_while_its_key_is_rotated_is_rejected(folder: Path) -> None:
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as store:
        project = create_project(store, "p")
        key, _ = create_api_key(store, project.id, "k", frozenset({Scope.WRITE}))
        before = WriteContext(project.id, Actor(key.id), token_sha256=key.token_sha256)
        with store.write() as tx:
            assert authorize(tx, before) == key
            tx.discard()
        store.run(rotate_api_key, WriteContext(project.id), key.id)

        with store.write() as tx, pytest.raises(InvalidApiKey):
            authorize(tx, before)
