"""Concurrent decisions about a proposal: one of them comes first, and the other one sees its effect."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.diagnostics.ledger import verify_ledger
from moorage.store.opening import open_store
from tests.support.server import Project, Response, Server
from tests.support.team import Team, with_text
from tests.support.threads import Background

pytestmark = pytest.mark.system

#: How often two requests race. Each time, the order can be another one.
RACES = 12


def at_once(*requests: Callable[[], Response]) -> list[Response]:
    """Send requests at the same moment; return their responses."""
    barrier = threading.Barrier(len(requests))

    def wait_and_send(request: Callable[[], Response]) -> Response:
        barrier.wait()
        return request()

    works = [Background(partial(wait_and_send, request)) for request in requests]
    return [work.result() for work in works]


class Race(Team):
    """A project with a proposal for each race."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.ann, self.bob = self.approver("ann"), self.approver("bob")

    def prepare(self, number: int, required_approvals: int = 1) -> tuple[str, str]:
        """Put versions 1.0 and 1.1 of a deployment, and propose 1.2; return its key and the proposal."""
        key = f"bot{number}"
        self.create("production", required_approvals=0)
        self.put(key, "one")
        self.put(key, "two")
        self.create("production", required_approvals=required_approvals)
        response = self.put(key, "three", token=self.person)
        assert response.status == 202, response.body
        return key, response.json["id"]

    def moves(self, key: str) -> list[dict[str, Any]]:
        """Return the moves of a deployment, oldest first."""
        actions = {"created", "published", "undone"}
        return [entry for entry in self.history(key)[::-1] if entry["action"] in actions]

    def check(self, key: str, proposal: str) -> bool:
        """Check that the history of a deployment is a chain; return whether the proposal was published, once."""
        moves = self.moves(key)
        assert [move["from_version"] for move in moves[1:]] == [move["to_version"] for move in moves[:-1]]
        published = [move for move in moves if move.get("proposal_id") == proposal]
        status = self.proposal(proposal)["status"]
        assert (status == "published") == bool(published)
        assert len(published) <= 1
        for move in published:
            assert (move["from_version"], move["to_version"]) == ("1.1", "1.2"), "the state that was approved"
        if status != "stale" and moves[-1] in published:
            assert self.version(key) in ("1.2", "none")
        return bool(published)

    def verify(self) -> None:
        """Check that all rows follow from the history."""
        with closing(open_store(self.project.server.database)) as store:
            assert verify_ledger(store) == []


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """Return a server whose database has nothing but what these tests write: they verify all of its history."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, database=new_database(folder)) as running:
        yield running


@pytest.fixture
def race(own_server: Server) -> Race:
    return Race(own_server.new_project())


@pytest.mark.parametrize("required_approvals", [1, 5])
def test_twenty_concurrent_approvals_publish_once(race: Race, required_approvals: int) -> None:
    approvers = [race.approver(f"approver {number}") for number in range(20)]
    key, proposal = race.prepare(0, required_approvals)

    responses = at_once(*(partial(race.decide, "approve", proposal, token) for token in approvers))

    assert sorted(response.status for response in responses) == [200] * required_approvals + [409] * (
        20 - required_approvals
    )
    assert sorted(each.json["status"] for each in responses if each.status == 200) == [
        *["open"] * (required_approvals - 1), "published",
    ]  # fmt: skip
    assert race.check(key, proposal)
    assert len(race.moves(key)[-1]["approved_by"]) == required_approvals
    race.verify()


def test_the_same_key_that_approves_twenty_times_at_once_counts_once(race: Race) -> None:
    key, proposal = race.prepare(0, 2)

    responses = at_once(*[lambda: race.decide("approve", proposal, race.ann)] * 20)

    assert {response.status for response in responses} == {200}
    assert len(race.proposal(proposal)["approvals"]) == 1
    assert not race.check(key, proposal)


def test_twenty_equal_writes_at_once_are_one_proposal(race: Race) -> None:
    race.prepare(0)

    responses = at_once(*[lambda: race.put("bot0", "four", token=race.person)] * 20)

    assert {response.status for response in responses} == {202}
    assert len({response.json["id"] for response in responses}) == 1
    assert len(race.send("GET", "/v2/deployments/bot0/versions").json["data"]) == 4


Rival = Callable[[Race, str, str], Response]

FIRE = {"X_Moorage_Change_Reason": "fire"}

#: Requests that race an approval, and their statuses before and after it.
RIVALS: dict[str, tuple[Rival, set[int]]] = {
    "publish": (
        lambda race, key, _: race.send("POST", f"/v2/deployments/{key}/versions/1.0/publish?emergency=true", **FIRE),
        {200},
    ),
    "put": (
        lambda race, key, _: race.send("PUT", f"/v2/deployments/{key}?emergency=true", with_text("fire"), **FIRE),
        {200},
    ),
    "undo": (lambda race, key, _: race.undo(key), {200}),
    "delete": (
        lambda race, key, _: race.send("DELETE", f"/v2/deployments/{key}?emergency=true&force=true", **FIRE), {200},
    ),
    "delete the version": (
        lambda race, key, _: race.send("DELETE", f"/v2/deployments/{key}/versions/1.2?force=true"), {200, 409},
    ),
    "reject": (lambda race, _, proposal: race.decide("reject", proposal, race.bob), {200, 409}),
    "withdraw": (lambda race, _, proposal: race.decide("withdraw", proposal, race.person), {200, 409}),
    "raise the number": (
        lambda race, *_: race.send("PUT", "/v2/environments/production", {"required_approvals": 2}), {200},
    ),
    "lower the number": (
        lambda race, *_: race.send("PUT", "/v2/environments/production", {"required_approvals": 0}), {200},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIVALS)
def test_an_approval_and_another_change_come_one_after_the_other(race: Race, name: str) -> None:
    rival, statuses = RIVALS[name]
    for number in range(RACES):
        key, proposal = race.prepare(number)

        approval, other = at_once(
            partial(race.decide, "approve", proposal, race.ann),
            partial(rival, race, key, proposal),
        )

        assert approval.status in (200, 409), approval.body
        assert other.status in statuses, other.body
        is_published = race.check(key, proposal)
        assert is_published == (approval.status == 200 and approval.json["status"] == "published")
        if name in ("reject", "withdraw", "delete the version"):
            assert is_published == (other.status == 409), "never both, and never none"
        elif name == "raise the number":
            assert is_published or approval.json["status"] == "open"
        elif name == "lower the number":
            assert is_published
        elif not is_published:
            assert race.proposal(proposal)["status"] == "stale"
    race.verify()


def test_the_approval_of_a_key_that_is_revoked_counts_or_is_rejected(race: Race) -> None:
    for number in range(RACES):
        key, proposal = race.prepare(number)
        approver = race.approver("leaving")

        approval, revocation = at_once(
            partial(race.decide, "approve", proposal, approver),
            partial(race.send, "DELETE", f"/v2/api-keys/{approver.split('_')[1]}"),
        )

        assert revocation.status == 200
        assert approval.status in (200, 401), approval.body
        assert race.check(key, proposal) == (approval.status == 200)
        assert race.proposal(proposal)["status"] == ("published" if approval.status == 200 else "open")
    race.verify()


def test_an_approval_and_the_revocation_of_the_first_approver_come_one_after_the_other(race: Race) -> None:
    for number in range(RACES):
        key, proposal = race.prepare(number, 2)
        first = race.approver("leaving")
        assert race.decide("approve", proposal, first).json["status"] == "open"

        approval, _ = at_once(
            partial(race.decide, "approve", proposal, race.ann),
            partial(race.send, "DELETE", f"/v2/api-keys/{first.split('_')[1]}"),
        )

        assert approval.status == 200
        if race.check(key, proposal):
            assert [each["name"] for each in race.moves(key)[-1]["approved_by"]] == ["leaving", "ann"]
        else:
            assert [each["api_key"]["name"] for each in race.proposal(proposal)["approvals"]] == ["ann"]
    race.verify()


def test_approvals_of_two_proposals_about_one_deployment_publish_one(race: Race) -> None:
    other = race.key("other", [Scope.READ, Scope.WRITE, Scope.PUBLISH])
    for number in range(RACES):
        key, one = race.prepare(number)
        two = race.put(key, "four", token=other).json["id"]

        responses = at_once(
            partial(race.decide, "approve", one, race.ann),
            partial(race.decide, "approve", two, race.bob),
        )

        assert sorted(response.status for response in responses) == [200, 409]
        assert sorted(race.proposal(each)["status"] for each in (one, two)) == ["published", "stale"]
    race.verify()


def test_a_move_of_production_and_an_approval_for_its_follower_come_one_after_the_other(race: Race) -> None:
    race.create("qa", required_approvals=1)
    for number in range(RACES):
        key = f"bot{number}"
        race.put(key, "one")
        proposal = race.put(key, "two", "qa", race.person).json["id"]

        approval, moved = at_once(
            partial(race.decide, "approve", proposal, race.ann),
            partial(race.put, key, "three"),
        )

        assert moved.status == 200
        status = race.proposal(proposal)["status"]
        assert (approval.status, status) in ((200, "published"), (409, "stale"))
        assert race.text(key, "qa") == ("two" if status == "published" else "three")
    race.verify()


def test_a_promotion_and_a_move_of_its_source_or_target_are_never_mixed(race: Race) -> None:
    race.create("staging")
    for number in range(RACES):
        keys = [f"a{number}", f"b{number}"]
        for key in keys:
            race.put(key, "one")
            race.put(key, "two", "staging")
        body = {
            "from": "staging", "to": "production",
            "deployments": [{"key": key, "version": "1.1", "base": "1.0"} for key in keys],
        }  # fmt: skip

        promotion, _ = at_once(
            partial(race.send, "POST", "/v2/promotions", body),
            partial(race.put, keys[1], "three", "staging" if number % 2 else "production"),
        )

        assert promotion.status in (200, 412), promotion.body
        assert race.version(keys[0]) == ("1.1" if promotion.status == 200 else "1.0"), "all or none"
    race.verify()


def test_a_deletion_of_an_environment_and_a_put_in_it_come_one_after_the_other(race: Race) -> None:
    for number in range(RACES):
        race.create("qa")
        race.put("bot", f"in production {number}")

        deletion, put = at_once(
            lambda: race.send("DELETE", "/v2/environments/qa?force=true"),
            partial(race.put, "bot", f"in qa {number}", "qa"),
        )

        assert deletion.status == 200
        assert put.status in (200, 404), put.body
        assert race.text("bot") == f"in production {number}"
    race.verify()


def test_a_key_is_never_bound_to_an_environment_that_was_deleted_before(race: Race) -> None:
    for _ in range(RACES):
        race.create("qa")

        deletion, creation = at_once(
            lambda: race.send("DELETE", "/v2/environments/qa"),
            lambda: race.send("POST", "/v2/api-keys", {"name": "bound", "environment": "qa"}),
        )

        assert (deletion.status, creation.status) in ((200, 404), (409, 201)), (deletion.body, creation.body)
        race.send("DELETE", "/v2/environments/qa?force=true")
    race.verify()
