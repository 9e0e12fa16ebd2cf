"""Authentication: tokens, revocation and expiry. The authorization matrix tests the scopes of each route."""

import time

from moorage.api.operation import OPEN
from moorage.api.routes import OPERATIONS
from moorage.core.access import Scope, find_key_id, new_token
from moorage.store.opening import open_store
from tests.support.registry import revoke_api_key
from tests.support.server import Project, Response, Server


def test_unknown_mistyped_and_revoked_tokens_get_the_same_response(project: Project, server: Server) -> None:
    key_id, revoked = project.key(Scope.READ)
    store = open_store(server.database)
    revoke_api_key(store, key_id)
    store.close()
    mistyped = project.token[:-1] + ("0" if project.token[-1] != "0" else "1")

    bodies = {
        project.request(
            "GET", "/v2/deployments", headers={"Authorization": f"Bearer {token}", "X-Request-Id": "r"}
        ).body
        for token in (new_token()[1], mistyped, revoked, "mrg_", "x")
    }

    assert len(bodies) == 1


def test_the_scheme_is_case_insensitive(project: Project) -> None:
    assert project.request("GET", "/v2/deployments", headers={"Authorization": f"bearer {project.token}"}).status == 200


def test_a_revoked_key_is_rejected_immediately(project: Project, server: Server) -> None:
    key_id, token = project.key(Scope.READ)
    headers = {"Authorization": f"Bearer {token}"}
    before = project.request("GET", "/v2/deployments", headers=headers)
    store = open_store(server.database)

    revoke_api_key(store, key_id)
    after = project.request("GET", "/v2/deployments", headers=headers)
    store.close()

    assert before.status == 200
    assert after.status == 401


def test_an_expired_key_is_rejected_even_if_its_response_is_cached(project: Project) -> None:
    def response() -> Response:
        return project.request("GET", "/v2/deployments", headers={"Authorization": f"Bearer {token}"})

    seconds = 2
    while True:
        expires_us = time.time_ns() // 1000 + seconds * 1_000_000
        _, token = project.key(Scope.READ, expires_us=expires_us)
        if response().status == 200:
            break
        seconds *= 2  # on a busy machine, a request can take longer than the key is valid
    while time.time_ns() // 1000 < expires_us:
        response()
    expired = response()

    assert expired.status == 401
    assert expired.error["code"] == "expired_api_key"


def test_a_cached_response_is_sent_only_to_its_own_key(project: Project, server: Server) -> None:
    project.put("mine")
    project.page()
    project.page()

    assert server.new_project().page().json["data"] == []
    assert project.request("GET", "/v2/deployments", headers={"Authorization": "Bearer x"}).status == 401


def test_only_the_open_routes_need_no_key() -> None:
    opened = {operation.path for operation in OPERATIONS if operation.scopes is OPEN}

    assert opened == {"/", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"}


def test_a_token_has_a_checksum_and_a_public_id() -> None:
    key_id, token = new_token()

    assert find_key_id(token) == key_id
    for place in range(4, len(token)):
        other = "0" if token[place] != "0" else "1"
        assert find_key_id(token[:place] + other + token[place + 1 :]) is None
