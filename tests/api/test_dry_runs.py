"""Dry runs: the same checks and the same response as the operation, and nothing changes."""

from typing import Any, NamedTuple

import pytest

from moorage.core.access import Scope
from tests.support.server import Project, Response
from tests.support.team import Team, refusal, with_text


class DryRun(NamedTuple):
    """A write that has a dry run."""

    method: str
    path: str
    query: str = ""


#: Of the deployment `bot`: 1.0 is published, 1.1 live, 1.2 a draft, 1.3 deleted; and 1.0 is live in staging. `gone` is
#: deleted.
DRY_RUNS = {
    "publish": DryRun("POST", "/v2/deployments/bot/versions/1.2/publish"),
    "roll back": DryRun("POST", "/v2/deployments/bot/versions/1.0/publish"),
    "publish in staging": DryRun("POST", "/v2/deployments/bot/versions/1.2/publish", "&environment=staging"),
    "undo": DryRun("POST", "/v2/deployments/bot/undo"),
    "undo in staging": DryRun("POST", "/v2/deployments/bot/undo", "&environment=staging"),
    "unpublish": DryRun("POST", "/v2/deployments/bot/unpublish", "&environment=staging"),
    "delete a version": DryRun("DELETE", "/v2/deployments/bot/versions/1.2"),
    "restore a version": DryRun("POST", "/v2/deployments/bot/versions/1.3/restore"),
    "delete": DryRun("DELETE", "/v2/deployments/bot"),
    "restore": DryRun("POST", "/v2/deployments/gone/restore"),
}
NAMES = list(DRY_RUNS)
PROPOSED = [name for name in NAMES if not name.endswith(" a version")]


@pytest.fixture
def team(project: Project) -> Team:
    team = Team(project)
    team.create("staging")
    for text in ("one", "two"):
        assert team.put("bot", text).status in (200, 201)
    for text in ("three", "four"):
        draft = {"prompt_config": with_text(text)["prompt_config"]}
        assert team.send("POST", "/v2/deployments/bot/versions", draft).status == 201
    assert team.put("gone", "one").status == 201
    for path in ("/v2/deployments/bot/versions/1.3", "/v2/deployments/gone"):
        assert team.send("DELETE", path).status == 200
    assert team.publish("bot", "1.0", "staging").status == 200
    return team


def run(team: Team, name: str, query: str = "", token: str | None = None, **headers: str) -> Response:
    case = DRY_RUNS[name]
    return team.send(case.method, f"{case.path}?dry_run={query or 'true'}{case.query}", token=token, **headers)


def state(team: Team) -> tuple[Any, ...]:
    """Return everything that a write could change."""
    versions = team.send("GET", "/v2/deployments/bot/versions")
    proposals = team.send("GET", "/v2/proposals").json["data"]
    places = team.version("bot"), team.version("bot", "staging")
    return places, versions.json, versions.headers["x-moorage-revision"], team.history("bot"), proposals


def shown(response: Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return a response without the times."""
    times = {"deleted_at", "restorable_until", "created", "expires", "updated"}
    body = {name: value for name, value in response.json.items() if name not in times}
    names = [name for name in response.headers if name.startswith("x-moorage-")]
    other = {"x-moorage-revision", "x-moorage-request-id"}
    return response.status, body, {name: response.headers[name] for name in names if name not in other}


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_has_the_response_of_the_operation_and_changes_nothing(name: str, team: Team) -> None:
    before = state(team)

    dry_run = run(team, name, Idempotency_Key="once")

    assert state(team) == before
    real = run(team, name, "false", Idempotency_Key="once")
    assert shown(dry_run) == shown(real)
    assert real.status == 200


@pytest.mark.parametrize("name", PROPOSED)
def test_where_approvals_are_required_it_returns_the_proposal_and_stores_none(name: str, team: Team) -> None:
    for environment in ("production", "staging"):
        team.create(environment, required_approvals=1, approve_undo=True)
    before = state(team)

    dry_run = run(team, name)

    assert state(team) == before
    real = run(team, name, "false")
    assert (dry_run.status, dry_run.json["id"], "location" in dry_run.headers) == (202, "", False)
    assert (shown(dry_run)[1] | {"id": real.json["id"]}, real.status) == (shown(real)[1], 202)


def test_it_returns_the_open_proposal_that_the_operation_would_return(team: Team) -> None:
    team.create("production", required_approvals=1)
    proposal = run(team, "publish", "false").json["id"]

    dry_run = run(team, "publish")

    assert dry_run.json["id"] == proposal
    assert dry_run.headers["location"] == f"/v2/proposals/{proposal}"


def test_an_emergency_is_tried_with_its_reason_and_not_counted(team: Team) -> None:
    team.create("production", required_approvals=1)
    path = "/v2/deployments/bot/versions/1.2/publish?dry_run=true&emergency=true"

    without, before, counted = team.send("POST", path), state(team), emergencies(team)
    dry_run = team.send("POST", path, {"reason": "all is down"})

    assert refusal(without) == (400, "reason_missing")
    assert (dry_run.status, dry_run.json["status"]) == (200, "live")
    assert state(team) == before
    assert emergencies(team) == counted


def emergencies(team: Team) -> list[str]:
    """Return the counters of emergencies."""
    lines = team.project.request("GET", "/metrics").body.decode().splitlines()
    return [line for line in lines if line.startswith("moorage_emergency_changes_total")]


@pytest.mark.parametrize("name", NAMES)
def test_the_scope_and_the_precondition_are_checked(name: str, team: Team) -> None:
    reader = team.key("reader", [Scope.READ])

    assert run(team, name, token=reader).status == 403
    assert refusal(run(team, name, If_Match='"1-0000000000000000"')) == (412, "precondition_failed")


def test_a_breaking_change_is_refused_as_without_the_dry_run(team: Team) -> None:
    body = with_text("{{name}}") | {"variables": [{"key": "name"}]}
    del body["description"]
    assert team.send("POST", "/v2/deployments/bot/versions", body).status == 201
    path = "/v2/deployments/bot/versions/1.4/publish"

    dry_run, real = team.send("POST", f"{path}?dry_run=true"), team.send("POST", path)
    allowed = team.send("POST", f"{path}?dry_run=true&allow_breaking=true")

    assert refusal(dry_run) == refusal(real) == (409, "breaking_change")
    assert dry_run.error["breaking"] == real.error["breaking"]
    assert allowed.headers["x-moorage-breaking"] == "variables.name"
    assert team.version("bot") == "1.1"


def test_a_write_without_a_dry_run_rejects_the_parameter(team: Team) -> None:
    response = team.send("PATCH", "/v2/deployments/bot?dry_run=true", {"description": "x"})

    assert refusal(response) == (400, "unknown_parameter")
