"""`moorage serve --load`: what is loaded at the start, and what a restart leaves alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.files import a_document, contents, done, kept, manifests, put, revision, write
from tests.support.ports import reserve_port
from tests.support.program import moorage
from tests.support.server import Project, Server

#: What is loaded, and what is then done to it over the API, or by `moorage apply`.
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
    """A server that loaded a file, was changed, and started again with a file that says something else.

    `before` is what it had when it stopped, `after` what it has since, `revisions` how often was written: when it
    stopped, after the second start, and after a third with the same file.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "loaded.yaml"
        write(self.file, *map(a_document, [*CHANGES, "in_another_file"]))
        self.server = Server(folder, "--load", str(self.file))
        with self.server:
            self.greeting = self.server.greeting()
            project = self._project(folder)
            self._change(project, folder)
            self.before, self.kept = contents(project), kept(project)
            self.revisions = [self._restarted(project)]
            write(self.file, *(a_document(key, "anew") for key in [*CHANGES, "in_another_file", "new"]))
            self.revisions.append(self._restarted(project))
            self.after, self.kept_after = contents(project), kept(project)
            self.versions = {key: each["version"] for key, each in manifests(project).items()}
            self.history = project.request("GET", "/v2/deployments/only_loaded/history").json["data"]
            self.revisions.append(self._restarted(project))

    def _project(self, folder: Path) -> Project:
        made = moorage("keys", "create", "test", "--database", self.server.database, folder=folder)
        return Project(self.server, "", "default", made.stdout.strip())

    def _change(self, project: Project, folder: Path) -> None:
        write(folder / "prompts" / "kept.yaml", a_document("in_another_file", "kept"))
        done(project, folder, "apply", "prompts")
        put(project, a_document("undone", "mine"))
        put(project, a_document("never_loaded"))
        for key, change in CHANGES.items():
            if change is not None:
                method, path, body = change
                fields = {name: value for name, value in body.items() if name != "key"}
                if path == "/versions":
                    del fields["description"]
                answer = project.request(method, f"/v2/deployments/{key}{path}", json.dumps(fields).encode())
                assert answer.status in (200, 201), answer.body

    def _restarted(self, project: Project) -> int:
        """Start again; the revision since."""
        assert self.server.stop() == 0
        self.server.start()
        return int(revision(project))


def test_a_broken_jinja_template_is_not_loaded(folder: Path) -> None:
    by_jinja = {"settings": {"engine": "jinja"}}
    write(folder / "good.yaml", {**a_document("good"), **by_jinja})
    document = a_document("bad")
    document["prompt_config"]["messages"] = [{"role": "user", "content": "{% if %}"}]
    write(folder / "bad.yaml", {**document, **by_jinja})

    with Server(folder, "--jinja", "true", "--load", str(folder / "good.yaml")) as server:
        assert "1 deployments loaded" in server.greeting()
    refused = moorage("serve", "--jinja", "true", "--load", "bad.yaml", "--port", str(reserve_port()), folder=folder)

    assert refused.returncode == 1
    assert "(bad): The jinja template is invalid: Expected an expression" in refused.stderr


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The same for all tests: they only read it."""
    return Loaded(tmp_path_factory.mktemp("loaded"))


def texts(said: dict[str, str]) -> dict[str, str]:
    """The one message of every deployment."""
    return {key: json.loads(text)["prompt_config"]["messages"][0]["content"] for key, text in said.items()}


def test_what_a_file_holds_is_loaded_at_the_first_start(loaded: Loaded) -> None:
    assert f"{len(CHANGES) + 1} deployments loaded" in loaded.greeting


def test_what_was_only_loaded_follows_its_file_as_the_operators_change(loaded: Loaded) -> None:
    assert texts(loaded.before)["only_loaded"] == "one"
    assert texts(loaded.after)["only_loaded"] == "anew"
    assert loaded.versions["only_loaded"] == "1.1"
    assert [(entry["action"], entry["api_key"]) for entry in loaded.history] == [("published", None), ("created", None)]


def test_what_came_into_the_file_since_is_created(loaded: Loaded) -> None:
    assert "new" not in loaded.before
    assert texts(loaded.after)["new"] == "anew"


@pytest.mark.parametrize("key", ["put", "described", "published", "undone"])
def test_what_was_changed_over_the_api_is_not_taken_back(loaded: Loaded, key: str) -> None:
    assert loaded.after[key] == loaded.before[key]


def test_what_was_deleted_over_the_api_does_not_come_back(loaded: Loaded) -> None:
    assert "deleted" not in loaded.before
    assert "deleted" not in loaded.after


def test_a_draft_is_no_change_of_what_is_served(loaded: Loaded) -> None:
    assert texts(loaded.before)["drafted"] == "one"
    assert (texts(loaded.after)["drafted"], loaded.versions["drafted"]) == ("anew", "1.2")


def test_what_is_kept_in_another_file_is_left_to_that(loaded: Loaded) -> None:
    assert texts(loaded.before)["in_another_file"] == "kept"
    assert loaded.after["in_another_file"] == loaded.before["in_another_file"]
    assert loaded.kept_after["in_another_file"] == ("files", "prompts/kept.yaml")


def test_what_was_never_in_the_file_stays(loaded: Loaded) -> None:
    assert loaded.after["never_loaded"] == loaded.before["never_loaded"]


def test_to_load_keeps_nothing_in_a_file(loaded: Loaded) -> None:
    assert {owner for key, owner in loaded.kept_after.items() if key != "in_another_file"} == {("api", None)}


def test_a_start_with_nothing_new_writes_nothing(loaded: Loaded) -> None:
    at_first, with_a_new_file, with_the_same_file = loaded.revisions

    assert with_a_new_file > at_first
    assert with_the_same_file == with_a_new_file
