"""Environments that require approvals: no route changes what their callers get without them.

The tests are generated from `OPERATIONS`: they run each write in two projects, with and without approvals.
"""

import json
from typing import Any

import pytest
from msgspec.structs import fields

from moorage.api.operation import Operation
from moorage.core.access import Scope
from moorage.core.deployments.version import Reason
from tests.api.test_authorization_matrix import BODIES, CLOSED, Harness, parameter_id, pool
from tests.support.connections import Pool
from tests.support.server import Project, Response
from tests.support.team import refusal

__all__ = ["pool"]

pytestmark = pytest.mark.system

WRITES = [
    operation for operation in CLOSED if operation.method != "GET" and not operation.is_call and operation.responses
]

#: The changes of a body with which a write changes what callers get.
CHANGES: dict[str, dict[str, Any]] = {"SaveVersion": {"status": "published"}}

#: The writes that change what callers get. A new one must pass the gate, and be in this list.
MOVING = {
    "CreateDeployment", "PutDeployment", "DeleteDeployment", "RestoreDeployment", "SaveVersion", "PublishVersion",
    "Undo", "Unpublish", "Promote",
}  # fmt: skip

#: Decisions about a proposal, and the deletion of an environment by its administrators, are not proposed.
NOT_PROPOSED = {"ApproveProposal", "DeleteEnvironment", "DeleteVendorEnvironment"}


def has_reason(operation: Operation) -> bool:
    """Return whether the body of a route has the reason."""
    return operation.body is not None and any(each.name == "reason" for each in fields(operation.body))


class Gated(Harness):
    """A project with an object for every route, and with another live version in `quay-place`."""

    def __init__(self, pool: Pool, project: Project, required_approvals: int) -> None:
        super().__init__(pool, project)
        self.environments = ("production", "quay-place", "quay-gates")
        live = f"/v2/deployments/{self.names.live}"
        path = f"{live}/versions/1.0/publish?environment=quay-place"
        assert self.request("POST", path, self.full).status == 200
        for name in self.environments:
            body = {"required_approvals": required_approvals, "approve_undo": True}
            assert self.request("PUT", f"/v2/environments/{name}", self.full, body).status == 200

    def write(
        self, operation: Operation, authorization: str | None = None, query: str = "", reason: str | None = None
    ) -> Response:
        """Send a write that changes what callers get, if the operation can."""
        body = None
        if operation.body is not None:
            body = BODIES[operation.body] | CHANGES.get(operation.name, {})
            body = {name: value for name, value in body.items() if name != "reason"}
            body |= {"reason": reason} if reason is not None and has_reason(operation) else {}
        target = self.target(operation)
        if operation.name == "PublishVersion":
            target = target.replace("/versions/1.0/", f"/versions/{self.names.version_id}/")
        target += "&force=true" * ("force" in operation.parameters)  # which is no way around approvals
        target += f"&{query}" * bool(query)
        return self.request(operation.method, target, authorization or self.full, body)

    def served(self) -> dict[str, Any]:
        """Return what callers get in each environment."""
        found: dict[str, Any] = {}
        for name in self.environments:
            query = f"?environment={name}"
            for key in (self.names.live, self.names.deleted, "changed"):
                response = self.request("POST", f"/v2/deployments/get_config{query}", self.full, {"key": key})
                found[f"{name}/{key}"] = response.status, response.headers.get("etag")
            snapshot = self.request("GET", f"/v2/deployments/snapshot{query}", self.full).json
            found[name] = snapshot["deployments"]
            page = self.request("GET", f"/v2/deployments{query}", self.full).json["data"]
            found[f"{name}: list"] = [(item["key"], item["version"], item["prompt_config"]) for item in page]
        return found

    def proposals(self) -> list[dict[str, Any]]:
        """Return the open proposals of the test."""
        found: list[dict[str, Any]] = self.request("GET", "/v2/proposals?status=open", self.full).json["data"]
        return [each for each in found if each["id"] != self.names.proposal_id]


@pytest.mark.parametrize("operation", WRITES, ids=parameter_id)
def test_a_write_that_changes_what_callers_get_is_proposed_where_approvals_are_required(
    pool: Pool, project: Project, operation: Operation
) -> None:
    free, gated = Gated(pool, project, 0), Gated(pool, project.server.new_project(), 1)
    if operation.name in NOT_PROPOSED:  # without calls before: an environment in use is not deleted
        assert (free.write(operation).status, gated.write(operation).status) == (200, 200)
        return
    before = free.served(), gated.served()

    done, proposed = free.write(operation), gated.write(operation)

    after = free.served(), gated.served()
    assert after[1] == before[1], "nothing that is served has changed"
    assert (after[0] != before[0]) == (operation.name in MOVING), done.body
    if operation.name in MOVING:
        assert done.status in (200, 201), done.body
        assert (proposed.status, proposed.json["status"]) == (202, "open"), proposed.body
        assert proposed.headers["location"] == f"/v2/proposals/{proposed.json['id']}"
        assert [each["id"] for each in gated.proposals()] == [proposed.json["id"]]
        assert gated.write(operation).status in (202, 409)  # the same one, or the key is taken by it
    else:
        assert operation.name == "Propose" or proposed.status != 202


@pytest.mark.parametrize("operation", [each for each in WRITES if each.name in MOVING], ids=parameter_id)
def test_the_approval_makes_the_change_that_the_write_would_have_made(
    pool: Pool, project: Project, operation: Operation
) -> None:
    free, gated = Gated(pool, project, 0), Gated(pool, project.server.new_project(), 1)
    assert free.write(operation).status in (200, 201)
    proposal = gated.write(operation).json["id"]

    approved = gated.request("POST", f"/v2/proposals/{proposal}/approve", gated.bearer(Scope.APPROVE))

    assert (approved.status, approved.json["status"]) == (200, "published"), approved.body

    def comparable(served: dict[str, Any]) -> Any:
        return {name: value for name, value in served.items() if name.endswith("list") or "/" in name}

    assert comparable(gated.served()) == comparable(free.served())


EMERGENCIES = [each for each in WRITES if "emergency" in each.parameters]


def test_all_writes_that_are_proposed_have_an_emergency() -> None:
    assert {each.name for each in EMERGENCIES} == MOVING
    assert {each.name for each in WRITES if 202 in each.responses} == MOVING | {"Propose"}


@pytest.mark.parametrize("operation", EMERGENCIES, ids=parameter_id)
def test_an_emergency_needs_its_scope_and_a_reason_and_is_in_the_history(
    pool: Pool, project: Project, operation: Operation
) -> None:
    gated = Gated(pool, project, 1)
    before = gated.served()
    without = gated.bearer(*(set(Scope) - {Scope.EMERGENCY}))

    refused = gated.write(operation, without, "emergency=true", "fire")
    assert refusal(refused) == (403, "insufficient_scope")
    no_reason = gated.write(operation, None, "emergency=true")
    assert refusal(no_reason) == (400, "reason_missing")
    blank = gated.write(operation, None, "emergency=true", "  ") if operation.body is Reason else no_reason
    assert refusal(blank) == (400, "reason_missing")
    assert gated.write(operation, None, "emergency=maybe", "fire").status == 400
    assert gated.served() == before
    assert gated.proposals() == []

    if has_reason(operation):
        done = gated.write(operation, None, "emergency=true", "fire")
    else:
        done = emergency_with_header(gated, operation)

    assert done.status in (200, 201), done.body
    assert gated.served() != before
    assert gated.proposals() == []
    key = done.json.get("key") if operation.name == "CreateDeployment" else None
    name = key or (gated.names.deleted if operation.name == "RestoreDeployment" else gated.names.live)
    entry = last_move(gated, name)
    assert (entry["emergency"], entry["reason"]) == (True, "fire")


def last_move(harness: Harness, name: str) -> dict[str, Any]:
    """Return the newest entry of the history that is not about a proposal."""
    entries = harness.request("GET", f"/v2/deployments/{name}/history", harness.full).json["data"]
    found: dict[str, Any] = next(each for each in entries if each["action"] not in ("stale", "proposed"))
    return found


def emergency_with_header(gated: Gated, operation: Operation) -> Response:
    """Send an emergency whose reason is in the header."""
    body = b"" if operation.body is None else json.dumps(BODIES[operation.body]).encode()
    headers = {"Authorization": gated.full, "X-Moorage-Change-Reason": "fire"}
    force = "&force=true" * ("force" in operation.parameters)
    return gated.project.request(operation.method, f"{gated.target(operation)}&emergency=true{force}", body, headers)


@pytest.mark.parametrize("operation", EMERGENCIES, ids=parameter_id)
def test_an_emergency_where_no_approval_is_required_is_not_one(
    pool: Pool, project: Project, operation: Operation
) -> None:
    free = Gated(pool, project, 0)

    done = free.write(operation, None, "emergency=true")

    assert done.status in (200, 201), done.body
    name = "changed" if operation.name == "CreateDeployment" else free.names.live
    name = free.names.deleted if operation.name == "RestoreDeployment" else name
    assert "emergency" not in last_move(free, name)
