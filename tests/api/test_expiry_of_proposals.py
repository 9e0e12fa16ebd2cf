"""Proposals expire after 30 days, by the time at which they are read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clocked import PROGRAM, ClockFile
from tests.support.server import Server
from tests.support.team import Team, refusal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, folder: Path) -> ClockFile:
    monkeypatch.setenv("CLOCK_FILE", "")  # restored afterwards
    return ClockFile(folder / "clock")


@pytest.fixture
def team(clock: ClockFile, new_database: Callable[[Path], str], folder: Path) -> Iterator[Team]:
    with Server(folder, database=new_database(folder), program=PROGRAM) as server:
        made = Team(server.new_project())
        made.put("bot", "one")
        made.create("production", required_approvals=1)
        yield made


def test_a_proposal_expires_after_30_days_and_can_be_made_again(team: Team, clock: ClockFile) -> None:
    proposal = team.put("bot", "two", token=team.person).json["id"]
    ann = team.approver("ann")
    clock.set_days(29.9)
    assert team.proposal(proposal, ann)["can_approve"] is True

    clock.set_days(30.1)

    detail = team.proposal(proposal, ann)
    assert (detail["status"], detail["can_approve"], detail["why_not"]) == ("expired", False, "it is expired")
    for decision in ("approve", "reject", "withdraw"):
        response = team.decide(decision, proposal, team.admin)
        assert refusal(response) == (409, "proposal_closed")
        assert "is expired" in response.error["message"]
    assert [each["id"] for each in team.send("GET", "/v2/proposals?status=expired").json["data"]] == [proposal]
    assert team.send("GET", "/v2/proposals?status=open").json["data"] == []
    version = team.send("GET", "/v2/deployments/bot/versions/1.1").json
    assert version["status"] == "draft", "it waits for nothing"
    assert team.text("bot") == "one"

    again = team.put("bot", "two", token=team.person)

    assert (again.status, again.json["id"] != proposal) == (202, True)
    assert team.send("GET", "/v2/deployments/bot/versions/1.1").json["status"] == "pending"
    assert team.decide("approve", again.json["id"], ann).json["status"] == "published"
    assert team.proposal(proposal)["status"] == "expired", "a move after its end does not make it stale"
    assert team.text("bot") == "two"
