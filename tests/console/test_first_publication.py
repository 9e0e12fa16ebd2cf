"""The first publication of a deployment: of people who publish at the same time, one succeeds."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.console.test_publish import KEY, form_of, save, sign_in
from tests.support.console import text_of
from tests.support.server import Project
from tests.support.team import Team, refusal, with_text


@pytest.fixture
def team(project: Project) -> Team:
    """Return a team with the deployment `bot`, which has the drafts 1.0 and 1.1 and was never live."""
    team = Team(project)
    assert team.send("PUT", "/v2/deployments/bot?draft=true", with_text("one")).status == 201
    save(team, "two")
    return team


def test_of_two_open_reviews_the_second_one_gets_a_conflict_and_keeps_what_was_typed(team: Team) -> None:
    anna, bruno = sign_in(team), sign_in(team, team.key("bruno"))
    theirs, mine = form_of(bruno.get(f"{KEY}/publish/1.1")), form_of(anna.get(f"{KEY}/publish/1.0"))
    assert (theirs.values["etag"], mine.values["etag"]) == ("", "")

    assert bruno.post(theirs.action, theirs.values | {"reason": "urgent"}).status == 303
    save(team, "three")  # by another person: it is not who was faster
    refused = anna.post(mine.action, mine.values | {"reason": "mine"})

    assert refused.status == 412
    assert "bruno was faster: nothing was changed." in text_of(refused)
    assert "bruno published 1.1" in text_of(refused)
    assert "1.1 is live now" in text_of(refused)
    assert form_of(refused).values["reason"] == "mine"
    assert team.version("bot") == "1.1"
    assert anna.post(mine.action, form_of(refused).values).status == 303
    assert team.version("bot") == "1.0"


def test_of_reviews_that_are_sent_at_the_same_time_one_publishes_and_the_others_are_conflicts(team: Team) -> None:
    for number in range(2, 8):
        save(team, f"text {number}")
    people = [sign_in(team, team.key(f"person-{number}")) for number in range(8)]
    forms = [form_of(each.get(f"{KEY}/publish/1.{number}")) for number, each in enumerate(people)]

    with ThreadPoolExecutor(len(people)) as pool:
        sent = list(pool.map(lambda one: one[0].post(one[1].action, one[1].values), zip(people, forms, strict=True)))

    statuses = [each.status for each in sent]
    assert sorted(statuses) == [303, *[412] * 7]
    winner = statuses.index(303)
    assert team.version("bot") == f"1.{winner}"
    for each in sent:
        if each.status == 412:
            assert f"person-{winner} was faster: nothing was changed." in text_of(each)
    assert [entry["action"] for entry in team.history("bot")].count("published") == 1


def test_a_first_publication_that_is_sent_again_is_not_a_conflict_with_itself(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/publish/1.0"))

    first, again = (browser.post(form.action, form.values) for _ in range(2))

    assert (first.status, again.status) == (303, 303)
    assert [entry["action"] for entry in team.history("bot")].count("published") == 1


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_a_publication_with_if_none_match_is_the_first_one(team: Team, environment: str) -> None:
    team.create("staging")
    path = f"/v2/deployments/bot/versions/{{}}/publish?environment={environment}"

    first = team.send("POST", path.format("1.0"), If_None_Match="*")
    second = team.send("POST", path.format("1.1"), If_None_Match="*")

    assert first.status == 200
    assert refusal(second) == (412, "precondition_failed")
    assert "Deployment 'bot' has the live version 1.0" in second.error["message"]
    assert second.error["current"]["version"] == "1.0"
    assert second.error["history"][0]["action"] == "published"
    assert team.version("bot", environment) == "1.0"
    assert team.send("POST", path.format("1.1"), If_Match="*").status == 200


def test_what_follows_production_has_a_live_version(team: Team) -> None:
    team.create("staging")
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/publish/1.1?environment=staging"))
    assert team.publish("bot", "1.0", token=team.key("bruno")).status == 200

    refused = browser.post(form.action, form.values)

    assert refused.status == 412
    assert "bruno was faster: nothing was changed." in text_of(refused)
    assert team.version("bot", "staging") == "1.0 follows"
