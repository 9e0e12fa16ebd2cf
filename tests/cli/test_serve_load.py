"""`moorage serve --load` loads files at each start, but undoes no API changes."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.server.load import load_deployments
from moorage.store.opening import open_store
from tests.cli.files import a_document, contents, manifests, ownership, put, revision, run, write
from tests.support.ports import reserve_port
from tests.support.program import moorage
from tests.support.server import Project, Server

pytestmark = pytest.mark.system

#: Loaded deployment -> method, path and body of the request that changes it afterwards, if any.
CHANGES: dict[str, tuple[str, str, dict[str, Any]] | None] = {
    "only_loaded": None,
    "put": ("PUT", "", a_document("put", "mine")),
    "described": ("PATCH", "", {"description": "mine"}),
    "published": ("POST", "/versions", a_document("published", "mine", status="published")),
    "undone": ("POST", "/undo", {}),
    "drafted": ("POST", "/versions", a_document("drafted", "mine")),
    "deleted": ("DELETE", "", {}),
}


class Loaded:
    """A server that loaded a file, was changed, and restarted with a changed file.

    `before` and `after` are the contents before and after the restart with the changed file. `revisions` are the
    revisions after a restart with the first file, with the changed file, and with the changed file again.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "loaded.yaml"
        write(self.file, *map(a_document, [*CHANGES, "in_another_file"]))
        self.server = Server(folder, "--load", str(self.file))
        with self.server:
            self.count = self.server.wait_for_event("deployments were loaded")["count"]
            project = self._default_project(folder)
            self._change(project, folder)
            self.before = contents(project)
            self.revisions = [self._restart(project)]
            write(self.file, *(a_document(key, "changed") for key in [*CHANGES, "in_another_file", "new"]))
            self.revisions.append(self._restart(project))
            self.after, self.ownership_after = contents(project), ownership(project)
            self.versions = {key: each["version"] for key, each in manifests(project).items()}
            self.history = project.request("GET", "/v2/deployments/only_loaded/history").json["data"]
            self.revisions.append(self._restart(project))

    def _default_project(self, folder: Path) -> Project:
        created = moorage("keys", "create", "test", "--database", self.server.database, folder=folder)
        return Project(self.server, "", "default", created.stdout.strip())

    def _change(self, project: Project, folder: Path) -> None:
        write(folder / "prompts" / "managed.yaml", a_document("in_another_file", "managed"))
        run(project, folder, "apply", "prompts")
        put(project, a_document("undone", "mine"))
        put(project, a_document("never_loaded"))
        for key, change in CHANGES.items():
            if change is not None:
                method, path, body = change
                fields = {name: value for name, value in body.items() if name != "key"}
                if path == "/versions":
                    del fields["description"]
                response = project.request(method, f"/v2/deployments/{key}{path}", json.dumps(fields).encode())
                assert response.status in (200, 201), response.body

    def _restart(self, project: Project) -> int:
        """Restart the server and return its revision."""
        assert self.server.stop() == 0
        self.server.start()
        return int(revision(project))


def test_serve_load_rejects_an_invalid_jinja_template(folder: Path) -> None:
    jinja = {"settings": {"engine": "jinja"}}
    write(folder / "good.yaml", {**a_document("good"), **jinja})
    document = a_document("bad")
    document["prompt_config"]["messages"] = [{"role": "user", "content": "{% if %}"}]
    write(folder / "bad.yaml", {**document, **jinja})

    with Server(folder, "--jinja", "true", "--load", str(folder / "good.yaml")) as server:
        assert server.wait_for_event("deployments were loaded")["count"] == 1
    rejected = moorage("serve", "--jinja", "true", "--load", "bad.yaml", "--port", str(reserve_port()), folder=folder)

    assert rejected.returncode == 1
    assert "(bad): The jinja template is invalid: Expected an expression" in rejected.stderr


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Return one server for all tests, which only read it."""
    return Loaded(tmp_path_factory.mktemp("loaded"))


def texts(by_key: dict[str, str]) -> dict[str, str]:
    """Return the text of the one message of each deployment."""
    return {key: json.loads(text)["prompt_config"]["messages"][0]["content"] for key, text in by_key.items()}


def test_the_first_start_loads_all_deployments_of_the_file(loaded: Loaded) -> None:
    assert loaded.count == len(CHANGES) + 1


def test_a_restart_updates_loaded_deployments_from_the_file_as_the_operator(loaded: Loaded) -> None:
    assert texts(loaded.before)["only_loaded"] == "one"
    assert texts(loaded.after)["only_loaded"] == "changed"
    assert loaded.versions["only_loaded"] == "1.1"
    assert [(entry["action"], entry["api_key"]) for entry in loaded.history] == [("published", None), ("created", None)]


def test_a_restart_creates_new_deployments_of_the_file(loaded: Loaded) -> None:
    assert "new" not in loaded.before
    assert texts(loaded.after)["new"] == "changed"


@pytest.mark.parametrize("key", ["put", "described", "published", "undone"])
def test_a_restart_does_not_change_deployments_that_were_changed_through_the_api(loaded: Loaded, key: str) -> None:
    assert loaded.after[key] == loaded.before[key]


def test_a_restart_does_not_restore_deployments_that_were_deleted_through_the_api(loaded: Loaded) -> None:
    assert "deleted" not in loaded.before
    assert "deleted" not in loaded.after


def test_a_restart_updates_deployments_of_which_only_a_draft_was_saved(loaded: Loaded) -> None:
    assert texts(loaded.before)["drafted"] == "one"
    assert (texts(loaded.after)["drafted"], loaded.versions["drafted"]) == ("changed", "1.2")


def test_a_restart_does_not_change_deployments_managed_by_another_file(loaded: Loaded) -> None:
    assert texts(loaded.before)["in_another_file"] == "managed"
    assert loaded.after["in_another_file"] == loaded.before["in_another_file"]
    assert loaded.ownership_after["in_another_file"] == ("files", "prompts/managed.yaml")


def test_a_restart_does_not_change_deployments_that_were_never_in_the_file(loaded: Loaded) -> None:
    assert loaded.after["never_loaded"] == loaded.before["never_loaded"]


def test_loaded_deployments_are_managed_by_the_api(loaded: Loaded) -> None:
    assert {owner for key, owner in loaded.ownership_after.items() if key != "in_another_file"} == {("api", None)}


def test_a_restart_with_an_unchanged_file_writes_nothing(loaded: Loaded) -> None:
    with_first_file, with_changed_file, with_unchanged_file = loaded.revisions

    assert with_changed_file > with_first_file
    assert with_unchanged_file == with_changed_file


def test_other_files_in_the_folder_are_skipped_and_broken_ones_are_named_with_their_place(folder: Path) -> None:
    write(folder / "files" / "a.yaml", a_document("a"))
    (folder / "files" / "package.json").write_text('{"name": "shop"}')
    (folder / "files" / "b.yaml").write_text("key: b\nprompt_config: {{x}}\n")

    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as store:
        count, problems = load_deployments(store, str(folder / "files"), None)

    assert count == 2
    assert [problem.partition(": ")[0] for problem in problems] == [f"{folder}/files/b.yaml:2:16"]
