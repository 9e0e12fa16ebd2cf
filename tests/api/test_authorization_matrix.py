"""Every route with every kind of API key: only authorized requests succeed, and no response discloses another project.

The tests are generated from `OPERATIONS`, so they cover a new route. The tables below contain the path parameters and
bodies; the tests of a route with another parameter or body fail.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from urllib3.filepost import encode_multipart_formdata

from moorage.api.calls.openai_request import ChatBody, TextBody
from moorage.api.calls.responses_request import ResponsesBody
from moorage.api.endpoints.openai import PREFIXES
from moorage.api.endpoints.vendor_environments import PatchVendorEnvironment, PostVendorEnvironment
from moorage.api.operation import OPEN, Operation
from moorage.api.routes import OPERATIONS
from moorage.api.tasks.bodies import (
    EmbeddingsBody,
    ImagesBody,
    ModerationsBody,
    RerankBody,
    SpeechBody,
    TranscriptionForm,
)
from moorage.core.access import ApiKey, PatchApiKey, PostApiKey, Scope, hash_token, new_token
from moorage.core.compatibility.consumers import PostUsage
from moorage.core.deployments.cases import CaseBody
from moorage.core.deployments.deployment import PatchDeployment, PostDeployment, PutDeployment
from moorage.core.deployments.promotion import PostPromotion, PostProposal
from moorage.core.deployments.proposal import ProposalReason
from moorage.core.deployments.version import PostVersion, Reason
from moorage.core.environments import PutEnvironment
from moorage.core.integrations import PutIntegration
from moorage.core.resolution.config import GetConfigRequest
from moorage.core.resolution.explain import ExplainRequest, SimulateRequest
from moorage.core.resolution.tries import RenderRequest, TryRequest
from moorage.store.opening import open_store
from tests.support.connections import Pool
from tests.support.registry import revoke_api_key
from tests.support.server import Project, Response, Server, a_body

CLOSED = [operation for operation in OPERATIONS if operation.scopes is not OPEN]
NAMING = [operation for operation in CLOSED if "{" in operation.path]
READS = [operation for operation in CLOSED if operation.method == "GET"]

#: Calls need no provider.
MOCK = {"invoke_options": {"mock_response": "Hello"}}

#: A body that is sent as a form with a file.
FORM: dict[str, Any] = {"model": "quay-live", "file": ("greeting.wav", b"RIFF")}

BODIES: dict[type, dict[str, Any]] = {
    PostDeployment: {"key": "changed", **a_body(model="changed")},
    PutDeployment: a_body(model="changed"),
    PatchDeployment: {"description": "changed"},
    PostVersion: a_body(model="changed"),
    Reason: {"reason": "changed"},
    PostApiKey: {"name": "changed", "scopes": [Scope.KEYS_ADMIN]},
    PatchApiKey: {"name": "changed"},
    GetConfigRequest: {"key": "quay-live", **MOCK},
    ChatBody: {"model": "quay-live", **MOCK},
    TextBody: {"model": "quay-live", **MOCK},
    ResponsesBody: {"model": "quay-live", **MOCK},
    EmbeddingsBody: {"model": "quay-live", "input": "a"},
    ImagesBody: {"model": "quay-live", "prompt": "a"},
    SpeechBody: {"model": "quay-live", "input": "a"},
    TranscriptionForm: FORM,
    ModerationsBody: {"model": "quay-live", "input": "a"},
    RerankBody: {"model": "quay-live", "query": "a", "documents": ["a"]},
    ExplainRequest: {"context": {"plan": "pro"}},
    RenderRequest: {"context": {"plan": "pro"}},
    TryRequest: {"mock_response": "Hello"},
    CaseBody: {"inputs": {"name": "changed"}},
    SimulateRequest: {"contexts": [{"plan": "pro"}], "routing": []},
    PutIntegration: {"provider": "openailike", "base_url": "https://127.0.0.1.example/v1"},
    PostUsage: {"versions": [{"version_id": "01a2b3c4-0000-7000-8000-000000000000", "inputs": ["name"]}]},
    PutEnvironment: {"display_name": "changed"},
    PostVendorEnvironment: {"slug": "changed"},
    PatchVendorEnvironment: {"display_name": "changed"},
    PostPromotion: {"from": "production", "to": "quay-place", "deployments": [{"key": "quay-live"}]},
    PostProposal: {"environment": "quay-gates", "deployments": [{"key": "quay-live", "version": "1.0"}]},
    ProposalReason: {"reason": "changed"},
}


def encoded(body: object) -> tuple[bytes, dict[str, str]]:
    """Return a body as JSON or as a form, with the header that a form needs."""
    if body is not FORM:
        return json.dumps(body).encode(), {}
    data, content_type = encode_multipart_formdata(FORM)
    return data, {"Content-Type": content_type}


#: Required query parameters.
QUERIES = {
    "Diff": {"to": "1.0"}, "EnvironmentDiff": {"from": "production", "to": "production"}, "Summaries": {"ids": "a"},
}  # fmt: skip

#: The scopes that a request needs beyond those of its route: they depend on its body, or on who made the proposal.
FURTHER_SCOPES = {
    "Promote": frozenset({Scope.PUBLISH}),
    "Propose": frozenset({Scope.WRITE}),
    "WithdrawProposal": frozenset({Scope.ENVIRONMENTS_ADMIN}),
}

#: Routes whose success is a proposal, because an environment that shows the deployment requires approvals.
PROPOSING = {"Propose", "DeleteDeployment", "RestoreDeployment"}

#: The bodies of calls of models that are not for chats.
TASKS = {EmbeddingsBody, ImagesBody, SpeechBody, TranscriptionForm, ModerationsBody, RerankBody}

UNKNOWN_ID = "01a2b3c4-0000-7000-8000-000000000000"


class Names(NamedTuple):
    """Keys, ids and numbers of a project, each as long as its counterpart in `UNKNOWN`."""

    live: str
    live_id: str
    deleted: str
    deleted_id: str
    version_id: str
    deleted_version_id: str
    api_key_id: str
    integration: str
    integration_id: str
    environment: str
    environment_id: str
    proposal_id: str

    def path(self, operation: Operation) -> dict[str, str]:
        """Return path parameters with which a route succeeds."""
        return {
            "key_or_id": self.deleted if operation.name == "RestoreDeployment" else self.live,
            "version_or_id": self.deleted_version_id if operation.name == "RestoreVersion" else "1.0",
            "api_key_id": self.api_key_id,
            "case_name": "changed" if operation.method == "PUT" else "first",
            "name": self.environment if is_on_environments(operation) else self.integration,
            "environment_id": self.environment,
            "proposal_id": self.proposal_id,
        }

    def by_parameter(self, operation: Operation) -> dict[str, list[str]]:
        """Return all names by path parameter of a route."""
        environments = [self.environment] if operation.method == "PUT" else [self.environment, self.environment_id]
        return {
            "key_or_id": [self.live, self.live_id, self.deleted, self.deleted_id],
            "version_or_id": [self.version_id, self.deleted_version_id],
            "api_key_id": [self.api_key_id],
            "case_name": ["first"],  # that of one deployment, so the same everywhere
            "name": environments if is_on_environments(operation) else [self.integration, self.integration_id],
            "environment_id": environments,
            "proposal_id": [self.proposal_id],
        }


def is_on_environments(operation: Operation) -> bool:
    """Return whether the parameter `name` of a route is that of an environment."""
    return operation.path.startswith("/v2/environments/")


UNKNOWN = Names(
    "none-live", UNKNOWN_ID, "none-gone", UNKNOWN_ID, UNKNOWN_ID, UNKNOWN_ID, "000000000000", "none-link", UNKNOWN_ID,
    "none-place", "env_01A2B3C4D5E6F7G8H9J0K1M2N3", UNKNOWN_ID,
)  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool()


class Harness:
    """A project with an object for every route, and requests to it with any Authorization header."""

    def __init__(self, pool: Pool, project: Project, name: str = "quay") -> None:
        self.project = project
        self._pool = pool
        self.full = self.bearer(*Scope)
        live, deleted = f"{name}-live", f"{name}-gone"
        live_id, deleted_id = (project.put(key).json["id"] for key in (live, deleted))
        project.put(live, a_body(model="second"))
        self.request("POST", f"/v2/deployments/{live}/versions", self.full, a_body(model="third"))
        versions = self.request("GET", f"/v2/deployments/{live}/versions", self.full).json["data"]
        deleted_version_id, _, version_id = (version["_id"] for version in versions)
        for path in (deleted, f"{live}/versions/{deleted_version_id}"):
            assert self.request("DELETE", f"/v2/deployments/{path}", self.full).status == 200
        path = f"/v2/deployments/{live}/cases/first"
        assert self.request("PUT", path, self.full, BODIES[CaseBody]).status == 200
        self.entry_id: str = self.request("GET", f"/v2/deployments/{live}/history", self.full).json["data"][0]["id"]
        api_key_id = project.key(Scope.KEYS_ADMIN)[0]
        link = f"{name}-link"
        body = BODIES[PutIntegration] | {"base_url": f"https://{name}.example/v1"}
        link_id = self.request("PUT", f"/v2/integrations/{link}", self.full, body).json["id"]
        place, gates = f"{name}-place", f"{name}-gates"
        place_id = self.request("PUT", f"/v2/environments/{place}", self.full, {"protected": True}).json["id"]
        assert self.request("PUT", f"/v2/environments/{gates}", self.full, {"required_approvals": 1}).status == 201
        body = {"environment": gates, "deployments": [{"key": live, "version": version_id}]}
        proposal = self.request("POST", "/v2/proposals", self.bearer(Scope.READ, Scope.WRITE), body)
        assert proposal.status == 202, proposal.body
        self.names = Names(
            live, live_id, deleted, deleted_id, version_id, deleted_version_id, api_key_id, link, link_id, place,
            place_id, proposal.json["id"],
        )  # fmt: skip

    def bearer(self, *scopes: Scope) -> str:
        """Return the Authorization header of a new key with these scopes."""
        return f"Bearer {self.project.key(*scopes)[1]}"

    def request(self, method: str, path: str, authorization: str | None, body: object = None) -> Response:
        """Send a request, always with the same request id."""
        headers = {"X-Request-Id": "matrix"} | ({} if authorization is None else {"Authorization": authorization})
        data, further = (None, dict[str, str]()) if body is None else encoded(body)
        headers |= further
        url = self.project.server.url + path
        http_response = self._pool.request(method, url, body=data, headers=headers, preload_content=False)
        if http_response.headers.get("content-type") == "text/event-stream":
            http_response.close()  # the stream does not end; its status and headers are enough
        else:
            http_response.read(cache_content=True)
            http_response.release_conn()
        return Response(http_response)

    def send(self, operation: Operation, authorization: str | None, **changes: str) -> Response:
        """Send a request that succeeds; `changes` replace path parameters, and add query parameters."""
        body = None if operation.body is None else BODIES[operation.body]
        return self.request(operation.method, self.target(operation, **changes), authorization, body)

    def target(self, operation: Operation, **changes: str) -> str:
        """Return the path and query of such a request."""
        names = self.names.path(operation) | changes
        path = re.sub(r"{(\w+)}", lambda match: names[match[1]], operation.path)
        parameters = {name.split(":")[-1]: value for name, value in changes.items() if name in operation.parameters}
        query = QUERIES.get(operation.name, {})
        if operation.name == "Unpublish":  # production follows no other environment
            query = {"environment": self.names.environment}
        return f"{path}?{urlencode(query | parameters)}"

    def revision(self) -> str:
        """Return the current revision."""
        return self.project.page(limit=1).headers["x-moorage-revision"]

    def contents(self) -> list[bytes]:
        """Return the bodies of all reads of the project."""
        live, deleted = (f"/v2/deployments/{name}" for name in (self.names.live, self.names.deleted))
        of_live = [live, f"{live}/versions", f"{live}/history"]
        paths = ["/v2/deployments", *of_live, deleted, "/v2/manifests", "/v2/integrations", "/v2/api-keys"]
        paths = ["/v2/environments", "/v2/proposals", *paths]
        return [self.request("GET", path, self.full).body for path in paths]


@pytest.fixture(scope="module")
def harness(pool: Pool, server: Server) -> Harness:
    """Return a project for tests that change nothing."""
    return Harness(pool, server.new_project())


def expired_token(project: Project) -> str:
    """Return the token of an expired key, which only the store can create."""
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
def invalid_headers(harness: Harness) -> dict[str, str | None]:
    """Return Authorization headers without a valid key, by case."""
    token = harness.project.token
    return {
        "no header": None,
        "empty header": "",
        "no token": "Bearer ",
        "other scheme": f"Basic {token}",
        "no scheme": token,
        "malformed token": "Bearer nope",
        "very long token": "Bearer " + "x" * 7000,
        "SQL": "Bearer ' OR 1=1 --",
        "not ASCII": "Bearer caf\xe9",
        "unknown token": f"Bearer {new_token()[1]}",
        "mistyped token": f"Bearer {token[:-1]}{'0' if token[-1] != '0' else '1'}",
        "revoked key": f"Bearer {revoked_token(harness.project)}",
        "expired key": f"Bearer {expired_token(harness.project)}",
    }


CODES = {
    **dict.fromkeys(["no header", "empty header", "no token", "other scheme", "no scheme"], "authentication_required"),
    **dict.fromkeys(
        ["malformed token", "very long token", "SQL", "not ASCII", "unknown token", "mistyped token", "revoked key"],
        "invalid_api_key",
    ),
    "expired key": "expired_api_key",
}


def parameter_id(value: object) -> str:
    """Return the id of a parameter of a test."""
    return f"{value.method} {value.path}" if isinstance(value, Operation) else str(value)


@pytest.mark.parametrize("operation", CLOSED, ids=parameter_id)
def test_a_route_without_a_valid_key_is_401_and_changes_nothing(
    harness: Harness, invalid_headers: dict[str, str | None], operation: Operation
) -> None:
    before, found = harness.revision(), {}
    for case, authorization in invalid_headers.items():
        response = harness.send(operation, authorization)
        code = response.error["code"] if response.status >= 400 else None
        found[case] = (response.status, code, response.headers.get("www-authenticate"), harness.revision())

    assert found == {case: (401, code, "Bearer", before) for case, code in CODES.items()}


def test_reading_writing_publishing_and_key_management_have_separate_scopes() -> None:
    write, publish, invoke = (frozenset({scope}) for scope in (Scope.WRITE, Scope.PUBLISH, Scope.INVOKE))
    on_keys = [operation for operation in CLOSED if operation.path.startswith("/v2/api-keys")]
    on_integrations = [operation for operation in CLOSED if operation.path.startswith("/v2/integrations")]
    on_environments = [operation for operation in CLOSED if operation.path.startswith(("/v2/env", "/v3/env"))]
    others = [operation for operation in CLOSED if operation not in on_keys + on_integrations + on_environments]

    for operation in on_keys:  # the usage of a key names deployments
        also = {Scope.READ} if operation.name == "ApiKeyUsage" else set[Scope]()
        assert operation.scopes == frozenset({Scope.KEYS_ADMIN} | also), operation.name
    assert {operation.scopes for operation in on_integrations} == {frozenset({Scope.INTEGRATIONS_ADMIN})}
    for operation in on_environments:
        scope = Scope.READ if operation.method == "GET" else Scope.ENVIRONMENTS_ADMIN
        assert operation.scopes == frozenset({scope}), operation.name
    reads = {operation.path: operation.scopes for operation in others if operation.method == "GET"}
    assert {*reads.values()} == {frozenset({Scope.READ}), invoke}
    assert {path for path, scopes in reads.items() if scopes == invoke} == {
        "/v2/deployments/snapshot",
        "/v2/deployments/changes",
        *(f"{prefix}/models{rest}" for prefix in PREFIXES for rest in ("", "/{key_or_id}")),
    }
    assert {parameter_id(operation): operation.scopes for operation in others if operation.method != "GET"} == {
        "POST /v2/deployments/get_config": invoke,
        "POST /v2/deployments/invoke": invoke,
        "POST /v2/deployments/stream": invoke,
        **{
            f"POST {prefix}/{route}": invoke
            for prefix in PREFIXES
            for route in (
                "chat/completions",
                "completions",
                "responses",
                "embeddings",
                "images/generations",
                "audio/speech",
                "audio/transcriptions",
                "moderations",
                "rerank",
            )
        },
        "POST /v2/deployments/usage": invoke,
        "POST /v2/deployments/{key_or_id}/explain": frozenset({Scope.READ}),
        "POST /v2/deployments/{key_or_id}/simulate": frozenset({Scope.READ}),
        "POST /v2/deployments/{key_or_id}/versions/{version_or_id}/render": frozenset({Scope.READ}),
        "POST /v2/deployments/{key_or_id}/versions/{version_or_id}/try": invoke | {Scope.READ},
        "PUT /v2/deployments/{key_or_id}/cases/{case_name}": write,
        "DELETE /v2/deployments/{key_or_id}/cases/{case_name}": write,
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
        "POST /v2/deployments/{key_or_id}/unpublish": publish,
        "POST /v2/promotions": frozenset({Scope.READ}),  # and those of a move in the environment that it names
        "POST /v2/proposals": frozenset({Scope.READ}),  # and those of a move in the environment that it names
        "POST /v2/proposals/{proposal_id}/approve": frozenset({Scope.APPROVE}),
        "POST /v2/proposals/{proposal_id}/reject": frozenset({Scope.APPROVE}),
        "POST /v2/proposals/{proposal_id}/withdraw": frozenset({Scope.READ}),  # or ENVIRONMENTS_ADMIN, of another key
    }


@pytest.mark.parametrize("operation", READS, ids=parameter_id)
def test_a_head_requires_the_scopes_of_its_get(harness: Harness, operation: Operation) -> None:
    assert operation.scopes is not None
    head = Operation(**{name: getattr(operation, name) for name in operation.__struct_fields__} | {"method": "HEAD"})

    assert harness.send(head, None).status == 401
    assert harness.send(head, harness.bearer(*(set(Scope) - operation.scopes))).status == 403
    assert harness.send(head, harness.bearer(*operation.scopes)).status == 200


#: Headers that these requests do not cause.
OPTIONAL_HEADERS = {
    "x-moorage-breaking", "x-moorage-normalized", "x-moorage-owner", "x-moorage-previous-owner",
    "x-moorage-previous-version", "x-moorage-unreadable", "x-moorage-warnings", "x-moorage-dropped",
    "x-moorage-attempt-log", "x-moorage-warning", "x-moorage-cache", "age", "sunset", "deprecation", "link",
}  # fmt: skip


def insufficient_scopes(operation: Operation) -> Iterator[frozenset[Scope]]:
    """Yield each single scope that is not enough, and all scopes without one that is required."""
    assert operation.scopes is not None
    yield from (frozenset({held}) for held in Scope if not operation.scopes <= {held})
    yield from (frozenset(Scope) - {required} for required in sorted(operation.scopes))


@pytest.mark.parametrize("operation", CLOSED, ids=parameter_id)
def test_a_key_without_a_required_scope_is_403_and_changes_nothing(harness: Harness, operation: Operation) -> None:
    assert operation.scopes is not None
    cases = list(insufficient_scopes(operation))
    found: dict[frozenset[Scope], tuple[int, object, frozenset[Scope], bool]] = {}
    for held in cases:
        authorization = harness.bearer(*held)
        before = harness.revision()
        response = harness.send(operation, authorization)
        error: dict[str, Any] = response.error if response.status >= 400 else {"code": None, "message": ""}
        named = frozenset(scope for scope in held | operation.scopes if scope in error["message"])
        found[held] = (response.status, error["code"], named, harness.revision() == before)

    assert cases
    assert found == {held: (403, "insufficient_scope", held | operation.scopes, True) for held in cases}


@pytest.mark.parametrize("operation", [each for each in CLOSED if each.responses], ids=parameter_id)
def test_a_key_with_only_the_required_scopes_succeeds(pool: Pool, project: Project, operation: Operation) -> None:
    assert operation.scopes is not None
    harness = Harness(pool, project)

    scopes = operation.scopes | FURTHER_SCOPES.get(operation.name, frozenset())
    response = harness.send(operation, harness.bearer(*scopes))

    if operation.body in TASKS:  # the deployment is one for chats, which these routes do not call
        assert (response.status, response.error["code"]) == (400, "unsupported_model_type")
        return
    assert response.status in ((202,) if operation.name in PROPOSING else (200, 201)), response.body
    assert response.status in operation.responses
    sent = {name.lower() for name in response.headers if name.lower() == "etag" or name.lower().startswith("x-m")}
    documented = {name.lower() for name in operation.headers} | {"x-moorage-revision"}
    if operation.environment in ("view", "move", "call"):
        documented |= {"x-moorage-environment"}
    if response.status == 202:
        documented |= {"x-moorage-result"}
    assert documented - OPTIONAL_HEADERS <= sent <= documented


def comparable(response: Response, *names: str) -> tuple[int, dict[str, str], bytes]:
    """Return the response without the names in the request, and without new ids, dates and revisions."""
    body, headers = response.body, {name.lower(): value for name, value in response.headers.items()}
    for name in names:
        body = body.replace(name.encode(), b"NAME")
    if response.status == 201:
        body = re.sub(rb'"(id|created|updated|created_at|updated_at)":"[^"]+"', rb'"\1":"NEW"', body)
        headers |= {"etag": "NEW", "x-moorage-revision": "NEW"}
    # `date` differs by time, and `connection` by whether the body had arrived before the response.
    return response.status, {name: headers[name] for name in headers if name not in ("date", "connection")}, body


def foreign_and_unknown(
    operation: Operation, foreign: Names, own: Names
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield all combinations of path parameters with a name of another project, each with unknown names, too."""
    parameters = re.findall(r"{(\w+)}", operation.path)
    foreign_names, unknown_names = foreign.by_parameter(operation), UNKNOWN.by_parameter(operation)
    own_names = own.path(operation)
    pairs = [
        [*zip(foreign_names[name], unknown_names[name], strict=True), (own_names[name], own_names[name])]
        for name in parameters
    ]
    for chosen in product(*pairs):
        found, other = zip(*chosen, strict=True)
        if found != other:
            yield dict(zip(parameters, found, strict=True)), dict(zip(parameters, other, strict=True))


@pytest.mark.parametrize("operation", NAMING, ids=parameter_id)
def test_a_name_of_another_project_gets_the_response_of_an_unknown_name_and_changes_nothing(
    harness: Harness, pool: Pool, project: Project, operation: Operation
) -> None:
    own, before = Harness(pool, project, "pier"), harness.contents()

    for foreign, unknown in foreign_and_unknown(operation, harness.names, own.names):
        response = own.send(operation, own.full, **foreign)

        expected = own.send(operation, own.full, **unknown)
        assert comparable(response, *foreign.values()) == comparable(expected, *unknown.values()), foreign
        assert response.status in (400, 404) or operation.name in ("PutDeployment", "PutIntegration", "PutEnvironment")

    assert harness.contents() == before


@pytest.mark.parametrize("operation", NAMING, ids=parameter_id)
def test_a_name_of_the_own_project_gets_another_response(pool: Pool, project: Project, operation: Operation) -> None:
    """The positive control: the comparison distinguishes existing from unknown objects."""
    own = Harness(pool, project)
    names = own.names.path(operation)
    unknown = {name: UNKNOWN.by_parameter(operation)[name][0] for name in names}

    response = own.send(operation, own.full)

    other = own.send(operation, own.full, **unknown)
    assert comparable(response, *names.values()) != comparable(other, *unknown.values())


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [
        (operation, parameter)
        for operation in CLOSED
        if operation.method == "GET"
        for parameter in operation.parameters
        if parameter != "since"  # a revision, not an id
    ],
    ids=parameter_id,
)
def test_an_id_of_another_project_in_the_query_gets_the_response_of_an_unknown_id(
    harness: Harness, pool: Pool, project: Project, operation: Operation, parameter: str
) -> None:
    own, before = Harness(pool, project, "pier"), harness.contents()

    for foreign in (*harness.names, harness.entry_id):
        response = own.send(operation, own.full, **{parameter: foreign})
        expected = own.send(operation, own.full, **{parameter: (unknown := "0" * len(foreign))})
        assert comparable(response, foreign) == comparable(expected, unknown)

    assert harness.contents() == before


@pytest.mark.parametrize("operation", READS, ids=parameter_id)
def test_no_response_contains_data_of_another_project(
    harness: Harness, pool: Pool, project: Project, operation: Operation
) -> None:
    own = Harness(pool, project, "pier")

    response = own.send(operation, own.full)

    assert response.status == 200
    for name in (*harness.names, harness.entry_id, harness.project.id, harness.project.name):
        assert name not in f"{dict(response.headers)}{response.body.decode()}"
