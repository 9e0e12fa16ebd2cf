"""The pages of the console over HTTP, with a session."""

import json
import re
from html.parser import HTMLParser

import pytest

from moorage.console.guard import MEDIA_HEADERS, PAGE_HEADERS
from moorage.core.access import Scope
from moorage.documents.yaml import load_documents
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, a_body

CHAT = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def put(project: Project, key: str, text: str = "Hello", query: str = "", **fields: object) -> None:
    prompt_config = CHAT | {"messages": [{"role": "system", "content": text}]}
    response = project.put(key, {"prompt_config": prompt_config, **fields}, query)
    assert response.status in (200, 201), response.body


PAGES = (
    "/console/deployments", "/console/deployments/a", "/console/deployments/a/versions",
    "/console/deployments/a/versions/1.0", "/console/deployments/a/compare", "/console/deployments/a/history",
    "/console/environments", "/console/proposals", "/console/deployments/a/edit", "/console/new",
    "/console/deployments/a/use", "/console/deployments/a/routing", "/console/deployments/a/try",
    "/console/settings", "/console/keyboard", "/console/changes", "/console/usage", "/console/deployments/a/usage",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_a_session_and_leads_back_after_the_sign_in(path: str, project: Project) -> None:
    put(project, "a")

    response = Browser(project).get(f"{path}?x=1")

    assert response.status == 303
    assert response.headers["location"].startswith("/console/sign-in?then=%2Fconsole%2F")
    assert response.headers["location"].endswith("%3Fx%3D1")


@pytest.mark.parametrize("path", [*PAGES, "/console/deployments/missing", "/console/missing", "/console/sign-in"])
def test_every_page_has_the_headers_of_pages_and_no_etag(path: str, browser: Browser) -> None:
    put(browser.project, "a")

    response = browser.get(path)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    expected = MEDIA_HEADERS if path.endswith("/try") else PAGE_HEADERS
    assert {name: response.headers[name.lower()] for name in PAGE_HEADERS} == expected
    assert "etag" not in response.headers


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_never_gets_the_page_of_somebody_else(path: str, browser: Browser) -> None:
    put(browser.project, "a")
    assert browser.get(path).status == 200

    assert Browser(browser.project).get(path).status == 303


@pytest.mark.parametrize("path", ["/console", "/console/"])
def test_the_console_begins_with_the_list(browser: Browser, path: str) -> None:
    response = browser.get(path)

    assert (response.status, response.headers["location"]) == (303, "/console/deployments")


def test_the_list_shows_what_a_team_looks_for(browser: Browser) -> None:
    put(browser.project, "support_answers", description="Answers customers")

    page = text_of(browser.get("/console/deployments"))

    assert "support_answers Answers customers 1.0 openai/my-gpt openai chat" in page
    assert "1 of 1" in page


def test_an_empty_project_says_how_to_begin(browser: Browser) -> None:
    page = text_of(browser.get("/console/deployments"))

    assert "There are no deployments in production yet." in page
    assert "moorage apply" in page


def test_all_deployments_are_found_through_the_pages_once_and_back(browser: Browser) -> None:
    browser.project.fill(60)
    seen, path = list[str](), "/console/deployments?search=d"
    back = list[str]()
    while path:
        page = browser.get(path)
        seen += [link.partition("?")[0] for link in links(page) if link.startswith("/console/deployments/")]
        path = next((link for link in links(page) if "starting_after=" in link), "")
        back.append(next((link for link in links(page) if "ending_before=" in link), ""))

    assert len(seen) == len(set(seen)) == 60
    assert [bool(link) for link in back] == [False, True, True]
    first = browser.get(browser_newer(browser, back[-1]))
    assert seen[0] in links(first)


def browser_newer(browser: Browser, path: str) -> str:
    """Return the address of the page before the one at `path`."""
    return next(link for link in links(browser.get(path)) if "ending_before=" in link)


def test_filters_are_in_the_address_and_each_can_be_removed(browser: Browser) -> None:
    put(browser.project, "support")
    put(browser.project, "other", description="a support text")
    put(browser.project, "third")

    response = browser.get("/console/deployments?search=SUPPORT&provider=openai")
    page = text_of(response)

    assert "2 of 3 match" in page
    assert "third" not in page
    assert "/console/deployments?provider=openai" in links(response)
    assert "/console/deployments?search=SUPPORT" in links(response)
    assert "No deployment matches." in text_of(browser.get("/console/deployments?search=refnud"))


def test_the_live_page_marks_variables_and_says_who_published(browser: Browser) -> None:
    variables = [{"key": "shop", "value": "Harbour"}, {"key": "name"}]
    put(browser.project, "a", "At {{shop}}: {{name}} and {{x}}", variables=variables)

    response = browser.get("/console/deployments/a")
    page = response.body.decode()

    assert '<span class="var ">{{shop}}</span>' in page
    assert '<span class="var need">{{name}}</span>' in page
    assert '<span class="var unknown">{{x}}</span>' in page
    assert "test created 1.0" in text_of(response)
    assert "name required" in text_of(response)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_document_of_a_page_is_the_deployment(form: str, browser: Browser) -> None:
    tools = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]
    body = {
        "prompt_config": CHAT | {
            "messages": [{"role": "system", "content": "\nTwo\r\nlines {{shop}} <b>&amp;"}], "tools": tools,
            "model_parameters": {"temperature": 0.5},
        },
        "variables": [{"key": "shop", "value": "Harbour"}],
        "variants": [{"name": "dutch", "prompt_config": CHAT | {"messages": []}}],
        "routing": [{"when": {"country": {"eq": ["NLD"]}}, "variant": "dutch"}],
    }  # fmt: skip
    before = browser.project.put("a", body).headers["x-moorage-revision"]

    page = browser.get(f"/console/deployments/a?as={form}").body.decode()
    found = re.search(r'<pre id="document" tabindex="0">\n(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    reader = _Unescaped()
    reader.feed(found[1])
    text = "".join(reader.found)
    document = json.loads(text) if form == "json" else load_documents(text)[0]
    assert document.pop("key") == "a"
    assert browser.project.put("a", document).headers["x-moorage-revision"] == before


class _Unescaped(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = list[str]()

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def test_versions_can_be_compared(browser: Browser) -> None:
    put(browser.project, "a", "You answer customers.")
    put(browser.project, "a", "You answer people.")

    versions = text_of(browser.get("/console/deployments/a/versions"))
    response = browser.get("/console/deployments/a/compare?from=1.0&to=1.1")

    assert "1.1 live" in versions
    assert "1.0 published" in versions
    assert "prompt_config.messages[0].content" in text_of(response)
    assert "<del>" in response.body.decode()
    one = browser.get("/console/deployments/a/compare?from=1.0&to=1.1&layout=one").body.decode()
    assert 'class="diff one"' in one or 'class="in pv"' in one
    assert "have the same content" in text_of(browser.get("/console/deployments/a/compare?from=1.0&to=1.0"))


def test_the_history_says_who_changed_what_and_why(browser: Browser) -> None:
    put(browser.project, "a", "one")
    body = json.dumps({"prompt_config": CHAT | {"messages": []}}).encode()
    browser.project.request("PUT", "/v2/deployments/a", body, {"X-Moorage-Change-Reason": "shorter"})

    response = browser.get("/console/deployments/a/history")

    assert re.search(r"published Compare 1\.0 → 1\.1 test \S+ shorter", text_of(response))
    assert "/console/deployments/a/compare?from=1.0&to=1.1" in links(response)


def test_a_draft_is_one_click_away_from_its_comparison(browser: Browser) -> None:
    put(browser.project, "a")
    browser.project.request(
        "POST", "/v2/deployments/a/versions", json.dumps(a_body(model="m") | {"status": "draft"}).encode()
    )

    response = browser.get("/console/deployments/a")

    assert "1.1 draft" in text_of(response)
    assert "/console/deployments/a/compare?to=1.1" in links(response)


def test_a_page_is_about_the_environment_of_its_address(browser: Browser) -> None:
    project = browser.project
    admin = {"Authorization": f"Bearer {project.key(*Scope)[1]}"}
    assert project.request("PUT", "/v2/environments/staging", b"{}", admin).status == 201
    put(project, "a", "production")
    put(project, "a", "staging", "?environment=staging")

    assert "production" in text_of(browser.get("/console/deployments/a"))
    response = browser.get("/console/deployments/a?environment=staging")
    assert "1.1 live staging" in text_of(response)
    assert "/console/deployments/a/versions?environment=staging" in links(response)
    differences = text_of(browser.get("/console/environments?from=staging&to=production"))
    assert "a 1.1 1.0 ahead" in differences


def test_a_proposal_waits_where_everybody_sees_it(browser: Browser) -> None:
    project = browser.project
    admin = {"Authorization": f"Bearer {project.key(*Scope)[1]}"}
    put(project, "a", "one")
    assert project.request("PUT", "/v2/environments/production", b'{"required_approvals": 1}', admin).status == 200
    assert project.put("a", a_body(model="other")).status == 202

    page = text_of(browser.get("/console/proposals?status=open"))

    assert "publish a 1.1 production open 0 of 1 test" in page
    assert "There are no proposals." in text_of(browser.get("/console/proposals?status=published"))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/console/missing", 404, "There is no such page"),
        ("/console/deployments/missing", 404, "Deployment 'missing' not found in this project."),
        ("/console/deployments/a/versions/9.9", 404, "There is no such version"),
        ("/console/deployments?environment=stagign", 404, "Environment 'stagign' not found"),
        ("/console/deployments?starting_after=x", 400, "This address is not valid"),
        ("/console/deployments?model_type=poem", 400, "This address is not valid"),
    ],
)
def test_an_error_is_a_page_with_its_status(path: str, status: int, words: str, browser: Browser) -> None:
    put(browser.project, "a")

    response = browser.get(path)

    assert response.status == status
    assert words in text_of(response)
    assert "Sign out" in text_of(response)


def test_a_key_without_the_scope_gets_a_page_that_names_it(project: Project) -> None:
    browser = Browser(project).sign_in(project.key(Scope.INVOKE)[1])

    response = browser.get("/console/deployments")

    assert response.status == 403
    assert "deployments:read" in text_of(response)


@pytest.mark.parametrize("key", ["new", "import", "deleted", "sign-in"])
def test_a_deployment_may_have_the_name_of_a_page(key: str, browser: Browser) -> None:
    put(browser.project, key)

    assert f"{key} 1.0 live" in text_of(browser.get(f"/console/deployments/{key}"))


HOSTILE = "</pre><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}{% raw %}&lt;"


def test_hostile_text_is_text_in_every_page(browser: Browser) -> None:
    project = browser.project
    function = {"name": "f", "description": HOSTILE, "parameters": {"properties": {HOSTILE: {"type": HOSTILE}}}}
    body = {
        "description": HOSTILE,
        "prompt_config": {
            "model": HOSTILE, "model_type": "chat", "provider": "openai",
            "messages": [{"role": "user", "content": [{"type": "text", "text": HOSTILE}]}],
            "tools": [{"type": "function", "function": function}],
        },
        "variables": [{"key": "x", "value": HOSTILE, "description": HOSTILE}],
        "variants": [{"name": "v", "prompt_config": CHAT | {"messages": []}}],
        "routing": [{"when": {HOSTILE: {"eq": [HOSTILE]}}, "variant": "v"}],
        "notes": HOSTILE,
    }  # fmt: skip
    for version in (body, body | {"prompt_config": CHAT | {"messages": []}}, body):
        path = "/v2/deployments/a?allow_breaking=true"
        response = project.request(
            "PUT", path, json.dumps(version).encode(), {"X-Moorage-Change-Reason": "<script>alert(1)"}
        )
        assert response.status in (200, 201), response.body
    paths = (*PAGES, "/console/deployments/a/compare?from=1.0&to=1.1", "/console/deployments/a?as=json")
    for path in (*paths, "/console/deployments/a?as=yaml", f"/console/deployments?search={'%3Cscript%3E%22'}"):
        page = browser.get(path)
        assert page.status == 200
        assert page.body.count(b"<script") == page.body.count(b'<script src="/console/static/')
        assert b"<img" not in page.body
        assert b" onerror=" not in page.body.replace(b"src=x onerror=alert(1)&gt;", b"")


def test_a_page_shows_part_of_the_largest_content(browser: Browser) -> None:
    messages = [{"role": "user", "content": "x"}] * 5_000
    assert browser.project.put("many", {"prompt_config": CHAT | {"messages": messages}}).status == 201
    put(browser.project, "long", "word " * 160_000)

    assert "4800 more messages are in the JSON." in text_of(browser.get("/console/deployments/many"))
    assert browser.get("/console/deployments/long").status == 200
    assert "too large for a page" in text_of(browser.get("/console/deployments/long?as=yaml"))


def test_static_files_may_be_kept_for_ever(browser: Browser) -> None:
    page = browser.get("/console/deployments").body.decode()
    path = re.search(r'href="(/console/static/[0-9a-f]{16}/console\.css)"', page)
    assert path is not None

    response = browser.get(path[1], Accept_Encoding="identity")
    compressed = browser.get(path[1], Accept_Encoding="gzip")

    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"].startswith("text/css")
    assert compressed.headers["content-encoding"] == "gzip"
    assert int(compressed.headers["content-length"]) < 8_000
    assert browser.get("/console/static/0000000000000000/console.css").status == 404


def test_the_list_says_who_manages_a_deployment_and_leads_to_its_draft(browser: Browser) -> None:
    put(browser.project, "by_files", query="?file=shop/a.yaml")
    put(browser.project, "by_api")
    draft: dict[str, object] = {"prompt_config": CHAT | {"messages": []}}
    assert browser.project.put("by_api", draft, "?draft=true").status == 200

    response = browser.get("/console/deployments")

    assert re.search(r"by_api .*1\.0 1\.1 draft openai/my-gpt openai chat Moorage not in 30 days", text_of(response))
    assert re.search(r"by_files 1\.0 openai/my-gpt openai chat shop/a\.yaml not in 30 days", text_of(response))
    assert "/console/deployments/by_api/compare?to=1.1" in links(response)


def test_the_list_can_be_filtered_by_owner(browser: Browser) -> None:
    put(browser.project, "by_files", query="?file=shop/a.yaml")
    put(browser.project, "by_api")

    response = browser.get("/console/deployments?owner=files")

    assert "/console/deployments/by_files" in links(response)
    assert "/console/deployments/by_api" not in links(response)
    assert "Managed by files (remove this filter)" in text_of(response)
