"""Tables that fit a terminal."""

import datetime as dt
import io
import json
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from moorage import clock
from moorage.cli import table
from moorage.cli.table import Column, OutputTable, new_table
from moorage.core.times import iso
from tests.cli.test_diff import run_on_a_terminal
from tests.support.program import moorage
from tests.support.server import Project, a_body

KEY = "customer-support.answers.refunds_and_returns"


def printed(output: OutputTable, width: int | None) -> list[str]:
    fitted, needed = output.fitted(width)
    console = Console(width=width or needed, file=io.StringIO())
    console.print(fitted)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def example() -> OutputTable:
    rows = new_table(
        "key", Column("type", drop=1), Column("model", drop=2, is_cut=True), Column("notes", drop=3, is_cut=True)
    )
    rows.add_row(KEY, "chat", "openai/gpt-4o-mini-2026", "because the old one was too long for everybody")
    rows.add_row("b", "embedding", "m", "")
    return rows


def test_without_a_limit_everything_is_shown() -> None:
    lines = printed(example(), None)

    assert lines[0].split() == ["key", "type", "model", "notes"]
    assert lines[1].split("  ")[-1] == "because the old one was too long for everybody"


@pytest.mark.parametrize("width", [40, 60, 80, 90, 100, 120, 160])
def test_a_table_fits_and_keys_never_break(width: int) -> None:
    lines = printed(example(), max(width, len(KEY)))

    assert max(map(len, lines)) <= max(width, len(KEY))
    assert any(line.startswith(KEY) for line in lines)
    assert len(lines) == 3, "no cell is on two lines"


def test_the_first_columns_to_go_are_those_that_matter_least() -> None:
    headings = [printed(example(), width)[0].split() for width in (130, 100, 75, len(KEY))]

    assert headings == [["key", "type", "model", "notes"], ["key", "model", "notes"], ["key", "notes"], ["key"]]


def test_cells_are_escaped() -> None:
    rows = new_table("key")
    rows.add_row("a\x1b[2J\u202e")

    assert printed(rows, None)[1] == r"a\x1b[2J\u202e"


def test_wide_characters_count_twice() -> None:
    rows = new_table("key", Column("notes", is_cut=True))
    rows.add_row("a", "你好" * 40)

    (line,) = printed(rows, 40)[1:]
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3_599, "59 min ago"), (7_300, "2 h ago"),
        (86_400, "1 day ago"), (40 * 86_400, "40 days ago"),
    ],
)  # fmt: skip
def test_times_are_relative_on_a_terminal(monkeypatch: pytest.MonkeyPatch, seconds: int, shown: str) -> None:
    monkeypatch.setattr(clock, "now_seconds", lambda: 1_800_000_000.0)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    assert table.when(iso(int((1_800_000_000 - seconds) * 1_000_000))) == shown


def test_other_times_are_shown_as_dates_or_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table.when("2020-01-31T12:00:00.000Z") == "2020-01-31T12:00:00.000Z", "not on a terminal"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    assert table.when("2020-01-31T12:00:00.000Z") == "2020-01-31"
    assert table.when("nonsense") == "nonsense"
    future = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).isoformat()
    assert table.when(future) == future


def test_the_tables_of_the_command_line_fit_80_columns(project: Project, folder: Path) -> None:
    for number in range(3):
        long = a_body(model=f"anthropic/claude-sonnet-4-5-2026020{number}-with-a-long-name")
        project.put(KEY, {**long, "description": "Answers questions about refunds, returns and much more " * 3})

    for command in (
        ("deployments", "list"), ("deployments", "versions", KEY), ("deployments", "history", KEY),
        ("keys", "list", "--database", project.server.database),
    ):  # fmt: skip
        output = run_on_a_terminal(*command, folder=folder, project=project)
        lines = re.sub(r"\x1b\[[\d;]*m", "", output).replace("\r", "").splitlines()
        assert max(map(len, lines)) <= 80, lines
        assert command[1] == "list" or "ago" in output

    listed = run_on_a_terminal("deployments", "list", folder=folder, project=project)
    assert KEY in listed


def test_versions_name_the_api_key_and_not_its_id(project: Project, folder: Path) -> None:
    project.put("a")

    shown = moorage("deployments", "versions", "a", folder=folder, project=project).stdout
    data = json.loads(moorage("deployments", "versions", "a", "-o", "json", folder=folder, project=project).stdout)

    assert data["data"][0]["user_id"] not in shown
