"""A difference on the terminal: the message, the words and the blanks that changed."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from moorage.cli.difference import print_difference
from moorage.core.deployments.diff import unified
from tests.cli.files import a_document, put, write
from tests.support.program import moorage
from tests.support.server import Project

LONG = "You are an assistant of {{shop}}. Answer in at most three sentences, and never promise a refund."


def with_messages(*messages: tuple[str, str]) -> dict[str, Any]:
    """Return a value with messages, each a role and a text."""
    return {"prompt_config": {"messages": [{"role": role, "content": content} for role, content in messages]}}


def heads(before: Any, after: Any) -> list[str]:
    """Return the heads of the hunks of a difference, without their numbers."""
    lines = unified(before, after, "1.0", "1.1").splitlines()
    return [line.rpartition("@@")[2].strip() for line in lines if line.startswith("@@")]


def shown(before: Any, after: Any, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the changed lines of a difference as the command line prints them."""
    print_difference(unified(before, after, "1.0", "1.1"))
    return [
        line for line in capsys.readouterr().out.splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")
    ]


LINES = "\n".join(f"line {number}" for number in range(30))


def test_the_head_of_a_hunk_names_the_message_of_the_change() -> None:
    before = with_messages(("system", f"{LINES}\nfirst\n{LINES}"), ("user", f"{LINES}\nsecond\n{LINES}"))
    after = with_messages(("system", f"{LINES}\nFIRST\n{LINES}"), ("user", f"{LINES}\nSECOND\n{LINES}"))

    assert heads(before, after) == ["prompt_config.messages[0] (system)", "prompt_config.messages[1] (user)"]


def test_a_hunk_with_changes_of_several_messages_names_all_or_the_first_three() -> None:
    before = with_messages(*((role, "a") for role in ("system", "user", "assistant", "user")))
    two = with_messages(("system", "a"), ("user", "b"), ("assistant", "b"), ("user", "a"))
    four = with_messages(*((role, "b") for role in ("system", "user", "assistant", "user")))

    assert heads(before, two) == ["prompt_config.messages[1] (user), prompt_config.messages[2] (assistant)"]
    assert heads(before, four) == [
        "prompt_config.messages[0] (system), prompt_config.messages[1] (user), prompt_config.messages[2] (assistant), …"
    ]


def test_the_head_names_parts_variables_tools_and_variants_but_nothing_for_other_fields() -> None:
    part = {"role": "user", "content": [{"type": "text", "text": "a"}]}
    before = {
        "messages": [part],
        "variables": [{"key": "customer", "value": 1}],
        "tools": [{"type": "function", "function": {"name": "find", "strict": True}}],
        "variants": [{"name": "calm", "retry_count": 1}],
        "description": "x",
    }

    def head(**changes: Any) -> list[str]:
        return heads(before, before | changes)

    assert head(messages=[part | {"content": [{"type": "text", "text": "b"}]}]) == ["messages[0] (user)"]
    assert head(variables=[{"key": "customer", "value": 2}]) == ["variables[0] (customer)"]
    assert head(tools=[{"type": "function", "function": {"name": "find", "strict": False}}]) == ["tools[0] (find)"]
    assert head(variants=[{"name": "calm", "retry_count": 2}]) == ["variants[0] (calm)"]
    assert head(description="y") == [""]


def test_changed_words_of_a_long_line_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    after = LONG.replace("three", "two").replace("never promise", "do not promise")

    assert shown(with_messages(("system", f"{LONG}\nx")), with_messages(("system", f"{after}\nx")), capsys) == [
        "-  You are an assistant of {{shop}}. Answer in at most [-three-] sentences, and [-never-] promise a refund.",
        "+  You are an assistant of {{shop}}. Answer in at most {+two+} sentences, and {+do not+} promise a refund.",
    ]


def test_a_changed_line_is_found_between_added_and_removed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = f"first\nsecond\n{LONG}\nx", f"{LONG.replace('three', '3')}\nnew\nx"

    lines = shown({"a": before}, {"a": after}, capsys)

    assert [line for line in lines if "[-" in line or "{+" in line] == [
        f"-  {LONG.replace('three', '[-three-]')}", f"+  {LONG.replace('three', '{+3+}')}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [("short one", "short two"), (LONG, LONG[:30] + "is another text with nothing in common but its first words, so")],
    ids=["a short line", "lines that differ widely"],
)
def test_other_lines_are_not_marked(before: str, after: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown({"a": f"{before}\nx"}, {"a": f"{after}\nx"}, capsys) == [f"-  {before}", f"+  {after}"]
    path = "a_path_that_is_longer_than_a_short_line"
    assert shown({path: before}, {path: after}, capsys) == [f'-{path}: "{before}"', f'+{path}: "{after}"']


def test_blanks_at_the_end_of_a_changed_line_are_visible(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = "one\ntwo \nthree", "one  \ntwo\t \n   \nthree\n"

    assert shown({"a": before}, {"a": after}, capsys) == [
        "-  one", "-  two·", "+  one··", "+  two→·", "+  ···", "+  ↵",
    ]  # fmt: skip


def test_changed_words_are_inverted_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)

    print_difference(unified({"a": LONG}, {"a": LONG.replace("three", "two")}, "1.0", "1.1"))

    red, green, inverted, end = "\x1b[31m", "\x1b[32m", "\x1b[7m", "\x1b[0m"
    assert f"{red}{inverted}three{end}{red} sentences" in terminal.getvalue()
    assert f"{green}{inverted}two{end}{green} sentences" in terminal.getvalue()
    assert "[-" not in terminal.getvalue()


def test_the_work_for_many_and_long_lines_is_bounded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def compare(before: str, after: str) -> None:
        compared.append(len(before) * len(after))

    monkeypatch.setattr("moorage.cli.difference._changed_words", compare)
    before, after = ("\n".join(f"{word} {number} " * 20 for number in range(3_000)) for word in ("old", "new"))

    assert len(shown({"a": before}, {"a": after}, capsys)) == 6_000
    assert 0 < len(compared) <= 300


def test_a_line_of_a_megabyte_is_compared_by_its_begin(capsys: pytest.CaptureFixture[str]) -> None:
    words = "word " * 200_000

    lines = shown({"a": f"{words}\n1"}, {"a": f"another {words}\n1"}, capsys)

    assert all(len(line) < 10_100 for line in lines)


def test_both_commands_show_the_message_and_the_words(project: Project, folder: Path) -> None:
    put(project, a_document("a", f"{LONG}\nBye."))
    write(folder / "a.yaml", a_document("a", f"{LONG.replace('three', 'two')}\nBye."))

    planned = moorage("diff", "a.yaml", folder=folder, project=project).stdout
    moorage("apply", "a.yaml", folder=folder, project=project)
    versions = moorage("deployments", "diff", "a", "1.0", "1.1", folder=folder, project=project).stdout

    for output in (planned, versions):
        assert "@@ prompt_config.messages[0] (system)\n" in output
        assert "in at most [-three-] sentences" in output
        assert "in at most {+two+} sentences" in output
