"""What is live is changed in a browser: by two people at once, without scripts, and with an approval."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.console.browser import VARIANTS, Variant, new_session, open_page
from tests.console.samples import BREAKING_KEY, KEY, Samples, running_samples
from tests.support.server import Project
from tests.support.team import Team

DEPLOYMENT = f"/console/deployments/{KEY}"


@pytest.fixture
def own_samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    """Return a server with the sample deployments, which the test changes."""
    with running_samples(tmp_path_factory.mktemp("changes")) as running:
        yield running


def team_of(samples: Samples) -> Team:
    with samples.server.open_store() as store:
        project = store.projects()[0]
    return Team(Project(samples.server, project.id, project.name, samples.token))


def test_of_two_who_publish_the_slower_one_sees_both_changes_and_loses_nothing(
    browser: Browser, own_samples: Samples
) -> None:
    url, team = own_samples.server.url, team_of(own_samples)
    sessions = [new_session(browser, url, team.key(name)) for name in ("anna", "bruno")]
    with open_page(browser, url, state=sessions[0]) as anna, open_page(browser, url, state=sessions[1]) as bruno:
        anna.goto(f"{DEPLOYMENT}/publish/1.2")
        anna.get_by_label("Why").fill("Thank you,\ncustomers & friends")
        _publish(bruno, "1.0", "Too many complaints")

        anna.get_by_role("button", name="Publish 1.2").click()

        alert = anna.get_by_role("alert")
        expect(alert).to_contain_text("bruno was faster: nothing was changed.")
        expect(alert).to_contain_text("Too many complaints")
        expect(alert).to_contain_text("1.0 is live now; your page showed 1.1.")
        for change in ("Their change: 1.1 to 1.0", "Your change: 1.1 to 1.2"):
            expect(anna.locator("details", has_text=change).locator("ins").first).to_be_visible()
        _check_accessibility(anna)
        assert anna.get_by_label("Why").input_value() == "Thank you,\ncustomers & friends"
        anna.get_by_role("button", name="Publish 1.2").click()
        expect(anna.get_by_role("status").first).to_contain_text("1.2 is live in production. 1.0 is one undo away.")
    reasons = [entry["reason"] for entry in team.history(KEY) if entry["action"] == "published"]
    assert reasons[:2] == ["Thank you,\ncustomers & friends", "Too many complaints"]


def _publish(page: Page, version: str, reason: str) -> None:
    page.goto(f"{DEPLOYMENT}/publish/{version}")
    page.get_by_label("Why").fill(reason)
    page.get_by_role("button", name=f"Publish {version}").click()
    page.wait_for_url("**?done=moved**")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_version_is_reviewed_published_and_undone_from_page_to_page(
    browser: Browser, own_samples: Samples, scripts: bool
) -> None:
    session = new_session(browser, own_samples.server.url, own_samples.token)
    with open_page(browser, own_samples.server.url, scripts=scripts, state=session) as page:
        page.goto(f"{DEPLOYMENT}/versions")
        page.get_by_role("link", name="Review and publish 1.2").click()
        page.get_by_role("button", name="Publish 1.2").click()
        expect(page.get_by_role("status").first).to_contain_text("1.2 is live in production.")
        page.get_by_role("status").first.get_by_role("link", name="Undo").click()
        page.get_by_role("button", name="Undo to 1.1").click()
        expect(page.get_by_role("status").first).to_contain_text("1.1 is live in production again.")


def test_the_boxes_must_be_ticked_before_the_browser_sends_the_form(browser: Browser, own_samples: Samples) -> None:
    session = new_session(browser, own_samples.server.url, own_samples.token)
    with open_page(browser, own_samples.server.url, state=session) as page:
        page.goto(f"/console/deployments/{BREAKING_KEY}/publish/1.1")
        button = page.get_by_role("button", name="Publish 1.1")
        button.click()
        assert page.url.endswith("/publish/1.1")
        page.get_by_label("Take over from prompts/orders.yaml").check()
        page.get_by_label("Publish it although it breaks shop-web").check()
        button.click()
        expect(page.get_by_role("status").first).to_contain_text("1.1 is live in production.")


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_page_of_a_proposal_is_accessible_and_the_last_approval_publishes(
    browser: Browser, own_samples: Samples, variant: Variant
) -> None:
    url, team = own_samples.server.url, team_of(own_samples)
    session = new_session(browser, url, team.approver("ben"))
    with open_page(browser, url, variant, state=session) as page:
        page.goto("/console/proposals")
        _check_accessibility(page)
        page.get_by_role("link", name=f"publish {KEY}").click()
        _check_accessibility(page)
        page.get_by_role("button", name="Approve and publish").click()
        expect(page.get_by_role("status").first).to_contain_text("It is approved, and live in canary.")
    assert team.version(KEY, "canary") == "1.2"


def _check_accessibility(page: Page) -> None:
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    result = Axe().run(page, options=options)
    assert result.violations_count == 0, result.generate_report()
