"""`GET /v2/deleted-deployments`: the deployments that can be restored."""

from typing import Any

import pytest

from moorage.registry.purge import purge
from tests.support.server import Project
from tests.support.team import Team, proposed, refusal

PATH = "/v2/deleted-deployments"


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


def delete(team: Team, *keys: str) -> None:
    for key in keys:
        assert team.put(key, "one").status == 201
        response = team.send("DELETE", f"/v2/deployments/{key}", X_Moorage_Change_Reason=f"{key} is old")
        assert response.status == 200, response.body


def listed(team: Team, query: str = "") -> list[dict[str, Any]]:
    response = team.send("GET", f"{PATH}{query}")
    assert response.status == 200, response.body
    found: list[dict[str, Any]] = response.json["data"]
    return found


def test_it_says_who_deleted_what_when_and_why_and_until_when_it_can_be_restored(team: Team) -> None:
    assert team.put("kept", "one").status == 201
    delete(team, "bot")
    until = team.send("DELETE", "/v2/deployments/kept?dry_run=true").json["restorable_until"]

    (only,) = listed(team)

    assert (only["key"], only["description"], only["reason"]) == ("bot", "Answers refunds", "bot is old")
    assert only["deleted_by"]["name"] == "admin"
    assert only["deleted_at"][:10] < only["restorable_until"][:10] <= until[:10]


def test_the_last_deletion_is_the_first_item_and_pages_go_both_ways(team: Team) -> None:
    delete(team, *"abcde")

    first = team.send("GET", f"{PATH}?limit=2").json
    second = team.send("GET", f"{PATH}?limit=2&starting_after={first['data'][-1]['id']}").json
    back = team.send("GET", f"{PATH}?limit=2&ending_before={second['data'][0]['id']}").json

    assert [each["key"] for each in first["data"]] == ["e", "d"]
    assert [each["key"] for each in second["data"]] == ["c", "b"]
    assert back["data"] == first["data"]
    assert (first["has_more"], second["has_more"], back["has_more"]) == (True, True, False)


def test_two_deployments_that_had_the_same_key_are_both_listed(team: Team) -> None:
    delete(team, "bot", "bot")

    assert [each["key"] for each in listed(team)] == ["bot", "bot"]


def test_a_restored_deployment_is_not_listed(team: Team) -> None:
    delete(team, "bot")
    deployment = listed(team)[0]["id"]
    assert team.send("POST", f"/v2/deployments/{deployment}/restore").status == 200

    assert listed(team) == []
    assert refusal(team.send("GET", f"{PATH}?starting_after={deployment}")) == (400, "invalid_cursor")


def test_a_deployment_that_is_proposed_to_be_restored_is_still_listed_with_its_deletion(team: Team) -> None:
    delete(team, "bot")
    team.create("production", required_approvals=1)
    proposed(team.send("POST", "/v2/deployments/bot/restore", {"reason": "it was needed"}))

    assert listed(team)[0]["reason"] == "bot is old"


def test_a_deployment_whose_content_was_purged_is_not_listed(team: Team) -> None:
    delete(team, "bot")
    with team.project.server.open_store() as store:
        store.run(purge, 0)

    assert listed(team) == []


def test_another_project_and_an_api_key_of_one_environment_see_none(team: Team) -> None:
    delete(team, "bot")
    other = Team(team.project.server.new_project())
    team.create("staging")

    bound = team.send("GET", PATH, token=team.key("bound", environment="staging"))

    assert listed(other) == []
    assert refusal(bound) == (403, "wrong_environment")


def test_the_limits_of_a_page_are_those_of_all_lists(team: Team) -> None:
    assert refusal(team.send("GET", f"{PATH}?limit=51")) == (400, "invalid_limit")
    assert refusal(team.send("GET", f"{PATH}?search=x")) == (400, "unknown_parameter")
