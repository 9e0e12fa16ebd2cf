"""Approvals on two nodes at the same time as another change: either order, never both, and nothing is published twice.

On SQLite, two workers of one server take the place of the nodes.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import DEFAULT_SCOPES, Scope
from tests.support.server import Project, Response, a_body
from tests.support.threads import Background
from tests.system.processes.releases import (
    admin_of,
    approve,
    findings,
    history,
    post,
    propose,
    put_environment,
    two_servers,
    with_key,
)

#: The times that each race is repeated, so that both orders occur.
ROUNDS = 10
APPROVERS = 20


class Team:
    """An administrator, who writes all versions, and keys that approve, alternately on the first and second server."""

    def __init__(self, projects: list[Project]) -> None:
        self.admins = [admin_of(project) for project in projects]
        scopes = (*DEFAULT_SCOPES, Scope.APPROVE)
        keys = [with_key(projects[number % 2], f"approver-{number}", *scopes) for number in range(APPROVERS)]
        self.approvers = [client for _, client in keys]
        revision = put_environment(self.admin, "strict").headers["x-moorage-revision"]
        self.admins[1].get_at("/v2/environments/strict", revision)

    @property
    def admin(self) -> Project:
        return self.admins[0]

    def new_deployment(self, key: str) -> str:
        """Create a deployment with live versions 1.0 and then 1.1, and the draft 1.2; return its ETag in `strict`."""
        self.admin.put(key, a_body(model="first"))
        self.admin.put(key, a_body(model="second"))
        draft = {name: value for name, value in a_body(model="third").items() if name != "description"}
        assert post(self.admin, f"/v2/deployments/{key}/versions", draft).status == 201
        return self.admin.get(f"{key}?environment=strict").headers["etag"]

    def proposal(self, proposal_id: str) -> Any:
        return self.admin.request("GET", f"/v2/proposals/{proposal_id}").json


@pytest.fixture(scope="module")
def team(new_database: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Return the team of a project; production and `strict` require approvals in some of the tests."""
    folder = tmp_path_factory.mktemp("team")
    with two_servers(folder, new_database(folder)) as projects:
        yield Team(projects)


def at_once(*requests: Callable[[], Response]) -> list[Response]:
    """Send requests at the same time, each in a thread; return their responses."""
    barrier = threading.Barrier(len(requests))

    def send(request: Callable[[], Response]) -> Response:
        barrier.wait()
        return request()

    return [sender.result() for sender in [Background(partial(send, request)) for request in requests]]


def moves(team: Team, key: str, environment: str) -> list[tuple[str, str | None, str | None]]:
    """Return the moves of a deployment in an environment: who asked for each, and the versions before and after."""
    return [
        (entry.get("proposal_id", "direct"), entry["from_version"], entry["to_version"])
        for entry in history(team.admin, key)
        if entry.get("environment") == environment and entry["action"] in ("published", "undone", "unpublished")
    ]  # fmt: skip


def test_concurrent_approvals_publish_a_proposal_once(team: Team) -> None:
    put_environment(team.admin, "strict", required_approvals=3)
    for number in range(5):
        names = [f"once-{number}-{index}" for index in range(3)]
        for key in names:
            team.new_deployment(key)
        proposal_id = propose(team.admin, "strict", dict.fromkeys(names, "1.2"))

        responses = at_once(*(partial(approve, approver, proposal_id) for approver in team.approvers))

        assert Counter(response.status for response in responses) == {200: 3, 409: APPROVERS - 3}
        assert {response.error["code"] for response in responses if response.status == 409} == {"proposal_closed"}
        published = [response.json for response in responses if response.json.get("status") == "published"]
        assert len(published) == 1, "the last approval"
        proposal = team.proposal(proposal_id)
        assert proposal["closed"] == published[0]["closed"]
        assert len(proposal["approvals"]) == 3
        for key in names:
            assert moves(team, key, "strict") == [(proposal_id, None, "1.2")]
            actions = [entry["action"] for entry in history(team.admin, key)]
            assert actions[-5:] == ["proposed", "approved", "approved", "approved", "published"]
            for admin in team.admins:
                read = admin.get_at(f"/v2/deployments/{key}?environment=strict", proposal["closed"]["revision"])
                assert read.json["version"] == "1.2"
    assert findings(team.admin) == ""


def test_an_approval_that_is_repeated_at_the_same_time_counts_once(team: Team) -> None:
    put_environment(team.admin, "strict", required_approvals=2)
    team.new_deployment("repeated")
    proposal_id = propose(team.admin, "strict", {"repeated": "1.2"})
    token = team.approvers[0].token
    same = [Project(admin.server, admin.id, admin.name, token) for admin in team.admins for _ in range(5)]

    responses = at_once(*(partial(approve, client, proposal_id) for client in same))

    assert {response.status for response in responses} == {200}
    proposal = team.proposal(proposal_id)
    assert (proposal["status"], len(proposal["approvals"])) == ("open", 1)
    assert findings(team.admin) == ""


#: Changes of a deployment that an approval was made against. Each is sent with the ETag that its client has seen.
CHANGES: dict[str, tuple[str, str]] = {
    "publish": ("POST", "/v2/deployments/{key}/versions/1.0/publish?environment=strict&emergency=true"),
    "publish in production, which it follows": ("POST", "/v2/deployments/{key}/versions/1.0/publish"),
    "undo in production, which it follows": ("POST", "/v2/deployments/{key}/undo"),
    "delete": ("DELETE", "/v2/deployments/{key}?emergency=true"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_approval_and_a_change_of_its_deployment_happen_in_one_order(change: str, team: Team) -> None:
    put_environment(team.admin, "strict", required_approvals=1)
    method, path = CHANGES[change]
    for number in range(ROUNDS):
        key = f"{change.split(maxsplit=1)[0]}-{len(change)}-{number}"
        etag = team.new_deployment(key)
        proposal_id = propose(team.admin, "strict", {key: "1.2"})
        headers = {"X-Moorage-Change-Reason": "now"} | ({"If-Match": etag} if "environment=strict" in path else {})
        rival = partial(team.admins[number % 2].request, method, path.format(key=key), None, headers)

        approved, changed = at_once(partial(approve, team.approvers[(number + 1) % 2], proposal_id), rival)

        proposal, entries = team.proposal(proposal_id), history(team.admin, key)
        actions = [entry["action"] for entry in entries if entry.get("proposal_id") == proposal_id]
        last = next(entry for entry in reversed(entries) if entry["action"] in ("published", "undone", "deleted"))
        if approved.status == 200:
            assert proposal["status"] == "published"
            assert actions == ["proposed", "approved", "published"]
            assert moves(team, key, "strict")[0] == (proposal_id, None, "1.2"), "against the state that it was made for"
            if "If-Match" in headers:
                assert (changed.status, changed.error["code"]) == (412, "precondition_failed"), "never both"
            else:  # it does not change that state, or comes after it
                assert changed.status == 200
                assert last.get("proposal_id") is None
        else:
            assert (approved.status, approved.error["code"]) == (409, "proposal_closed")
            assert changed.status == 200
            assert proposal["status"] == "stale"
            assert actions == ["proposed", "stale"]
            assert proposal_id not in {who for who, *_ in moves(team, key, "strict")}
    assert findings(team.admin) == ""


def test_an_approval_and_an_undo_in_its_environment_happen_in_one_order(team: Team) -> None:
    put_environment(team.admin, "strict", required_approvals=1)
    for number in range(ROUNDS):
        key = f"undo-in-strict-{number}"
        team.new_deployment(key)
        assert approve(team.approvers[0], propose(team.admin, "strict", {key: "1.0"})).status == 200
        proposal_id = propose(team.admin, "strict", {key: "1.2"})
        path = f"/v2/deployments/{key}/undo?environment=strict"

        approved, undone = at_once(
            partial(approve, team.approvers[(number + 1) % 2], proposal_id),
            partial(post, team.admins[number % 2], path),
        )  # fmt: skip

        assert undone.status == 200, "an undo never waits"
        found = [(before, after) for _, before, after in moves(team, key, "strict")]
        if approved.status == 200:  # the undo takes it back
            assert found == [(None, "1.0"), ("1.0", "1.2"), ("1.2", "1.0")]
        else:
            assert approved.error["code"] == "proposal_closed"
            assert found == [(None, "1.0"), ("1.0", None)]
            assert team.proposal(proposal_id)["status"] == "stale"
    assert findings(team.admin) == ""


def test_an_approval_counts_by_the_number_that_is_required_when_it_is_made(team: Team) -> None:
    for number in range(ROUNDS):
        put_environment(team.admin, "strict", required_approvals=2)
        key = f"lowered-{number}"
        team.new_deployment(key)
        proposal_id = propose(team.admin, "strict", {key: "1.2"})

        approved, _ = at_once(
            partial(approve, team.approvers[(number + 1) % 2], proposal_id),
            partial(put_environment, team.admins[number % 2], "strict", required_approvals=1),
        )  # fmt: skip

        assert approved.status == 200
        proposal = team.proposal(proposal_id)
        assert proposal["required_approvals"] == 1
        assert proposal["status"] == approved.json["status"], "lowering publishes nothing by itself"
        assert len(proposal["approvals"]) == 1
        assert bool(moves(team, key, "strict")) == (proposal["status"] == "published")
        if proposal["status"] == "open":
            assert approve(team.approvers[2], proposal_id).json["status"] == "published"
    assert findings(team.admin) == ""


@pytest.mark.parametrize("whose", ["of the last approver", "of an earlier approver"])
def test_the_key_of_an_approver_is_valid_at_the_moment_of_the_last_approval(whose: str, team: Team) -> None:
    put_environment(team.admin, "strict", required_approvals=2)
    for number in range(ROUNDS):
        key = f"revoked-{whose.split()[2]}-{number}"
        team.new_deployment(key)
        proposal_id = propose(team.admin, "strict", {key: "1.2"})
        keys = [with_key(team.admins[index], f"{key}-{index}", Scope.READ, Scope.APPROVE) for index in range(2)]
        (_, first), (_, last) = keys
        assert approve(first, proposal_id).status == 200
        revoked = keys[whose == "of the last approver"][0]

        approved, ended = at_once(
            partial(approve, last, proposal_id),
            partial(team.admins[number % 2].request, "DELETE", f"/v2/api-keys/{revoked}"),
        )

        assert ended.status == 200
        proposal = team.proposal(proposal_id)
        assert bool(moves(team, key, "strict")) == (proposal["status"] == "published")
        if approved.status == 200 and approved.json["status"] == "published":
            assert proposal["status"] == "published"
        elif whose == "of the last approver":
            assert (approved.status, proposal["status"]) == (401, "open")
        else:  # only one of both approvals counts
            assert (approved.status, proposal["status"], len(proposal["approvals"])) == (200, "open", 1)
    assert findings(team.admin) == ""
