"""`moorage diff` shows the changes that `moorage apply` makes."""

import json
import os
import pty
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moorage.documents.yaml import load_documents
from tests.cli.files import a_document, contents, manifests, ownership, put, revision, run, write
from tests.cli.test_apply import counts
from tests.support.program import moorage
from tests.support.server import PROGRAM, Project, a_body, clean_environment


@pytest.fixture
def planned(project: Project, folder: Path) -> Project:
    """Return a project for which the folder `prompts` needs every action of a plan."""
    for key in ("same", "changed", "gone", "taken"):
        put(project, a_document(key), f"prompts/{key}.yaml")
    put(project, a_document("taken", "mine"), take_ownership="true")
    put(project, a_document("elsewhere"), "others/elsewhere.yaml")
    put(project, a_document("never_in_a_file"))
    write(folder / "prompts" / "new.yaml", a_document("new"))
    write(folder / "prompts" / "same.yaml", dict(reversed(a_document("same").items())))
    write(folder / "prompts" / "changed.yaml", a_document("changed", "one\ntwo"))
    write(folder / "prompts" / "taken.yaml", a_document("taken", "theirs"))
    write(folder / "prompts" / "wrong.yaml", {"key": "wrong", **a_body(provider="acme", model_type="talk")})
    (folder / "prompts" / "broken.yaml").write_text("key: [unclosed")
    return project


def plan(project: Project, folder: Path, *arguments: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    """Return the plan of `moorage diff` as JSON values, and check the exit code."""
    result = moorage("diff", *arguments, "-o", "json", folder=folder, project=project, stdin=stdin)
    steps: list[dict[str, Any]] = json.loads(result.stdout)
    has_problems = any(step["action"] in ("reject", "invalid") for step in steps)
    assert result.returncode == int(has_problems), result.stderr
    return steps


def summary(steps: list[dict[str, Any]]) -> list[int]:
    """Return the expected counts: created, updated, unchanged, failed."""
    actions = [step["action"] for step in steps]
    failed = actions.count("reject") + actions.count("invalid")
    return [actions.count("create"), actions.count("update"), actions.count("unchanged"), failed]


def run_on_a_terminal(*arguments: str, folder: Path, project: Project) -> str:
    """Run `moorage …` on a terminal and return the output."""
    controller, terminal = pty.openpty()
    environment = clean_environment(MOORAGE_URL=project.server.url, MOORAGE_API_KEY=project.token, TERM="xterm")
    with (
        os.fdopen(controller, "rb", buffering=0) as reader,
        subprocess.Popen(
            [*PROGRAM, *arguments], cwd=folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
        ),
    ):
        os.close(terminal)
        output = b""
        while chunk := _read(reader.fileno()):
            output += chunk
    return output.decode()


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65_536)
    except OSError:  # Linux raises EIO after the last process has closed the terminal
        return b""


def test_diff_prints_creations_updates_deletions_and_problems(planned: Project, folder: Path) -> None:
    result = moorage("diff", "prompts", folder=folder, project=planned)

    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "! -  (prompts/broken.yaml)",
        "~ changed  (prompts/changed.yaml)",
        "+ new  (prompts/new.yaml)",
        "! taken  (prompts/taken.yaml)",
        "! wrong  (prompts/wrong.yaml)",
        "- gone  (prompts/gone.yaml)",
        "Plan: 1 to create, 1 to update, 1 to delete (with --prune), 1 unchanged, 3 cannot be applied.",
    ]
    changed = lines[lines.index("~ changed  (prompts/changed.yaml)") + 1 : lines.index("+ new  (prompts/new.yaml)")]
    assert [line for line in changed if line[4] in "+-"] == [
        '    -prompt_config.messages[0].content: "one"',
        "    +prompt_config.messages[0].content:",
        "    +  one",
        "    +  two",
    ]
    for start in (
        "    prompts/broken.yaml:1:6: the [ is not closed; add a ]",
        "      key: [unclosed",
        "    managed through the API instead of prompts/taken.yaml; `moorage apply --take-ownership` reverses that",
        "    2 problems in prompts/wrong.yaml:1",
        "      line 1, prompt_config.provider: must be one of",
        "      line 1, prompt_config.model_type: must be one of",
    ):
        assert any(line.startswith(start) for line in lines), start


def test_json_output_has_every_step_with_its_changed_paths(planned: Project, folder: Path) -> None:
    steps = plan(planned, folder, "prompts")

    assert [(step["action"], step["key"], step["file"]) for step in steps] == [
        ("invalid", "-", "prompts/broken.yaml"),
        ("update", "changed", "prompts/changed.yaml"),
        ("create", "new", "prompts/new.yaml"),
        ("unchanged", "same", "prompts/same.yaml"),
        ("reject", "taken", "prompts/taken.yaml"),
        ("invalid", "wrong", "prompts/wrong.yaml"),
        ("delete", "gone", "prompts/gone.yaml"),
    ]
    by_key = {step["key"]: step for step in steps}
    path = "prompt_config.messages[0].content"
    assert by_key["changed"]["changes"] == [{"path": path, "before": "one", "after": "one\ntwo"}]
    assert by_key["taken"]["changes"] == [{"path": path, "before": "mine", "after": "theirs"}]
    (creation,) = by_key["new"]["changes"]
    assert creation["after"]["prompt_config"]["messages"] == [{"role": "system", "content": "one"}]
    assert "before" not in creation
    assert by_key["same"]["changes"] == by_key["gone"]["changes"] == by_key["wrong"]["changes"] == []
    assert [key for key, step in by_key.items() if "why" in step] == ["-", "taken", "wrong"]
    assert len(by_key["wrong"]["why"]) == 2


def test_yaml_output_equals_json_output(planned: Project, folder: Path) -> None:
    result = moorage("diff", "prompts", "-o", "yaml", folder=folder, project=planned)

    assert load_documents(result.stdout) == [plan(planned, folder, "prompts")]
    assert result.stdout.startswith("- action: ")


def test_diff_changes_nothing_on_the_server(planned: Project, folder: Path) -> None:
    before, state = revision(planned), manifests(planned)

    moorage("diff", "prompts", folder=folder, project=planned)

    assert (revision(planned), manifests(planned)) == (before, state)


def test_another_order_in_a_schema_is_a_difference_that_apply_removes(project: Project, folder: Path) -> None:
    def document(*names: str) -> dict[str, Any]:
        parameters = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
        tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
        return {"key": "a", **a_body(tools=[tool])}

    write(folder / "a.yaml", document("first", "second"))
    run(project, folder, "apply", "a.yaml")
    write(folder / "a.yaml", document("second", "first"))

    shown = moorage("diff", "a.yaml", folder=folder, project=project).stdout
    drift = moorage("drift", "a.yaml", folder=folder, project=project)
    applied = run(project, folder, "apply", "a.yaml")

    assert "properties.first" in shown
    assert len(drift.stdout.splitlines()) == 2
    assert counts(applied.stdout) == [0, 1, 0, 0]
    assert moorage("diff", "a.yaml", "--exit-code", folder=folder, project=project).returncode == 0


def test_diff_with_exit_code_exits_with_2_if_anything_differs(project: Project, folder: Path) -> None:
    write(folder / "a.yaml", a_document("a"))

    def exit_code(*arguments: str) -> int:
        return moorage("diff", *arguments, folder=folder, project=project).returncode

    created = exit_code("a.yaml", "--exit-code")
    put(project, a_document("a"), "a.yaml")
    unchanged = exit_code("a.yaml", "--exit-code")
    put(project, a_document("gone"), "a.yaml")
    deleted = exit_code("a.yaml"), exit_code("a.yaml", "--exit-code")

    (folder / "broken.yaml").write_text("key: [unclosed")
    error = exit_code("a.yaml", "broken.yaml", "--exit-code")

    assert (created, unchanged, deleted, error) == (2, 0, (0, 2), 1)


def test_diff_without_exit_code_exits_with_1_if_a_file_cannot_be_applied(project: Project, folder: Path) -> None:
    (folder / "broken.yaml").write_text("key: [unclosed")
    put(project, a_document("taken"), "taken.yaml")
    put(project, a_document("taken", "mine"), take_ownership="true")
    write(folder / "taken.yaml", a_document("taken"))

    broken = moorage("diff", "broken.yaml", "missing.yaml", folder=folder, project=project)
    rejected = moorage("diff", "taken.yaml", folder=folder, project=project)

    assert (broken.returncode, rejected.returncode) == (1, 1)
    assert "! -  (missing.yaml)\n    No such file or directory\n" in broken.stdout
    assert "2 cannot be applied" in broken.stdout
    assert "1 cannot be applied" in rejected.stdout


def test_diff_is_colored_on_a_terminal_but_not_in_a_pipe(planned: Project, folder: Path) -> None:
    piped = moorage("diff", "prompts", folder=folder, project=planned).stdout

    output = run_on_a_terminal("diff", "prompts", folder=folder, project=planned)

    green, yellow, red = "\x1b[32m", "\x1b[33m", "\x1b[31m"
    for line in (
        f"{green}\x1b[1m+ new  (prompts/new.yaml)",
        f"{yellow}\x1b[1m~ changed  (prompts/changed.yaml)",
        f"{red}\x1b[1m- gone  (prompts/gone.yaml)",
        f"{red}\x1b[1m! taken  (prompts/taken.yaml)",
        f'{red}    -prompt_config.messages[0].content: "one"',
        f"{green}    +  two",
    ):
        assert line in output
    assert "\x1b" not in piped
    assert re.sub(r"\x1b\[\d*m", "", output).split() == piped.split(), "but for the ends of lines"


def test_control_characters_of_a_prompt_are_not_written_to_the_terminal(project: Project, folder: Path) -> None:
    write(folder / "a.yaml", a_document("a", "one\n\x1b[2J\x1b]0;title\x07two\x9b31m", description="\x1b[8mhidden"))

    output = run_on_a_terminal("diff", "a.yaml", folder=folder, project=project)

    assert "[2J" in output
    assert not re.sub(r"\x1b\[(0|1|31|32|36)m", "", output).count("\x1b")
    assert "\x07" not in output
    assert "\x9b" not in output


def test_line_separators_in_a_prompt_do_not_start_a_line_of_the_diff(project: Project, folder: Path) -> None:
    separators = {"a carriage return": "\r", "a line separator": "\u2028", "a next line": "\x85", "a form feed": "\x0c"}
    documents = [
        a_document(str(number), f"one\ntwo{separator}- after {name}")
        for number, (name, separator) in enumerate(separators.items())
    ]
    (folder / "a.json").write_text(json.dumps(documents))

    result = moorage("diff", "a.json", folder=folder, project=project)

    lines = [line for line in result.stdout.split("\n") if "after" in line]
    assert lines == [f"    +  two - after {name}" for name in separators]


def test_deployments_of_an_unreadable_file_are_neither_planned_for_deletion_nor_pruned(
    project: Project, folder: Path
) -> None:
    put(project, a_document("a"), "prompts/a.yaml")
    write(folder / "prompts" / "b.yaml", a_document("b"))
    (folder / "prompts" / "a.yaml").write_text("key: [unclosed")

    steps = plan(project, folder, "prompts")
    moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=project)

    assert set(manifests(project)) == {"a", "b"}
    assert [(step["action"], step["key"]) for step in steps] == [("invalid", "-"), ("create", "b")]


def test_documents_from_standard_input_have_the_same_plan_as_from_a_file(project: Project, folder: Path) -> None:
    write(folder / "all.yaml", a_document("a"), a_document("b"))

    from_file = plan(project, folder, "all.yaml")
    from_stdin = plan(project, folder, "-", stdin=(folder / "all.yaml").read_bytes())

    assert summary(from_file) == [2, 0, 0, 0]
    assert summary(from_stdin) == [2, 0, 0, 0]


def list_page(*documents: dict[str, Any]) -> bytes:
    """Return a list page of a hosted service, whose items have no variables."""
    metadata = {"id": "x", "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z", "version": "7.0"}
    return json.dumps({"object": "list", "data": [metadata | each for each in documents], "has_more": False}).encode()


def test_a_list_page_does_not_change_variables(project: Project, folder: Path) -> None:
    variables = [{"key": "customer", "value": "guest"}]
    for key in ("a", "b"):
        put(project, a_document(key, variables=variables))
    page = list_page(a_document("a"), a_document("b", "two"), a_document("c"))

    before = plan(project, folder, "-", stdin=page)
    applied = moorage("apply", "-", folder=folder, project=project, stdin=page)
    after = plan(project, folder, "-", stdin=page)

    assert [(step["action"], step["key"]) for step in before] == [("create", "c"), ("update", "b"), ("unchanged", "a")]
    assert [change["path"] for change in before[1]["changes"]] == ["prompt_config.messages[0].content"]
    assert counts(applied.stdout) == summary(before) == [1, 1, 1, 0]
    assert {key: each["variables"] for key, each in manifests(project).items()} == {
        "a": variables,
        "b": variables,
        "c": [],
    }
    assert summary(after) == [0, 0, 3, 0]


def test_a_list_page_does_not_change_deployments_managed_by_a_file(project: Project, folder: Path) -> None:
    put(project, a_document("a"), "prompts/a.yaml")
    page, before = list_page(a_document("a", "two")), manifests(project)

    (step,) = plan(project, folder, "-", stdin=page)
    applied = moorage("apply", "-", folder=folder, project=project, stdin=page)

    assert (step["action"], step["why"]) == (
        "reject",
        ["managed by the file prompts/a.yaml; `moorage apply --take-ownership` takes it over"],
    )
    assert counts(applied.stdout) == [0, 0, 0, 1]
    assert manifests(project) == before


def test_diff_reports_documents_that_apply_rejects_as_invalid(project: Project, folder: Path) -> None:
    deep = json.loads("[" * 70 + "]" * 70)
    rejected: dict[str, dict[str, Any]] = {
        "a key that is a route": a_document("invoke"),
        "a key with a space": a_document("a b"),
        "an unknown field": a_document("a", colour="red"),
        "no prompt_config": {"key": "a"},
        "a description that is too long": a_document("a", description="x" * 10_001),
        "a value that is nested too deeply": a_document("a", variables=[{"key": "v", "value": deep}]),
    }
    for reason, document in rejected.items():
        write(folder / "prompts" / f"{reason}.yaml", document)

    steps = plan(project, folder, "prompts")
    applied = moorage("apply", "prompts", folder=folder, project=project)

    assert counts(applied.stdout) == [0, 0, 0, 6]
    assert {step["file"]: step["action"] for step in steps} == {f"prompts/{name}.yaml": "invalid" for name in rejected}


@pytest.mark.parametrize(
    "document",
    [a_document("a", variables=[{"key": "v"}, {"key": "v"}]), a_document("a", "x" * 1_100_000)],
    ids=["a duplicate variable", "a body that is too large"],
)
def test_diff_reports_documents_that_only_the_server_rejects_as_invalid(
    project: Project, folder: Path, document: dict[str, Any]
) -> None:
    write(folder / "a.yaml", document)

    (step,) = plan(project, folder, "a.yaml")
    applied = moorage("apply", "a.yaml", folder=folder, project=project)

    assert counts(applied.stdout) == [0, 0, 0, 1]
    assert step["action"] == "invalid"


def test_diff_and_apply_reject_the_second_document_with_the_same_key(project: Project, folder: Path) -> None:
    write(folder / "all.yaml", a_document("a"), a_document("a", "two"))

    steps = plan(project, folder, "all.yaml")
    applied = [moorage("apply", "all.yaml", folder=folder, project=project) for _ in range(2)]

    assert summary(steps) == [1, 0, 0, 1]
    assert [counts(each.stdout) for each in applied] == [[1, 0, 0, 1], [0, 0, 1, 1]], (
        "the second run must not create a version"
    )
    assert all("all.yaml:3:1: all.yaml#1 has the same key" in each.stdout for each in applied)
    piped = moorage("apply", "-", folder=folder, project=project, stdin=(folder / "all.yaml").read_bytes())
    assert (piped.returncode, counts(piped.stdout)) == (1, [0, 0, 1, 1])
    assert "standard input#1 has the same key" in piped.stdout


def test_a_file_that_is_passed_twice_is_unchanged_the_second_time(project: Project, folder: Path) -> None:
    write(folder / "all.yaml", a_document("a"))

    assert counts(run(project, folder, "apply", "all.yaml", "./all.yaml").stdout) == [1, 0, 1, 0]


class Edits:
    """Random, reproducible changes to a folder and a server with equal content."""

    def __init__(self, seed: int, project: Project, folder: Path) -> None:
        self._random = random.Random(seed)
        self._project = project
        self._folder = folder
        self._documents: dict[str, dict[str, Any]] = {}
        for number in range(24):
            key = f"k{number}"
            self._documents[key] = a_document(key, variables=[{"key": "v", "value": number}])
            if number < 18:
                put(project, self._documents[key], f"prompts/{key}.yaml")
            elif number < 21:
                put(project, self._documents[key])

    def make(self, *, with_problems: bool) -> None:
        """Write the folder, with a random change to each deployment."""
        api_edits = [self._nothing, self._nothing, self._nothing, self._take_over, self._take_over_equal]
        file_edits = [self._reorder, self._text, self._parameter, self._variable, self._description, self._nothing]
        for document in self._documents.values():
            if self._random.random() < 0.2:
                continue  # the folder has no file for it
            if document["key"] in ownership(self._project):
                self._random.choice(api_edits[: 5 if with_problems else 3])(document)
            changed = self._random.choice(file_edits)(document)
            if with_problems and self._random.random() < 0.2:
                changed = self._invalid(document)
            write(self._folder / "prompts" / f"{document['key']}.yaml", changed)

    def _nothing(self, document: dict[str, Any]) -> dict[str, Any]:
        return document

    def _take_over(self, document: dict[str, Any]) -> dict[str, Any]:
        put(self._project, document | {"description": "taken over"}, take_ownership="true")
        return document

    def _take_over_equal(self, document: dict[str, Any]) -> dict[str, Any]:
        put(self._project, document, take_ownership="true")
        return document

    def _reorder(self, document: dict[str, Any]) -> dict[str, Any]:
        parameters = {"maxTokens": 512.0, "temperature": "0.2"}
        config = dict(reversed(document["prompt_config"].items())) | {"model_parameters": parameters}
        return dict(reversed({**document, "prompt_config": config}.items()))

    def _text(self, document: dict[str, Any]) -> dict[str, Any]:
        return a_document(document["key"], self._random.choice(["two", "", "one\ntwo\n", "no"]))

    def _parameter(self, document: dict[str, Any]) -> dict[str, Any]:
        number = self._random.choice([0, 1, 0.2, 1e-7])
        return document | {"prompt_config": {**document["prompt_config"], "model_parameters": {"temperature": number}}}

    def _variable(self, document: dict[str, Any]) -> dict[str, Any]:
        value: Any = self._random.choice([None, True, 1, 1.0, "1", {}, [1]])
        return document | {"variables": [{"key": "v", "value": value}]}

    def _description(self, document: dict[str, Any]) -> dict[str, Any]:
        return document | {"description": self._random.choice(["", "a new description", "Answers refunds"])}

    def _invalid(self, document: dict[str, Any]) -> dict[str, Any]:
        return document | self._random.choice([{"prompt_config": {}}, {"colour": "red"}, {"description": 7}])


@pytest.mark.parametrize("seed", range(3))
def test_apply_makes_the_changes_that_diff_shows(project: Project, folder: Path, seed: int) -> None:
    with_problems = seed % 2 == 1
    Edits(seed, project, folder).make(with_problems=with_problems)
    before, content_before = manifests(project), contents(project)

    steps = plan(project, folder, "prompts")
    applied = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=project)
    steps_after = plan(project, folder, "prompts")

    now, content_now = manifests(project), contents(project)
    is_as_planned: dict[str, Callable[[str], bool]] = {
        "create": lambda key: key not in before and key in now,
        "update": lambda key: content_before[key] != content_now[key],
        "unchanged": lambda key: (
            content_before[key] == content_now[key] and before[key]["version"] == now[key]["version"]
        ),
        "reject": lambda key: before[key] == now[key],
        "invalid": lambda key: before.get(key) == now.get(key),
        "delete": lambda key: before[key] == now.get(key) if with_problems else key not in now,
    }
    actions = {step["key"]: step["action"] for step in steps}
    required = {"create", "update", "unchanged", *(("reject", "invalid") if with_problems else ("delete",))}
    assert required <= set(actions.values()), "the random changes must include each action"
    assert applied.returncode == int(with_problems)
    assert counts(applied.stdout) == summary(steps)
    assert [key for key, action in actions.items() if not is_as_planned[action](key)] == []
    assert [key for key in before if key not in actions and before[key] != now.get(key)] == []
    remaining = {step["action"] for step in steps_after}
    assert remaining - {"delete"} == required - {"create", "update", "delete"}
    assert with_problems or "delete" not in remaining
