"""Any text in any field of any object is text in every page, and what a form sends is text in the page that returns."""

from html.parser import HTMLParser
from typing import Any, Final

import pytest

from moorage.console.pages import PAGES
from tests.support.console import Browser
from tests.support.server import Project, Response
from tests.support.team import Team, proposed

pytestmark = pytest.mark.system

HOSTILE: Final = (
    "</pre></textarea></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}{% raw %}&lt;"
)

CHAT: Final = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}

#: The names of fields of all forms; each form uses some of them.
FIELDS: Final = (
    "token", "then", "name", "scope", "expires", "date", "environment", "display_name", "description", "reason", "key",
    "version", "base", "from", "to", "text", "context", "contexts", "inputs", "input.x", "user", "case", "case_name",
    "model", "json", "notes", "prompt_config.messages[0].content", "prompt_config.model", "tools[0]",
    "variables[0].key",
    "provider", "base_url", "api_key", "header", "headers", "options", "confirmed", "once", "etag", "document", "do",
    "move", "remove", "add", "required_approvals", HOSTILE,
)  # fmt: skip


@pytest.fixture
def team(project: Project) -> Team:
    """Return a project whose objects have hostile texts wherever texts may be anything."""
    team = Team(project)
    function = {"name": "f", "description": HOSTILE, "parameters": {"properties": {HOSTILE: {"type": HOSTILE}}}}
    body = {
        "description": HOSTILE,
        "prompt_config": CHAT | {
            "model": HOSTILE, "tools": [{"type": "function", "function": function}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": HOSTILE}]}],
        },
        "variables": [{"key": "x", "value": HOSTILE, "description": HOSTILE}],
        "variants": [{"name": "v", "prompt_config": CHAT | {"messages": []}}],
        "routing": [{"when": {HOSTILE: {"eq": [HOSTILE]}}, "variant": "v"}],
        "notes": HOSTILE,
    }  # fmt: skip
    for key in ("a", "gone"):
        for version in (body, body | {"prompt_config": CHAT | {"messages": []}}, body):
            path = f"/v2/deployments/{key}?allow_breaking=true&file=x{key}.yaml"
            answer = team.send("PUT", path, version, X_Moorage_Change_Reason="<script>alert(1)</script>")
            assert answer.status in (200, 201), answer.body
    draft = {"prompt_config": body["prompt_config"], "notes": HOSTILE}
    for method, path, sent in (
        ("POST", "/v2/deployments/a/versions", draft),
        ("DELETE", "/v2/deployments/gone?take_ownership=true", None),
        ("PUT", "/v2/deployments/a/cases/c", {"inputs": {HOSTILE: HOSTILE}, "context": {HOSTILE: HOSTILE}}),
        (
            "PUT",
            "/v2/integrations/i",
            {
                "provider": "openai",
                "credentials": {"api_key": "sk-1234567890"},
                "headers": {"X-A": HOSTILE},
            },
        ),
        ("POST", "/v2/deployments/get_config", {"key": "a", "inputs": {"x": HOSTILE}, "context": {HOSTILE: HOSTILE}}),
    ):
        answer = team.send(method, path, sent)
        # On PostgreSQL, the server has no secret key, so it stores no integration.
        assert answer.status in (200, 201) or answer.error["code"] == "secret_key_missing", (path, answer.body)
    team.create("staging", display_name=HOSTILE[:100], description=HOSTILE, reason=HOSTILE)
    team.create("production", required_approvals=1)
    proposed(
        team.send("POST", "/v2/deployments/a/versions/1.3/publish?take_ownership=true&allow_breaking=true",
                  {"reason": HOSTILE}, team.person)
    )  # fmt: skip
    return team


def values(team: Team) -> dict[str, str]:
    """Return values of the parameters in the paths of pages."""
    keys = team.send("GET", "/v2/api-keys").json["data"]
    proposals = team.send("GET", "/v2/proposals").json["data"]
    return {
        "key_or_id": "a", "version": "1.1", "api_key_id": keys[0]["id"], "proposal_id": proposals[0]["id"],
        "digest": "x", "path": "x",
    }  # fmt: skip


def address(path: str, team: Team) -> str:
    name = "staging" if "environments" in path else "i"
    return path.format(**values(team), name=name)


class _Tags(HTMLParser):
    """Collects what a page has beyond its templates: tags and attributes that load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = [name for name, _ in attrs if name.startswith("on") or name in ("style", "srcdoc")]
        source = dict(attrs).get("src") or ""
        if (
            own
            or tag in ("img", "iframe", "object", "embed", "base")
            or (tag == "script" and not source.startswith("/console/static/"))
        ):
            self.found.append(self.get_starttag_text() or tag)


def check(page: Response) -> None:
    """Check that a page runs and loads only what its template does."""
    if page.headers.get("content-type", "").startswith("text/html"):
        tags = _Tags()
        tags.feed(page.body.decode())
        assert tags.found == []


GETS: Final = sorted({page.path for page in PAGES if page.method == "GET"})
POSTS: Final = sorted({page.path for page in PAGES if page.method == "POST"})

QUERIES: Final = ("", "?as=json", "?as=yaml", "?environment=staging", "?from=1.0&to=1.1", "?from=staging&to=production")


def test_no_page_runs_or_loads_what_a_text_says(team: Team) -> None:
    browser = Browser(team.project).sign_in(team.admin)
    seen = 0
    for path in GETS:
        for query in QUERIES:
            page = browser.get(address(path, team) + query)
            assert page.status < 500, (path, query, page.body)
            check(page)
            seen += b"alert(1)" in page.body
    assert seen > 40, "the texts are in the pages"
    for page in (browser.get("/console/deployments/gone"), browser.get(f"/console/changes?action={'%3Cscript%3E'}")):
        check(page)


@pytest.mark.parametrize("path", POSTS)
def test_a_form_that_is_refused_comes_back_with_its_texts_as_text(path: str, team: Team) -> None:
    typed: dict[str, Any] = dict.fromkeys(FIELDS, HOSTILE)
    for browser in (Browser(team.project).sign_in(team.admin), Browser(team.project)):
        page = browser.post(address(path, team), typed)
        assert page.status < 500, page.body
        check(page)


def test_a_query_is_text_in_every_page(team: Team) -> None:
    browser = Browser(team.project).sign_in(team.admin)
    names = ("search", "context", "inputs", "input.x", "version", "against", "also", "environment", "done", "where")
    for path in GETS:
        for name in names:
            check(
                browser.get(f"{address(path, team)}?{name}=%3Cscript%3E%22%27%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E")
            )
