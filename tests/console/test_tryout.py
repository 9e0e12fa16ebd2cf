"""The try page over HTTP: messages before they are sent, and answers of the fakes of vendors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from moorage.console.tryout_form import context_lines, read_context
from moorage.core.access import Scope
from moorage.core.errors.requests import InvalidRequest
from tests.support.console import Browser, links, text_of
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import Project, SharedServer, a_body
from tests.support.vendors import all_vendors, faults
from tests.support.vendors.server import VendorServer

TEMPLATE = [{"role": "system", "content": "You help {{name}} in {{country}}."}]
CHILE = [{"key": "country", "value": "Chile"}, {"key": "name"}]
TRY = "/console/deployments/a/try"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return a project with an integration for each vendor."""
    folder = tmp_path_factory.mktemp("try")
    with VendorServer(all_vendors()) as vendors, SharedServer(folder, prefix=ALLOW_LOOPBACK) as server:
        yield Gateway(server, vendors)


def sign_in(project: Project, *scopes: Scope) -> Browser:
    return Browser(project).sign_in(project.key(*scopes)[1] if scopes else None)


def draft(project: Project, **content: Any) -> None:
    """Make the deployment `a`, whose draft 1.1 has this content."""
    assert project.put("a").status == 201
    body = json.dumps({**a_body(messages=TEMPLATE), "variables": CHILE, **content}).encode()
    assert project.request("POST", "/v2/deployments/a/versions", body).status == 201


def test_the_newest_draft_is_shown_with_its_defaults_and_the_inputs_that_are_missing(project: Project) -> None:
    draft(project, settings={"missing_inputs": "error"})

    page = sign_in(project).get(TRY)

    text = text_of(page)
    assert "Version 1.1 draft" in text
    assert "/console/deployments/a/publish/1.1" in links(page)
    assert "You help {{name}} in Chile." in text
    assert "Inputs are missing: name. The version rejects such a call." in text
    assert 'placeholder="Chile"' in page.body.decode()
    assert "name no default" in text


def test_the_address_has_the_inputs_the_context_and_the_versions(project: Project) -> None:
    variant = {
        "name": "short",
        "prompt_config": a_body(messages=[{"role": "system", "content": "Short."}])["prompt_config"],
    }
    draft(project, variants=[variant], routing=[{"variant": "short", "when": {"plan": {"eq": "free"}}}])
    browser = sign_in(project)

    text = text_of(browser.get(f"{TRY}?version=1.1&against=1.0&input.name=Ada&input.country=Peru&message=Hello"))
    assert "You help Ada in Peru." in text
    assert "user 5 characters Hello" in text
    assert text.index("Version 1.1 draft") < text.index("Version 1.0 live")
    assert "Variant default : no rule matches" in text
    text = text_of(browser.get(f"{TRY}?context=plan%3Dfree&inputs=%7B%22name%22%3A%22Ada%22%7D"))
    assert "Variant short : rule 1 matches" in text
    assert "Short." in text


def test_one_version_can_be_beside_itself_with_another_model(project: Project) -> None:
    draft(project)

    text = text_of(sign_in(project).get(f"{TRY}?version=1.1&against_model=openai/other"))

    assert text.count("Version 1.1 draft") == 2
    assert "openai/other" in text


@pytest.mark.parametrize("query", ["context=no", "context=%7B", "inputs=%5B%5D", "inputs=x"])
def test_inputs_that_cannot_be_read_come_back_with_the_reason(project: Project, query: str) -> None:
    draft(project)

    page = sign_in(project).get(f"{TRY}?{query}&input.name=Ada")

    assert page.status == 400
    assert "The inputs or the context cannot be read." in text_of(page)
    assert "Ada</textarea>" in page.body.decode()


def test_a_context_that_the_api_rejects_is_named_at_the_version(project: Project) -> None:
    draft(project)

    page = sign_in(project).get(f"{TRY}?context=%7B%22a%22%3A%7B%7D%7D")

    assert page.status == 200
    assert "context.a" in text_of(page)


def test_a_get_never_calls_a_model(gateway: Gateway) -> None:
    key = gateway.deploy("openai")
    browser = sign_in(gateway.project)

    assert browser.get(f"/console/deployments/{key}/try?run=1").status == 200
    assert not gateway.vendors.take("openai")


def test_a_run_shows_the_answer_the_tokens_and_the_model_and_does_not_count_as_use(gateway: Gateway) -> None:
    key = gateway.deploy("openai")

    page = sign_in(gateway.project).post(f"/console/deployments/{key}/try", {"message": "Ping", "run": "1"})

    assert page.status == 200
    (sent,) = gateway.vendors.take("openai")
    assert sent.json["messages"][-1] == {"role": "user", "content": "Ping"}
    text = text_of(page)
    assert "tokens ·" in text
    assert "· stop · answered by" in text
    callers = gateway.project.request("GET", f"/v2/deployments/{key}/callers").json
    assert callers["data"] == []


def test_two_versions_and_another_model_run_with_the_same_inputs(gateway: Gateway) -> None:
    key = gateway.deploy("openai", messages=[{"role": "system", "content": "Say {{word}}."}])
    form = {"input.word": "aye", "message": "Hi", "against": "1.0", "also_model": "anthropic/claude-haiku-4-5"}

    page = sign_in(gateway.project).post(f"/console/deployments/{key}/try", form)

    assert text_of(page).count("answered by") == 3
    first, second = gateway.vendors.take("openai")
    assert first.json == second.json
    assert first.json["messages"][0]["content"] == "Say aye."
    (other,) = gateway.vendors.take("anthropic")
    assert other.json["model"] == "claude-haiku-4-5"


def test_an_answer_is_text_whatever_is_in_it(gateway: Gateway) -> None:
    key = gateway.deploy("openai")
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": HOSTILE})}}
    message = {"role": "assistant", "content": HOSTILE, "tool_calls": [call]}
    answer = {"model": HOSTILE, "choices": [{"index": 0, "message": message, "finish_reason": HOSTILE}]}
    gateway.vendors.fail_next("openai", faults.body(json.dumps(answer).encode()))

    page = sign_in(gateway.project).post(f"/console/deployments/{key}/try", {"message": "Hi"})

    assert HOSTILE not in page.body.decode()
    assert text_of(page).count(HOSTILE) >= 2
    gateway.vendors.take("openai")


def test_an_error_of_the_provider_has_its_own_words_and_the_form_stays_full(gateway: Gateway) -> None:
    key = gateway.deploy("openai")
    gateway.vendors.fail_next("openai", faults.status(400, "The dog ate it."))

    page = sign_in(gateway.project).post(f"/console/deployments/{key}/try", {"message": "Ping"})

    assert "OpenAI rejects the request: The dog ate it." in text_of(page)
    assert "a retry has the same result" not in text_of(page), "hints are for programs"
    assert "Ping</textarea>" in page.body.decode()
    gateway.vendors.take("openai")


def test_the_script_gets_the_answer_of_one_column_as_a_stream_with_the_headers_of_pages(gateway: Gateway) -> None:
    key = gateway.deploy("openai")
    browser = sign_in(gateway.project)
    form = {"against_model": "openai/gpt-5", "message": "Ping", "column": "1"}

    response = browser.post(f"/console/deployments/{key}/try/answer", form)

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "content-security-policy" in response.headers
    assert response.body.endswith(b"data: [DONE]\n\n")
    (sent,) = gateway.vendors.take("openai")
    assert (sent.json["model"], sent.json["stream"]) == ("gpt-5", True)


def test_without_an_integration_a_run_has_a_mock_answer_and_the_way_to_connect_a_provider(project: Project) -> None:
    draft(project)
    form = {"input.name": "Ada"}

    page = sign_in(project, *Scope).post(TRY, form)

    assert "Mock answer No provider is connected for openai." in text_of(page)
    assert "This is a mock answer" in text_of(page)
    assert "/console/integrations" in links(page)
    page = sign_in(project, Scope.READ, Scope.INVOKE).post(TRY, form)
    assert "This is a mock answer" in text_of(page)
    assert "integrations:admin can connect one" in text_of(page)
    assert "/console/integrations" not in links(page)


def test_without_the_scope_for_calls_there_is_no_run_and_a_sentence_says_so(project: Project) -> None:
    draft(project)
    browser = sign_in(project, Scope.READ)

    page = browser.get(TRY)
    assert 'name="run"' not in page.body.decode()
    assert "needs the scope deployments:invoke" in text_of(page)
    assert "Missing scope: deployments:invoke" in text_of(browser.post(TRY, {"input.name": "Ada"}))
    response = browser.post(f"{TRY}/answer", {"input.name": "Ada"})
    assert (response.status, response.json["error"]["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("path", [TRY, f"{TRY}/answer", f"{TRY}/cases", f"{TRY}/cases/delete", f"{TRY}/cases/run"])
def test_a_run_from_another_site_or_without_a_session_calls_nothing(project: Project, path: str) -> None:
    draft(project)

    forged = sign_in(project).post(path, {}, Sec_Fetch_Site="cross-site")
    assert forged.status == 403
    assert Browser(project).post(path, {}).status == 401


def test_a_version_or_a_deployment_that_does_not_exist_is_an_error(project: Project) -> None:
    draft(project)
    browser = sign_in(project)

    assert browser.get(f"{TRY}?version=9.9").status == 404
    assert browser.get("/console/deployments/b/try").status == 404


def test_the_pages_of_a_deployment_and_of_a_comparison_lead_here(project: Project) -> None:
    draft(project)
    browser = sign_in(project)

    assert TRY in links(browser.get("/console/deployments/a"))
    assert f"{TRY}?version=1.1&against=1.0" in links(browser.get("/console/deployments/a/compare"))


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("", {}),
        ("country=NL\n\nplan = free ", {"country": "NL", "plan": "free"}),
        (
            'age=12\nnew=true\nnot=NaN\ntags=["a", "b"]\ncode="12"',
            {"age": 12, "new": True, "tags": ["a", "b"], "code": "12"},
        ),
        ('{"a": "b=c"}', {"a": "b=c"}),
        ("a=b=c\nn=null\no={}", {"a": "b=c", "n": "null", "o": "{}"}),
    ],
)
def test_a_context_is_lines_or_an_object(text: str, context: dict[str, Any]) -> None:
    found = read_context(text)
    found.pop("not", None)

    assert found == context
    assert read_context(context_lines(context)) == context


@pytest.mark.parametrize("text", ["country", "=NL", '{"a": ', "a=1\nb"])
def test_a_line_without_a_name_and_a_value_is_rejected(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_context(text)


def test_inputs_are_saved_as_a_case_and_come_back_with_any_version(project: Project) -> None:
    draft(project)
    browser = sign_in(project)
    form = {
        "input.name": "Ada", "input.country": "", "inputs": '{"n": 1}', "context": "plan=free\nage=12", "message": "Hi",
        "version": "1.1", "case_name": "Größe & ✓",
    }  # fmt: skip

    saved = browser.post(f"{TRY}/cases", form)

    assert saved.status == 303
    page = browser.get(saved.headers["location"])
    assert "The case was saved." in text_of(page)
    assert project.request("GET", "/v2/deployments/a/cases").json["data"] == [
        {"name": "Größe & ✓", "inputs": {"n": 1, "name": "Ada"}, "context": {"plan": "free", "age": 12},
         "messages": [{"role": "user", "content": "Hi"}]},
    ]  # fmt: skip
    shown = page.body.decode()
    for typed in ("Ada</textarea>", "plan=free\nage=12</textarea>", "Hi</textarea>", "&#34;n&#34;: 1"):
        assert typed in shown
    (link,) = [each for each in links(page) if "case=" in each]
    assert "You help Ada in Chile." in text_of(browser.get(link))
    deleted = browser.post(f"{TRY}/cases/delete", {"delete": "Größe & ✓"})
    assert "The case was deleted." in text_of(browser.get(deleted.headers["location"]))
    assert project.request("GET", "/v2/deployments/a/cases").json["data"] == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"case_name": ""}, "the name of a case has 1 to 100 printable characters"),
        ({"case_name": "a/b"}, "the name of a case has 1 to 100 printable characters"),
        ({"case_name": "a", "context": "no"}, "line 1 of the context"),
        ({"case_name": "a", "context": '{"a": {}}'}, "context.a"),
    ],
)
def test_a_case_that_is_refused_comes_back_with_everything_that_was_typed(
    project: Project, fields: dict[str, str], reason: str
) -> None:
    draft(project)

    page = sign_in(project).post(f"{TRY}/cases", {"input.name": "Ada", **fields})

    assert page.status == 400
    assert reason in text_of(page)
    assert "Ada</textarea>" in page.body.decode()
    assert project.request("GET", "/v2/deployments/a/cases").json["data"] == []


def test_all_cases_run_with_a_version_and_the_live_one(gateway: Gateway) -> None:
    key = gateway.deploy("openai", messages=[{"role": "system", "content": "Say {{word}}."}], model="gpt-5")
    body = {**a_body(model="openai/gpt-5", messages=[{"role": "system", "content": "Cry {{word}}."}])}
    path = f"/v2/deployments/{key}"
    assert gateway.project.request("POST", f"{path}/versions", json.dumps(body).encode()).status == 201
    for name in ("first", "second"):
        case = {"inputs": {"word": name}, "messages": [{"role": "user", "content": HOSTILE}]}
        assert gateway.project.request("PUT", f"{path}/cases/{name}", json.dumps(case).encode()).status == 200

    page = sign_in(gateway.project).post(f"/console/deployments/{key}/try/cases/run", {"version": "1.1"})

    assert [sent.json["messages"][0]["content"] for sent in gateway.vendors.take("openai")] == [
        "Cry first.", "Say first.", "Cry second.", "Say second.",
    ]  # fmt: skip
    text = text_of(page)
    assert "2 cases with 1.1 and 1.0" in text
    assert f"/console/deployments/{key}/publish/1.1" in links(page)
    assert text.count("answered by gpt-5") == 4
    assert HOSTILE not in page.body.decode()


def test_cases_are_read_by_all_and_changed_with_the_scope_to_write(project: Project) -> None:
    draft(project)
    project.request("PUT", "/v2/deployments/a/cases/first", b'{"inputs": {"name": "Ada"}}')
    browser = sign_in(project, Scope.READ)

    page = browser.get(f"{TRY}?case=first")
    assert "You help Ada in Chile." in text_of(page)
    assert "case_name" not in page.body.decode()
    assert "Missing scope: deployments:write" in text_of(browser.post(f"{TRY}/cases", {"case_name": "a"}))
    assert "Missing scope: deployments:write" in text_of(browser.post(f"{TRY}/cases/delete", {"delete": "first"}))
    assert len(project.request("GET", "/v2/deployments/a/cases").json["data"]) == 1


def test_the_columns_of_one_version_have_names_of_their_own(project: Project) -> None:
    draft(project)

    page = sign_in(project).get(f"{TRY}?version=1.1&against=1.1&model=openai/other").body.decode()

    assert 'aria-label="Version 1.1, column 1"' in page
    assert 'aria-label="Version 1.1, column 2"' in page
