"""The official SDK manages environments, and gets configurations of them."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from orq_ai_sdk import Orq, models

from moorage.core.access import Scope
from tests.support.server import Project, a_body
from tests.support.team import Team, with_text


class Sdk:
    """The methods of the SDK, synchronous or asynchronous in the same form."""

    def __init__(self, orq: Orq, runner: asyncio.Runner | None) -> None:
        self._orq, self._runner = orq, runner

    def call(self, api: str, method: str, **arguments: Any) -> Any:
        """Call a method of a part of the API."""
        part = getattr(self._orq, api)
        if self._runner is None:
            return getattr(part, method)(**arguments)
        return self._runner.run(getattr(part, f"{method}_async")(**arguments))

    def environments(self, method: str, **arguments: Any) -> Any:
        """Call a method of `orq.environments`."""
        return self.call("environments", method, **arguments)

    def get_config(self, **arguments: Any) -> Any:
        """Call `orq.deployments.get_config`."""
        return self.call("deployments", "get_config", **arguments)


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, team: Team) -> Iterator[Any]:
    """Return a function that makes a client with a token, by default that of the administrator."""
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if request.param == "async" else None

        def make(token: str | None = None) -> Sdk:
            orq = stack.enter_context(Orq(api_key=token or team.admin, server_url=team.project.server.url))
            if runner is not None:
                stack.callback(lambda: runner.run(orq.__aexit__(None, None, None)))
            return Sdk(orq, runner)

        yield make


@pytest.fixture
def sdk(connect: Any) -> Sdk:
    made: Sdk = connect()
    return made


def test_create_get_update_list_and_delete(sdk: Sdk, team: Team) -> None:
    created = sdk.environments("create", slug="staging", display_name="Staging", description="Tests").environment
    assert (created.slug, created.display_name, created.description) == ("staging", "Staging", "Tests")
    assert created.created_by_id == created.updated_by_id == team.admin.split("_")[1]
    assert created.created_at == created.updated_at

    assert sdk.environments("get", environment_id=created.id).environment == created
    assert sdk.environments("get", environment_id="staging").environment == created

    updated = sdk.environments("update", environment_id=created.id, display_name="QA").environment
    assert (updated.slug, updated.display_name, updated.description) == ("staging", "QA", "Tests")
    assert sdk.environments("update", environment_id="staging", description="").environment.description == ""

    page = sdk.environments("list")
    assert (page.object, [each.slug for each in page.data], page.has_more) == ("list", ["production", "staging"], False)
    assert page.data[0].created_by_id == "", "the operator has no id"

    sdk.environments("delete", environment_id=created.id)
    assert [each.slug for each in sdk.environments("list").data] == ["production"]


def test_an_update_keeps_the_settings_that_the_sdk_does_not_know(sdk: Sdk, team: Team) -> None:
    team.create("strict", protected=True, required_approvals=2, approve_undo=True)

    sdk.environments("update", environment_id="strict", description="x")

    found = team.send("GET", "/v2/environments/strict").json
    assert (found["protected"], found["required_approvals"], found["approve_undo"]) == (True, 2, True)


def test_pages_and_search(sdk: Sdk, team: Team) -> None:
    for number in range(5):
        team.create(f"e{number}", display_name=f"Numéro {number}")

    def slugs(**query: Any) -> tuple[list[str], bool]:
        page = sdk.environments("list", **query)
        return [each.slug for each in page.data], page.has_more

    first = sdk.environments("list", limit=2)
    assert ([each.slug for each in first.data], first.has_more) == (["production", "e0"], True)
    assert slugs(limit=2, starting_after=first.data[-1].id) == (["e1", "e2"], True)
    assert slugs(limit=3, starting_after="e2") == (["e3", "e4"], False)
    assert slugs(limit=2, ending_before="e3") == (["e1", "e2"], True)
    assert slugs(limit=5, ending_before="e1") == (["production", "e0"], False)
    assert slugs(search="NUMÉRO 3") == (["e3"], False)
    assert slugs(search="e4") == (["e4"], False)
    assert slugs(search="nothing") == ([], False)
    assert slugs(project_id=team.project.id)[0][0] == "production"


def error(sdk: Sdk, method: str, **arguments: Any) -> tuple[int, str]:
    """Return the status and message of the error that a call raises."""
    with pytest.raises(models.OrqError) as caught:
        sdk.environments(method, **arguments)
    return caught.value.status_code, caught.value.body


@pytest.mark.parametrize(
    ("status", "code", "method", "arguments"),
    [
        (409, "name_taken", "create", {"slug": "taken", "display_name": "x"}),
        (400, "invalid_environment_name", "create", {"slug": "Bad Name", "display_name": "x"}),
        (400, "invalid_environment_name", "create", {"slug": "latest", "display_name": "x"}),
        (400, "invalid_request", "create", {"slug": "new", "display_name": "x", "project_id": "another"}),
        (404, "environment_not_found", "get", {"environment_id": "nowhere"}),
        (404, "environment_not_found", "update", {"environment_id": "nowhere", "display_name": "x"}),
        (404, "environment_not_found", "delete", {"environment_id": "nowhere"}),
        (409, "production_is_permanent", "delete", {"environment_id": "production"}),
        (400, "invalid_request", "list", {"project_id": "another"}),
        (400, "invalid_cursor", "list", {"starting_after": "nowhere"}),
        (400, "invalid_limit", "list", {"limit": 0}),
    ],
)
def test_errors_are_raised_with_their_status(
    sdk: Sdk, team: Team, status: int, code: str, method: str, arguments: dict[str, Any]
) -> None:
    team.create("taken")

    found, body = error(sdk, method, **arguments)

    assert (found, f'"{code}"' in body) == (status, True), body


def test_a_key_without_the_scope_and_one_that_is_unknown_are_errors(connect: Any, team: Team) -> None:
    reader = connect(team.key("reader", [Scope.READ]))
    assert reader.environments("list").data[0].slug == "production"
    assert error(reader, "create", slug="qa", display_name="x")[0] == 403
    assert error(connect("mrg_nope"), "list")[0] == 401


def test_sharing_and_a_new_slug_are_rejected(team: Team) -> None:
    team.create("qa")

    sharing = team.send("POST", "/v3/environments", {"slug": "new", "sharing": {"mode": "all"}})
    slug = team.send("PATCH", "/v3/environments/qa", {"slug": "other"})
    same = team.send("PATCH", "/v3/environments/qa", {"slug": "qa", "display_name": None, "sharing": None})

    assert (sharing.status, sharing.error["param"]) == (400, "sharing")
    assert (slug.status, slug.error["param"]) == (400, "slug")
    assert same.status == 200


def test_the_statuses_are_those_that_the_sdk_accepts(team: Team) -> None:
    created = team.send("POST", "/v3/environments", {"slug": "qa", "display_name": "QA"})
    deleted = team.send("DELETE", "/v3/environments/qa")

    assert created.status == 200
    assert (deleted.status, deleted.json) == (200, {})


def test_a_creation_that_is_sent_again_with_an_idempotency_key_is_replayed(team: Team) -> None:
    body = {"slug": "qa", "display_name": "QA"}
    first, again = (team.send("POST", "/v3/environments", body, Idempotency_Key="k") for _ in range(2))

    assert (again.status, again.json) == (200, first.json)


# Configurations of an environment.


@pytest.fixture
def staged(team: Team) -> Team:
    """Return a project whose deployment `bot` has another version in staging."""
    team.create("staging")
    team.put("bot", "in production")
    team.put("bot", "in staging", "staging")
    return team


def text(config: Any) -> str:
    found: str = config.messages[0].content
    return found


def test_the_context_names_the_environment_as_a_text_or_a_list(sdk: Sdk, staged: Team) -> None:
    assert text(sdk.get_config(key="bot")) == "in production"
    assert text(sdk.get_config(key="bot", context={"environments": "staging"})) == "in staging"
    assert text(sdk.get_config(key="bot", context={"environments": ["staging"]})) == "in staging"
    assert text(sdk.get_config(key="bot", context={"environments": ["staging", "production"]})) == "in production"
    assert text(sdk.get_config(key="bot", context={"environments": "unknown"})) == "in production"


def test_the_header_of_a_call_becomes_the_name_in_the_context(sdk: Sdk, staged: Team) -> None:
    config = sdk.get_config(key="bot", http_headers={"environment": "staging"})

    assert text(config) == "in staging"


def test_the_header_of_a_call_replaces_the_name_in_the_context(sdk: Sdk, staged: Team) -> None:
    staged.create("qa")
    context = {"environments": "qa", "plan": "pro"}

    assert text(sdk.get_config(key="bot", context=context, http_headers={"environment": "staging"})) == "in staging"


def test_a_bound_key_covers_all_forms(connect: Any, staged: Team) -> None:
    sdk = connect(staged.key("bound", Scope, "staging"))

    assert text(sdk.get_config(key="bot")) == "in staging"
    assert text(sdk.get_config(key="bot", context={"environments": ["staging"]})) == "in staging"
    with pytest.raises(models.OrqError) as caught:
        sdk.get_config(key="bot", context={"environments": "production"})
    assert caught.value.status_code == 403
    assert [each.slug for each in sdk.environments("list").data] == ["staging"]


def test_the_sdk_has_no_argument_for_an_environment(sdk: Sdk, staged: Team) -> None:
    with pytest.raises(TypeError):
        sdk.get_config(key="bot", environment="staging")


@pytest.mark.parametrize("arguments", [
    {"context": {"environments": "staging"}}, {"context": {"environments": ["staging"]}},
    {"http_headers": {"environment": "staging"}},
])  # fmt: skip
def test_a_rule_on_environments_still_sees_the_attribute(sdk: Sdk, team: Team, arguments: dict[str, Any]) -> None:
    """Such rules exist from before there were environments."""
    variants = [{"name": "new", "prompt_config": with_text("by the rule")["prompt_config"]}]
    routing = [{"variant": "new", "when": {"environments": {"eq": "staging"}}}]
    body = {**a_body(messages=[{"role": "system", "content": "default"}]), "variants": variants, "routing": routing}
    team.send("PUT", "/v2/deployments/bot", body)
    assert text(sdk.get_config(key="bot", **arguments)) == "by the rule"

    team.create("staging")

    assert text(sdk.get_config(key="bot", **arguments)) == "by the rule"
    assert text(sdk.get_config(key="bot")) == "default"


def test_invoke_and_stream_take_the_environment_of_the_context(sdk: Sdk, staged: Team) -> None:
    mock = {"mock_response": "Hello"}
    context = {"environments": "staging"}

    invoked = sdk.call("deployments", "invoke", key="bot", context=context, invoke_options=mock)

    assert invoked.choices[0].message.content == "Hello"
    assert staged.version("bot", "staging") == "1.1"


def test_the_list_of_a_bound_key_has_what_its_environment_shows(connect: Any, staged: Team) -> None:
    staged.put("only", "x", "staging")

    in_staging = connect(staged.key("bound", Scope, "staging")).call("deployments", "list")
    in_production = connect().call("deployments", "list")

    assert [(each.key, each.version) for each in in_staging.data] == [("only", "1.0"), ("bot", "1.1")]
    assert [(each.key, each.version) for each in in_production.data] == [("bot", "1.0")]
