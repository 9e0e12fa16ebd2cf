"""The editor over HTTP: drafts, problems at their fields, and forms that come back full."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.console.editor_view import view_of
from moorage.console.form_body import fields_of
from moorage.core.access import Scope
from tests.console.forms import BOUNDARY, form_of, multipart
from tests.documents.test_file_form import BODIES, FULL_BODY, RUNTIME
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response, Server
from tests.support.stores import run_sql

CHAT = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}
EDIT = "/console/deployments/a/edit"
CONTENT = "prompt_config.messages[0].content"


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def put(project: Project, key: str = "a", **fields: Any) -> None:
    messages = [{"role": "system", "content": "Hello {{name}}"}, {"role": "user", "content": "{{question}}"}]
    body = {"prompt_config": CHAT | {"messages": messages}, "variables": [{"key": "name"}, {"key": "question"}]}
    response = project.put(key, body | fields)
    assert response.status in (200, 201), response.body


def send(browser: Browser, fields: dict[str, str], path: str = f"{EDIT}?from=1.0", **more: str) -> Response:
    """Send the form of the editor with other values."""
    return browser.post_body(path, multipart(fields | more), f"multipart/form-data; boundary={BOUNDARY}")


def versions(project: Project, key: str = "a") -> list[Any]:
    """Return the versions of a deployment, newest first."""
    found: list[Any] = project.request("GET", f"/v2/deployments/{key}/versions").json["data"]
    return found


def test_a_save_is_a_new_draft_that_changes_nothing_for_applications(browser: Browser) -> None:
    put(browser.project)
    fields = form_of(browser.get(EDIT))

    saved = send(browser, fields, do="save", notes="Shorter", **{CONTENT: "Hi {{name}}\n"})

    assert saved.status == 303
    assert saved.headers["location"] == f"{EDIT}?done=draft_saved&version=1.1&from=1.1"
    draft, live = versions(browser.project)
    assert (draft["version"], draft["status"], draft["notes"]) == ("1.1", "draft", "Shorter")
    assert draft["prompt_config"]["messages"][0]["content"] == "Hi {{name}}\n"
    assert draft["variables"] == live["variables"]
    assert live["status"] == "live"
    page = browser.get(saved.headers["location"])
    assert "Draft 1.1 is saved." in text_of(page)
    assert form_of(page)[CONTENT] == "Hi {{name}}\n"


def test_a_save_has_the_same_effect_as_the_operation_of_the_api(browser: Browser) -> None:
    put(browser.project)
    fields = form_of(browser.get(EDIT))

    def revision_and_history() -> tuple[int, Any]:
        found = browser.project.request("GET", "/v2/deployments/a/history")
        return int(found.headers["x-moorage-revision"]), found.json["data"]

    before, history = revision_and_history()
    prompt_config = versions(browser.project)[0]["prompt_config"] | {"messages": [{"role": "user", "content": "x"}]}
    prompt_config.pop("model_db_id")
    browser.project.request("POST", "/v2/deployments/a/versions", json.dumps({"prompt_config": prompt_config}).encode())
    between, _ = revision_and_history()
    send(browser, fields, do="save", **{CONTENT: "x", "prompt_config.messages[1].content": "y"})

    assert revision_and_history() == (2 * between - before, history), (
        "a draft is not in the history of the live version"
    )
    console, api, _ = versions(browser.project)
    own = dict.fromkeys(("_id", "version", "timestamp", "prompt_config"))
    assert {**console, **own} == {**api, **own}


def test_a_review_saves_and_leads_to_the_page_that_publishes(browser: Browser) -> None:
    put(browser.project)

    saved = send(browser, form_of(browser.get(EDIT)), do="review", **{CONTENT: "Hi {{name}}"})

    assert saved.headers["location"] == "/console/deployments/a/publish/1.1?done=draft_saved&version=1.1"


def test_the_editor_is_one_click_away(browser: Browser) -> None:
    assert "/console/new" in links(browser.get("/console/deployments")), "also where there is no deployment"
    put(browser.project)

    assert "/console/new" in links(browser.get("/console/deployments"))
    assert {EDIT, "/console/new?from=a"} <= {*links(browser.get("/console/deployments/a"))}
    assert f"{EDIT}?from=1.0" in links(browser.get("/console/deployments/a/versions/1.0"))


def test_the_id_of_a_deployment_leads_to_its_editor(browser: Browser) -> None:
    put(browser.project)
    id_ = browser.project.get("a").json["id"]

    page = browser.get(f"/console/deployments/{id_}/edit")

    assert "Edit a from 1.0" in text_of(page)


def test_a_form_that_is_sent_twice_saves_one_draft(browser: Browser) -> None:
    put(browser.project)
    fields = form_of(browser.get(EDIT)) | {CONTENT: "Hi {{name}}", "do": "save"}

    assert send(browser, fields).headers["location"] == send(browser, fields).headers["location"]

    assert len(versions(browser.project)) == 2


def test_a_major_number_is_chosen_in_the_form(browser: Browser) -> None:
    put(browser.project)

    send(browser, form_of(browser.get(EDIT)), do="save", version_bump="major", **{CONTENT: "Hi {{name}}"})

    assert versions(browser.project)[0]["version"] == "2.0"


@pytest.mark.parametrize("query", ["?from=1.0", "?from=1.0&as=json"])
def test_an_unchanged_form_saves_nothing_and_says_so(query: str, browser: Browser) -> None:
    put(browser.project)

    response = send(browser, form_of(browser.get(EDIT + query)), f"{EDIT}?from=1.0", do="save", notes="Nothing")

    assert response.status == 200
    assert "Nothing differs from 1.0." in text_of(response)
    assert len(versions(browser.project)) == 1


def test_an_unchanged_draft_can_be_reviewed(browser: Browser) -> None:
    put(browser.project)
    send(browser, form_of(browser.get(EDIT)), do="save", **{CONTENT: "Hi {{name}}"})

    response = send(browser, form_of(browser.get(f"{EDIT}?from=1.1")), f"{EDIT}?from=1.1", do="review")

    assert response.headers["location"] == "/console/deployments/a/publish/1.1"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(BODIES)
def test_the_form_of_any_stored_version_comes_back_as_it_is(browser: Browser, body: dict[str, Any]) -> None:
    response = browser.project.put("any", body, "?allow_breaking=true")
    assert response.status in (200, 201), response.body
    live = response.json["version"]

    for query in ("", "?as=json"):
        fields = form_of(browser.get(f"/console/deployments/any/edit{query}"))
        again = send(browser, fields, f"/console/deployments/any/edit?from={live}", do="save")

        assert f"Nothing differs from {live}." in text_of(again)


def test_a_version_with_everything_is_saved_with_everything(browser: Browser) -> None:
    browser.project.put("a", {**FULL_BODY, **RUNTIME})
    before = versions(browser.project)[0]
    fields = form_of(browser.get(EDIT))
    name = next(name for name in fields if name.startswith(CONTENT))

    response = send(browser, fields, do="save", **{name: "x"})

    assert response.status in (200, 303), text_of(response)
    after = versions(browser.project)[0]
    before["prompt_config"]["messages"][0]["content"] = "x"
    for part in ("prompt_config", "tools", "variables", *RUNTIME):
        assert after[part] == before[part]


def test_emptied_parts_are_empty_in_the_draft_although_the_live_version_has_them(browser: Browser) -> None:
    browser.project.put("a", {**FULL_BODY, **RUNTIME})
    fields = form_of(browser.get(EDIT))
    emptied = dict.fromkeys(
        ("settings:json", "fallbacks:json", "retry_count:json", "variants:json", "routing:json"), ""
    )
    without = {name: text for name, text in fields.items() if not name.startswith("variables[")}

    response = send(browser, without, do="save", **emptied)

    assert response.status in (200, 303), text_of(response)
    draft = versions(browser.project)[0]
    assert (draft["variables"], draft["fallbacks"], draft["retry_count"]) == ([], [], 0)
    assert draft["settings"] == {"missing_inputs": "empty"}, "the API completes it from the live version"
    assert not {"variants", "routing"} & draft.keys()


def test_a_text_with_carriage_returns_is_shown_as_json_and_stays(browser: Browser) -> None:
    messages = [{"role": "user", "content": "a\rb\r\nc"}, {"role": "user", "content": "d"}]
    put(browser.project, prompt_config=CHAT | {"messages": messages}, variables=[])
    page = browser.get(EDIT)
    assert "This text has carriage returns" in text_of(page)

    send(browser, form_of(page), do="save", **{"prompt_config.messages[1].content": "e"})

    assert [each["content"] for each in versions(browser.project)[0]["prompt_config"]["messages"]] == ["a\rb\r\nc", "e"]


def test_a_parameter_is_left_out_if_it_is_empty_and_sent_if_it_is_not(browser: Browser) -> None:
    put(browser.project, prompt_config=CHAT | {"model_parameters": {"temperature": 1, "topK": 3}})
    fields = form_of(browser.get(EDIT))
    start = "prompt_config.model_parameters"
    assert (fields[f"{start}.temperature:json"], fields[f"{start}.topK:json"]) == ("1", "3")

    send(browser, fields, do="save", **{f"{start}.temperature:json": "", f"{start}.reasoningEffort:json": "high"})

    assert versions(browser.project)[0]["prompt_config"]["model_parameters"] == {"topK": 3, "reasoningEffort": "high"}


def test_every_problem_is_at_its_field_and_the_form_comes_back_full(browser: Browser) -> None:
    put(browser.project)
    typed = {
        "prompt_config.model_parameters.temperature:json": "0,3", "prompt_config.model": "", "settings:json": "{",
        CONTENT: "<b>kept</b>",
    }  # fmt: skip
    fields = form_of(browser.get(EDIT))

    malformed = send(browser, fields, do="save", **typed)
    refused = send(browser, fields, do="save", **typed | {"settings:json": '{"engine": "x"}'})

    assert (malformed.status, refused.status) == (400, 400)
    assert "1 thing is not right yet. Nothing was saved." in text_of(malformed)
    assert "3 things are not right yet. Nothing was saved." in text_of(refused)
    assert form_of(malformed).items() >= typed.items()
    for path in ("prompt_config.model_parameters.temperature", "prompt_config.model", "settings"):
        assert f'href="#field-{path}"' in refused.body.decode()
        assert f'id="field-{path}"' in refused.body.decode()
        assert f'id="problem-{path}"' in refused.body.decode()
    assert refused.body.decode().count('aria-invalid="true"') == 3
    assert len(versions(browser.project)) == 1


PATHS: dict[str, Any] = {
    "prompt_config": {"extra": 1},
    "prompt_config.messages[0].content": {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
    "prompt_config.messages[1].extra": {"messages": [{"role": "user", "content": ""}, {"role": "user", "extra": 1}]},
    "prompt_config.tools[0].function.parameters": {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "x"}}}]
    },
    "prompt_config.model_parameters.stop": {"model_parameters": {"stop": [""]}},
}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(BODIES, st.text("abm[]0.", max_size=20))
def test_every_path_has_a_field_or_a_section(body: dict[str, Any], below: str) -> None:
    view = view_of(fields_of(body))

    for path in view.known:
        assert view.nearest(path) == path
        assert view.nearest(f"{path}.{below}") in view.known
    assert view.nearest(below) in {*view.known, ""}


@pytest.mark.parametrize("place", PATHS)
def test_a_problem_without_a_field_of_its_own_is_at_the_nearest_one_above(place: str, browser: Browser) -> None:
    put(browser.project)
    document = {"prompt_config": CHAT | PATHS[place], "variables": []}
    fields = form_of(browser.get(f"{EDIT}?as=json"))
    as_form = send(browser, fields, move="as:form", document=json.dumps(document))

    refused = send(browser, form_of(as_form), do="save")

    assert refused.status == 400
    assert f'href="#field-{place}' in refused.body.decode()
    assert f'id="field-{place}' in refused.body.decode()


def test_a_document_that_is_not_json_comes_back_as_it_was_typed(browser: Browser) -> None:
    put(browser.project)
    fields = form_of(browser.get(f"{EDIT}?as=json"))
    assert json.loads(fields["document"])["prompt_config"]["model"] == "openai/my-gpt"

    for button in ({"do": "save"}, {"move": "as:form"}):
        refused = send(browser, fields, document='{"prompt_config": }', **button)

        assert refused.status == 400
        assert "Expecting value, line 1 column 19" in text_of(refused)
        assert form_of(refused)["document"] == '{"prompt_config": }'


def test_a_document_with_an_unknown_field_is_refused_by_the_api(browser: Browser) -> None:
    put(browser.project)
    fields = form_of(browser.get(f"{EDIT}?as=json"))
    document = json.dumps(json.loads(fields["document"]) | {"extra": 1})

    assert send(browser, fields, do="save", document=document).status == 400
    assert "extra has no place in the form" in text_of(send(browser, fields, move="as:form", document=document))


MOVES = {
    "prompt_config.messages[1]:up": ["{{question}}", "Hello {{name}}"],
    "prompt_config.messages[0]:down": ["{{question}}", "Hello {{name}}"],
    "prompt_config.messages[0]:up": ["Hello {{name}}", "{{question}}"],
    "prompt_config.messages[0]:remove": ["{{question}}"],
    "prompt_config.messages:add:assistant": ["Hello {{name}}", "{{question}}", ""],
    "prompt_config.messages[7]:remove": ["Hello {{name}}", "{{question}}"],
    "nonsense": ["Hello {{name}}", "{{question}}"],
}


@pytest.mark.parametrize("move", MOVES)
def test_a_button_of_a_message_gives_the_form_back_and_saves_nothing(move: str, browser: Browser) -> None:
    put(browser.project)

    response = send(browser, form_of(browser.get(EDIT)), move=move, notes="kept")

    fields = form_of(response)
    assert response.status == 200
    assert [text for name, text in fields.items() if name.endswith("].content")] == MOVES[move]
    assert fields["notes"] == "kept"
    assert len(versions(browser.project)) == 1


def test_parameters_tools_and_variables_are_added_and_removed(browser: Browser) -> None:
    put(browser.project)
    fields = form_of(browser.get(EDIT))
    start = "prompt_config.model_parameters"

    for more in (
        {"move": f"{start}:add", "parameter": "topK"}, {"move": "prompt_config.tools:add"},
        {"move": "variables:add:shop"}, {"move": "variables[0]:remove"},
    ):  # fmt: skip
        fields = form_of(send(browser, fields, **more))
    fields |= {f"{start}.topK:json": "3", "prompt_config.tools[0].function.name": "find"}
    removed = form_of(send(browser, fields, move=f"{start}.topK:remove"))
    send(browser, fields, do="save")

    draft = versions(browser.project)[0]
    assert f"{start}.topK:json" not in removed
    assert draft["prompt_config"]["model_parameters"] == {"topK": 3}
    assert draft["tools"][0]["function"]["name"] == "find"
    assert [each["key"] for each in draft["variables"]] == ["question", "shop"]


def test_undeclared_variables_are_offered(browser: Browser) -> None:
    put(browser.project)

    page = send(browser, form_of(browser.get(EDIT)), move="", **{CONTENT: "{{name}} {{questoin}}"})

    assert "questoin Declare questoin" in text_of(page)
    assert 'value="variables:add:questoin"' in page.body.decode()


def test_warnings_about_a_draft_are_shown_at_their_fields(browser: Browser) -> None:
    put(browser.project)

    page = send(browser, form_of(browser.get(EDIT)), do="save", **{CONTENT: "{{name}} {{questoin}}"})

    assert page.status == 200
    assert "Draft 1.1 is saved. 1 warning about it:" in text_of(page)
    assert f'href="#field-{CONTENT}"' in page.body.decode()
    assert versions(browser.project)[0]["status"] == "draft"
    again = send(browser, form_of(page), f"{EDIT}?from=1.1", do="review")
    assert again.headers["location"] == "/console/deployments/a/publish/1.1"


def test_one_click_saves_a_draft_with_warnings_and_reviews_it_with_them(browser: Browser) -> None:
    put(browser.project)

    saved = send(browser, form_of(browser.get(EDIT)), do="review", **{CONTENT: "{{name}} {{questoin}}"})

    assert saved.status == 303
    assert saved.headers["location"].startswith("/console/deployments/a/publish/1.1?")
    review = text_of(browser.get(saved.headers["location"]))
    assert "Draft 1.1 is saved." in review
    assert "questoin" in review.partition("1 warning")[2]


def test_two_editors_of_one_version_both_save_and_hear_of_a_publication(browser: Browser) -> None:
    put(browser.project)
    first, second = form_of(browser.get(EDIT)), form_of(browser.get(EDIT))

    send(browser, first, do="save", **{CONTENT: "first {{name}}"})
    browser.project.request("POST", "/v2/deployments/a/versions/1.1/publish", b"{}")
    saved = send(browser, second, do="save", **{CONTENT: "second {{name}}"})

    assert "draft_saved_behind" in saved.headers["location"]
    assert "Draft 1.2 is saved. Meanwhile, 1.1 became live" in text_of(browser.get(saved.headers["location"]))
    texts = [each["prompt_config"]["messages"][0]["content"] for each in versions(browser.project)]
    assert texts == ["second {{name}}", "first {{name}}", "Hello {{name}}"]


def test_a_draft_is_saved_although_its_base_was_deleted(browser: Browser) -> None:
    put(browser.project)
    send(browser, form_of(browser.get(EDIT)), do="save", **{CONTENT: "Hi {{name}}"})
    fields = form_of(browser.get(f"{EDIT}?from=1.1"))
    browser.project.request("DELETE", "/v2/deployments/a/versions/1.1")

    saved = send(browser, fields, f"{EDIT}?from=1.1", do="save")

    assert saved.status == 303
    assert [each["version"] for each in versions(browser.project)] == ["1.2", "1.0"]


def test_a_text_that_is_too_large_comes_back(browser: Browser) -> None:
    put(browser.project)
    text = "x" * 1_100_000

    refused = send(browser, form_of(browser.get(EDIT)), do="save", **{CONTENT: text})

    assert refused.status == 413
    assert form_of(refused)[CONTENT] == text


def test_a_new_deployment_begins_as_a_draft(browser: Browser) -> None:
    fields = form_of(browser.get("/console/new"))
    typed = {"key": "support", "description": "Answers", "prompt_config.model": "openai/my-gpt", CONTENT: "Hello"}

    saved = send(browser, fields, "/console/new", do="save", **typed)

    assert saved.headers["location"].startswith("/console/deployments/support/edit?done=draft_saved&version=1.0")
    assert browser.project.request("GET", "/v2/deployments/support").status == 404, "it is not live"
    assert versions(browser.project, "support")[0]["status"] == "draft"
    page = browser.get(saved.headers["location"])
    assert page.status == 200
    assert form_of(page)[CONTENT] == "Hello"
    assert (
        send(browser, form_of(page), "/console/deployments/support/edit?from=1.0", do="save", **{CONTENT: "Hi"}).status
        == 303
    )


def test_a_new_deployment_can_be_a_copy(browser: Browser) -> None:
    browser.project.put("a", {**FULL_BODY, **RUNTIME})

    send(browser, form_of(browser.get("/console/new?from=a")), "/console/new?from=a", do="save", key="b")

    before, after = (versions(browser.project, key)[0] for key in "ab")
    for part in ("prompt_config", "tools", "variables", *RUNTIME):
        assert after[part] == before[part]


@pytest.mark.parametrize(
    ("key", "status", "text"), [("a", 412, "exists already"), ("", 400, "key"), ("A b", 400, "key")]
)
def test_a_key_that_is_taken_or_invalid_is_a_problem_of_its_field(
    key: str, status: int, text: str, browser: Browser
) -> None:
    put(browser.project)
    fields = form_of(browser.get("/console/new")) | {"prompt_config.model": "m", CONTENT: "kept"}

    refused = send(browser, fields, "/console/new", do="save", key=key)

    assert refused.status == status
    assert text in text_of(refused)
    assert 'id="problem-key"' in refused.body.decode()
    assert form_of(refused).items() >= {CONTENT: "kept", "key": key}.items()


@pytest.mark.parametrize(
    ("path", "scopes", "missing"),
    [(EDIT, {Scope.READ}, "deployments:write"), ("/console/new", {Scope.READ, Scope.WRITE}, "deployments:publish")],
)  # fmt: skip
def test_without_the_scope_the_editor_says_which_one_is_missing(
    path: str, scopes: set[Scope], missing: str, browser: Browser
) -> None:
    put(browser.project)
    fields = form_of(browser.get(path))
    reader = Browser(browser.project).sign_in(browser.project.key(*scopes)[1])

    typed = {CONTENT: "typed", "prompt_config.model": "m", "key": "b"} if path != EDIT else {CONTENT: "typed"}
    refused = send(reader, fields, path, do="save", **typed)
    for response in (reader.get(path), refused):
        assert response.status == 403
        assert missing in text_of(response)
    assert form_of(refused).items() >= typed.items()
    assert (
        path
        not in reader.get("/console/deployments/a").body.decode() + reader.get("/console/deployments").body.decode()
    )


def test_an_editor_without_the_scope_to_publish_saves_drafts(browser: Browser) -> None:
    put(browser.project)
    writer = Browser(browser.project).sign_in(browser.project.key(Scope.READ, Scope.WRITE)[1])
    page = writer.get(EDIT)

    assert "Review and publish" not in text_of(page)
    assert "Publishing needs the scope deployments:publish." in text_of(page)
    assert send(writer, form_of(page), do="save", **{CONTENT: "Hi {{name}}"}).status == 303


@pytest.mark.parametrize("path", [EDIT, "/console/new"])
def test_a_form_of_another_origin_is_refused(path: str, browser: Browser) -> None:
    put(browser.project)
    body = multipart(form_of(browser.get(path)) | {"do": "save"})

    response = browser.post_body(path, body, f"multipart/form-data; boundary={BOUNDARY}", Sec_Fetch_Site="cross-site")

    assert response.status == 403
    assert len(versions(browser.project)) == 1


def test_without_the_database_the_form_comes_back_full(folder: Path) -> None:
    with Server(folder) as server:
        browser = Browser(server.new_project()).sign_in()
        put(browser.project)
        fields = form_of(browser.get(EDIT))

        run_sql(server.database, "ALTER TABLE version RENAME TO moved_version")
        refused = send(browser, fields, do="save", **{CONTENT: "kept"})
        run_sql(server.database, "ALTER TABLE moved_version RENAME TO version")

        assert refused.status == 503
        assert "The database does not respond" in text_of(refused)
        assert "retry-after" in refused.headers
        assert form_of(refused)[CONTENT] == "kept"
        assert send(browser, form_of(refused), do="save").status == 200, "it has a warning"
