"""Warnings and problems of files, with their place."""

import json
from pathlib import Path

import pytest

from moorage.documents.excerpt import Position
from tests.support.program import moorage
from tests.support.server import Project, a_body

FILE = """\
key: welcome
variables:
  - key: customer
prompt_config:
  provider: openai
  model: my-gpt
  model_type: chat
  model_parameters: {temperature: 7}
  messages:
    - role: system
      content: |
        You are kind.
        Greet {{custommer}}, please.
    - role: user
      content: "{{customer}}"
"""

MISSPELLED = "prompt_config.messages[0].content: {{custommer}} is not a declared variable. Did you mean 'customer'?"
TOO_WARM = "prompt_config.model_parameters.temperature: 7 is out of range: openai accepts numbers from 0 to 2"

SHOWN = f"""\
    2 warnings in prompts/welcome.yaml:8
      line 8, {TOO_WARM}
          model_parameters: {{temperature: 7}}
                             ^
      line 13, {MISSPELLED}
          Greet {{{{custommer}}}}, please.
                ^^^^^^^^^^^^^
"""


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "prompts" / "welcome.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def test_diff_and_apply_show_warnings_with_line_and_caret(project: Project, folder: Path, file: Path) -> None:
    diff = moorage("diff", "prompts", folder=folder, project=project)
    applied = moorage("apply", "prompts", folder=folder, project=project)
    again = moorage("apply", "prompts", folder=folder, project=project)

    assert SHOWN in diff.stdout
    assert applied.stdout.startswith(f"created welcome: 1.0 in production\n{SHOWN}")
    assert again.stdout.startswith(f"unchanged welcome\n{SHOWN}")
    assert (diff.returncode, applied.returncode) == (0, 0)


def test_diff_as_json_has_the_warnings(project: Project, folder: Path, file: Path) -> None:
    (step,) = json.loads(moorage("diff", "prompts", "-o", "json", folder=folder, project=project).stdout)

    assert {f"{each['path']}: {each['message']}" for each in step["warnings"]} == {MISSPELLED, TOO_WARM}


def test_drafts_creations_and_publishes_show_warnings_on_standard_error(
    project: Project, folder: Path, file: Path
) -> None:
    name = str(file.relative_to(folder))

    created = moorage("deployments", "create", name, "-o", "json", folder=folder, project=project)
    draft = moorage("deployments", "draft", name, folder=folder, project=project)
    published = moorage("deployments", "publish", "welcome", "1.1", folder=folder, project=project)

    assert json.loads(created.stdout)["key"] == "welcome"
    assert created.stderr == draft.stderr == SHOWN
    assert published.stderr.splitlines() == [f"warning: {MISSPELLED}", f"warning: {TOO_WARM}"]


@pytest.mark.parametrize(
    ("name", "content", "place", "line"),
    [
        ("a.json", '{"key": "a",\n "prompt_config": {"provider": "acme"}}', "a.json:2", '"prompt_config": {"provider"'),
        ("a.jsonl", '\n{"key": "a", "prompt_config": {"provider": "acme"}}\n', "a.jsonl:2", '{"key": "a"'),
        ("a.yaml", "---\n# nothing\n---\nkey: a\nprompt_config:\n  provider: acme\n", "a.yaml:6", "provider: acme"),
        ("a.yaml", "- key: a\n  prompt_config:\n    provider: acme\n", "a.yaml:3", "provider: acme"),
    ],
)
def test_problems_of_every_format_have_their_line(
    project: Project, folder: Path, name: str, content: str, place: str, line: str
) -> None:
    (folder / name).write_text(content)

    shown = moorage("apply", name, folder=folder, project=project).stdout

    assert shown.startswith("failed a\n")
    assert f"in {place}\n" in shown or f"problems in {name}" in shown
    number = place.rpartition(":")[2]
    assert f"line {number}, prompt_config.provider: must be one of" in shown
    assert line in shown


def test_standard_input_has_lines_too(project: Project, folder: Path) -> None:
    shown = moorage("apply", "-", folder=folder, project=project, stdin=FILE.encode()).stdout

    assert shown.startswith("created welcome: 1.0 in production\n    2 warnings in standard input:8\n")


def test_control_characters_in_an_excerpt_are_visible(project: Project, folder: Path) -> None:
    content = {"key": "a", **a_body(messages=[{"role": "user\u202e", "content": "\u001b[2J"}])}
    (folder / "a.json").write_text(json.dumps(content, ensure_ascii=False))

    shown = moorage("apply", "a.json", folder=folder, project=project).stdout

    assert "\u202e" not in shown
    assert "\u001b" not in shown
    assert r"user\u202e" in shown


@pytest.mark.parametrize(
    ("text", "column", "length", "expected"),
    [
        ("  role: usr", 3, 4, ("role: usr", "^^^^")),
        ("\tкey: 你好 x", 10, 1, ("кey: 你好 x", "          ^")),
        ("a" * 200, 151, 1, (f"…{'a' * 35}{'a' * 35}…", f"{' ' * 36}^")),
        ("short", 6, 1, ("short", "     ^")),
    ],
)
def test_an_excerpt_is_cut_around_its_place(text: str, column: int, length: int, expected: tuple[str, str]) -> None:
    assert Position(1, column, text, length).excerpt() == expected


def test_apply_lists_what_it_did(project: Project, folder: Path) -> None:
    for name in ("new", "old", "same"):
        (folder / f"{name}.json").write_text(json.dumps({"key": name, **a_body()}))
    moorage("apply", "old.json", "same.json", folder=folder, project=project)
    (folder / "old.json").write_text(json.dumps({"key": "old", **a_body(model="other")}))

    dry = moorage("apply", ".", "--dry-run", folder=folder, project=project).stdout.splitlines()
    shown = moorage("apply", ".", folder=folder, project=project).stdout.splitlines()

    assert dry[:2] == ["created new: 1.0 in production", "updated old: 1.0 → 1.1 in production"]
    assert shown[:2] == [
        "created new: 1.0 in production",
        "updated old: 1.0 → 1.1 in production, undo: moorage deployments undo old --take-ownership",
    ]
    assert shown[2].split() == ["created", "updated", "unchanged", "failed"]
