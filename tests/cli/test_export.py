"""`moorage export`: what a server has becomes files, and `moorage apply` makes the same of them again."""

import json
from pathlib import Path
from typing import Any

import pytest

from moorage.documents.yaml import load_documents
from tests.cli.files import a_document, contents, done, kept, manifests, put, revision, write
from tests.cli.samples import TEXTS, everywhere, values
from tests.cli.test_apply import EXAMPLES, counts
from tests.contract.full_items import MINIMAL_BODY, full_bodies
from tests.support.program import moorage
from tests.support.server import Project, Server


def put_texts(project: Project, *names: str) -> None:
    """A deployment for each of the texts of these names."""
    for name in names:
        for number, text in enumerate(TEXTS[name]):
            put(project, {"key": f"{name.replace(' ', '-')}.{number}", **everywhere(text)})


def saved(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def exported(project: Project, folder: Path, name: str = "out") -> list[int]:
    """Export into the folder of that name; how many files were created, updated and unchanged."""
    lines = done(project, folder, "export", name).stdout.splitlines()
    assert lines[0].split() == ["created", "updated", "unchanged"]
    return [int(word) for word in lines[1].split()]


@pytest.fixture
def three(project: Project) -> Project:
    """A project with the deployments `a`, `b` and `c`."""
    for key in "abc":
        put(project, a_document(key))
    return project


def comes_back(server: Server, project: Project, folder: Path) -> None:
    """Assert that what is exported is applied to an empty project, and exported from there as the same bytes."""
    expected, other = contents(project), server.new_project()

    first = exported(project, folder, "first")
    applied = moorage("apply", "first", folder=folder, project=other)
    second = exported(other, folder, "second")

    assert counts(applied.stdout) == [len(expected), 0, 0, 0]
    assert first == second == [len(expected), 0, 0]
    found = contents(other)
    assert {key: (text, found[key]) for key, text in expected.items() if found[key] != text} == {}
    assert saved(folder / "second") == saved(folder / "first")


def test_the_examples_and_every_field_and_value_come_back(server: Server, project: Project, folder: Path) -> None:
    done(project, folder, "apply", str(EXAMPLES))
    for key, body in {**dict(full_bodies()), "minimal": MINIMAL_BODY, "values": values()}.items():
        put(project, {"key": key, **body})

    comes_back(server, project, folder)


@pytest.mark.parametrize(
    "names",
    [("words", "signs", "made up"), ("lines", "unicode", "separators"), ("next lines",)],
    ids=" and ".join,
)
def test_every_text_comes_back(server: Server, project: Project, folder: Path, names: tuple[str, ...]) -> None:
    put_texts(project, *names)

    comes_back(server, project, folder)


def test_what_was_exported_is_unchanged_where_it_came_from(project: Project, folder: Path) -> None:
    put_texts(project, "words", "lines", "separators")
    put(project, {"key": "values", **values()})
    exported(project, folder)
    before = manifests(project)

    first = done(project, folder, "apply", "out")
    after_one = revision(project)
    second = done(project, folder, "apply", "out")

    assert counts(first.stdout) == counts(second.stdout) == [0, 0, len(before), 0]
    after = manifests(project)
    assert {key: each["version"] for key, each in after.items()} == dict.fromkeys(before, "1.0"), "no version was made"
    assert kept(project) == {key: ("files", f"out/{key}.yaml") for key in before}
    assert revision(project) == after_one, "the first time files become the keepers; the second time is no news"


def test_a_second_export_leaves_every_file_as_it_is(three: Project, folder: Path) -> None:
    first = exported(three, folder)
    before, stats = saved(folder / "out"), [file.stat() for file in sorted((folder / "out").iterdir())]

    second = exported(three, folder)

    assert (first, second) == ([3, 0, 0], [0, 0, 3])
    assert saved(folder / "out") == before
    assert [file.stat() for file in sorted((folder / "out").iterdir())] == stats


def test_a_file_with_comments_that_says_the_same_is_left_alone(three: Project, folder: Path) -> None:
    exported(three, folder)
    file = folder / "out" / "b.yaml"
    ((said),) = load_documents(file.read_text())
    turned = json.dumps(dict(reversed(said.items())))
    mine = f"# Ask Ada before you change this.\r\n{turned}  # in another order, and in one line\r\n".encode()
    file.write_bytes(mine)

    result = exported(three, folder)

    assert result == [0, 0, 3]
    assert file.read_bytes() == mine


def test_a_file_that_apply_finds_unchanged_is_left_alone(project: Project, folder: Path) -> None:
    spellings: dict[str, dict[str, Any]] = {
        "nothing": {},
        "no-empty-field": {"tools": ...},
        "null": {"model_parameters": {"temperature": 0.2, "maxTokens": 512, "topK": None}},
        "a-number-as-text": {"model_parameters": {"temperature": "0.2", "maxTokens": 512}},
        "a-fraction-of-zero": {"model_parameters": {"temperature": 0.2, "maxTokens": 512.0}},
    }
    for key, changes in spellings.items():
        document = a_document(key)
        put(project, document)
        config = {name: value for name, value in (document["prompt_config"] | changes).items() if value is not ...}
        write(folder / "out" / f"{key}.yaml", document | {"prompt_config": config})
    before = saved(folder / "out")

    applied = done(project, folder, "apply", "out")
    exported(project, folder)

    assert counts(applied.stdout) == [0, 0, 5, 0]
    assert [name for name, content in saved(folder / "out").items() if content != before[name]] == []


def test_the_samples_own_files_are_left_alone_with_their_comments(project: Project, folder: Path) -> None:
    (folder / "out").mkdir()
    for name in ("invoice_reader", "order_follow_up", "support_answers"):
        (folder / "out" / f"{name}.yaml").write_bytes((EXAMPLES / f"{name}.yaml").read_bytes())
    before = saved(folder / "out")
    done(project, folder, "apply", "out")

    result = exported(project, folder)

    assert (result, saved(folder / "out")) == ([0, 0, 3], before)


def test_what_a_file_says_of_its_next_version_is_left_in_it(project: Project, folder: Path) -> None:
    write(folder / "out" / "a.yaml", a_document("a", notes="a calmer tone", version_bump="major"))
    before = saved(folder / "out")
    done(project, folder, "apply", "out")

    result = exported(project, folder)

    assert (result, saved(folder / "out")) == ([0, 0, 1], before)


def test_a_file_is_written_anew_where_its_deployment_changed_and_only_there(three: Project, folder: Path) -> None:
    exported(three, folder)
    before = saved(folder / "out")
    put(three, a_document("b", "two"))

    result = exported(three, folder)
    after = saved(folder / "out")

    assert result == [0, 1, 2]
    assert {name for name, content in after.items() if content != before[name]} == {"b.yaml"}
    assert load_documents(after["b.yaml"].decode())[0]["prompt_config"]["messages"][0]["content"] == "two"


def test_what_is_equal_in_python_alone_is_a_change(project: Project, folder: Path) -> None:
    changes = {"a": (1, True), "b": (False, 0), "c": (1, 1.0), "d": ({"x": [True]}, {"x": [1]}), "e": ("", False)}
    for key, (before, _) in changes.items():
        put(project, a_document(key, variables=[{"key": "v", "value": before}]))
    exported(project, folder)
    for key, (_, after) in changes.items():
        put(project, a_document(key, variables=[{"key": "v", "value": after}]))
    expected = contents(project)

    result = exported(project, folder)
    done(project, folder, "apply", "out")

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
    ids=["broken", "another", "two", "a folder"],
)
def test_a_file_that_is_something_else_is_refused_before_anything_is_written(
    three: Project, folder: Path, content: str | None
) -> None:
    file = folder / "out" / "b.yaml"
    file.parent.mkdir()
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    before = saved(folder / "out")

    result = moorage("export", "out", folder=folder, project=three)

    assert (result.returncode, result.stdout) == (1, "")
    assert "Error: out/b.yaml " in result.stderr
    assert ". Move it away first." in result.stderr or ". Export to another folder." in result.stderr
    assert saved(folder / "out") == before
    assert [each.name for each in (folder / "out").iterdir()] == ["b.yaml"]


@pytest.mark.parametrize("form", ["- {}\n", "{}\n---\n", "---\n---\n{}\n"], ids=["a list of one", "an end", "a start"])
def test_a_file_of_another_form_is_left_alone_or_refused_in_a_line(project: Project, folder: Path, form: str) -> None:
    put(project, a_document("a"))
    (folder / "out").mkdir()
    (folder / "out" / "a.yaml").write_text(form.replace("{}", json.dumps(a_document("a"))))
    before = saved(folder / "out")

    result = moorage("export", "out", folder=folder, project=project)

    assert result.returncode in (0, 1), result.stderr
    assert saved(folder / "out") == before


def test_keys_that_differ_in_case_alone_get_a_file_each(server: Server, project: Project, folder: Path) -> None:
    for key in ("bot", "Bot", "BOT", "b.o-t_1"):
        put(project, a_document(key, f"the text of {key}"))
    other = server.new_project()

    result = exported(project, folder)
    done(other, folder, "apply", "out")

    assert result == [4, 0, 0]
    assert len({name.lower() for name in saved(folder / "out")}) == 4, "even where file systems do not tell them apart"
    assert contents(other) == contents(project)


def test_a_deployment_keeps_its_file_when_another_of_the_same_letters_comes(project: Project, folder: Path) -> None:
    put(project, a_document("bot"))
    exported(project, folder)
    put(project, a_document("Bot"))

    exported(project, folder)

    keys = [load_documents(text.decode())[0]["key"] for text in saved(folder / "out").values()]
    assert sorted(keys) == ["Bot", "bot"], "a key that stands in two files is applied from both"


def test_a_file_that_was_renamed_keeps_its_name(three: Project, folder: Path) -> None:
    exported(three, folder)
    (folder / "out" / "b.yaml").rename(folder / "out" / "renamed.yaml")
    put(three, a_document("b", "two"))

    result = exported(three, folder)

    assert result == [0, 1, 2]
    assert set(saved(folder / "out")) == {"a.yaml", "renamed.yaml", "c.yaml"}


def test_a_file_of_a_numbered_name_that_is_something_else_is_not_overwritten(project: Project, folder: Path) -> None:
    for key in ("bot", "Bot"):
        put(project, a_document(key))
    mine = dict.fromkeys(("bot~2.yaml", "Bot~2.yaml"), b"notes: mine\n")
    (folder / "out").mkdir()
    for name, content in mine.items():
        (folder / "out" / name).write_bytes(content)

    moorage("export", "out", folder=folder, project=project)

    assert {name: content for name, content in saved(folder / "out").items() if name in mine} == mine


@pytest.mark.parametrize("files", [{"many.yaml": "ab"}, {"a.yaml": "a", "z.yaml": "a"}], ids=" ".join)
def test_a_folder_that_was_exported_to_can_be_applied_or_the_export_is_refused(
    three: Project, folder: Path, files: dict[str, str]
) -> None:
    for name, keys in files.items():
        write(folder / "out" / name, *map(a_document, keys))
    put(three, a_document("a", "two"))
    before = contents(three)

    result = moorage("export", "out", folder=folder, project=three)
    applied = moorage("apply", "out", folder=folder, project=three)

    assert result.returncode == 1 or (applied.returncode, contents(three)) == (0, before), applied.stdout


def test_what_is_left_over_is_named_and_left(three: Project, folder: Path) -> None:
    exported(three, folder)
    three.request("DELETE", "/v2/deployments/b")
    three.request("DELETE", "/v2/deployments/c")
    (folder / "out" / "notes.txt").write_text("mine")
    before = saved(folder / "out")

    result = done(three, folder, "export", "out")

    assert result.stderr == "Not changed, because the server has no such deployment: b.yaml, c.yaml\n"
    assert saved(folder / "out") == before


def test_the_order_in_a_file_is_the_same_whatever_order_it_was_put_in(
    server: Server, project: Project, folder: Path
) -> None:
    for target, turn in ((project, False), (other := server.new_project(), True)):
        for key in ("b", "a") if turn else ("a", "b"):
            put(target, {"key": key, **_turned(everywhere("x"), is_turned=turn)})

    exported(project, folder, "one")
    exported(other, folder, "two")

    assert saved(folder / "one") == saved(folder / "two")
    ((said),) = load_documents((folder / "one" / "a.yaml").read_text())
    assert list(said) == ["key", "description", "variables", "prompt_config"]
    assert list(said["prompt_config"]) == [
        "tools", "model", "model_type", "model_parameters", "provider", "messages",
    ]  # fmt: skip


def test_what_is_empty_is_left_out_and_a_prompt_of_several_lines_is_read_as_lines(
    project: Project, folder: Path
) -> None:
    text = 'You are kind.\n\n  - Be brief: 👋 "so".\n# Not a comment\n'
    put(project, {"key": "a", "prompt_config": MINIMAL_BODY["prompt_config"]})
    put(project, a_document("b", text))

    exported(project, folder)

    assert list(load_documents((folder / "out" / "a.yaml").read_text())[0]) == ["key", "prompt_config"]
    shown = 'content: |\n      You are kind.\n\n        - Be brief: 👋 "so".\n      # Not a comment\n'
    assert shown in (folder / "out" / "b.yaml").read_text("utf-8")


def test_an_empty_project_is_exported_as_an_empty_folder(project: Project, folder: Path) -> None:
    assert exported(project, folder, "deep/out") == [0, 0, 0]
    assert saved(folder / "deep" / "out") == {}


def _turned(value: Any, *, is_turned: bool) -> Any:
    """The same object with its fields the other way round, where the contract says what they are."""
    if not is_turned:
        return value
    config = dict(reversed(value["prompt_config"].items()))
    config["messages"] = [dict(reversed(message.items())) for message in config["messages"]]
    return dict(reversed({**value, "prompt_config": config}.items()))
