"""`moorage export` writes files from which `moorage apply` creates equal deployments."""

import json
from pathlib import Path
from typing import Any

import pytest

from moorage.documents.yaml import load_documents
from tests.cli.files import a_document, contents, manifests, ownership, put, revision, run, write
from tests.cli.samples import TEXTS, body_with_text, body_with_values
from tests.cli.test_apply import EXAMPLES, counts
from tests.contract.full_items import MINIMAL_BODY, full_bodies
from tests.support.program import moorage
from tests.support.server import Project, Server


def put_texts(project: Project, *names: str) -> None:
    """Put a deployment for each text of these categories."""
    for name in names:
        for number, text in enumerate(TEXTS[name]):
            put(project, {"key": f"{name.replace(' ', '-')}.{number}", **body_with_text(text)})


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def export(project: Project, folder: Path, name: str = "out") -> list[int]:
    """Export to a folder; return how many files were created, updated and unchanged."""
    lines = run(project, folder, "export", name).stdout.splitlines()
    assert lines[0].split() == ["created", "updated", "unchanged"]
    return [int(word) for word in lines[1].split()]


@pytest.fixture
def three(project: Project) -> Project:
    """Return a project with the deployments `a`, `b` and `c`."""
    for key in "abc":
        put(project, a_document(key))
    return project


def assert_round_trip(server: Server, project: Project, folder: Path) -> None:
    """Assert that an export survives `apply` to an empty project and a second export."""
    expected, other = contents(project), server.new_project()

    first = export(project, folder, "first")
    applied = moorage("apply", "first", folder=folder, project=other)
    second = export(other, folder, "second")

    assert counts(applied.stdout) == [len(expected), 0, 0, 0]
    assert first == second == [len(expected), 0, 0]
    found = contents(other)
    assert {key: (text, found[key]) for key, text in expected.items() if found[key] != text} == {}
    assert files_in(folder / "second") == files_in(folder / "first")


def test_the_examples_and_every_field_and_value_survive_a_round_trip(
    server: Server, project: Project, folder: Path
) -> None:
    run(project, folder, "apply", str(EXAMPLES))
    for key, body in {**dict(full_bodies()), "minimal": MINIMAL_BODY, "values": body_with_values()}.items():
        put(project, {"key": key, **body})

    assert_round_trip(server, project, folder)


@pytest.mark.parametrize(
    "names",
    [("words", "signs", "generated"), ("lines", "unicode", "separators"), ("next lines",)],
    ids=" and ".join,
)
def test_every_text_survives_a_round_trip(
    server: Server, project: Project, folder: Path, names: tuple[str, ...]
) -> None:
    put_texts(project, *names)

    assert_round_trip(server, project, folder)


def test_exported_files_are_applied_to_their_own_project_as_unchanged(project: Project, folder: Path) -> None:
    put_texts(project, "words", "lines", "separators")
    put(project, {"key": "values", **body_with_values()})
    export(project, folder)
    before = manifests(project)

    first = run(project, folder, "apply", "out")
    after_first = revision(project)
    second = run(project, folder, "apply", "out")

    assert counts(first.stdout) == counts(second.stdout) == [0, 0, len(before), 0]
    after = manifests(project)
    assert {key: each["version"] for key, each in after.items()} == dict.fromkeys(before, "1.0"), (
        "no version was created"
    )
    assert ownership(project) == {key: ("files", f"out/{key}.yaml") for key in before}
    assert revision(project) == after_first, "the first apply changes the owners, the second changes nothing"


def test_a_second_export_changes_no_file(three: Project, folder: Path) -> None:
    first = export(three, folder)
    before, stats = files_in(folder / "out"), [file.stat() for file in sorted((folder / "out").iterdir())]

    second = export(three, folder)

    assert (first, second) == ([3, 0, 0], [0, 0, 3])
    assert files_in(folder / "out") == before
    assert [file.stat() for file in sorted((folder / "out").iterdir())] == stats


def test_a_file_with_comments_and_equal_content_is_not_rewritten(three: Project, folder: Path) -> None:
    export(three, folder)
    file = folder / "out" / "b.yaml"
    (document,) = load_documents(file.read_text())
    reordered = json.dumps(dict(reversed(document.items())))
    mine = f"# Ask Ada before you change this.\r\n{reordered}  # in another order, and in one line\r\n".encode()
    file.write_bytes(mine)

    result = export(three, folder)

    assert result == [0, 0, 3]
    assert file.read_bytes() == mine


def test_a_file_that_apply_reports_as_unchanged_is_not_rewritten(project: Project, folder: Path) -> None:
    variants: dict[str, dict[str, Any]] = {
        "nothing": {},
        "no-empty-field": {"tools": ...},
        "null": {"model_parameters": {"temperature": 0.2, "maxTokens": 512, "topK": None}},
        "a-number-as-text": {"model_parameters": {"temperature": "0.2", "maxTokens": 512}},
        "a-fraction-of-zero": {"model_parameters": {"temperature": 0.2, "maxTokens": 512.0}},
    }
    for key, changes in variants.items():
        document = a_document(key)
        put(project, document)
        config = {name: value for name, value in (document["prompt_config"] | changes).items() if value is not ...}
        write(folder / "out" / f"{key}.yaml", document | {"prompt_config": config})
    before = files_in(folder / "out")

    applied = run(project, folder, "apply", "out")
    export(project, folder)

    assert counts(applied.stdout) == [0, 0, 5, 0]
    assert [name for name, content in files_in(folder / "out").items() if content != before[name]] == []


def test_the_example_files_are_not_rewritten(project: Project, folder: Path) -> None:
    (folder / "out").mkdir()
    for name in ("invoice_reader", "order_follow_up", "support_answers"):
        (folder / "out" / f"{name}.yaml").write_bytes((EXAMPLES / f"{name}.yaml").read_bytes())
    before = files_in(folder / "out")
    run(project, folder, "apply", "out")

    result = export(project, folder)

    assert (result, files_in(folder / "out")) == ([0, 0, 3], before)


def test_the_notes_and_the_version_bump_in_a_file_are_preserved(project: Project, folder: Path) -> None:
    write(folder / "out" / "a.yaml", a_document("a", notes="a calmer tone", version_bump="major"))
    before = files_in(folder / "out")
    run(project, folder, "apply", "out")

    result = export(project, folder)

    assert (result, files_in(folder / "out")) == ([0, 0, 1], before)


def test_aliases_are_in_files_and_a_file_without_them_removes_them(project: Project, folder: Path) -> None:
    put(project, a_document("a", "one", aliases=["pmpt_68b0a1c2", "old"]))
    export(project, folder)
    text = (folder / "out" / "a.yaml").read_text()
    assert "pmpt_68b0a1c2" in text

    assert "unchanged" in run(project, folder, "apply", "out").stdout
    assert project.get("pmpt_68b0a1c2").json["aliases"] == ["pmpt_68b0a1c2", "old"]
    (folder / "out" / "a.yaml").write_text(text.replace("- old\n", "").replace(", old", ""))
    run(project, folder, "apply", "out")
    assert project.get("a").json["aliases"] == ["pmpt_68b0a1c2"]
    assert project.get("a").json["version"] == "1.0"
    write(folder / "out" / "a.yaml", a_document("a", "one"))
    run(project, folder, "apply", "out")
    assert "aliases" not in project.get("a").json


def test_only_the_file_of_a_changed_deployment_is_rewritten(three: Project, folder: Path) -> None:
    export(three, folder)
    before = files_in(folder / "out")
    put(three, a_document("b", "two"))

    result = export(three, folder)
    after = files_in(folder / "out")

    assert result == [0, 1, 2]
    assert {name for name, content in after.items() if content != before[name]} == {"b.yaml"}
    assert load_documents(after["b.yaml"].decode())[0]["prompt_config"]["messages"][0]["content"] == "two"


def test_values_that_are_equal_only_in_python_are_a_change(project: Project, folder: Path) -> None:
    changes = {"a": (1, True), "b": (False, 0), "c": (1, 1.0), "d": ({"x": [True]}, {"x": [1]}), "e": ("", False)}
    for key, (before, _) in changes.items():
        put(project, a_document(key, variables=[{"key": "v", "value": before}]))
    export(project, folder)
    for key, (_, after) in changes.items():
        put(project, a_document(key, variables=[{"key": "v", "value": after}]))
    expected = contents(project)

    result = export(project, folder)
    run(project, folder, "apply", "out")

    assert contents(project) == expected
    assert result == [0, 5, 0]


@pytest.mark.parametrize(
    "content",
    [
        "key: [unclosed",
        json.dumps(a_document("c")),
        f"{json.dumps(a_document('b'))}\n---\n{json.dumps(a_document('c'))}\n",
        None,
    ],
    ids=["invalid YAML", "another deployment", "two deployments", "folder"],
)
def test_a_conflicting_file_is_rejected_and_no_file_is_written(
    three: Project, folder: Path, content: str | None
) -> None:
    file = folder / "out" / "b.yaml"
    file.parent.mkdir()
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    before = files_in(folder / "out")

    result = moorage("export", "out", folder=folder, project=three)

    assert (result.returncode, result.stdout) == (1, "")
    assert "Error: out/b.yaml " in result.stderr
    assert ". Move or delete it first." in result.stderr or ". Export to another folder." in result.stderr
    assert files_in(folder / "out") == before
    assert [each.name for each in (folder / "out").iterdir()] == ["b.yaml"]


@pytest.mark.parametrize(
    "form", ["- {}\n", "{}\n---\n", "---\n---\n{}\n"], ids=["list of one", "trailing separator", "leading separators"]
)
def test_a_file_of_another_form_is_not_rewritten(project: Project, folder: Path, form: str) -> None:
    put(project, a_document("a"))
    (folder / "out").mkdir()
    (folder / "out" / "a.yaml").write_text(form.replace("{}", json.dumps(a_document("a"))))
    before = files_in(folder / "out")

    result = moorage("export", "out", folder=folder, project=project)

    assert result.returncode in (0, 1), result.stderr
    assert files_in(folder / "out") == before


def test_keys_that_differ_only_in_case_get_separate_files(server: Server, project: Project, folder: Path) -> None:
    for key in ("bot", "Bot", "BOT", "b.o-t_1"):
        put(project, a_document(key, f"the text of {key}"))
    other = server.new_project()

    result = export(project, folder)
    run(other, folder, "apply", "out")

    assert result == [4, 0, 0]
    assert len({name.lower() for name in files_in(folder / "out")}) == 4, "unique on every file system"
    assert contents(other) == contents(project)


def test_the_file_of_a_deployment_is_not_reused_for_a_key_that_differs_only_in_case(
    project: Project, folder: Path
) -> None:
    put(project, a_document("bot"))
    export(project, folder)
    put(project, a_document("Bot"))

    export(project, folder)

    keys = [load_documents(text.decode())[0]["key"] for text in files_in(folder / "out").values()]
    assert sorted(keys) == ["Bot", "bot"], "each key must be in one file only"


def test_a_renamed_file_is_updated_under_its_new_name(three: Project, folder: Path) -> None:
    export(three, folder)
    (folder / "out" / "b.yaml").rename(folder / "out" / "renamed.yaml")
    put(three, a_document("b", "two"))

    result = export(three, folder)

    assert result == [0, 1, 2]
    assert set(files_in(folder / "out")) == {"a.yaml", "renamed.yaml", "c.yaml"}


def test_an_unrelated_file_with_a_numbered_name_is_not_overwritten(project: Project, folder: Path) -> None:
    for key in ("bot", "Bot"):
        put(project, a_document(key))
    mine = dict.fromkeys(("bot~2.yaml", "Bot~2.yaml"), b"notes: mine\n")
    (folder / "out").mkdir()
    for name, content in mine.items():
        (folder / "out" / name).write_bytes(content)

    moorage("export", "out", folder=folder, project=project)

    assert {name: content for name, content in files_in(folder / "out").items() if name in mine} == mine


@pytest.mark.parametrize("files", [{"many.yaml": "ab"}, {"a.yaml": "a", "z.yaml": "a"}], ids=" ".join)
def test_an_export_fails_or_its_folder_can_be_applied(three: Project, folder: Path, files: dict[str, str]) -> None:
    for name, keys in files.items():
        write(folder / "out" / name, *map(a_document, keys))
    put(three, a_document("a", "two"))
    before = contents(three)

    result = moorage("export", "out", folder=folder, project=three)
    applied = moorage("apply", "out", folder=folder, project=three)

    assert result.returncode == 1 or (applied.returncode, contents(three)) == (0, before), applied.stdout


def test_files_of_deleted_deployments_are_reported_and_not_removed(three: Project, folder: Path) -> None:
    export(three, folder)
    three.request("DELETE", "/v2/deployments/b")
    three.request("DELETE", "/v2/deployments/c")
    (folder / "out" / "notes.txt").write_text("mine")
    before = files_in(folder / "out")

    result = run(three, folder, "export", "out")

    assert result.stderr == "Not changed, because the server has no such deployment: b.yaml, c.yaml\n"
    assert files_in(folder / "out") == before


def test_the_order_of_fields_in_a_file_does_not_depend_on_the_request(
    server: Server, project: Project, folder: Path
) -> None:
    for target, is_reversed in ((project, False), (other := server.new_project(), True)):
        for key in ("b", "a") if is_reversed else ("a", "b"):
            put(target, {"key": key, **_reversed(body_with_text("x"), is_reversed=is_reversed)})

    export(project, folder, "one")
    export(other, folder, "two")

    assert files_in(folder / "one") == files_in(folder / "two")
    (document,) = load_documents((folder / "one" / "a.yaml").read_text())
    assert list(document) == ["key", "description", "prompt_config", "variables", "settings"]
    assert list(document["prompt_config"]) == [
        "provider", "model", "model_type", "model_parameters", "messages", "tools",
    ]  # fmt: skip


def test_empty_fields_are_omitted_and_a_multi_line_prompt_is_a_literal_block(project: Project, folder: Path) -> None:
    text = 'You are kind.\n\n  - Be brief: 👋 "so".\n# Not a comment\n'
    put(project, {"key": "a", "prompt_config": MINIMAL_BODY["prompt_config"]})
    put(project, a_document("b", text))

    export(project, folder)

    assert list(load_documents((folder / "out" / "a.yaml").read_text())[0]) == ["key", "prompt_config"]
    block = 'content: |\n      You are kind.\n\n        - Be brief: 👋 "so".\n      # Not a comment\n'
    assert block in (folder / "out" / "b.yaml").read_text("utf-8")


def test_an_empty_project_is_exported_as_an_empty_folder(project: Project, folder: Path) -> None:
    assert export(project, folder, "deep/out") == [0, 0, 0]
    assert files_in(folder / "deep" / "out") == {}


def _reversed(value: Any, *, is_reversed: bool) -> Any:
    """Return a body with its fields in reverse order, except in free-form objects."""
    if not is_reversed:
        return value
    config = dict(reversed(value["prompt_config"].items()))
    config["messages"] = [dict(reversed(message.items())) for message in config["messages"]]
    return dict(reversed({**value, "prompt_config": config}.items()))
