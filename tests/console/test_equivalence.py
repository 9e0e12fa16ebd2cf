"""Every form of the console that changes something has the effect of one operation of the API, and no other.

Each test runs a form in one project and the operation in a twin, and compares the revisions and the histories.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from moorage.console.pages import PAGES
from tests.console.test_publish import form_of, save
from tests.support.console import Browser
from tests.support.server import Server
from tests.support.team import Team, proposed

KEY: Final = "/console/deployments/bot"
API: Final = "/v2/deployments/bot"
REASON: Final = "because of the winter"


class Twin(NamedTuple):
    """A form and the operation with the same effect. `prepare` returns the values of their addresses."""

    page: str
    path: str
    method: str
    target: str
    body: Mapping[str, Any] = {}
    prepare: Callable[[Team], Mapping[str, str]] = lambda team: {}
    headers: Mapping[str, str] = {}
    fields: Mapping[str, str] = {}


def in_staging(team: Team) -> Mapping[str, str]:
    team.create("staging")
    for version in ("1.0", "1.2"):
        assert team.publish("bot", version, "staging").status == 200
    return {}


def deleted(team: Team) -> Mapping[str, str]:
    assert team.send("DELETE", API).status == 200
    return {}


def version_deleted(team: Team) -> Mapping[str, str]:
    assert team.send("DELETE", f"{API}/versions/1.2").status == 200
    return {}


def proposal(team: Team) -> Mapping[str, str]:
    team.create("production", required_approvals=1)
    return {"proposal": proposed(team.publish("bot", "1.2", token=team.person))}


def approvals(team: Team) -> Mapping[str, str]:
    team.create("production", required_approvals=1)
    return {}


_VERSION: Final = "/console/deployments/{key_or_id}/versions/{version}"
_ONE: Final = "/console/deployments/{key_or_id}"
_PROPOSAL: Final = "/console/proposals/{proposal_id}"
_BY_REASON: Final = {"reason": REASON}
_IN_HEADER: Final = {"X_Moorage_Change_Reason": REASON}
_PROMOTION: Final = {
    "from": "staging", "to": "production", "deployments": [{"key": "bot", "version": "1.2", "base": "1.1"}],
    "reason": REASON,
}  # fmt: skip

TWINS: Final = {
    "publish": Twin(
        f"{_ONE}/publish/{{version}}", f"{KEY}/publish/1.2", "POST", f"{API}/versions/1.2/publish", _BY_REASON
    ),
    "propose": Twin(
        f"{_ONE}/publish/{{version}}", f"{KEY}/publish/1.2", "POST", f"{API}/versions/1.2/publish", _BY_REASON,
        approvals,
    ),
    "undo": Twin(f"{_ONE}/undo", f"{KEY}/undo", "POST", f"{API}/undo", _BY_REASON),
    "unpublish": Twin(
        f"{_ONE}/unpublish", f"{KEY}/unpublish?environment=staging", "POST", f"{API}/unpublish?environment=staging",
        _BY_REASON, in_staging,
    ),
    "promote": Twin(f"{_ONE}/promote", f"{KEY}/promote?from=staging", "POST", "/v2/promotions", _PROMOTION, in_staging),
    "promote several": Twin(
        "/console/promote", "/console/promote?from=staging&key=bot", "POST", "/v2/promotions", _PROMOTION, in_staging
    ),
    "describe": Twin(
        f"{_ONE}/description", f"{KEY}/description", "PATCH", API, {"description": "Answers", **_BY_REASON},
        fields={"description": "Answers"},
    ),
    "delete": Twin(f"{_ONE}/delete", f"{KEY}/delete", "DELETE", API, headers=_IN_HEADER),
    "restore": Twin(f"{_ONE}/restore", f"{KEY}/restore", "POST", f"{API}/restore", _BY_REASON, deleted),
    "delete a version": Twin(
        f"{_VERSION}/delete", f"{KEY}/versions/1.2/delete", "DELETE", f"{API}/versions/1.2", headers=_IN_HEADER
    ),
    "restore a version": Twin(
        f"{_VERSION}/restore", f"{KEY}/versions/1.2/restore", "POST", f"{API}/versions/1.2/restore", _BY_REASON,
        version_deleted,
    ),
    **{
        decision: Twin(
            f"{_PROPOSAL}/{decision}", "/console/proposals/{proposal}", "POST",
            f"/v2/proposals/{{proposal}}/{decision}", _BY_REASON, proposal,
        )
        for decision in ("approve", "reject", "withdraw")
    },
}  # fmt: skip

#: The forms whose effects other modules of tests compare with those of their operations, or that have none of them.
ELSEWHERE: Final = {
    "test_sign_in": ("/console/sign-in", "/console/sign-out"),
    "test_settings": ("/console/settings/end-sessions",),
    "test_routing": (f"{_ONE}/routing",),
    "test_editor": ("/console/new", f"{_ONE}/edit"),
    "test_environment_settings": (
        "/console/new-environment",
        "/console/environments/{name}",
        "/console/environments/{name}/delete",
    ),
    "test_api_keys": (
        "/console/keys/new",
        "/console/keys/{api_key_id}",
        "/console/keys/{api_key_id}/roll",
        "/console/keys/{api_key_id}/revoke",
    ),
    "test_integrations": (
        "/console/new-integration",
        "/console/integrations/{name}",
        "/console/integrations/{name}/test",
        "/console/integrations/{name}/delete",
    ),
    "test_tryout": (
        f"{_ONE}/try",
        f"{_ONE}/try/answer",
        f"{_ONE}/try/cases",
        f"{_ONE}/try/cases/delete",
        f"{_ONE}/try/cases/run",
    ),
    "test_imports": ("/console/import", "/console/import/apply"),
    "test_import_proposals": ("/console/import/apply",),
}


@pytest.fixture
def teams(server: Server) -> tuple[Team, Team]:
    """Return two teams with the same deployments: `bot` with 1.0 published, 1.1 live, and the draft 1.2."""
    made = []
    for _ in range(2):
        team = Team(server.new_project())
        for text in ("one", "two"):
            assert team.put("bot", text).status in (200, 201)
        save(team, "three")
        made.append(team)
    return made[0], made[1]


def history(team: Team, key: str = "bot") -> list[dict[str, Any]]:
    """Return the history without what differs between two projects: ids, times and hashes."""
    different = ("from_version_id", "to_version_id", "id", "at", "request_id", "hash", "proposal_id", "proposed_by")
    entries = team.history(key)
    for entry in entries:
        entry["api_key"] = entry["api_key"] and entry["api_key"]["name"]
        entry["approved_by"] = [key["name"] for key in entry.get("approved_by", [])]
        for name in different:
            entry.pop(name, None)
    return entries


def revision(team: Team) -> int:
    return int(team.send("GET", "/v2/manifests").headers["x-moorage-revision"])


@pytest.mark.parametrize("name", TWINS)
def test_a_form_has_the_effect_of_its_operation(name: str, teams: tuple[Team, Team]) -> None:
    twin, (one, other) = TWINS[name], teams
    decides = name in ("approve", "reject", "withdraw")
    values = [twin.prepare(team) for team in teams]
    tokens = [team.key("ben") for team in teams]  # who did not write the versions can approve them
    before = revision(one)
    browser = Browser(one.project).sign_in(tokens[0])

    page = browser.get(twin.path.format(**values[0]))
    assert revision(one) == before, "a GET changes nothing"
    form = form_of(page)
    action = f"{twin.path.format(**values[0])}/{name}" if decides else form.action
    sent = browser.post(action, [*form.pairs, ("reason", REASON), *twin.fields.items()])
    after = revision(one)
    answer = other.send(twin.method, twin.target.format(**values[1]), twin.body or None, tokens[1], **twin.headers)

    assert (sent.status, answer.status // 100) == (303, 2), sent.body
    assert after - before == revision(other) - after == 1
    assert history(one) == history(other)


def test_every_form_that_changes_something_has_a_twin() -> None:
    forms = {page.path for page in PAGES if page.method == "POST"}
    elsewhere = {path for paths in ELSEWHERE.values() for path in paths}

    assert {twin.page for twin in TWINS.values()} == forms - elsewhere
    assert elsewhere <= forms
    assert all((Path(__file__).parent / f"{module}.py").exists() for module in ELSEWHERE)
