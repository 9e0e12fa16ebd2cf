"""API keys in the console: a token is on one page, and each form does what its operation of the API does."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from moorage.core.access import ADMIN_SCOPES, Scope
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response
from tests.support.stores import run_sql

TOKEN = re.compile(rb"mrg_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")


@pytest.fixture
def admin(project: Project) -> Project:
    """Return the project with an API key that can do everything."""
    return Project(project.server, project.id, project.name, project.key(*Scope)[1])


@pytest.fixture
def browser(admin: Project) -> Browser:
    return Browser(admin).sign_in()


def once(response: Response) -> str:
    """Return the idempotency key of the form of a page."""
    found = re.search(rb'name="once" value="([\w-]+)"', response.body)
    assert found is not None, text_of(response)
    return found[1].decode()


def create(browser: Browser, **form: str | list[str]) -> Response:
    """Send the form of a new API key."""
    sent: dict[str, str | list[str]] = {
        "name": "ci", "preset": "own", "scope": ["deployments:read"], "environment": "", "expires": "", "date": "",
    }  # fmt: skip
    page = browser.get("/console/keys/new")
    return browser.post("/console/keys/new", {**sent, "once": once(page), **form})


def token_of(response: Response) -> str:
    """Return the only token of a page."""
    (token,) = TOKEN.findall(response.body)
    assert isinstance(token, bytes)
    return token.decode()


def test_a_period_that_the_page_does_not_offer_makes_no_key_that_is_valid_for_ever(
    browser: Browser, admin: Project
) -> None:
    refused = create(browser, name="forged", expires="9999")

    assert refused.status == 400
    assert "expires_at must be a time" in text_of(refused)
    assert "forged" not in admin.request("GET", "/v2/api-keys").body.decode()


def keys(browser: Browser) -> list[dict[str, Any]]:
    """Return the API keys of the project, newest first."""
    found: list[dict[str, Any]] = browser.project.request("GET", "/v2/api-keys").json["data"]
    return found


def with_scopes(project: Project, *scopes: Scope) -> Browser:
    """Return a browser that is signed in with an API key with these scopes."""
    return Browser(project).sign_in(project.key(*scopes)[1])


def test_a_new_key_works_and_its_token_is_on_the_page_after_its_creation_alone(browser: Browser) -> None:
    created = create(browser, name="nightly", scope=["deployments:read", "deployments:invoke"])

    assert (created.status, created.headers["cache-control"]) == (200, "no-store")
    token = token_of(created)
    assert browser.project.request("GET", "/v2/deployments", None, {"Authorization": f"Bearer {token}"}).status == 200
    key = keys(browser)[0]
    assert (key["name"], key["scopes"]) == ("nightly", ["deployments:invoke", "deployments:read"])
    path = f"/console/keys/{key['id']}"
    for page in ("/console/keys", path, f"{path}/roll", f"{path}/revoke", f"/console/keys/new?from={key['id']}"):
        assert not TOKEN.search(browser.get(page).body)
    assert token not in json.dumps(browser.project.server.log_lines())


def test_a_form_that_is_sent_twice_creates_one_key_and_shows_the_token_once(browser: Browser) -> None:
    page = browser.get("/console/keys/new")
    form = {"name": "ci", "preset": "application", "expires": "90", "once": once(page)}

    first, again = browser.post("/console/keys/new", form), browser.post("/console/keys/new", form)

    assert TOKEN.search(first.body)
    assert again.status == 200
    assert not TOKEN.search(again.body)
    assert "This form was sent before, and created the key then." in text_of(again)
    assert [key["name"] for key in keys(browser)].count("ci") == 1


def test_a_preset_gives_its_scopes_whatever_boxes_are_ticked(browser: Browser) -> None:
    create(browser, preset="application", scope=["keys:admin"])
    assert keys(browser)[0]["scopes"] == ["deployments:invoke"]

    create(browser, preset="administrator", scope=[])
    assert keys(browser)[0]["scopes"] == sorted(Scope)


def test_a_key_expires_at_the_end_of_its_day(browser: Browser) -> None:
    create(browser, expires="date", date="2099-12-31")
    assert keys(browser)[0]["expires_at"] == "2099-12-31T23:59:59.000Z"

    create(browser, expires="30")
    days = (datetime.fromisoformat(keys(browser)[0]["expires_at"]) - datetime.now(UTC)).days
    assert days in (29, 30)


def test_a_refused_form_comes_back_with_all_that_was_typed(browser: Browser) -> None:
    before = len(keys(browser))

    refused = create(
        browser, name="<b>", expires="date", date="2001-01-01", scope=["deployments:read", "deployments:write"]
    )

    assert refused.status == 400
    assert "Something is not right yet. Nothing was saved." in text_of(refused)
    assert "is in the past" in text_of(refused)
    body = refused.body.decode()
    assert 'value="&lt;b&gt;"' in body
    assert 'value="2001-01-01"' in body
    assert re.findall(r'name="scope" value="([\w:]+)" checked', body) == ["deployments:read", "deployments:write"]
    assert len(keys(browser)) == before


def test_a_key_can_be_bound_to_an_environment(browser: Browser) -> None:
    assert browser.project.request("PUT", "/v2/environments/staging", b"{}").status == 201

    create(browser, environment="staging")

    assert keys(browser)[0]["environment"] == "staging"
    assert "staging alone" in text_of(browser.get(f"/console/keys/{keys(browser)[0]['id']}"))


def test_only_scopes_that_the_own_key_has_are_offered_and_no_others_are_granted(admin: Project) -> None:
    browser = with_scopes(admin, Scope.KEYS_ADMIN, Scope.READ, Scope.INVOKE)

    page = browser.get("/console/keys/new").body.decode()
    refused = create(browser, scope=["deployments:publish"])

    assert set(re.findall(r'name="scope" value="([\w:]+)"', page)) == {Scope.KEYS_ADMIN, Scope.READ, Scope.INVOKE}
    assert re.findall(r'name="preset" value="(\w+)"', page) == ["application", "own"]
    assert refused.status == 403
    assert "deployments:publish" in text_of(refused)


def test_without_the_scope_all_pages_say_which_one_is_missing_and_no_form_does_anything(admin: Project) -> None:
    browser = with_scopes(admin, *(set(Scope) - ADMIN_SCOPES))
    key = keys(Browser(admin))[0]
    forms = {"name": "x", "preset": "application", "once": "a"}

    for path in ("keys", "keys/new", f"keys/{key['id']}", f"keys/{key['id']}/roll", f"keys/{key['id']}/revoke"):
        page = browser.get(f"/console/{path}")
        assert page.status == 403
        assert "Missing scope: keys:admin" in text_of(page)
    for path in ("keys/new", f"keys/{key['id']}", f"keys/{key['id']}/roll", f"keys/{key['id']}/revoke"):
        assert browser.post(f"/console/{path}", forms).status == 403
    assert keys(Browser(admin))[0] == key
    assert "/console/keys" not in links(browser.get("/console/deployments"))
    assert "Your key lacks keys:admin" in text_of(browser.get("/console/deployments"))


def test_the_list_shows_scopes_in_words_and_the_pages_of_more_keys(browser: Browser) -> None:
    create(browser, name="reader")
    for _ in range(25):
        browser.project.key(Scope.INVOKE)

    first = browser.get("/console/keys")
    older = next(link for link in links(first) if "starting_after=" in link)

    assert "more active any not in 30 days never" in text_of(first).replace(" call ", " ")
    assert "reader read active" in text_of(browser.get(older))
    assert "more everything" in text_of(browser.get(older)).replace(" this session", "")


def test_a_key_is_renamed_as_by_the_api(browser: Browser) -> None:
    key_id = browser.project.key(Scope.READ)[0]

    done = browser.post(f"/console/keys/{key_id}", {"name": "dashboard"})

    assert (done.status, done.headers["location"]) == (303, f"/console/keys/{key_id}?done=api_key_renamed")
    assert keys(browser)[0]["name"] == "dashboard"
    refused = browser.post(f"/console/keys/{key_id}", {"name": " "})
    assert (refused.status, keys(browser)[0]["name"]) == (400, "dashboard")


def test_the_pages_before_a_roll_and_a_revocation_name_what_the_key_used(browser: Browser) -> None:
    project = browser.project
    assert project.put("support").status == 201
    key_id, token = project.key(Scope.INVOKE)
    call = json.dumps({"key": "support"}).encode()
    assert (
        project.request("POST", "/v2/deployments/get_config", call, {"Authorization": f"Bearer {token}"}).status == 200
    )

    for action in ("", "/roll", "/revoke"):
        assert "support 1.0 production" in text_of(browser.get(f"/console/keys/{key_id}{action}"))
    unused = project.key(Scope.INVOKE)[0]
    assert "It got no configuration and made no call." in text_of(browser.get(f"/console/keys/{unused}/revoke"))


def test_a_rolled_key_has_a_new_token_and_the_old_one_is_invalid(browser: Browser) -> None:
    key_id, old = browser.project.key(Scope.READ)
    path = f"/console/keys/{key_id}/roll"
    page = browser.get(path)
    form = {"reason": "leaked", "once": once(page)}

    rolled = browser.post(path, form)

    assert "The old token is invalid at once." in text_of(page)
    new = token_of(rolled)
    statuses = [
        browser.project.request("GET", "/v2/deployments", None, {"Authorization": f"Bearer {token}"}).status
        for token in (old, new)
    ]
    assert statuses == [401, 200]
    again = browser.post(path, form)
    assert not TOKEN.search(again.body)
    assert "rolled the key then" in text_of(again)
    assert browser.project.request("GET", "/v2/deployments", None, {"Authorization": f"Bearer {new}"}).status == 200


def test_a_key_with_more_scopes_than_the_own_one_cannot_be_rolled_but_revoked(admin: Project) -> None:
    browser = with_scopes(admin, Scope.KEYS_ADMIN, Scope.READ)
    key_id, _ = admin.key(Scope.APPROVE, Scope.READ)
    path = f"/console/keys/{key_id}"

    page = browser.get(path)

    assert f"{path}/roll" not in links(page)
    assert "your API key would need deployments:approve, environments:admin , too" in text_of(page)
    refused = browser.post(f"{path}/roll", {"reason": "", "once": "a"})
    assert (refused.status, TOKEN.search(refused.body)) == (403, None)
    assert browser.post(f"{path}/revoke", {"reason": ""}).status == 303


def test_a_revoked_key_stays_in_the_list_and_gets_no_new_token(browser: Browser) -> None:
    key_id, token = browser.project.key(Scope.READ)
    path = f"/console/keys/{key_id}"

    done = browser.post(f"{path}/revoke", {"reason": "left the team"})

    assert (done.status, done.headers["location"]) == (303, f"{path}?done=api_key_revoked")
    assert browser.project.request("GET", "/v2/deployments", None, {"Authorization": f"Bearer {token}"}).status == 401
    page = browser.get(done.headers["location"])
    assert "The API key is revoked." in text_of(page)
    assert not {f"{path}/roll", f"{path}/revoke"} & set(links(page))
    refused = browser.post(f"{path}/roll", {"reason": "", "once": "a"})
    assert (refused.status, "is revoked, so it gets no new token" in text_of(refused)) == (409, True)


def test_to_roll_the_own_key_ends_the_session_and_the_page_says_so(admin: Project) -> None:
    key_id, token = admin.key(*Scope)
    browser = Browser(admin).sign_in(token)
    page = browser.get(f"/console/keys/{key_id}/roll")

    rolled = browser.post(f"/console/keys/{key_id}/roll", {"reason": "", "once": once(page)})

    assert "This is the key of your session: the session ends" in text_of(page)
    assert "Sign in with the new token" in text_of(rolled)
    assert browser.get("/console/keys").headers["location"].startswith("/console/sign-in")
    assert Browser(admin).sign_in(token_of(rolled)).get("/console/keys").status == 200


def test_to_revoke_the_own_key_signs_out(admin: Project) -> None:
    key_id, token = admin.key(*Scope)
    browser = Browser(admin).sign_in(token)

    done = browser.post(f"/console/keys/{key_id}/revoke", {"reason": ""})

    assert done.status == 200
    assert "Your API key is revoked" in text_of(done)
    assert browser.cookie == ""
    assert "Sign out" not in text_of(done)


def test_a_key_of_another_project_is_not_found(browser: Browser, project: Project) -> None:
    other = project.server.new_project()
    key_id, token = other.key(Scope.READ)

    for action in ("", "/roll", "/revoke"):
        assert browser.get(f"/console/keys/{key_id}{action}").status == 404
        assert browser.post(f"/console/keys/{key_id}{action}", {"name": "x", "reason": "", "once": "a"}).status == 404
    assert other.request("GET", "/v2/deployments", None, {"Authorization": f"Bearer {token}"}).status == 200


def test_each_form_is_one_write_with_the_history_of_the_api(browser: Browser) -> None:
    key_id, _ = browser.project.key(Scope.READ)
    path = f"/console/keys/{key_id}"

    def revision() -> int:
        return int(browser.project.request("GET", "/v2/deployments").headers["x-moorage-revision"])

    for form_path, form in (
        ("/console/keys/new", {"name": "x", "preset": "application", "once": "one"}),
        (path, {"name": "renamed"}),
        (f"{path}/roll", {"reason": "leaked", "once": "two"}),
        (f"{path}/revoke", {"reason": "left"}),
    ):
        before = revision()
        assert browser.post(form_path, form).status in (200, 303)
        assert revision() == before + 1
    columns = f"action, reason FROM history WHERE subject_key_id = '{key_id}'"
    rows = run_sql(browser.project.server.database, f"SELECT {columns} ORDER BY rev")
    assert [tuple(row) for row in rows][1:] == [("key_renamed", ""), ("key_rotated", "leaked"), ("key_revoked", "left")]
