"""Integrations in the console: each provider has its fields, and no page has a credential."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.providers.table import PROVIDERS
from tests.support.console import Browser, links, text_of
from tests.support.gateway import ALLOW_LOOPBACK
from tests.support.ports import reserve_port
from tests.support.server import Project, Response, Server, a_body
from tests.support.team import Team
from tests.support.vendors import all_vendors
from tests.support.vendors.server import VendorServer

KEY = "sk-0123456789-wxyz"
HEADER = "the-support-team"
OPENAI = {"name": "openai", "provider": "openai", "credentials.api_key": KEY, "headers": f"X-Team: {HEADER}"}
ENVIRONMENT = (*ALLOW_LOOPBACK, f"MOORAGE_SECRET_KEY={'k' * 40}", "GROQ_API_KEY=gsk-from-the-environment")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """Return a server with a secret key, and with an integration in its environment.

    Its history began without the key, so the tests can write into the database without it.
    """
    folder = tmp_path_factory.mktemp("server")
    database = new_database(folder)
    with Server(folder, database=database):
        pass
    with Server(folder, database=database, prefix=ENVIRONMENT) as running:
        yield running


@pytest.fixture(scope="module")
def vendors() -> Iterator[VendorServer]:
    with VendorServer(all_vendors()) as running:
        yield running


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


@pytest.fixture
def browser(team: Team) -> Browser:
    return Browser(team.project).sign_in(team.key("lead"))


def create(browser: Browser, **form: str) -> Response:
    """Send the form of a new integration, and follow the redirect if it is accepted."""
    return browser.post("/console/new-integration", OPENAI | form)


def stored(team: Team, name: str = "openai") -> dict[str, Any]:
    found: dict[str, Any] = team.send("GET", f"/v2/integrations/{name}").json
    return found


def etag(response: Response) -> str:
    """Return the ETag in the form of a page."""
    found = re.search(r'name="etag" value="&#34;([\w-]+)&#34;"', response.body.decode())
    assert found is not None, text_of(response)
    return f'"{found[1]}"'


def has_no_secret(response: Response) -> bool:
    """Return whether a page has none of the secrets that the tests send, and no value in a field for them."""
    fields = re.findall(rb'<input class="input mono" type="password"[^>]*>', response.body)
    is_empty = not any(b"value=" in field for field in fields) and b'"headers" rows="2"' in response.body
    return KEY.encode() not in response.body and HEADER.encode() not in response.body and (is_empty or not fields)


def test_an_integration_is_created_and_only_the_last_characters_of_its_secrets_are_shown(
    browser: Browser, team: Team
) -> None:
    done = create(browser, **{"options.organization": "org-1", "options.timeout_total_s": "600"})

    assert (done.status, done.headers["location"]) == (
        303, "/console/integrations/openai?done=integration_saved&where=openai"
    )  # fmt: skip
    item = stored(team)
    assert (item["credentials"], item["headers"]) == ({"api_key": "…wxyz"}, {"x-team": "…team"})
    assert item["options"] == {"organization": "org-1", "timeout_total_s": 600}
    page = browser.get(done.headers["location"])
    assert "API key …wxyz x-team …team" in text_of(page)
    pages = ("integrations/openai", "integrations/openai?replace=1", "integrations/openai/delete", "integrations")
    for path in pages:
        assert has_no_secret(browser.get(f"/console/{path}"))
    assert KEY not in json.dumps(team.project.server.log_lines())


def test_a_refused_form_comes_back_without_the_secrets_and_says_so(browser: Browser, team: Team) -> None:
    refused = create(browser, **{"options.organization": "no spaces here", "base_url": "https://eu.example/v1"})

    assert refused.status == 400
    assert "#field-options.organization" in links(refused)
    assert "Enter the credentials again. They were not stored, and a page never shows them." in text_of(refused)
    assert 'value="no spaces here"' in refused.body.decode()
    assert 'value="https://eu.example/v1"' in refused.body.decode()
    assert has_no_secret(refused)
    assert team.send("GET", "/v2/integrations/openai").status == 404


@pytest.mark.parametrize(
    "secret", [{"credentials.api_key": f"{KEY} with a space"}, {"headers": KEY}, {"headers": f"X A: {KEY}"}]
)
def test_no_problem_contains_a_secret(browser: Browser, secret: dict[str, str]) -> None:
    refused = create(browser, **secret)

    assert refused.status == 400
    assert has_no_secret(refused)


def test_a_file_that_is_no_json_is_refused_without_its_text(browser: Browser) -> None:
    form = {"provider": "google", "credentials.api_key": "", "credentials.service_account": f'{{"private_key": "{KEY}'}

    refused = create(browser, **form, **{"options.location": "global", "options.project": "shop"})

    assert refused.status == 400
    assert KEY.encode() not in refused.body


def test_an_existing_integration_is_not_replaced_by_a_new_one(browser: Browser, team: Team) -> None:
    create(browser)

    refused = create(browser, **{"credentials.api_key": "sk-another-key-0000"})

    assert refused.status == 412
    assert stored(team)["credentials"] == {"api_key": "…wxyz"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_its_fields(browser: Browser, provider: str) -> None:
    row = PROVIDERS[provider]

    page = browser.get(f"/console/new-integration?provider={provider}").body.decode()

    names = set(re.findall(r'name="([\w.]+)"', page))
    assert {f"options.{name}" for name in row.options} <= names
    assert ("credentials.secret_access_key" in names) == (provider == "aws")
    assert ("credentials.service_account" in names) == (provider == "google")
    assert ("credentials.api_key" in names) == (provider != "google")
    assert ('name="base_url" value="" placeholder="" autocapitalize="off" spellcheck="false" required' in page) == (
        row.base_url is None
    )
    assert f"provider={provider}" in " ".join(links(browser.get("/console/new-integration")))


def test_settings_change_and_the_stored_credentials_stay(browser: Browser, team: Team) -> None:
    create(browser)
    page = browser.get("/console/integrations/openai")
    form = {"provider": "openai", "etag": etag(page), "options.project": "p1", "reason": "per project"}

    done = browser.post("/console/integrations/openai", form)

    assert 'type="password"' not in page.body.decode()
    assert "/console/integrations/openai?replace=1" in links(page)
    assert done.status == 303
    assert (stored(team)["options"], stored(team)["credentials"]) == ({"project": "p1"}, {"api_key": "…wxyz"})


def test_credentials_are_replaced_in_a_form_that_has_them(browser: Browser, team: Team) -> None:
    create(browser)
    page = browser.get("/console/integrations/openai?replace=1")
    form = {"provider": "openai", "etag": etag(page), "replace": "1", "credentials.api_key": "sk-another-key-abcd"}

    assert 'type="password"' in page.body.decode()
    assert browser.post("/console/integrations/openai", form).status == 303
    assert (stored(team)["credentials"], stored(team)["headers"]) == ({"api_key": "…abcd"}, {})


def test_another_host_needs_the_credentials_again(browser: Browser, team: Team) -> None:
    create(browser)
    page = browser.get("/console/integrations/openai")
    form = {"provider": "openai", "etag": etag(page), "base_url": "https://other.example/v1"}

    refused = browser.post("/console/integrations/openai", form)

    assert refused.status == 409
    assert "so they are not sent to https://other.example" in text_of(refused)
    assert 'name="replace"' in refused.body.decode()
    assert 'value="https://other.example/v1"' in refused.body.decode()
    assert stored(team)["base_url"] is None


def test_a_stale_form_changes_and_deletes_nothing(browser: Browser, team: Team) -> None:
    create(browser)
    old = etag(browser.get("/console/integrations/openai"))
    assert (
        team.send("PUT", "/v2/integrations/openai", {"provider": "openai", "options": {"project": "p2"}}).status == 200
    )

    changed = browser.post("/console/integrations/openai", {"provider": "openai", "etag": old})
    deleted = browser.post("/console/integrations/openai/delete", {"etag": old, "reason": ""})

    assert (changed.status, deleted.status) == (412, 412)
    assert stored(team)["options"] == {"project": "p2"}


def test_a_test_shows_the_status_and_the_words_of_the_provider(
    browser: Browser, team: Team, vendors: VendorServer
) -> None:
    url = vendors.base_url("openai")
    create(browser, base_url=url, **{"credentials.api_key": vendors.vendors["openai"].key})
    create(browser, name="wrong", base_url=f"http://127.0.0.1:{reserve_port()}/v1")

    good = browser.post("/console/integrations/openai/test", {})
    bad = browser.post("/console/integrations/wrong/test", {})

    assert good.status == bad.status == 200
    assert re.search(r"The provider can be called\. .*status 404, \d+ ms", text_of(good))
    assert re.search(r"The provider cannot be called\. .* \d+ ms", text_of(bad))
    expected = team.send("POST", "/v2/integrations/wrong/test").json["message"]
    assert expected in text_of(bad)
    assert KEY.encode() not in bad.body


def test_an_integration_in_use_is_not_deleted_and_the_page_names_the_deployments(browser: Browser, team: Team) -> None:
    create(browser, name="openai-eu")
    model = a_body()["prompt_config"] | {"integration_id": "openai-eu"}
    team.project.put("support", {"prompt_config": model})
    page = browser.get("/console/integrations/openai-eu/delete")
    form = {"etag": etag(page), "reason": ""}

    refused = browser.post("/console/integrations/openai-eu/delete", form)

    assert refused.status == 409
    assert "/console/deployments/support" in links(refused)
    team.send("DELETE", "/v2/deployments/support?force=true")
    done = browser.post("/console/integrations/openai-eu/delete", form)
    assert done.headers["location"] == "/console/integrations?done=integration_deleted&where=openai-eu"
    assert team.send("GET", "/v2/integrations/openai-eu").status == 404


def test_an_integration_of_the_environment_says_so_and_can_only_be_replaced(browser: Browser) -> None:
    page = browser.get("/console/integrations/groq")

    assert "It is from the environment of the server." in text_of(page)
    assert "GROQ_API_KEY" in text_of(page)
    assert "gsk-from" not in page.body.decode()
    assert "/console/integrations/groq/delete" not in links(page)
    assert "/console/new-integration?provider=groq" in links(page)
    assert "from the server's environment" in text_of(browser.get("/console/integrations"))


def test_without_the_scope_all_pages_say_so_and_no_form_has_an_effect(browser: Browser, team: Team) -> None:
    create(browser)
    reader = Browser(team.project).sign_in(team.key("author", set(Scope) - {Scope.INTEGRATIONS_ADMIN}))

    for path in ("integrations", "new-integration", "integrations/openai", "integrations/openai/delete"):
        page = reader.get(f"/console/{path}")
        assert (page.status, "Missing scope: integrations:admin" in text_of(page)) == (403, True)
    for path in ("new-integration", "integrations/openai", "integrations/openai/test", "integrations/openai/delete"):
        assert reader.post(f"/console/{path}", OPENAI).status == 403
    assert stored(team)["credentials"] == {"api_key": "…wxyz"}
    assert "/console/integrations" not in links(reader.get("/console/deployments"))


def test_a_key_that_is_bound_to_an_environment_sees_integrations_and_changes_none(browser: Browser, team: Team) -> None:
    create(browser)
    team.create("staging")
    bound = Browser(team.project).sign_in(team.key("ci", Scope, "staging"))

    page = bound.get("/console/integrations/openai")

    assert "bound to an environment, so it cannot change integrations" in text_of(page)
    assert b"Save the integration" not in page.body
    assert "/console/integrations/openai/delete" not in links(page)
    assert bound.get("/console/new-integration").status == 403
    assert bound.post("/console/integrations/openai", OPENAI).status == 403


def test_without_a_secret_key_the_pages_say_how_to_set_one(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]
) -> None:
    folder = tmp_path_factory.mktemp("no-key")
    with Server(folder, database=new_database(folder)) as running:
        team = Team(running.new_project())
        browser = Browser(team.project).sign_in(team.key("lead"))
        has_file = running.database.startswith("sqlite")  # it makes a key of its own

        page = browser.get("/console/new-integration?provider=openai")
        sent = create(browser)

        assert ("openssl rand -hex 32" in text_of(page)) == (not has_file)
        assert (sent.status == 303) == has_file
        assert has_file or "The server has no secret key." in text_of(sent)
        assert KEY.encode() not in sent.body
