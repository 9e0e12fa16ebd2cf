"""The pages that change what is live when the database fails, or when another program changed it."""

from pathlib import Path

import pytest

from moorage.core.access import Scope
from tests.console.test_publish import form_of, save, send, sign_in
from tests.support.console import links, text_of
from tests.support.damage import damage
from tests.support.server import Server
from tests.support.stores import run_sql
from tests.support.team import Team

pytestmark = pytest.mark.system

KEY = "/console/deployments/bot"


def team_on(server: Server) -> Team:
    team = Team(server.new_project())
    for text in ("one", "two"):
        assert team.put("bot", text).status in (200, 201)
    save(team, "three")
    return team


@pytest.mark.parametrize("path", ["publish/1.2", "undo", "delete", "versions/1.2/delete"])
def test_without_the_database_the_form_comes_back_with_what_was_typed_and_works_later(path: str, folder: Path) -> None:
    with Server(folder) as server:
        team = team_on(server)
        browser = sign_in(team)
        form = form_of(browser.get(f"{KEY}/{path}"))
        run_sql(server.database, "ALTER TABLE version RENAME TO moved_version")

        refused = browser.post(form.action, form.values | {"reason": "Because\nof <winter>"})
        unseen = browser.get(f"{KEY}/{path}")

        run_sql(server.database, "ALTER TABLE moved_version RENAME TO version")
        again = form_of(refused)
        assert (refused.status, unseen.status) == (503, 503)
        assert "Nothing was changed" in text_of(refused)
        assert again.values["reason"] == "Because\nof <winter>"
        assert browser.post(form.action, again.values).status == 303
        assert team.history("bot")[0]["reason"] == "Because\nof <winter>"


def test_a_live_version_that_cannot_be_read_leads_to_the_undo_which_reverts_it(folder: Path) -> None:
    with Server(folder) as server:
        team = team_on(server)
        server.stop()
        live = "deployment_id = (SELECT id FROM deployment WHERE key = 'bot') AND minor = 1"
        damage(server.database, "version", "prompt_config", "'{broken'", live)
        server.start()
        browser = sign_in(team)

        page, undo = browser.get(KEY), browser.get(f"{KEY}/undo")
        response = send(browser, f"{KEY}/undo", reason="it was damaged")

        assert page.status == 500
        assert f"{KEY}/undo" in links(page)
        assert "The live version cannot be read, so it is not served." in text_of(undo)
        assert response.status == 303
        assert team.version("bot") == "1.0"


def test_an_api_key_that_was_revoked_ends_its_session_before_it_changes_anything(folder: Path) -> None:
    with Server(folder) as server:
        team = team_on(server)
        key_id, token = team.project.key(*Scope)
        browser = sign_in(team, token)
        form = form_of(browser.get(f"{KEY}/publish/1.2"))
        assert team.send("DELETE", f"/v2/api-keys/{key_id}").status == 200

        response = browser.post(form.action, form.values)

        assert response.status == 401
        assert team.version("bot") == "1.1"
