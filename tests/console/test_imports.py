"""The import: the plan says what the server would do, and what is ticked is put as it was shown."""

import json
import re
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response
from tests.support.team import Team

CHAT = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}


def deployment(key: str, text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """Return a document."""
    return {"key": key, "prompt_config": CHAT | {"messages": [{"role": "system", "content": text}]}, **fields}


#: A list of lists, with ten aliases in each.
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


@pytest.fixture
def browser(team: Team) -> Browser:
    return Browser(team.project).sign_in(team.key("lead"))


def plan(browser: Browser, *documents: dict[str, Any], environment: str = "", **form: str) -> Response:
    """Send documents as the text of the form."""
    text = "\n".join(map(json.dumps, documents))
    query = f"?environment={environment}" if environment else ""
    return browser.post(f"/console/import{query}", {"text": text, "reason": ""} | form)


def fields(response: Response) -> dict[str, str | list[str]]:
    """Return the fields of the form of a plan, as a browser sends them."""
    page = response.body.decode()
    found: dict[str, str | list[str]] = {
        name: _unescaped(value)
        for name, value in re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)">', page)
    }
    found["apply"] = re.findall(r'name="apply" value="(\d+)" checked', page)
    return found | {"reason": "import"}


def _unescaped(text: str) -> str:
    for entity, character in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def apply(browser: Browser, planned: Response, environment: str = "", **changed: str | list[str]) -> Response:
    query = f"?environment={environment}" if environment else ""
    return browser.post(f"/console/import/apply{query}", fields(planned) | changed)


def revision(team: Team) -> int:
    return int(team.send("GET", "/v2/deployments").headers["x-moorage-revision"])


def test_the_plan_says_what_is_created_changed_unchanged_and_refused_and_changes_nothing(
    browser: Browser, team: Team
) -> None:
    team.project.put("changed", {name: value for name, value in deployment("", "old words").items() if name != "key"})
    team.project.put("same", {name: value for name, value in deployment("").items() if name != "key"})
    before = revision(team)

    page = plan(
        browser, deployment("new"), deployment("changed", "new words"), deployment("same"),
        {"key": "wrong", "prompt_config": {"model": 1}}, deployment("Not a key"),
    )  # fmt: skip

    assert page.status == 200
    text = text_of(page)
    assert "1 to create, 1 to change, 1 unchanged, 2 refused. Nothing is changed yet." in text
    assert re.search(r"new create version 1\.0", text)
    assert re.search(r"changed change version 1\.1 .*prompt_config\.messages\[0\]\.content", text)
    assert "<del>" in page.body.decode()
    assert "prompt_config.model: " in text
    assert fields(page)["apply"] == ["1", "2"]
    assert revision(team) == before


def test_what_is_ticked_is_put_in_order_with_one_write_each(browser: Browser, team: Team) -> None:
    planned = plan(browser, deployment("b"), deployment("a"), deployment("c"))
    before = revision(team)

    done = apply(browser, planned, apply=["1", "2"], reason="moved from elsewhere")

    assert done.status == 200
    assert "2 of 2 imported into production" in text_of(done)
    assert [each["key"] for each in team.send("GET", "/v2/deployments").json["data"]] == ["a", "b"]
    assert revision(team) == before + 2
    entry = team.history("a")[0]
    assert (entry["action"], entry["reason"]) == ("created", "moved from elsewhere")
    assert "/console/deployments/a" in links(done)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "key: a\nprompt_config: {model: m, model_type: chat, provider: openai}\n"),
        ("a.json", json.dumps(deployment("a"))),
        ("a.jsonl", json.dumps(deployment("a")) + "\n" + json.dumps(deployment("b")) + "\n"),
        ("page.json", json.dumps({"object": "list", "data": [deployment("a") | {"id": "x", "version": "7.0"}]})),
        ("prompts", json.dumps([deployment("a")])),
    ],
)
def test_files_are_read_as_by_the_command_line(browser: Browser, team: Team, name: str, content: str) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = f"{head}{content}\r\n--x--\r\n".encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Sec-Fetch-Site": "same-origin"}
    planned = browser.project.request(
        "POST", "/console/import", body, headers | {"Authorization": "", "Cookie": browser.cookie}
    )

    assert planned.status == 200
    assert f"a create version 1.0 {name}" in text_of(planned)
    apply(browser, planned)
    assert team.send("GET", "/v2/manifests/a").json["owner"] == "api"


def test_the_items_of_a_list_page_keep_their_order_and_the_variables_that_are_there(
    browser: Browser, team: Team
) -> None:
    content = {"prompt_config": deployment("")["prompt_config"], "variables": [{"key": "name", "value": "x"}]}
    team.project.put("old", content)
    page = {"object": "list", "data": [deployment("newest"), deployment("old", "other"), deployment("oldest")]}

    apply(browser, plan(browser, page))

    assert [each["key"] for each in team.send("GET", "/v2/deployments").json["data"]] == ["newest", "oldest", "old"]
    assert team.send("GET", "/v2/manifests/old").json["variables"] == content["variables"]


def test_a_deployment_that_changed_since_the_plan_is_not_replaced(browser: Browser, team: Team) -> None:
    team.put("a", "one")
    planned = plan(browser, deployment("a", "mine"), deployment("b", "mine"))
    team.put("a", "theirs")
    team.put("b", "theirs")

    done = apply(browser, planned)

    assert "0 of 2 imported" in text_of(done)
    assert "It was changed since the plan was shown." in text_of(done)
    assert (team.text("a"), team.text("b")) == ("theirs", "theirs")
    left = re.search(r'name="text" value="([^"]*)"', done.body.decode())
    assert left is not None
    again = browser.post("/console/import", {"text": _unescaped(left[1]), "reason": ""})
    assert "2 to change" in text_of(again)
    apply(browser, again)
    assert (team.text("a"), team.text("b")) == ("mine", "mine")


def test_a_form_that_is_sent_again_changes_nothing(browser: Browser, team: Team) -> None:
    team.put("a", "one")
    planned = plan(browser, deployment("a", "two"), deployment("b"))
    apply(browser, planned)
    before = revision(team)

    again = apply(browser, planned)

    assert "2 of 2 imported" in text_of(again)
    assert "a unchanged 1.1" in text_of(again)
    assert revision(team) == before


def test_a_breaking_change_is_published_only_if_its_box_is_ticked(browser: Browser, team: Team) -> None:
    body = deployment("a", "Hello {{name}}", variables=[{"key": "name", "value": "you"}])
    team.project.put("a", {name: value for name, value in body.items() if name != "key"})
    planned = plan(browser, deployment("a", "Hello {{name}}", variables=[{"key": "name"}]))

    assert "1 refused" in text_of(planned)
    assert "This breaks callers:" in text_of(planned)
    assert "Publish a nevertheless." in text_of(planned)
    assert fields(planned)["apply"] == []
    assert "Nothing was ticked" in text_of(apply(browser, planned))
    done = apply(browser, planned, breaking=["1"])
    assert "1 of 1 imported" in text_of(done)
    assert team.history("a")[0]["breaking"]


def test_what_a_file_manages_is_refused(browser: Browser, team: Team) -> None:
    team.project.put("a", {"prompt_config": CHAT}, "?file=prompts/a.yaml")

    planned = plan(browser, deployment("a", "other"))

    assert "managed by the file prompts/a.yaml" in text_of(planned)
    assert "document.1" not in fields(planned)


def test_an_environment_gets_versions_of_its_own_and_production_stays(browser: Browser, team: Team) -> None:
    team.create("staging")
    team.put("a", "one")

    planned = plan(browser, deployment("a", "two"), deployment("b"), environment="staging")
    assert "Plan for staging" in text_of(planned)
    apply(browser, planned, "staging")

    assert (team.text("a"), team.text("a", "staging"), team.text("b", "staging")) == ("one", "two", "Hello")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "choose files, or paste a text"),
        ("x" * (2 * 1024 * 1024 + 1), "more than 2 MiB"),
        ("\n".join(json.dumps({"key": f"d{number}"}) for number in range(201)), "more than 200 deployments"),
    ],
    ids=["empty", "large", "many"],
)
def test_an_import_beyond_the_limits_comes_back_with_the_text(browser: Browser, text: str, problem: str) -> None:
    refused = browser.post("/console/import", {"text": text, "reason": "because"})

    assert refused.status == 400
    assert problem in text_of(refused)
    assert f"{text}</textarea>".encode() in refused.body.replace(b"&#34;", b'"')
    assert b'value="because"' in refused.body


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("key: [", "is not closed"),
        ("key: a\nkey: b\n", "occurs twice"),
        (BOMB, "the aliases stand for more than"),
        ('{"key": "a"', "the { is not closed"),
    ],
    ids=["cut", "twice", "bomb", "json"],
)  # fmt: skip
def test_a_text_that_cannot_be_read_is_refused_with_its_place(browser: Browser, text: str, problem: str) -> None:
    page = browser.post("/console/import", {"text": text, "reason": ""})

    assert page.status == 200
    assert problem in text_of(page)
    assert "0 to create, 0 to change, 0 unchanged, 1 refused" in text_of(page)


def test_hostile_texts_are_shown_as_text(browser: Browser, team: Team) -> None:
    html = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
    team.put("a", "one")
    own = browser.get("/console/import").body.count(b"<script")

    planned = plan(browser, deployment("a", html), deployment("b", html, description=html), {"key": html})
    done = apply(browser, planned)

    for page in (planned, done):
        assert page.body.count(b"<script") == own
        assert b"<img" not in page.body
    assert team.text("a") == html


def test_without_the_scopes_there_is_no_form_and_no_effect(team: Team) -> None:
    for scopes, missing in (
        ({Scope.READ, Scope.WRITE}, "deployments:publish"),
        ({Scope.READ, Scope.PUBLISH}, "deployments:write"),
    ):
        browser = Browser(team.project).sign_in(team.key("author", scopes))
        page = browser.get("/console/import")
        assert f"It lacks {missing}." in text_of(page)
        assert b'type="file"' not in page.body
        assert missing in text_of(plan(browser, deployment("a")))
        form = {"key.1": "a", "base.1": "", "document.1": json.dumps({"prompt_config": CHAT}), "apply": "1"}
        refused = browser.post("/console/import/apply", {**form, "reason": ""})
        assert (refused.status, missing in text_of(refused)) == (403, True)
        assert "Plan the others again" in text_of(refused)
    assert team.send("GET", "/v2/deployments").json["data"] == []


def test_an_environment_that_is_not_protected_needs_no_scope_to_publish(team: Team) -> None:
    team.create("staging")
    browser = Browser(team.project).sign_in(team.key("author", {Scope.READ, Scope.WRITE}))

    apply(browser, plan(browser, deployment("a"), environment="staging"), "staging")

    assert team.text("a", "staging") == "Hello"
