"""The import where approvals are required: what is ticked is stored, and becomes one proposal or none."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.console.test_equivalence import history
from tests.console.test_imports import apply, deployment, fields, plan
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response, Server
from tests.support.team import Team


@pytest.fixture
def team(project: Project) -> Team:
    return with_approvals(Team(project))


@pytest.fixture
def browser(team: Team) -> Browser:
    return Browser(team.project).sign_in(team.key("lead"))


def with_approvals(team: Team) -> Team:
    """Add the deployment `bot`, and require approvals in production."""
    team.project.put("bot", body_of(deployment("bot", "one")))
    team.create("production", required_approvals=1)
    return team


def proposals(team: Team) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = team.send("GET", "/v2/proposals").json["data"]
    return found


def items(proposal: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(each["key"], each["base_version"], each["version"]) for each in proposal["items"]]


def proposal_links(page: Response) -> set[str]:
    found = [re.fullmatch(r"(/console/proposals/[\w-]+)(\?.*)?", each) for each in links(page)]
    return {each[1] for each in found if each is not None}


def revision(team: Team) -> int:
    return int(team.send("GET", "/v2/manifests").headers["x-moorage-revision"])


def body_of(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "key"}


def publish_past(team: Team, key: str, text: str) -> None:
    """Change what is live without an approval."""
    query = "?emergency=true"
    headers = {"X_Moorage_Change_Reason": "prices"}
    sent = team.send("PUT", f"/v2/deployments/{key}{query}", body_of(deployment(key, text)), **headers)
    assert sent.status in (200, 201)


def test_all_documents_become_one_proposal_and_nothing_is_live_before_its_approval(
    browser: Browser, team: Team
) -> None:
    planned = plan(browser, deployment("bot", "two"), deployment("new"), deployment("other"))
    assert "production requires approvals: what is ticked becomes one proposal." in text_of(planned)

    done = apply(browser, planned, apply=["1", "2"])

    (proposal,) = proposals(team)
    assert items(proposal) == [("bot", "1.0", "1.1"), ("new", None, "1.0")]
    assert proposal["reason"] == "import"
    assert "2 of 2 proposed for production" in text_of(done)
    assert proposal_links(done) == {f"/console/proposals/{proposal['id']}"}
    assert (team.text("bot"), team.text("new")) == ("one", None)
    assert team.decide("approve", proposal["id"], team.approver("ann")).status == 200
    assert (team.text("bot"), team.text("new"), team.text("other")) == ("two", "Hello", None)


def test_an_import_has_the_effect_of_its_operations(server: Server) -> None:
    one, other = (with_approvals(Team(server.new_project())) for _ in range(2))
    documents = [deployment("bot", "two"), deployment("new")]
    browser, token = Browser(one.project).sign_in(one.key("lead")), other.key("lead")
    before = revision(one)
    planned = plan(browser, *documents)
    assert revision(one) == before, "a plan changes nothing"

    apply(browser, planned)
    after = revision(one)
    reason = {"X_Moorage_Change_Reason": "import"}
    for each in documents:
        stored = other.send("PUT", f"/v2/deployments/{each['key']}?draft=true", body_of(each), token, **reason)
        assert stored.status in (200, 201)
    versions = [{"key": "bot", "version": "1.1", "base": "1.0"}, {"key": "new", "version": "1.0", "base": None}]
    body = {"environment": "production", "deployments": versions, "reason": "import"}
    assert other.send("POST", "/v2/proposals", body, token).status == 202

    assert after - before == revision(other) - after == 3
    for key in ("bot", "new"):
        assert history(one, key) == history(other, key)


def test_if_a_document_fails_nothing_is_proposed_and_all_can_be_imported_again(browser: Browser, team: Team) -> None:
    planned = plan(browser, deployment("bot", "mine"), deployment("new"))
    publish_past(team, "bot", "theirs")

    done = apply(browser, planned)

    assert "Nothing was proposed" in text_of(done)
    assert "bot It was changed since the plan was shown. failed" in text_of(done)
    assert "new drafted 1.0" in text_of(done)
    assert (proposals(team), proposal_links(done)) == ([], set())
    assert team.send("GET", "/v2/deployments/new/versions").json["data"][0]["status"] == "draft"
    left = fields(done)
    apply(browser, browser.post("/console/import", {"text": left["text"], "reason": ""}))
    (proposal,) = proposals(team)
    assert items(proposal) == [("bot", "1.1", "1.2"), ("new", None, "1.0")]
    assert (team.text("bot"), team.text("new")) == ("theirs", None)


@pytest.mark.parametrize("more", [{}, {"notes": "shorter"}, {"version_bump": "major"}], ids=["plain", "notes", "major"])
def test_a_form_that_is_sent_again_makes_no_second_proposal_and_no_second_version(
    browser: Browser, team: Team, more: dict[str, Any]
) -> None:
    planned = plan(browser, deployment("bot", "two", **more), deployment("new", **more))
    first = apply(browser, planned)
    before = revision(team)

    again = apply(browser, planned)
    assert revision(team) == before
    planned_again = apply(browser, plan(browser, deployment("bot", "two", **more), deployment("new", **more)))

    assert proposal_links(first) == proposal_links(again) == proposal_links(planned_again) != set()
    (proposal,) = proposals(team)
    assert (len(proposal["items"]), team.text("bot"), team.text("new")) == (2, "one", None)
    assert team.decide("reject", proposal["id"], team.approver("ann")).status == 200
    assert proposal_links(apply(browser, planned)) == proposal_links(first)
    assert len(proposals(team)) == 1


def test_a_form_that_is_sent_again_after_the_approval_finds_all_unchanged(browser: Browser, team: Team) -> None:
    planned = plan(browser, deployment("bot", "two"), deployment("new"))
    apply(browser, planned)
    team.decide("approve", proposals(team)[0]["id"], team.approver("ann"))
    before = revision(team)

    again = apply(browser, planned)

    assert "Nothing to propose" in text_of(again)
    assert "bot unchanged 1.1 new unchanged 1.0" in text_of(again)
    assert revision(team) == before


def test_a_form_that_is_sent_twice_at_once_makes_one_proposal_and_both_pages_show_it(
    browser: Browser, team: Team
) -> None:
    documents = [deployment("bot", "two"), *(deployment(f"new{number}") for number in range(8))]
    planned = plan(browser, *documents)

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: apply(browser, planned), range(4)))

    (proposal,) = proposals(team)
    assert len(proposal["items"]) == len(documents)
    assert [proposal_links(page) for page in pages] == [{f"/console/proposals/{proposal['id']}"}] * 4


def test_a_form_that_is_sent_again_with_other_boxes_makes_no_second_proposal(browser: Browser, team: Team) -> None:
    planned = plan(browser, deployment("bot", "two"), deployment("new"))
    apply(browser, planned)

    again = apply(browser, planned, apply=["1"])

    assert (again.status, len(proposals(team))) == (409, 1)
    assert "This form was sent before, with other values." in text_of(again)


def test_a_version_that_was_stored_before_is_not_proposed_in_place_of_one_that_the_plan_did_not_show(
    browser: Browser, team: Team
) -> None:
    publish_past(team, "bot", "mine")
    planned = plan(browser, deployment("bot", "two"), deployment("new"))
    apply(browser, planned)
    undone = team.send("POST", "/v2/deployments/bot/undo?emergency=true", {"reason": "prices"})
    assert undone.status == 200  # so the proposal is stale

    again = apply(browser, planned, once="another")

    assert "Nothing was proposed" in text_of(again)
    assert "deployment 'bot' has version 1.0 in production, and the request says 1.1." in text_of(again)
    assert "new drafted 1.0" in text_of(again)
    assert [each["status"] for each in proposals(team)] == ["stale"]
    assert team.text("bot") == "one"


def test_a_breaking_change_is_proposed_only_if_its_box_is_ticked(browser: Browser, team: Team) -> None:
    path, variable = "/v2/deployments/greeter?emergency=true", {"key": "name", "value": "you"}
    body = body_of(deployment("", "Hello {{name}}", variables=[variable]))
    assert team.send("PUT", path, body, X_Moorage_Change_Reason="new").status == 201
    breaking = deployment("greeter", "Hello {{name}}", variables=[{"key": "name"}])

    planned = plan(browser, breaking, deployment("bot", "two"))
    assert "Propose greeter nevertheless." in text_of(planned)
    without = apply(browser, planned, apply=["1", "2"])
    assert "This breaks callers:" in text_of(without)
    assert proposals(team) == []

    planned = plan(browser, breaking, deployment("bot", "two"))
    apply(browser, planned, breaking=["1"])
    (proposal,) = proposals(team)
    assert {each["key"]: bool(each["breaking"]) for each in proposal["items"]} == {"greeter": True, "bot": False}


def test_another_environment_gets_a_proposal_also_for_what_follows_production(browser: Browser, team: Team) -> None:
    team.create("staging", required_approvals=1)
    publish_past(team, "same", "one")
    documents = [deployment("bot", "two"), deployment("new"), deployment("same", "one")]

    planned = plan(browser, *documents, environment="staging")
    done = apply(browser, planned, "staging")
    apply(browser, planned, "staging")

    (proposal,) = proposals(team)
    assert (proposal["environment"], items(proposal)) == (
        "staging", [("bot", "follows", "1.1"), ("new", "follows", "1.0"), ("same", "follows", "1.0")],
    )  # fmt: skip
    assert proposal_links(done) == {f"/console/proposals/{proposal['id']}"}
    team.decide("approve", proposal["id"], team.approver("ann"))
    assert (team.text("bot"), team.text("bot", "staging"), team.text("new")) == ("one", "two", None)
    assert team.version("same", "staging") == "1.0"


def test_an_api_key_of_one_environment_proposes_each_change_by_itself(team: Team) -> None:
    team.create("staging", required_approvals=1)
    browser = Browser(team.project).sign_in(team.key("bound", environment="staging"))

    planned = plan(browser, deployment("bot", "two"), deployment("new"), environment="staging")
    done = apply(browser, planned, "staging")

    assert "each change becomes a proposal of its own" in text_of(planned)
    found = proposals(team)
    assert sorted(item["key"] for each in found for item in each["items"]) == ["bot", "new"]
    assert proposal_links(done) == {f"/console/proposals/{each['id']}" for each in found}
    assert (team.text("bot", "staging"), team.text("new", "staging")) == ("one", None)


@pytest.mark.parametrize("environment", [None, "production"], ids=["unbound", "bound"])
def test_a_plan_of_proposals_publishes_nothing_after_the_environment_requires_no_approvals(
    team: Team, environment: str | None
) -> None:
    browser = Browser(team.project).sign_in(team.key("lead", environment=environment))
    planned = plan(browser, deployment("bot", "two"), deployment("new"))
    team.create("production", required_approvals=0)

    done = apply(browser, planned)

    assert done.status == 409
    assert "it requires no approvals any more; make a new plan" in text_of(done)
    assert (team.text("bot"), team.text("new"), proposals(team)) == ("one", None, [])
    again = browser.post("/console/import", {"text": fields(done)["text"], "reason": ""})
    assert "Publish what is ticked" in text_of(again)


def test_a_description_is_no_part_of_a_proposal_and_both_pages_say_so(browser: Browser, team: Team) -> None:
    planned = plan(browser, deployment("bot", "one", description="Greets"), deployment("new"))

    assert "1 to create, 0 to change, 1 unchanged" in text_of(planned)
    assert "Warning: description: is shared by all environments, and is unchanged" in text_of(planned)
    done = apply(browser, plan(browser, deployment("bot", "two", description="Greets")))
    assert "description: is shared by all environments, and is unchanged" in text_of(done)
    assert team.send("GET", "/v2/deployments/bot").json["description"] == ""


def test_a_form_without_a_plan_has_no_effect(browser: Browser, team: Team) -> None:
    for text in ("{", "[1]", "[" * 100_000, "", '{"prompt_config": 1}', f"[{'[],' * 200_000}[]]"):
        for key in ("bot", "new", "Not a key"):
            form = {f"key.{key}": key, f"base.{key}": "", f"document.{key}": text, "apply": key, "proposes": "yes"}
            refused = browser.post("/console/import/apply", form)
            assert refused.status == 200
            assert "A document failed, so nothing was proposed." in text_of(refused)
    assert proposals(team) == []
    assert (team.text("bot"), team.text("new")) == ("one", None)
