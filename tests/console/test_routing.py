"""The routing page explains the variant of a context, and compares the routing tables of two versions."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from moorage.console.contexts import read_context, read_contexts
from moorage.core.access import Scope
from moorage.core.errors.requests import InvalidRequest
from tests.support.console import Browser, text_of
from tests.support.server import Project, a_body

ROUTING: list[dict[str, Any]] = [
    {"when": {"country": {"eq": "NLD"}}, "variant": "dutch"},
    {"when": {"plan": {"eq": "pro"}}, "split": {"by": "user_id", "percent": 20}, "variant": "newer"},
]
PATH = "/console/deployments/orders/routing"


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def with_routing(*routing: dict[str, Any]) -> dict[str, Any]:
    config = a_body()["prompt_config"]
    variants = [{"name": name, "prompt_config": config} for name in ("dutch", "newer")]
    return a_body() | {"variants": variants, "routing": list(routing)}


@pytest.fixture
def orders(project: Project) -> None:
    assert project.put("orders", with_routing(*ROUTING)).status == 201


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("context", ["country=NLD", '{"country": "NLD"}', 'country:="NLD"'])
def test_the_page_says_which_rule_was_chosen_and_why_the_others_were_not(context: str, browser: Browser) -> None:
    page = text_of(browser.get(f"{PATH}?context={quote(context)}"))

    assert "The variant is dutch. Rule 1 is the first one that matches." in page
    assert 'chosen country is "NLD", which equals "NLD"' in page
    assert "no match plan is missing" in page
    assert "matches matches every request; rule 1 comes first" in page


@pytest.mark.usefixtures("orders")
def test_the_page_shows_the_bucket_of_a_split(browser: Browser) -> None:
    page = text_of(browser.get(f"{PATH}?context=plan=pro%0Auser_id=anna"))

    assert "bucket 50.38 the bucket of user_id, 50.38, is not below 20" in page


@pytest.mark.usefixtures("orders")
def test_without_a_context_the_default_is_explained(browser: Browser) -> None:
    assert "The variant is default. No rule matches, so the default is used." in text_of(browser.get(PATH))


def test_a_deployment_without_rules_says_so(browser: Browser) -> None:
    browser.project.put("orders")

    assert "The live version has no rules: every request gets the default variant." in text_of(browser.get(PATH))


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("context", "reason"),
    [("country", "Line 1 is"), ('{"a": ', "The context:"), ("a:=x", "Line 1:"), ('{"a": {"b": 1}}', "context.a")],
)
def test_a_context_that_is_not_valid_stays_in_the_form_with_the_reason(
    context: str, reason: str, browser: Browser
) -> None:
    response = browser.get(f"{PATH}?context={quote(context)}")

    assert response.status == 400
    assert "The context is not valid" in text_of(response)
    assert reason in text_of(response)
    assert f"Attributes {context}" in text_of(response)


@pytest.mark.usefixtures("orders")
def test_the_environment_of_the_address_counts(browser: Browser) -> None:
    project = browser.project
    admin = {"Authorization": f"Bearer {project.key(*Scope)[1]}"}
    assert project.request("PUT", "/v2/environments/qa", b"{}", admin).status == 201
    assert project.put("orders", with_routing(), "?environment=qa&allow_breaking=true").status in (200, 201)

    context = quote('{"country": "NLD", "environments": "production"}')
    assert "The variant is default." in text_of(browser.get(f"{PATH}?environment=qa&context={context}"))
    assert "The variant is dutch." in text_of(browser.get(f"{PATH}?context={context}"))


@pytest.mark.usefixtures("orders")
def test_contexts_are_compared_with_the_rules_of_a_draft(browser: Browser) -> None:
    draft = with_routing({"when": {"country": {"in": ["NLD", "BEL"]}}, "variant": "dutch"})
    del draft["description"]
    saved = browser.project.request("POST", "/v2/deployments/orders/versions", json.dumps(draft).encode())
    assert saved.status == 201, saved.body
    revision = saved.headers["x-moorage-revision"]
    contexts = '{"country": "NLD"}\n\n{"country": "BEL"}\n{}\n'

    response = browser.post(PATH, {"contexts": contexts, "version": "1.1"})
    page = text_of(response)

    assert response.status == 200
    assert '{"country": "BEL"} default default dutch rule 1' in page
    assert "1 of 3 contexts get another variant from 1.1." in page
    assert contexts.strip() in response.body.decode().replace("&#34;", '"')
    assert browser.project.get("orders").headers["x-moorage-revision"] == revision, "nothing changed"


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("contexts", ["{", "[1]", "{}\n" * 1_001])
def test_contexts_that_are_not_valid_are_not_lost(contexts: str, browser: Browser) -> None:
    response = browser.post(PATH, {"contexts": contexts, "version": "1.0"})

    assert response.status == 400
    assert "The contexts cannot be compared" in text_of(response)
    assert contexts.strip() in response.body.decode()


@pytest.mark.usefixtures("orders")
def test_a_preview_is_no_use_of_the_deployment(browser: Browser) -> None:
    browser.get(f"{PATH}?context=country=NLD")
    browser.post(PATH, {"contexts": "{}", "version": "1.0"})

    assert browser.project.request("GET", "/v2/deployments/orders/callers").json["data"] == []


@pytest.mark.usefixtures("orders")
def test_contexts_from_another_site_are_refused(browser: Browser) -> None:
    response = browser.post(PATH, {"contexts": "{}", "version": "1.0"}, Sec_Fetch_Site="cross-site")

    assert response.status == 403
    assert Browser(browser.project).post(PATH, {"contexts": "{}"}).status == 401, "a stranger signs in first"


@pytest.mark.usefixtures("orders")
def test_an_api_key_without_the_scope_to_read_gets_a_page_that_names_it(browser: Browser) -> None:
    caller = Browser(browser.project).sign_in(browser.project.key(Scope.INVOKE)[1])

    for response in (caller.get(PATH), caller.post(PATH, {"contexts": "{}", "version": "1.0"})):
        assert response.status == 403
        assert "deployments:read" in text_of(response)


def test_lines_are_read_as_on_the_command_line() -> None:
    text = "country = NLD\nvisits:=12\n\nis_new := true\nurl=a=b\nlist:=[1, 2]"

    assert read_context(text) == {"country": "NLD", "visits": 12, "is_new": True, "url": "a=b", "list": [1, 2]}
    assert read_context("") == {}
    assert read_contexts("\n {} \n") == [{}]
    with pytest.raises(InvalidRequest, match="Line 2"):
        read_context("a=b\n=c")
