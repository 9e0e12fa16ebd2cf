"""`moorage doctor`: live versions with models that their providers retired, or will retire."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from moorage import clock
from moorage.core.deployments.retired_models import RETIREMENTS, Retirement
from moorage.diagnostics.finding import Finding
from moorage.diagnostics.run import diagnose
from tests.cli.environments import administrator, put_environment
from tests.support.program import moorage
from tests.support.server import Project, Server, a_body
from tests.support.stores import Database, run_sql

#: A model of which the table knows the announcement and the replacement.
MODEL = next(row for row in RETIREMENTS if row.replacement and row.provider == "openai")
OTHER = next(row for row in RETIREMENTS if row.provider == "anthropic" and row.replacement is None)

NONE = [Finding("ok", "models", "no live version has a model with a known date of retirement")]


def with_model(row: Retirement) -> dict[str, str]:
    return {"provider": row.provider, "model": f"{row.provider}/{row.model}", "model_type": "chat"}


@pytest.fixture
def project(database: Database, folder: Path) -> Project:
    """Return a project with live versions of all kinds."""
    database.engine()
    with Server(folder, database=database.url) as server:
        project = server.new_project()
        owner = administrator(project)
        project.put("faq", a_body(**with_model(MODEL)))
        project.put("second", a_body() | {"fallbacks": [with_model(OTHER)]})
        project.put("third", a_body() | {"variants": [{"name": "v", "prompt_config": with_model(OTHER)}]})
        project.put("draft", a_body())
        project.request("POST", "/v2/deployments/draft/versions", json.dumps(a_body(**with_model(OTHER))).encode())
        project.put("gone", a_body(**with_model(MODEL)))
        project.request("DELETE", "/v2/deployments/gone")
        for name in ("staging", "closed"):
            put_environment(project, name)
            assert owner.put("elsewhere", a_body(**with_model(MODEL)), f"?environment={name}").status in (200, 201)
        assert owner.request("DELETE", "/v2/environments/closed?force=true").status == 200
    return project


def findings(database: Database, today: date, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setattr(clock, "today", lambda: today)
    return [finding for finding in diagnose(database.url) if finding.subject == "models"]


def test_retired_models_are_reported_with_the_deployments_and_what_to_do(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = findings(database, max(MODEL.retires, OTHER.retires), monkeypatch)

    by_model = {finding.finding.split()[0]: finding for finding in found}
    assert by_model == {
        f"openai/{MODEL.model}": Finding(
            "warning",
            "models",
            f"openai/{MODEL.model} was retired on {MODEL.day}"
            f" ({project.name}/faq, {project.name}/elsewhere in staging)",
            f"publish a version with {MODEL.replacement}; see {MODEL.source.url}",
        ),
        f"anthropic/{OTHER.model}": Finding(
            "warning",
            "models",
            f"anthropic/{OTHER.model} was retired on {OTHER.day} ({project.name}/second, {project.name}/third)",
            f"publish a version with another model; see {OTHER.source.url}",
        ),
    }


def test_until_the_date_a_model_will_be_retired(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = findings(database, MODEL.retires - timedelta(days=1), monkeypatch)

    assert [each.state for each in found if f"openai/{MODEL.model} will be retired on {MODEL.day}" in each.finding]


def test_many_deployments_are_counted_and_the_exit_code_is_0(database: Database, folder: Path) -> None:
    database.engine()
    with Server(folder, database=database.url) as server:
        project = server.new_project()
        for number in range(8):
            project.put(f"d{number}", a_body(**with_model(OTHER)))

    shown = moorage("doctor", "--database", database.url, "--url", "", folder=folder)

    line = next(line for line in shown.stdout.splitlines() if line.startswith("warning models"))
    assert f"{project.name}/d4 and 3 more)" in line
    assert shown.returncode == 0


def test_other_models_and_versions_that_cannot_be_decoded_are_not_reported(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.engine()
    with Server(folder, database=database.url) as server:
        project = server.new_project()
        project.put("ours", a_body())
        project.put("broken", a_body(**with_model(MODEL)))
    run_sql(database.url, "UPDATE version SET runtime_config = '{\"model\": ['")

    assert findings(database, MODEL.retires, monkeypatch) == NONE
