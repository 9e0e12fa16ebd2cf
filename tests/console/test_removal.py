"""The pages that delete and restore a deployment or a version, and the page of what was deleted."""

import pytest

from moorage.core.access import Scope
from tests.console.test_publish import form_of, save, send, sign_in
from tests.support.console import links, text_of
from tests.support.server import Project
from tests.support.team import Team, with_text

KEY = "/console/deployments/bot"


@pytest.fixture
def team(project: Project) -> Team:
    """Return a team with the deployment `bot`: 1.0 is live, and 1.1 a draft."""
    team = Team(project)
    assert team.put("bot", "one").status == 201
    save(team, "two")
    return team


def serve(team: Team, name: str) -> None:
    """Let an API key of this name use the deployment."""
    assert team.send("POST", "/v2/deployments/get_config", {"key": "bot"}, team.key(name)).status == 200


def test_a_deployment_that_nobody_uses_is_deleted_with_a_reason_and_can_be_restored(team: Team) -> None:
    browser = sign_in(team)
    page = browser.get(f"{KEY}/delete")

    deleted = send(browser, f"{KEY}/delete", reason="replaced by bot_2")
    listed = browser.get(deleted.headers["location"])

    assert form_of(page).button == "Delete bot"
    assert b'"button flare"' in page.body
    assert "It can be restored until" in text_of(page)
    assert "production 1.0" in text_of(page)
    assert "bot is deleted. It can be restored until" in text_of(listed)
    assert f"{KEY}/restore" in links(listed)
    assert team.send("GET", "/v2/deployments/bot").status == 404
    assert team.history("bot")[0]["reason"] == "replaced by bot_2"


def test_the_page_of_a_deleted_deployment_says_who_when_and_why_and_leads_to_the_restore(team: Team) -> None:
    browser = sign_in(team)
    send(browser, f"{KEY}/delete", reason='replaced by "bot_2"')

    page = browser.get(KEY)
    restored = send(browser, f"{KEY}/restore", reason="a mistake")

    assert page.status == 404
    assert "bot was deleted admin deleted it" in text_of(page)
    assert 'replaced by "bot_2"' in text_of(page)
    assert f"{KEY}/restore" in links(page)
    assert restored.headers["location"] == f"{KEY}?done=restored&key=bot"
    assert team.version("bot") == "1.0"
    assert team.history("bot")[0]["reason"] == "a mistake"


def test_a_deployment_in_use_is_deleted_only_with_the_box_that_names_who_uses_it(team: Team) -> None:
    serve(team, "shop-web")
    browser = sign_in(team)
    page = browser.get(f"{KEY}/delete")

    refused = send(browser, f"{KEY}/delete", reason="old")
    deleted = send(browser, f"{KEY}/delete", force="true")

    assert "shop-web 1.0 , last" in text_of(page)
    assert "Delete it although shop-web used it" in text_of(page)
    assert form_of(page).boxes == {"force"}
    assert refused.status == 409
    assert form_of(refused).values["reason"] == "old"
    assert deleted.status == 303


def test_a_deployment_of_a_file_is_deleted_only_with_the_box_that_names_the_file(team: Team) -> None:
    path = "/v2/deployments/bot?file=prompts/bot.yaml&take_ownership=true"
    assert team.send("PUT", path, with_text("one")).status == 200
    browser = sign_in(team)

    page, refused = browser.get(f"{KEY}/delete"), send(browser, f"{KEY}/delete")
    deleted = send(browser, f"{KEY}/delete", take_ownership="true")

    assert "Managed by prompts/bot.yaml" in text_of(page)
    assert (refused.status, deleted.status) == (409, 303)


def test_a_deletion_after_another_change_is_refused_with_that_change(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/delete"))
    assert team.publish("bot", "1.1", token=team.key("bruno")).status == 200

    refused = browser.post(form.action, form.values | {"reason": "old"})

    assert refused.status == 412
    assert "Somebody else was faster: nothing was deleted." in text_of(refused)
    assert "bruno published 1.1" in text_of(refused)
    assert form_of(refused).values["reason"] == "old"
    assert team.version("bot") == "1.1"


def test_a_form_that_is_sent_twice_says_that_it_is_deleted(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/delete"))

    first, second = (browser.post(form.action, form.values) for _ in range(2))

    assert (first.status, second.status) == (303, 404)
    assert "bot was deleted" in text_of(second)


def test_where_approvals_are_required_a_deletion_and_a_restore_are_proposed(team: Team) -> None:
    team.create("production", required_approvals=1)
    browser = sign_in(team)
    page, deletion = browser.get(f"{KEY}/delete"), send(browser, f"{KEY}/delete")

    assert form_of(page).button == "Propose to delete bot"
    assert deletion.headers["location"].endswith("?done=proposed")
    assert team.version("bot") == "1.0"
    assert send(browser, f"{KEY}/delete", emergency="true", reason="a leak").status == 303
    assert form_of(browser.get(f"{KEY}/restore")).button == "Propose to restore bot"


def test_an_api_key_without_the_scope_has_no_button(team: Team) -> None:
    browser = sign_in(team, team.key("writer", [Scope.READ, Scope.WRITE]))

    for path in (f"{KEY}/delete", f"{KEY}/versions/1.1/delete"):
        page = browser.get(path)
        assert form_of(page).button == ""
        assert "deployments:publish" in text_of(page)
        assert browser.post(path, {}).status == 403
    assert team.version("bot") == "1.0"


def test_a_draft_is_discarded_and_restored(team: Team) -> None:
    browser = sign_in(team)
    path = f"{KEY}/versions/1.1"
    page = browser.get(f"{path}/delete")

    discarded = send(browser, f"{path}/delete", reason="a bad idea")
    versions = browser.get(discarded.headers["location"])
    gone = browser.get(path)
    restored = send(browser, f"{path}/restore")

    assert form_of(page).button == "Discard draft 1.1"
    assert "1.1 is deleted. It can be restored until" in text_of(versions)
    assert f"{path}/restore" in links(versions)
    assert (gone.status, "Version 1.1 of bot was deleted admin deleted it" in text_of(gone)) == (404, True)
    assert "a bad idea" in text_of(gone)
    assert restored.headers["location"].startswith(f"{KEY}/versions?done=version_restored")
    assert team.send("GET", "/v2/deployments/bot/versions/1.1").status == 200


def test_a_live_version_has_no_button(team: Team) -> None:
    page = sign_in(team).get(f"{KEY}/versions/1.0/delete")

    assert "The version is live" in text_of(page)
    assert form_of(page).button == ""


def test_what_is_not_deleted_cannot_be_restored(team: Team) -> None:
    browser = sign_in(team)

    for path in (f"{KEY}/restore", f"{KEY}/versions/1.1/restore"):
        page = browser.get(path)
        assert "is not deleted" in text_of(page)
        assert form_of(page).button == ""


def test_a_key_that_another_deployment_has_cannot_be_restored(team: Team) -> None:
    deployment = team.send("GET", "/v2/deployments/bot").json["id"]
    browser = sign_in(team)
    send(browser, f"{KEY}/delete")
    assert team.put("bot", "another").status == 201

    page = browser.get(f"/console/deployments/{deployment}/restore")

    assert "Another deployment has this key" in text_of(page)
    assert form_of(page).button == ""


def test_the_list_of_deleted_deployments_leads_to_the_restore_of_each(team: Team) -> None:
    deployment = team.send("GET", "/v2/deployments/bot").json["id"]
    browser = sign_in(team)
    assert "There are no deleted deployments." in text_of(browser.get("/console/deleted"))
    send(browser, f"{KEY}/delete", reason="replaced")

    page = browser.get("/console/deleted")
    restored = send(browser, f"/console/deployments/{deployment}/restore")

    assert "bot Answers refunds admin" in text_of(page)
    assert "replaced" in text_of(page)
    assert f"/console/deployments/{deployment}/restore" in links(page)
    assert restored.status == 303
    assert "/console/deleted" in links(browser.get("/console/deployments"))


def test_without_the_scope_no_page_of_a_deleted_deployment_leads_to_the_restore(team: Team) -> None:
    send(sign_in(team), f"{KEY}/delete")

    reader = sign_in(team, team.key("reader", [Scope.READ]))

    for page in (reader.get("/console/deleted"), reader.get(KEY)):
        assert not [link for link in links(page) if link.endswith("/restore")]
        assert "deployments:publish" in text_of(page)
