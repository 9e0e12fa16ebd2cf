"""The forms of environments: what they change, what a deletion does, and what stands in its way."""

import re
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response
from tests.support.stores import run_sql
from tests.support.team import Team

FIELDS = {"display_name": "QA", "description": "", "required_approvals": "0", "reason": ""}


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


@pytest.fixture
def browser(team: Team) -> Browser:
    return Browser(team.project).sign_in(team.key("lead"))


def etag(response: Response) -> str:
    """Return the ETag in the form of a page."""
    found = re.search(r'name="etag" value="&#34;([\w-]+)&#34;"', response.body.decode())
    assert found is not None, text_of(response)
    return f'"{found[1]}"'


def environment(team: Team, name: str) -> dict[str, Any]:
    found: dict[str, Any] = team.send("GET", f"/v2/environments/{name}").json
    return found


def names(team: Team) -> list[str]:
    return [each["name"] for each in team.send("GET", "/v2/environments").json["data"]]


def test_an_environment_is_created_with_its_settings(browser: Browser, team: Team) -> None:
    form = FIELDS | {"name": "qa", "protected": "1", "required_approvals": "1", "description": "tests"}

    done = browser.post("/console/new-environment", form)

    assert (done.status, done.headers["location"].partition("?")[0]) == (303, "/console/environments/qa")
    created = environment(team, "qa")
    assert (created["display_name"], created["description"]) == ("QA", "tests")
    assert (created["protected"], created["required_approvals"], created["approve_undo"]) == (True, 1, False)
    assert "/console/environments/qa" in links(browser.get("/console/environments"))


@pytest.mark.parametrize("typed", ["9" * 6000, "-1", "1.5", "\u0663", "many"])
def test_a_number_of_approvals_that_cannot_be_is_rejected_and_comes_back(
    browser: Browser, team: Team, typed: str
) -> None:
    refused = browser.post("/console/new-environment", FIELDS | {"name": "qa", "required_approvals": typed})

    assert refused.status == 400, text_of(refused)
    assert "must be a whole number from 0 to 5" in text_of(refused)
    assert f'value="{typed}"' in refused.body.decode()
    assert "qa" not in names(team)


def test_an_omitted_display_name_is_that_of_the_api(browser: Browser, team: Team) -> None:
    browser.post("/console/new-environment", FIELDS | {"name": "qa-eu", "display_name": ""})

    assert environment(team, "qa-eu")["display_name"] == "Qa eu"


def test_a_refused_environment_comes_back_and_an_existing_one_is_not_changed(browser: Browser, team: Team) -> None:
    team.create("staging", description="ours")

    invalid = browser.post("/console/new-environment", FIELDS | {"name": "Not a name", "description": "typed"})
    existing = browser.post("/console/new-environment", FIELDS | {"name": "staging", "description": "typed"})

    assert (invalid.status, existing.status) == (400, 412)
    assert "is not the name of an environment" in text_of(invalid)
    for page in (invalid, existing):
        assert "typed</textarea>" in page.body.decode()
    assert environment(team, "staging")["description"] == "ours"
    assert names(team) == ["production", "staging"]


def test_an_environment_may_be_named_new(browser: Browser, team: Team) -> None:
    browser.post("/console/new-environment", FIELDS | {"name": "new"})

    assert "Settings of new" in text_of(browser.get("/console/environments/new"))


def test_settings_change_as_by_the_api_and_boxes_that_are_not_ticked_are_off(browser: Browser, team: Team) -> None:
    team.create("qa", protected=True, approve_undo=True, description="before")
    page = browser.get("/console/environments/qa")
    form = FIELDS | {"etag": etag(page), "description": "after", "approve_undo": "1", "reason": "open to all"}

    done = browser.post("/console/environments/qa", form)

    assert done.status == 303
    assert "The settings of qa are saved." in text_of(browser.get(done.headers["location"]))
    changed = environment(team, "qa")
    assert (changed["description"], changed["protected"], changed["approve_undo"]) == ("after", False, True)
    where = f"action = 'environment_set' AND environment_id = '{changed['id']}' ORDER BY rev"
    rows = run_sql(team.project.server.database, f"SELECT reason FROM history WHERE {where}")
    assert [reason for (reason,) in rows] == ["", "open to all"]


def test_a_stale_form_changes_nothing_and_shows_both(browser: Browser, team: Team) -> None:
    team.create("qa")
    old = etag(browser.get("/console/environments/qa"))
    team.send("PUT", "/v2/environments/qa", {"description": "theirs"})

    refused = browser.post("/console/environments/qa", FIELDS | {"etag": old, "description": "mine"})

    assert refused.status == 412
    assert "Somebody was faster. Nothing was changed." in text_of(refused)
    assert "theirs" in text_of(refused)
    assert "mine</textarea>" in refused.body.decode()
    assert environment(team, "qa")["description"] == "theirs"
    assert (
        browser.post("/console/environments/qa", FIELDS | {"etag": etag(refused), "description": "mine"}).status == 303
    )


def test_production_stays_protected_and_can_require_approvals(browser: Browser, team: Team) -> None:
    page = browser.get("/console/environments/production")
    form = FIELDS | {"etag": etag(page), "protected": "1", "required_approvals": "2", "unknown_names": "reject"}

    done = browser.post("/console/environments/production", form)

    assert "more approvals than there are API keys to give them" in text_of(browser.get(done.headers["location"]))
    production = environment(team, "production")
    assert (production["required_approvals"], production["unknown_names"]) == (2, "reject")
    unprotected = {name: value for name, value in form.items() if name not in ("protected", "etag")}
    assert browser.post("/console/environments/production", unprotected).status == 409
    assert "/console/environments/production/delete" not in links(page)
    assert browser.post("/console/environments/production/delete", {"reason": ""}).status == 409


def test_a_value_that_is_no_number_is_the_problem_of_its_field(browser: Browser, team: Team) -> None:
    team.create("qa")

    refused = browser.post("/console/environments/qa", FIELDS | {"required_approvals": "many"})

    assert refused.status == 400
    assert "#field-required_approvals" in links(refused)
    assert 'value="many"' in refused.body.decode()


def test_an_unused_environment_is_deleted(browser: Browser, team: Team) -> None:
    team.create("qa")
    page = browser.get("/console/environments/qa/delete?environment=qa")

    done = browser.post("/console/environments/qa/delete?environment=qa", {"etag": etag(page), "reason": "unused"})

    assert done.headers["location"] == "/console/environments?done=environment_deleted&where=qa"
    assert "The environment qa is deleted." in text_of(browser.get(done.headers["location"]))
    assert names(team) == ["production"]


def test_keys_that_are_bound_stand_in_the_way_and_a_forced_deletion_revokes_them(browser: Browser, team: Team) -> None:
    team.create("qa")
    assert team.put("a", "text", "qa").status == 201
    token = team.key("shop-qa", [Scope.INVOKE], "qa")
    page = browser.get("/console/environments/qa/delete")
    form = {"etag": etag(page), "reason": ""}

    refused = browser.post("/console/environments/qa/delete", form)

    assert "1 deployment with a version of its own there: a." in text_of(page)
    assert 'name="force"' not in page.body.decode()
    assert refused.status == 409
    assert "shop-qa" in text_of(refused)
    assert "Delete it anyway." in text_of(refused)
    assert names(team) == ["production", "qa"]
    assert browser.post("/console/environments/qa/delete", form | {"force": "1"}).status == 303
    assert names(team) == ["production"]
    assert team.send("GET", "/v2/deployments", token=token).status == 401


def test_a_stale_deletion_deletes_nothing(browser: Browser, team: Team) -> None:
    team.create("qa")
    old = etag(browser.get("/console/environments/qa/delete"))
    team.send("PUT", "/v2/environments/qa", {"description": "used now"})

    refused = browser.post("/console/environments/qa/delete", {"etag": old, "reason": ""})

    assert (refused.status, names(team)) == (412, ["production", "qa"])


@pytest.mark.parametrize("is_bound", [False, True])
def test_without_the_right_there_is_no_form_and_no_effect(team: Team, is_bound: bool) -> None:
    team.create("qa")
    scopes = Scope if is_bound else set(Scope) - {Scope.ENVIRONMENTS_ADMIN}
    browser = Browser(team.project).sign_in(team.key("author", scopes, "qa" if is_bound else None))

    page = browser.get("/console/environments/qa")

    assert "you need an API key with environments:admin" in text_of(page)
    assert "/console/environments/qa/delete" not in links(page)
    assert b"Save the settings" not in page.body
    assert "/console/new-environment" not in links(browser.get("/console/environments"))
    assert browser.get("/console/new-environment").status == 403
    assert browser.post("/console/new-environment", FIELDS | {"name": "mine"}).status == 403
    assert browser.post("/console/environments/qa", FIELDS | {"description": "mine"}).status == 403
    assert browser.post("/console/environments/qa/delete", {"reason": "", "force": "1"}).status == 403
    assert names(team) == ["production", "qa"]
    assert environment(team, "qa")["description"] == ""


def test_an_unknown_environment_is_not_found(browser: Browser) -> None:
    for path in ("missing", "missing/delete"):
        assert browser.get(f"/console/environments/{path}").status == 404
