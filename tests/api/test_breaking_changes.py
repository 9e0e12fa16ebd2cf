"""What breaks programs is published only by whoever says so; the refusal lists what and whom, the ledger keeps what."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from moorage.core.access import Scope
from tests.support.program import moorage
from tests.support.server import Answer, Project, Server, a_body
from tests.support.stores import behind
from tests.support.threads import together


def content(text: str, *variables: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A body whose one message is `text`."""
    config = a_body(messages=[{"role": "user", "content": text}])["prompt_config"]
    return {"prompt_config": config, "variables": list(variables), **fields}


def a_tool(**properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": "find_order", "parameters": parameters}}


def post(project: Project, path: str, body: object = None) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    return project.request("POST", f"/v2/deployments/{path}", data)


def breaking(answer: Answer) -> list[tuple[str, str]]:
    """Kind and path of each change that a refusal lists."""
    assert (answer.status, answer.error["code"]) == (409, "breaking_change")
    return [(change["kind"], change["path"]) for change in answer.error["breaking"]]


def newest(project: Project) -> dict[str, Any]:
    entry: dict[str, Any] = project.request("GET", "/v2/deployments/a/history?limit=1").json["data"][0]
    return entry


def test_a_put_that_breaks_programs_is_refused_with_all_that_it_breaks(project: Project) -> None:
    project.put("a", content("{{customer}} {{tone}}", {"key": "tone", "value": "calm"}))
    before = project.get("a").body

    refused = project.put("a", content("{{tone}} {{order}}"))

    assert breaking(refused) == [
        ("variable_removed", "variables.customer"),
        ("variable_required", "variables.order"),
        ("variable_required", "variables.tone"),
    ]
    for told in ("1.0", "'a'", "customer", "order", "tone", "allow_breaking=true"):
        assert told in refused.error["message"]
    assert all(change["message"] in refused.error["message"] for change in refused.error["breaking"])
    assert refused.error["callers"] == []
    assert project.get("a").body == before


def test_who_says_so_publishes_it_and_the_history_keeps_what_it_broke(project: Project) -> None:
    project.put("a", content("{{customer}}"))

    done = project.put("a", content("{{order}}"), "?allow_breaking=true")

    assert done.status == 200
    assert done.headers["x-moorage-breaking"] == "variables.customer, variables.order"
    assert newest(project)["breaking"] == ["variables.customer", "variables.order"]
    assert "breaking" not in project.request("GET", "/v2/deployments/a/history").json["data"][1]


def test_what_breaks_nothing_is_published_and_recorded_as_ever_whatever_is_allowed(project: Project) -> None:
    project.put("a", content("{{customer}}"))

    for query in ("", "?allow_breaking=true"):
        more = content(f"Dear {{{{customer}}}}{query} {{{{tone}}}}", {"key": "tone", "value": "calm"})
        done = project.put("a", more, query)
        assert (done.status, done.headers.get("x-moorage-breaking")) == (200, None)
        assert "breaking" not in newest(project)


def test_a_dry_run_tells_what_would_break(project: Project) -> None:
    project.put("a", content("{{customer}}"))
    body = content("{{order}}")

    refused = project.put("a", body, "?dry_run=true")
    allowed = project.put("a", body, "?dry_run=true&allow_breaking=true")

    assert breaking(refused) == [("variable_removed", "variables.customer"), ("variable_required", "variables.order")]
    assert allowed.headers["x-moorage-breaking"] == "variables.customer, variables.order"
    assert project.get("a").json["version"] == "1.0"


@pytest.mark.parametrize("status", ["live", "published"])
def test_a_version_that_is_saved_live_is_held_against_the_live_one_and_a_draft_is_not(
    project: Project, status: str
) -> None:
    project.put("a", content("{{customer}}"))
    body = content("Hello")

    draft = post(project, "a/versions", body)
    refused = post(project, "a/versions", body | {"status": status})
    done = post(project, "a/versions?allow_breaking=true", body | {"status": status})

    assert (draft.status, done.status) == (201, 201)
    assert breaking(refused) == [("variable_removed", "variables.customer")]
    assert done.json["version"] == "1.2", "a refusal takes no number"
    assert newest(project)["breaking"] == ["variables.customer"]


def test_publishing_a_version_is_held_against_the_live_one_and_an_undo_is_not(project: Project) -> None:
    project.put("a", content("{{customer}}"))
    post(project, "a/versions", content("Hello"))

    refused = post(project, "a/versions/1.1/publish")
    done = post(project, "a/versions/1.1/publish?allow_breaking=true")
    back = post(project, "a/versions/1.0/publish")
    undone = post(project, "a/undo")

    assert breaking(refused) == [("variable_removed", "variables.customer")]
    assert done.headers["x-moorage-breaking"] == "variables.customer"
    assert breaking(back) == [("variable_required", "variables.customer")]
    assert (undone.status, undone.json["version"]) == (200, "1.0")


def test_tools_are_part_of_what_programs_rely_on(project: Project) -> None:
    project.put("a", a_body(tools=[a_tool(order_id={"type": "string"})]))

    refused = project.put("a", a_body(tools=[a_tool(order_id={"type": "number"})]))

    assert breaking(refused) == [("argument_type_changed", "tools.find_order.order_id")]


def test_each_variant_is_held_against_that_of_its_name(project: Project) -> None:
    formal, calm = ({"name": name, **content(f"{{{{{name}}}}}")} for name in ("formal", "calm"))
    routing = [{"variant": "formal", "when": {"country": {"eq": "NLD"}}}]
    project.put("a", content("{{customer}}", variants=[formal, calm], routing=routing))
    other = {**formal, **content("{{order}}")}

    refused = project.put("a", content("{{customer}}", variants=[other, calm]))

    assert breaking(refused) == [
        ("variable_removed", "variants.formal.variables.formal"),
        ("variable_required", "variants.formal.variables.order"),
    ]
    unused = {**calm, **content("{{mood}}")}
    assert project.put("a", content("{{customer}}", variants=[formal, unused])).status == 200, "no call gets it"
    prepared = [*routing, {"variant": "calm", "split": {"by": "user", "percent": 0}}]
    assert project.put("a", content("{{customer}}", routing=prepared)).status == 200, "and with 0 percent neither"


def test_a_variant_that_calls_get_only_from_now_on_is_held_against_those_they_got(project: Project) -> None:
    """A program cannot know which variant it gets: it sends what one of them needs, and has the tools of all."""
    formal = {"name": "formal", **content("{{customer}} {{title}}", {"key": "title", "value": "Dr"})}
    calm = {"name": "calm", **content("{{customer}} {{title}} {{tone}}")}
    calm["prompt_config"] = {**calm["prompt_config"], "tools": [a_tool(order_id={"type": "string"})]}
    strict = {**formal, "name": "strict", "settings": {"missing_inputs": "error"}}
    to_some = {"when": {"plan": {"eq": "pro"}}}
    body = content("{{customer}}", variants=[formal], routing=[{"variant": "formal", **to_some}])
    project.put("a", content("{{customer}}"))

    assert project.put("a", body).status == 200, "it asks for nothing that is new"
    kept = {**body, "variants": [formal, calm, strict]}
    assert project.put("a", kept).status == 200, "no call gets them"
    routed = [*body["routing"], {"variant": "calm", "split": {"by": "user", "percent": 5}}]
    assert breaking(project.put("a", {**kept, "routing": routed})) == [
        ("variable_required", "variants.calm.variables.title"),
        ("variable_required", "variants.calm.variables.tone"),
        ("tool_added", "variants.calm.tools.find_order"),
    ]
    refusing = project.put("a", {**kept, "routing": [{"variant": "strict"}]})
    assert breaking(refusing) == [("variable_required", "variants.strict.variables.customer")]
    assert "refused from now on" in refusing.error["message"]
    look = {"tools": [a_tool(place={"type": "string"})]}
    looking = {**formal, "name": "looking", "prompt_config": {**formal["prompt_config"], **look}}
    project.put("a", {**body, "variants": [looking], "routing": [{"variant": "looking"}]}, "?allow_breaking=true")
    renamed = {**body, "variants": [{**looking, "name": "seeing"}], "routing": [{"variant": "seeing"}]}
    assert project.put("a", renamed).status == 200, "one of those that they got had the same tool"
    calling_it_otherwise = {**body, "variants": [{**formal, "name": "polite"}], "routing": [{"variant": "polite"}]}
    project.put("a", body, "?allow_breaking=true")
    assert project.put("a", calling_it_otherwise).status == 200


def test_what_only_a_variant_used_that_no_call_gets_any_more_is_used_no_more(project: Project) -> None:
    body = json.dumps({"key": "a", "inputs": {"customer": "Ada", "title": "Dr"}}).encode()
    formal = {"name": "formal", **content("{{customer}} {{title}}")}
    formal["prompt_config"] = {**formal["prompt_config"], "tools": [a_tool()]}
    project.put(
        "a", content("{{customer}}", variants=[formal], routing=[{"variant": "formal"}]), "?allow_breaking=true"
    )
    project.request("POST", "/v2/deployments/get_config", body)

    for refused in (
        project.put("a", content("{{customer}}", variants=[], routing=[])),
        project.put("a", content("{{customer}}", variants=[formal], routing=[])),
    ):
        assert breaking(refused) == [
            ("variable_removed", "variants.formal.variables.title"),
            ("tool_removed", "variants.formal.tools.find_order"),
        ]
        assert [each["inputs_unused"] for each in refused.error["callers"]] == [["title"]]


@pytest.mark.parametrize("engine", ["text", "mustache", "jinja"])
def test_a_field_of_a_default_is_a_default_and_a_default_of_a_field_is_one(folder: Path, engine: str) -> None:
    fields: dict[str, Any] = {"settings": {"engine": engine}}
    used, object_ = "variables.c" if engine == "jinja" else 'variables["c.name"]', {"name": "guest", "age": 3}
    whole, field = {"key": "c", "value": object_}, {"key": "c.name", "value": "guest"}
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("a", content("Hi {{c.name}}", whole, **fields))

        assert breaking(project.put("a", content("Hi {{c.name}}", **fields))) == [("variable_required", used)]
        retyped = {"key": "c", "value": {"name": 7} if engine != "jinja" else "guest"}
        assert breaking(project.put("a", content("Hi {{c.name}}", retyped, **fields))) == [
            ("variable_type_changed", used)
        ]
        assert project.put("a", content("Hi {{c.name}} {{c.age}}", whole, **fields)).status == 200
        project.put("b", content("Hi", **fields))
        strict = {"settings": {"engine": engine, "missing_inputs": "error"}}
        assert project.put("b", content("Hi {{c.name}}", field, **strict)).status == 200
        asked = project.request("POST", "/v2/deployments/get_config", b'{"key": "b"}')
        assert asked.json["messages"][0]["content"] == "Hi guest"


def test_the_names_of_a_template_are_those_of_its_engine(project: Project) -> None:
    mustache = {"settings": {"engine": "mustache"}}
    project.put("a", content("{{#orders}}{{id}}{{/orders}}", **mustache))

    refused = project.put("a", content("{{^orders}}none{{/orders}}", **mustache))

    assert {path for _, path in breaking(refused)} == {"variables.id"}


def test_the_callers_that_would_break_are_named(project: Project) -> None:
    project.put("a", content("{{customer}} {{tone}}", {"key": "tone", "value": "calm"}))
    apps = {project.key(Scope.INVOKE): inputs for inputs in (("customer",), ("customer", "order"), ("order", "tone"))}
    for (_, token), inputs in apps.items():
        body = json.dumps({"key": "a", "inputs": dict.fromkeys(inputs, "secret")}).encode()
        project.request("POST", "/v2/deployments/get_config", body, {"Authorization": f"Bearer {token}"})

    refused = project.put("a", content("{{order}} {{tone}}", {"key": "tone", "value": "calm"}))

    first, second, third = (key_id for key_id, _ in apps)
    callers = {each["api_key"]["id"]: each for each in refused.error["callers"]}
    assert set(callers) == {first, second}, third
    assert callers[first]["api_key"]["name"] == "more"
    assert (callers[first]["inputs_missing"], callers[first]["inputs_unused"]) == (["order"], ["customer"])
    assert (callers[second]["inputs_missing"], callers[second]["inputs_unused"]) == ([], ["customer"])
    assert re.match(r"\d{4}-\d\d-\d\dT", callers[first]["last_used"])
    assert first in refused.error["message"]
    assert b"secret" not in refused.body


def test_what_a_field_that_is_left_out_keeps_is_part_of_the_comparison(project: Project) -> None:
    project.put("a", content("{{customer}}", {"key": "customer", "value": "guest"}))
    kept = {"prompt_config": content("Dear {{customer}}")["prompt_config"]}

    assert project.put("a", kept).status == 200
    assert breaking(project.put("a", content("Dear {{customer}}"))) == [("variable_required", "variables.customer")]


def test_an_ownership_that_is_refused_is_told_first(project: Project) -> None:
    project.put("a", content("{{customer}}"), "?file=a.yaml")

    assert project.put("a", content("Hello")).error["code"] == "owned_by_files"
    assert project.put("a", content("Hello"), "?take_ownership=true").error["code"] == "breaking_change"
    assert project.put("a", content("Hello"), "?allow_breaking=yes").error["code"] == "invalid_flag"


def test_of_changes_at_the_same_time_each_is_held_against_what_is_live_when_it_is_made(project: Project) -> None:
    """Each adds a variable to the one before, or breaks it: whoever comes second is refused."""
    project.put("a", content("Hello"))
    names = [f"v{number}" for number in range(8)]
    answers: list[Answer] = []

    def publish(name: str) -> None:
        one = Project(project.server, project.id, project.name, project.token)
        answers.append(one.put("a", content(f"{{{{{name}}}}}", {"key": name, "value": "x"})))

    together(*[lambda name=name: publish(name) for name in names])

    assert sorted(answer.status for answer in answers) == [200, *[409] * 7]


def test_a_body_with_very_many_breaking_changes_gets_a_bounded_answer_and_entry(project: Project) -> None:
    project.put("a", content("Hello"))
    body = content(" ".join(f"{{{{n{number}_{'x' * 300}}}}}" for number in range(2_000)))

    refused = project.put("a", body)
    allowed = project.put("a", body, "?allow_breaking=true")

    assert len(breaking(refused)) == 200
    *paths, more = allowed.headers["x-moorage-breaking"].split(", ")
    assert more == "..."
    assert paths == [each["path"] for each in refused.error["breaking"]][: len(paths)]
    assert len(paths) > 10
    assert len(refused.body) < 500_000
    assert "more" in refused.error["message"]
    assert len(newest(project)["breaking"]) == 200


@pytest.mark.parametrize("tamper", ["''", "'[]'", """'["variables.other"]'"""])
def test_audit_finds_it_when_what_was_broken_is_changed(folder: Path, tamper: str) -> None:
    database = ("--database", f"sqlite:///{folder / 'moorage.db'}")
    with Server(folder) as server:
        project = server.new_project()
        project.put("a", content("{{customer}}"))
        project.put("a", content("Hello"), "?allow_breaking=true")
        server.stop()
        untouched = moorage("db", "check", *database, folder=folder)
        with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
            connection.execute(f"UPDATE history SET breaking = {tamper} WHERE breaking <> ''")
            assert connection.changes() == 1
        tampered = moorage("db", "check", *database, folder=folder)

    assert (untouched.returncode, tampered.returncode) == (0, 1), untouched.stderr


JINJA: dict[str, Any] = {"settings": {"engine": "jinja"}}
TONE = {"key": "tone", "value": "calm"}


def test_the_names_of_jinja_templates_are_told(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("a", content("{% for o in orders %}{{ o.id }}{% endfor %} {{ tone }}", TONE, **JINJA))

        used = project.put("a", content("{{ order }} {{ tone }}", TONE, **JINJA))
        declared = project.put("a", content("{{ tone }}", **JINJA))

        strict = {"settings": {"engine": "jinja", "missing_inputs": "error"}}
        refusing = project.put("a", content("{% for o in orders %}{{ o.id }}{% endfor %} {{ tone }}", TONE, **strict))

    assert breaking(used) == [("variable_renamed", "variables.orders")]
    assert breaking(refusing) == [("variable_required", "variables.orders")]
    assert ("variable_required", "variables.tone") in breaking(declared)


def test_where_jinja_is_not_enabled_any_more_what_is_declared_counts_and_no_such_template_is_published(
    folder: Path,
) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("a", content("{{ tone }}", TONE, **JINJA))
        server.stop()
    with Server(folder) as server:
        project = Project(server, project.id, project.name, project.token)
        text = {"settings": {"engine": "text"}}

        assert breaking(project.put("a", content("{{ tone }}", **text))) == [("variable_removed", "variables.tone")]
        assert project.put("a", content("{{ tone }}!", TONE, **JINJA)).error["code"] == "unsupported_engine"
        assert project.put("a", content("{{ order }}", TONE, **text)).status == 200


def test_to_refuse_calls_that_lack_an_input_is_breaking_and_those_who_lack_it_are_named(project: Project) -> None:
    project.put("a", content("{{customer}} {{tone}} {{sign}}", {"key": "sign", "value": "-"}))
    other = project.key(Scope.INVOKE)[1]
    for token, inputs in ((project.token, {"customer": "Ada"}), (other, {"customer": 1, "tone": 2})):
        body = json.dumps({"key": "a", "inputs": inputs}).encode()
        headers = {"Authorization": f"Bearer {token}"}
        assert project.request("POST", "/v2/deployments/get_config", body, headers).status == 200
    strict = content(
        "{{customer}} {{tone}} {{sign}}", {"key": "sign", "value": "-"}, settings={"missing_inputs": "error"}
    )

    refused = project.put("a", strict)

    assert breaking(refused) == [("variable_required", "variables.customer"), ("variable_required", "variables.tone")]
    assert "are refused from now on" in refused.error["message"]
    assert [each["inputs_missing"] for each in refused.error["callers"]] == [["tone"]]
    assert project.put("a", strict, "?allow_breaking=true").status == 200
    assert project.put("a", strict).headers["x-moorage-result"] == "unchanged"
    assert project.put("a", content("{{customer}} {{tone}} {{sign}}!", {"key": "sign", "value": "-"})).status == 200


@pytest.mark.parametrize(
    ("text", "renders", "variables"),
    [
        ("{{#name}}Hi {{name}}{{/name}}{{^name}}Hello{{/name}}", "mustache", []),
        ("{{customer.name}}", "text", [{"key": "customer", "value": {"name": "Ada"}}]),
    ],
)
def test_to_refuse_calls_that_lack_an_input_is_no_change_where_none_is_refused(
    project: Project, text: str, renders: str, variables: list[dict[str, Any]]
) -> None:
    project.put("a", content(text, *variables, settings={"engine": renders}))

    done = project.put("a", content(text, *variables, settings={"engine": renders, "missing_inputs": "error"}))

    assert (done.status, done.headers.get("x-moorage-breaking")) == (200, None)
    asked = project.request("POST", "/v2/deployments/get_config", b'{"key": "a"}')
    assert asked.status == 200


def test_a_broken_jinja_template_that_is_live_is_held_against_what_it_declares(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("a", content("{{ tone }}", {"key": "tone"}, **JINJA))
        server.stop()
        for column in ("prompt_config", "runtime_config"):  # as by a server that did not check it
            behind(server.database, f"UPDATE version SET {column} = replace({column}, '{{{{ tone }}}}', '{{% if %}}')")
        server.start()

        assert breaking(project.put("a", content("{{ mood }}", **JINJA))) == [("variable_removed", "variables.tone")]
        assert project.put("a", content("{{ tone }}", {"key": "tone"}, **JINJA)).status == 200
