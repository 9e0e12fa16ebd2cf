"""Breaking changes are published only with `allow_breaking`; the error lists them and the affected callers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.server import Project, Response, Server, a_body
from tests.support.stores import run_sql
from tests.support.threads import run_concurrently


def content(text: str, *variables: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a body with the single message `text`."""
    config = a_body(messages=[{"role": "user", "content": text}])["prompt_config"]
    return {"prompt_config": config, "variables": list(variables), **fields}


def a_tool(**properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": "find_order", "parameters": parameters}}


def post(project: Project, path: str, body: object = None) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    return project.request("POST", f"/v2/deployments/{path}", data)


def breaking(response: Response) -> list[tuple[str, str]]:
    """Return the kind and path of each breaking change in an error."""
    assert (response.status, response.error["code"]) == (409, "breaking_change")
    return [(change["kind"], change["path"]) for change in response.error["breaking"]]


def newest(project: Project) -> dict[str, Any]:
    entry: dict[str, Any] = project.request("GET", "/v2/deployments/a/history?limit=1").json["data"][0]
    return entry


def test_a_breaking_put_is_rejected_with_all_breaking_changes(project: Project) -> None:
    project.put("a", content("{{customer}} {{tone}}", {"key": "tone", "value": "calm"}))
    before = project.get("a").body

    rejected = project.put("a", content("{{tone}} {{order}}"))

    assert breaking(rejected) == [
        ("variable_removed", "variables.customer"),
        ("variable_required", "variables.order"),
        ("variable_required", "variables.tone"),
    ]
    for text in ("1.0", "'a'", "customer", "order", "tone", "allow_breaking=true"):
        assert text in rejected.error["message"]
    assert all(change["message"] in rejected.error["message"] for change in rejected.error["breaking"])
    assert rejected.error["callers"] == []
    assert project.get("a").body == before


def test_allow_breaking_publishes_it_and_the_history_lists_the_breaking_changes(project: Project) -> None:
    project.put("a", content("{{customer}}"))

    published = project.put("a", content("{{order}}"), "?allow_breaking=true")

    assert published.status == 200
    assert published.headers["x-moorage-breaking"] == "variables.customer, variables.order"
    assert newest(project)["breaking"] == ["variables.customer", "variables.order"]
    assert "breaking" not in project.request("GET", "/v2/deployments/a/history").json["data"][1]


def test_a_compatible_change_is_published_with_and_without_allow_breaking(project: Project) -> None:
    project.put("a", content("{{customer}}"))

    for query in ("", "?allow_breaking=true"):
        more = content(f"Dear {{{{customer}}}}{query} {{{{tone}}}}", {"key": "tone", "value": "calm"})
        published = project.put("a", more, query)
        assert (published.status, published.headers.get("x-moorage-breaking")) == (200, None)
        assert "breaking" not in newest(project)


def test_a_dry_run_reports_breaking_changes(project: Project) -> None:
    project.put("a", content("{{customer}}"))
    body = content("{{order}}")

    rejected = project.put("a", body, "?dry_run=true")
    allowed = project.put("a", body, "?dry_run=true&allow_breaking=true")

    assert breaking(rejected) == [("variable_removed", "variables.customer"), ("variable_required", "variables.order")]
    assert allowed.headers["x-moorage-breaking"] == "variables.customer, variables.order"
    assert project.get("a").json["version"] == "1.0"


@pytest.mark.parametrize("status", ["live", "published"])
def test_a_version_saved_as_live_is_checked_and_a_draft_is_not(project: Project, status: str) -> None:
    project.put("a", content("{{customer}}"))
    body = content("Hello")

    draft = post(project, "a/versions", body)
    rejected = post(project, "a/versions", body | {"status": status})
    published = post(project, "a/versions?allow_breaking=true", body | {"status": status})

    assert (draft.status, published.status) == (201, 201)
    assert breaking(rejected) == [("variable_removed", "variables.customer")]
    assert published.json["version"] == "1.2", "a rejected version takes no number"
    assert newest(project)["breaking"] == ["variables.customer"]


def test_a_publish_is_checked_and_an_undo_is_not(project: Project) -> None:
    project.put("a", content("{{customer}}"))
    post(project, "a/versions", content("Hello"))

    rejected = post(project, "a/versions/1.1/publish")
    published = post(project, "a/versions/1.1/publish?allow_breaking=true")
    back = post(project, "a/versions/1.0/publish")
    undone = post(project, "a/undo")

    assert breaking(rejected) == [("variable_removed", "variables.customer")]
    assert published.headers["x-moorage-breaking"] == "variables.customer"
    assert breaking(back) == [("variable_required", "variables.customer")]
    assert (undone.status, undone.json["version"]) == (200, "1.0")


def test_a_changed_tool_is_breaking(project: Project) -> None:
    project.put("a", a_body(tools=[a_tool(order_id={"type": "string"})]))

    rejected = project.put("a", a_body(tools=[a_tool(order_id={"type": "number"})]))

    assert breaking(rejected) == [("argument_type_changed", "tools.find_order.order_id")]


def test_a_variant_is_compared_with_the_variant_of_the_same_name(project: Project) -> None:
    formal, calm = ({"name": name, **content(f"{{{{{name}}}}}")} for name in ("formal", "calm"))
    routing = [{"variant": "formal", "when": {"country": {"eq": "NLD"}}}]
    project.put("a", content("{{customer}}", variants=[formal, calm], routing=routing))
    other = {**formal, **content("{{order}}")}

    rejected = project.put("a", content("{{customer}}", variants=[other, calm]))

    assert breaking(rejected) == [
        ("variable_removed", "variants.formal.variables.formal"),
        ("variable_required", "variants.formal.variables.order"),
    ]
    unused = {**calm, **content("{{mood}}")}
    assert project.put("a", content("{{customer}}", variants=[formal, unused])).status == 200, "no request gets it"
    prepared = [*routing, {"variant": "calm", "split": {"by": "user", "percent": 0}}]
    assert project.put("a", content("{{customer}}", routing=prepared)).status == 200, (
        "no request gets it with 0 percent"
    )


def test_a_newly_routed_variant_is_compared_with_the_variants_that_requests_got(project: Project) -> None:
    """Routing selects the variant of a caller: it sends the inputs of one of them, and supports the tools of all."""
    formal = {"name": "formal", **content("{{customer}} {{title}}", {"key": "title", "value": "Dr"})}
    calm = {"name": "calm", **content("{{customer}} {{title}} {{tone}}")}
    calm["prompt_config"] = {**calm["prompt_config"], "tools": [a_tool(order_id={"type": "string"})]}
    strict = {**formal, "name": "strict", "settings": {"missing_inputs": "error"}}
    condition = {"when": {"plan": {"eq": "pro"}}}
    body = content("{{customer}}", variants=[formal], routing=[{"variant": "formal", **condition}])
    project.put("a", content("{{customer}}"))

    assert project.put("a", body).status == 200, "it needs no new input"
    extended = {**body, "variants": [formal, calm, strict]}
    assert project.put("a", extended).status == 200, "no request gets them"
    routed = [*body["routing"], {"variant": "calm", "split": {"by": "user", "percent": 5}}]
    assert breaking(project.put("a", {**extended, "routing": routed})) == [
        ("variable_required", "variants.calm.variables.title"),
        ("variable_required", "variants.calm.variables.tone"),
        ("tool_added", "variants.calm.tools.find_order"),
    ]
    rejecting = project.put("a", {**extended, "routing": [{"variant": "strict"}]})
    assert breaking(rejecting) == [("variable_required", "variants.strict.variables.customer")]
    assert "are now rejected" in rejecting.error["message"]
    with_tool = {"tools": [a_tool(place={"type": "string"})]}
    searching = {**formal, "name": "searching", "prompt_config": {**formal["prompt_config"], **with_tool}}
    project.put("a", {**body, "variants": [searching], "routing": [{"variant": "searching"}]}, "?allow_breaking=true")
    renamed = {**body, "variants": [{**searching, "name": "finding"}], "routing": [{"variant": "finding"}]}
    assert project.put("a", renamed).status == 200, "requests got a variant with the same tool before"
    renamed_again = {**body, "variants": [{**formal, "name": "polite"}], "routing": [{"variant": "polite"}]}
    project.put("a", body, "?allow_breaking=true")
    assert project.put("a", renamed_again).status == 200


def test_a_variable_used_only_by_a_variant_that_is_no_longer_routed_is_removed(project: Project) -> None:
    body = json.dumps({"key": "a", "inputs": {"customer": "Ada", "title": "Dr"}}).encode()
    formal = {"name": "formal", **content("{{customer}} {{title}}")}
    formal["prompt_config"] = {**formal["prompt_config"], "tools": [a_tool()]}
    project.put(
        "a", content("{{customer}}", variants=[formal], routing=[{"variant": "formal"}]), "?allow_breaking=true"
    )
    project.request("POST", "/v2/deployments/get_config", body)

    for rejected in (
        project.put("a", content("{{customer}}", variants=[], routing=[])),
        project.put("a", content("{{customer}}", variants=[formal], routing=[])),
    ):
        assert breaking(rejected) == [
            ("variable_removed", "variants.formal.variables.title"),
            ("tool_removed", "variants.formal.tools.find_order"),
        ]
        assert [caller["inputs_unused"] for caller in rejected.error["callers"]] == [["title"]]


@pytest.mark.parametrize("engine", ["text", "mustache", "jinja"])
def test_a_default_value_and_its_fields_count_as_defaults(folder: Path, engine: str) -> None:
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
        resolved = project.request("POST", "/v2/deployments/get_config", b'{"key": "b"}')
        assert resolved.json["messages"][0]["content"] == "Hi guest"


def test_the_variables_of_a_template_depend_on_its_engine(project: Project) -> None:
    mustache = {"settings": {"engine": "mustache"}}
    project.put("a", content("{{#orders}}{{id}}{{/orders}}", **mustache))

    rejected = project.put("a", content("{{^orders}}none{{/orders}}", **mustache))

    assert {path for _, path in breaking(rejected)} == {"variables.id"}


def test_an_error_lists_the_affected_callers(project: Project) -> None:
    project.put("a", content("{{customer}} {{tone}}", {"key": "tone", "value": "calm"}))
    apps = {project.key(Scope.INVOKE): inputs for inputs in (("customer",), ("customer", "order"), ("order", "tone"))}
    for (_, token), inputs in apps.items():
        body = json.dumps({"key": "a", "inputs": dict.fromkeys(inputs, "secret")}).encode()
        project.request("POST", "/v2/deployments/get_config", body, {"Authorization": f"Bearer {token}"})

    rejected = project.put("a", content("{{order}} {{tone}}", {"key": "tone", "value": "calm"}))

    first, second, third = (key_id for key_id, _ in apps)
    callers = {caller["api_key"]["id"]: caller for caller in rejected.error["callers"]}
    assert set(callers) == {first, second}, third
    assert callers[first]["api_key"]["name"] == "more"
    assert (callers[first]["inputs_missing"], callers[first]["inputs_unused"]) == (["order"], ["customer"])
    assert (callers[second]["inputs_missing"], callers[second]["inputs_unused"]) == ([], ["customer"])
    assert re.match(r"\d{4}-\d\d-\d\dT", callers[first]["last_used"])
    assert first in rejected.error["message"]
    assert b"secret" not in rejected.body


def test_omitted_fields_keep_their_values_in_the_comparison(project: Project) -> None:
    project.put("a", content("{{customer}}", {"key": "customer", "value": "guest"}))
    body = {"prompt_config": content("Dear {{customer}}")["prompt_config"]}

    assert project.put("a", body).status == 200
    assert breaking(project.put("a", content("Dear {{customer}}"))) == [("variable_required", "variables.customer")]


def test_ownership_is_checked_before_breaking_changes(project: Project) -> None:
    project.put("a", content("{{customer}}"), "?file=a.yaml")

    assert project.put("a", content("Hello")).error["code"] == "owned_by_files"
    assert project.put("a", content("Hello"), "?take_ownership=true").error["code"] == "breaking_change"
    assert project.put("a", content("Hello"), "?allow_breaking=yes").error["code"] == "invalid_flag"


def test_concurrent_changes_are_compared_with_the_version_that_is_live_at_their_commit(project: Project) -> None:
    """Each change breaks the others, so only the first one is published."""
    project.put("a", content("Hello"))
    names = [f"v{number}" for number in range(8)]
    responses: list[Response] = []

    def publish(name: str) -> None:
        client = Project(project.server, project.id, project.name, project.token)
        responses.append(client.put("a", content(f"{{{{{name}}}}}", {"key": name, "value": "x"})))

    run_concurrently(*[lambda name=name: publish(name) for name in names])

    assert sorted(response.status for response in responses) == [200, *[409] * 7]


def test_many_breaking_changes_get_a_bounded_response_and_history_entry(project: Project) -> None:
    project.put("a", content("Hello"))
    body = content(" ".join(f"{{{{n{number}_{'x' * 300}}}}}" for number in range(2_000)))

    rejected = project.put("a", body)
    allowed = project.put("a", body, "?allow_breaking=true")

    assert len(breaking(rejected)) == 200
    *paths, more = allowed.headers["x-moorage-breaking"].split(", ")
    assert more == "..."
    assert paths == [change["path"] for change in rejected.error["breaking"]][: len(paths)]
    assert len(paths) > 10
    assert len(rejected.body) < 500_000
    assert "more" in rejected.error["message"]
    assert len(newest(project)["breaking"]) == 200


JINJA: dict[str, Any] = {"settings": {"engine": "jinja", "missing_inputs": "empty"}}
TONE = {"key": "tone", "value": "calm"}


def test_the_variables_of_jinja_templates_are_compared(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("a", content("{% for o in orders %}{{ o.id }}{% endfor %} {{ tone }}", TONE, **JINJA))

        used = project.put("a", content("{{ order }} {{ tone }}", TONE, **JINJA))
        declared = project.put("a", content("{{ tone }}", **JINJA))

        strict = {"settings": {"engine": "jinja", "missing_inputs": "error"}}
        rejecting = project.put("a", content("{% for o in orders %}{{ o.id }}{% endfor %} {{ tone }}", TONE, **strict))

    assert breaking(used) == [("variable_renamed", "variables.orders")]
    assert breaking(rejecting) == [("variable_required", "variables.orders")]
    assert ("variable_required", "variables.tone") in breaking(declared)


def test_a_server_without_jinja_compares_the_declared_variables_and_publishes_no_jinja_template(
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


def test_rejecting_missing_inputs_is_breaking_and_the_error_lists_the_affected_callers(project: Project) -> None:
    lenient = {"settings": {"missing_inputs": "empty"}}
    project.put("a", content("{{customer}} {{tone}} {{sign}}", {"key": "sign", "value": "-"}, **lenient))
    other = project.key(Scope.INVOKE)[1]
    for token, inputs in ((project.token, {"customer": "Ada"}), (other, {"customer": 1, "tone": 2})):
        body = json.dumps({"key": "a", "inputs": inputs}).encode()
        headers = {"Authorization": f"Bearer {token}"}
        assert project.request("POST", "/v2/deployments/get_config", body, headers).status == 200
    strict = content(
        "{{customer}} {{tone}} {{sign}}", {"key": "sign", "value": "-"}, settings={"missing_inputs": "error"}
    )

    rejected = project.put("a", strict)

    assert breaking(rejected) == [("variable_required", "variables.customer"), ("variable_required", "variables.tone")]
    assert "are now rejected" in rejected.error["message"]
    assert [caller["inputs_missing"] for caller in rejected.error["callers"]] == [["tone"]]
    assert project.put("a", strict, "?allow_breaking=true").status == 200
    assert project.put("a", strict).headers["x-moorage-result"] == "unchanged"
    assert project.put("a", content("{{customer}} {{tone}} {{sign}}!", {"key": "sign", "value": "-"})).status == 200


@pytest.mark.parametrize(
    ("text", "template_engine", "variables"),
    [
        ("{{#name}}Hi {{name}}{{/name}}{{^name}}Hello{{/name}}", "mustache", []),
        ("{{customer.name}}", "text", [{"key": "customer", "value": {"name": "Ada"}}]),
    ],
)
def test_rejecting_missing_inputs_is_compatible_if_no_input_can_be_missing(
    project: Project, text: str, template_engine: str, variables: list[dict[str, Any]]
) -> None:
    project.put("a", content(text, *variables, settings={"engine": template_engine}))

    strict = {"engine": template_engine, "missing_inputs": "error"}
    published = project.put("a", content(text, *variables, settings=strict))

    assert (published.status, published.headers.get("x-moorage-breaking")) == (200, None)
    resolved = project.request("POST", "/v2/deployments/get_config", b'{"key": "a"}')
    assert resolved.status == 200


def test_the_declared_variables_of_an_invalid_live_jinja_template_are_compared(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("a", content("{{ tone }}", {"key": "tone"}, **JINJA))
        server.stop()
        for column in ("prompt_config", "runtime_config"):  # a server without this check could have stored it
            run_sql(server.database, f"UPDATE version SET {column} = replace({column}, '{{{{ tone }}}}', '{{% if %}}')")
        server.start()

        assert breaking(project.put("a", content("{{ mood }}", **JINJA))) == [("variable_removed", "variables.tone")]
        assert project.put("a", content("{{ tone }}", {"key": "tone"}, **JINJA)).status == 200
