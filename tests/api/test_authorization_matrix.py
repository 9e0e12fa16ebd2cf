"""Every route and every kind of key: who may, who may not, and that nobody is told of another project's things.

The tests are made from `OPERATIONS`: a new route is asked as the others are. What it needs in its path and as its body
stands in the tables below; a route with a parameter or a body that is not there fails.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import urllib3

from moorage.api.operation import OPEN, Operation
from moorage.api.routes import OPERATIONS
from moorage.core.access import ApiKey, PatchApiKey, PostApiKey, Scope, hash_token, new_token
from moorage.core.deployments.deployment import PatchDeployment, PostDeployment, PutDeployment
from moorage.core.deployments.version import PostVersion, Reason
from moorage.core.resolution.config import GetConfigRequest
from moorage.core.resolution.explain import ExplainRequest, SimulateRequest
from moorage.store.opening import open_store
from tests.support.registry import revoke_api_key
from tests.support.server import Answer, Project, Server, a_body

CLOSED = [operation for operation in OPERATIONS if operation.scopes is not OPEN]
NAMING = [operation for operation in CLOSED if "{" in operation.path]

BODIES: dict[type, dict[str, Any]] = {
    PostDeployment: {"key": "asked", **a_body(model="asked")},
    PutDeployment: a_body(model="asked"),
    PatchDeployment: {"description": "asked"},
    PostVersion: a_body(model="asked"),
    Reason: {"reason": "asked"},
    PostApiKey: {"name": "asked", "scopes": [Scope.KEYS_ADMIN]},
    PatchApiKey: {"name": "asked"},
    GetConfigRequest: {"key": "quay-live"},
    ExplainRequest: {"context": {"plan": "pro"}},
    SimulateRequest: {"contexts": [{"plan": "pro"}], "routing": []},
}

#: Query parameters without which a route has nothing to do.
QUERIES = {"Diff": {"to": "1.0"}}

NEVER_ID = "01a2b3c4-0000-7000-8000-000000000000"


class Names(NamedTuple):
    """What a project has: keys, ids and numbers, each as long as its counterpart in `NEVER`."""

    here: str
    here_id: str
    gone: str
    gone_id: str
    version_id: str
    gone_version_id: str
    api_key_id: str

    def path(self, operation: Operation) -> dict[str, str]:
        """What the parameters of a path are, for a route that has something to do."""
        return {
            "key_or_id": self.gone if operation.name == "RestoreDeployment" else self.here,
            "version_or_id": self.gone_version_id if operation.name == "RestoreVersion" else "1.0",
            "api_key_id": self.api_key_id,
        }

    def by_parameter(self) -> dict[str, list[str]]:
        """All names by the parameter that they can stand for."""
        return {
            "key_or_id": [self.here, self.here_id, self.gone, self.gone_id],
            "version_or_id": [self.version_id, self.gone_version_id],
            "api_key_id": [self.api_key_id],
        }


NEVER = Names("none-live", NEVER_ID, "none-gone", NEVER_ID, NEVER_ID, NEVER_ID, "000000000000")


@pytest.fixture(scope="module")
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=30.0) as opened:
        yield opened


class Asked:
    """A project that has something for every route, and what asks it with any header."""

    def __init__(self, pool: urllib3.PoolManager, project: Project, name: str = "quay") -> None:
        self.project = project
        self._pool = pool
        self.full = self.bearer(*Scope)
        here, gone = f"{name}-live", f"{name}-gone"
        here_id, gone_id = (project.put(key).json["id"] for key in (here, gone))
        project.put(here, a_body(model="second"))
        self.ask("POST", f"/v2/deployments/{here}/versions", self.full, a_body(model="third"))
        versions = self.ask("GET", f"/v2/deployments/{here}/versions", self.full).json["data"]
        gone_version_id, _, version_id = (version["_id"] for version in versions)
        for path in (gone, f"{here}/versions/{gone_version_id}"):
            assert self.ask("DELETE", f"/v2/deployments/{path}", self.full).status == 200
        self.entry_id: str = self.ask("GET", f"/v2/deployments/{here}/history", self.full).json["data"][0]["id"]
        api_key_id = project.key(Scope.READ)[0]
        self.names = Names(here, here_id, gone, gone_id, version_id, gone_version_id, api_key_id)

    def bearer(self, *scopes: Scope) -> str:
        """The header of a new key with these scopes."""
        return f"Bearer {self.project.key(*scopes)[1]}"

    def ask(self, method: str, path: str, authorization: str | None, body: object = None) -> Answer:
        """One request, always of the same id."""
        headers = {"X-Request-Id": "matrix"} | ({} if authorization is None else {"Authorization": authorization})
        data = None if body is None else json.dumps(body).encode()
        url = self.project.server.url + path
        response = self._pool.request(method, url, body=data, headers=headers, preload_content=False)
        if response.headers.get("content-type") == "text/event-stream":
            response.close()  # it has no end; its head is the answer
        else:
            response.read(cache_content=True)
            response.release_conn()
        return Answer(response)

    def send(self, operation: Operation, authorization: str | None, **changes: str) -> Answer:
        """Ask a route about what there is; `changes` are names in its path and parameters in its query."""
        names = self.names.path(operation) | changes
        path = re.sub(r"{(\w+)}", lambda match: names[match[1]], operation.path)
        parameters = {name: value for name, value in changes.items() if name in operation.parameters}
        query = urlencode(QUERIES.get(operation.name, {}) | parameters)
        body = None if operation.body is None else BODIES[operation.body]
        return self.ask(operation.method, f"{path}?{query}", authorization, body)

    def revision(self) -> str:
        """The count of all writes."""
        return self.project.page(limit=1).headers["x-moorage-revision"]

    def everything(self) -> list[bytes]:
        """All that the project's owner can see."""
        here, gone = (f"/v2/deployments/{name}" for name in (self.names.here, self.names.gone))
        paths = ["/v2/deployments", here, f"{here}/versions", f"{here}/history", gone, "/v2/manifests", "/v2/api-keys"]
        return [self.ask("GET", path, self.full).body for path in paths]


@pytest.fixture(scope="module")
def asked(pool: urllib3.PoolManager, server: Server) -> Asked:
    """A project for tests that change nothing."""
    return Asked(pool, server.new_project())


def expired_token(project: Project) -> str:
    """The token of a key that has expired: no one can make such a key, so its row is written as it would be later."""
    key_id, token = new_token()
    with closing(open_store(project.server.database)) as store, store.write() as write:
        created_us, expires_us = write.now_us - 2, write.now_us - 1
        write.insert_api_key(
            ApiKey(key_id, project.id, "expired", frozenset(Scope), hash_token(token), created_us, expires_us)
        )
    return token


def revoked_token(project: Project) -> str:
    key_id, token = project.key(*Scope)
    with closing(open_store(project.server.database)) as store:
        revoke_api_key(store, key_id)
    return token


@pytest.fixture(scope="module")
def no_keys(asked: Asked) -> dict[str, str | None]:
    """Headers that are no good key, by what is wrong with them."""
    token = asked.project.token
    return {
        "no header": None,
        "nothing": "",
        "no token": "Bearer ",
        "another scheme": f"Basic {token}",
        "no scheme": token,
        "another thing": "Bearer nope",
        "a very long one": "Bearer " + "x" * 7000,
        "SQL": "Bearer ' OR 1=1 --",
        "not ASCII": "Bearer caf\xe9",
        "invented": f"Bearer {new_token()[1]}",
        "mistyped": f"Bearer {token[:-1]}{'0' if token[-1] != '0' else '1'}",
        "revoked": f"Bearer {revoked_token(asked.project)}",
        "expired": f"Bearer {expired_token(asked.project)}",
    }


REFUSALS = {
    **dict.fromkeys(["no header", "nothing", "no token", "another scheme", "no scheme"], "authentication_required"),
    **dict.fromkeys(
        ["another thing", "a very long one", "SQL", "not ASCII", "invented", "mistyped", "revoked"], "invalid_api_key"
    ),
    "expired": "expired_api_key",
}


def called(value: object) -> str:
    """How a parametrized test names what it is about."""
    if isinstance(value, Operation):
        return f"{value.method} {value.path}"
    return "+".join(sorted(value)) if isinstance(value, frozenset) else str(value)


@pytest.mark.parametrize("operation", CLOSED, ids=called)
@pytest.mark.parametrize("wrong", REFUSALS)
def test_without_a_good_key_every_closed_route_answers_401_and_changes_nothing(
    asked: Asked, no_keys: dict[str, str | None], operation: Operation, wrong: str
) -> None:
    before = asked.revision()

    answer = asked.send(operation, no_keys[wrong])

    assert answer.status == 401
    assert answer.error["code"] == REFUSALS[wrong]
    assert answer.headers["www-authenticate"] == "Bearer"
    assert asked.revision() == before


def test_to_read_to_write_to_publish_and_to_make_keys_are_scopes_of_their_own() -> None:
    write, publish, invoke = (frozenset({scope}) for scope in (Scope.WRITE, Scope.PUBLISH, Scope.INVOKE))
    on_keys = [operation for operation in CLOSED if operation.path.startswith("/v2/api-keys")]
    others = [operation for operation in CLOSED if operation not in on_keys]

    assert {operation.scopes for operation in on_keys} == {frozenset({Scope.KEYS_ADMIN})}
    reads = {operation.path: operation.scopes for operation in others if operation.method == "GET"}
    assert {*reads.values()} == {frozenset({Scope.READ}), invoke}
    assert {path for path, scopes in reads.items() if scopes == invoke} == {
        "/v2/deployments/snapshot",
        "/v2/deployments/changes",
    }
    assert {called(operation): operation.scopes for operation in others if operation.method != "GET"} == {
        "POST /v2/deployments/get_config": invoke,
        "POST /v2/deployments/{key_or_id}/explain": frozenset({Scope.READ}),
        "POST /v2/deployments/{key_or_id}/simulate": frozenset({Scope.READ}),
        "POST /v2/deployments": write | publish,
        "PUT /v2/deployments/{key_or_id}": write | publish,
        "PATCH /v2/deployments/{key_or_id}": write,
        "DELETE /v2/deployments/{key_or_id}": publish,
        "POST /v2/deployments/{key_or_id}/restore": publish,
        "POST /v2/deployments/{key_or_id}/versions": write,
        "DELETE /v2/deployments/{key_or_id}/versions/{version_or_id}": publish,
        "POST /v2/deployments/{key_or_id}/versions/{version_or_id}/restore": publish,
        "POST /v2/deployments/{key_or_id}/versions/{version_or_id}/publish": publish,
        "POST /v2/deployments/{key_or_id}/undo": publish,
    }


@pytest.mark.parametrize("operation", [each for each in CLOSED if each.method == "GET"], ids=called)
def test_a_head_needs_what_its_get_needs(asked: Asked, operation: Operation) -> None:
    assert operation.scopes is not None
    head = Operation(**{name: getattr(operation, name) for name in operation.__struct_fields__} | {"method": "HEAD"})

    assert asked.send(head, None).status == 401
    assert asked.send(head, asked.bearer(*(set(Scope) - operation.scopes))).status == 403
    assert asked.send(head, asked.bearer(*operation.scopes)).status == 200


#: Headers that tell of what does not happen here.
ONLY_SOMETIMES = {
    "x-moorage-breaking", "x-moorage-normalized", "x-moorage-owner", "x-moorage-previous-owner"
}  # fmt: skip


def too_few(operation: Operation) -> Iterator[frozenset[Scope]]:
    """Each single scope that is not enough, and all scopes but one that is needed."""
    assert operation.scopes is not None
    yield from (frozenset({held}) for held in Scope if not operation.scopes <= {held})
    yield from (frozenset(Scope) - {needed} for needed in sorted(operation.scopes))


@pytest.mark.parametrize(
    ("operation", "held"), [(operation, held) for operation in CLOSED for held in too_few(operation)], ids=called
)
def test_a_key_that_lacks_a_scope_of_the_row_is_told_which_and_changes_nothing(
    asked: Asked, operation: Operation, held: frozenset[Scope]
) -> None:
    assert operation.scopes is not None
    authorization = asked.bearer(*held)
    before = asked.revision()

    answer = asked.send(operation, authorization)

    assert answer.status == 403
    assert answer.error["code"] == "insufficient_scope"
    assert all(scope in answer.error["message"] for scope in held | operation.scopes)
    assert asked.revision() == before


@pytest.mark.parametrize("operation", CLOSED, ids=called)
def test_a_key_with_the_scopes_of_the_row_and_no_other_is_answered(
    pool: urllib3.PoolManager, project: Project, operation: Operation
) -> None:
    assert operation.scopes is not None
    asked = Asked(pool, project)

    answer = asked.send(operation, asked.bearer(*operation.scopes))

    assert answer.status in (200, 201), answer.body
    assert answer.status in operation.answers
    sent = {name.lower() for name in answer.headers if name.lower() == "etag" or name.lower().startswith("x-m")}
    told = {name.lower() for name in operation.headers} | {"x-moorage-revision"}
    assert told - ONLY_SOMETIMES <= sent <= told


def seen(answer: Answer, *names: str) -> tuple[int, dict[str, str], bytes]:
    """What is told: all but the names that were asked for, and what is new in anything that was made."""
    body, headers = answer.body, {name.lower(): value for name, value in answer.headers.items()}
    for name in names:
        body = body.replace(name.encode(), b"NAME")
    if answer.status == 201:
        body = re.sub(rb'"(id|created|updated)":"[^"]+"', rb'"\1":"NEW"', body)
        headers |= {"etag": "NEW", "x-moorage-revision": "NEW"}
    # `date` is the second, and `connection` whether the body had arrived before the answer was known.
    return answer.status, {name: headers[name] for name in headers if name not in ("date", "connection")}, body


def theirs_and_never(
    operation: Operation, theirs: Names, own: Names
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Every way to have a name of theirs in the path, and the same way with one that never was."""
    parameters = re.findall(r"{(\w+)}", operation.path)
    named, never, mine = theirs.by_parameter(), NEVER.by_parameter(), own.path(operation)
    pairs = [[*zip(named[each], never[each], strict=True), (mine[each], mine[each])] for each in parameters]
    for chosen in product(*pairs):
        one, other = zip(*chosen, strict=True)
        if one != other:
            yield dict(zip(parameters, one, strict=True)), dict(zip(parameters, other, strict=True))


@pytest.mark.parametrize("operation", NAMING, ids=called)
def test_another_projects_thing_is_answered_as_one_that_never_was_and_stays_as_it_is(
    asked: Asked, pool: urllib3.PoolManager, project: Project, operation: Operation
) -> None:
    own, before = Asked(pool, project, "pier"), asked.everything()

    for theirs, never in theirs_and_never(operation, asked.names, own.names):
        answer = own.send(operation, own.full, **theirs)

        nothing = own.send(operation, own.full, **never)
        assert seen(answer, *theirs.values()) == seen(nothing, *never.values()), theirs
        assert answer.status in (400, 404) or operation.name == "PutDeployment"

    assert asked.everything() == before


@pytest.mark.parametrize("operation", NAMING, ids=called)
def test_ones_own_thing_is_answered_otherwise(
    pool: urllib3.PoolManager, project: Project, operation: Operation
) -> None:
    """The positive control: what is compared differs between a thing that is there and one that never was."""
    own = Asked(pool, project)
    names = own.names.path(operation)
    never = {name: NEVER.by_parameter()[name][0] for name in names}

    answer = own.send(operation, own.full)

    assert seen(answer, *names.values()) != seen(own.send(operation, own.full, **never), *never.values())


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [
        (operation, parameter)
        for operation in CLOSED
        if operation.method == "GET"
        for parameter in operation.parameters
        if parameter != "since"  # a number that names nothing
    ],
    ids=called,
)
def test_another_projects_id_in_the_query_is_answered_as_one_that_never_was(
    asked: Asked, pool: urllib3.PoolManager, project: Project, operation: Operation, parameter: str
) -> None:
    own, before = Asked(pool, project, "pier"), asked.everything()

    for theirs in (*asked.names, asked.entry_id):
        answer = own.send(operation, own.full, **{parameter: theirs})
        nothing = own.send(operation, own.full, **{parameter: (never := "0" * len(theirs))})
        assert seen(answer, theirs) == seen(nothing, never)

    assert asked.everything() == before


@pytest.mark.parametrize("operation", [each for each in CLOSED if each.method == "GET"], ids=called)
def test_nothing_of_another_project_is_in_what_is_shown(
    asked: Asked, pool: urllib3.PoolManager, project: Project, operation: Operation
) -> None:
    own = Asked(pool, project, "pier")

    answer = own.send(operation, own.full)

    assert answer.status == 200
    for name in (*asked.names, asked.entry_id, asked.project.id, asked.project.name):
        assert name not in f"{dict(answer.headers)}{answer.body.decode()}"
