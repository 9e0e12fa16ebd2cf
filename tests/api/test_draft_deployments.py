"""`GET /v2/draft-deployments`: the deployments that are live in no environment."""

from typing import Any

import pytest

from tests.support.server import Project
from tests.support.team import Team, refusal, with_text

PATH = "/v2/draft-deployments"


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


def draft(team: Team, *keys: str) -> None:
    for key in keys:
        response = team.send("PUT", f"/v2/deployments/{key}?draft=true", with_text("one"))
        assert response.status == 201, response.body


def listed(team: Team) -> list[str]:
    response = team.send("GET", PATH)
    assert response.status == 200, response.body
    return [each["key"] for each in response.json["data"]]


def test_a_deployment_with_only_drafts_is_listed_with_its_newest_version(team: Team) -> None:
    assert team.put("live", "one").status == 201
    draft(team, "bot")
    saved = team.send("POST", "/v2/deployments/bot/versions", with_text("two"))
    assert saved.status == 201, saved.body

    (only,) = team.send("GET", PATH).json["data"]

    assert only.keys() == {"id", "key", "description", "owner", "version", "created", "updated"}
    assert (only["key"], only["owner"], only["version"]) == ("bot", "api", saved.json["version"])
    assert only["created"] <= only["updated"]


def test_the_newest_deployment_is_the_first_item_and_pages_go_both_ways(team: Team) -> None:
    draft(team, *"abcde")

    first = team.send("GET", f"{PATH}?limit=2").json
    second = team.send("GET", f"{PATH}?limit=2&starting_after={first['data'][-1]['id']}").json
    back = team.send("GET", f"{PATH}?limit=2&ending_before={second['data'][0]['id']}").json

    assert [each["key"] for each in first["data"]] == ["e", "d"]
    assert [each["key"] for each in second["data"]] == ["c", "b"]
    assert back["data"] == first["data"]
    assert (first["has_more"], second["has_more"], back["has_more"]) == (True, True, False)


def test_a_deployment_that_becomes_live_leaves_the_list_and_stays_a_cursor(team: Team) -> None:
    draft(team, "a", "b")
    newest: dict[str, Any] = team.send("GET", PATH).json["data"][0]
    assert team.send("POST", f"/v2/deployments/b/versions/{newest['version']}/publish").status == 200

    after = team.send("GET", f"{PATH}?starting_after={newest['id']}").json

    assert listed(team) == ["a"]
    assert [each["key"] for each in after["data"]] == ["a"]


def test_a_deployment_that_is_live_in_another_environment_is_not_listed(team: Team) -> None:
    team.create("staging")
    draft(team, "bot")
    assert listed(team) == ["bot"]

    version = team.send("GET", PATH).json["data"][0]["version"]
    published = team.send("POST", f"/v2/deployments/bot/versions/{version}/publish?environment=staging")

    assert published.status == 200, published.body
    assert listed(team) == []


def test_a_deleted_deployment_is_not_listed(team: Team) -> None:
    draft(team, "bot")
    assert team.send("DELETE", "/v2/deployments/bot").status == 200

    assert listed(team) == []


def test_another_project_and_an_api_key_of_one_environment_see_none(team: Team) -> None:
    draft(team, "bot")
    other = Team(team.project.server.new_project())
    cursor = team.send("GET", PATH).json["data"][0]["id"]
    team.create("staging")

    bound = team.send("GET", PATH, token=team.key("bound", environment="staging"))

    assert listed(other) == []
    assert refusal(other.send("GET", f"{PATH}?starting_after={cursor}")) == (400, "invalid_cursor")
    assert refusal(bound) == (403, "wrong_environment")


def test_the_limits_of_a_page_are_those_of_all_lists(team: Team) -> None:
    assert refusal(team.send("GET", f"{PATH}?limit=51")) == (400, "invalid_limit")
    assert refusal(team.send("GET", f"{PATH}?search=x")) == (400, "unknown_parameter")
