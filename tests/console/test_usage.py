"""The pages with the usage of a deployment, and of a project."""

import pytest

from moorage.core.access import Scope
from moorage.core.compatibility.consumers import UsageRecord
from tests.api.test_usage import report, version_ids
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, a_body

_DAY_US = 86_400_000_000


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def test_the_usage_of_a_deployment_marks_a_version_that_is_not_live(browser: Browser) -> None:
    project = browser.project
    project.put("a")
    report(project, {"version_id": version_ids(project, "a")["1.0"], "inputs": ["customer"]})
    assert "test 1.0 live" in text_of(browser.get("/console/deployments/a/usage"))

    project.put("a", a_body(model="other"))
    page = text_of(browser.get("/console/deployments/a/usage"))

    assert "test 1.0 not live" in page
    assert "customer" in page


def test_the_span_from_the_first_to_the_last_use_is_a_part_of_30_days(browser: Browser) -> None:
    project = browser.project
    project.put("a")
    key_id, _ = project.key(Scope.INVOKE)
    with project.server.open_store() as store:
        now_us = store.now_us()
        record = UsageRecord(version_ids(project, "a")["1.0"], key_id, now_us - 90 * _DAY_US, now_us - 15 * _DAY_US, ())
        store.record_consumers([record])

    page = browser.get("/console/deployments/a/usage").body.decode()

    assert '<rect x="0" width="60" height="6" rx="3"/>' in page


def test_the_usage_of_the_project_leads_to_that_of_each_deployment(browser: Browser) -> None:
    for key in ("a", "b"):
        browser.project.put(key)
        report(browser.project, {"version_id": version_ids(browser.project, key)["1.0"]})

    page = browser.get("/console/usage")

    found = [link for link in links(page) if link.startswith("/console/deployments/")]
    assert found == ["/console/deployments/b/usage", "/console/deployments/a/usage"]


def test_all_uses_are_found_through_the_pages_once(browser: Browser) -> None:
    project = browser.project
    items = project.fill(30)
    key_id, _ = project.key(Scope.INVOKE)
    with project.server.open_store() as store:
        now_us = store.now_us()
        ids = [version_ids(project, item["key"])["1.0"] for item in items]
        store.record_consumers(UsageRecord(id_, key_id, now_us - 1, now_us, ()) for id_ in ids)
    seen, path = list[str](), "/console/usage"
    while path:
        page = browser.get(path)
        seen += [link for link in links(page) if link.startswith("/console/deployments/")]
        path = next((link for link in links(page) if "starting_after=" in link), "")

    assert len(seen) == len(set(seen)) == 30


def test_a_deployment_without_use_says_so(browser: Browser) -> None:
    browser.project.put("a")

    assert "No API key used a in the last 30 days." in text_of(browser.get("/console/deployments/a/usage"))
    assert "No API key used a deployment in production" in text_of(browser.get("/console/usage"))
