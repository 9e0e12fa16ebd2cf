"""Terminals: text that somebody stored reaches no terminal with the characters that a terminal obeys."""

import ast
import json
import os
import pty
import re
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from moorage import cli
from moorage.store.opening import open_store
from tests.support.program import moorage
from tests.support.server import PROGRAM, Project, a_body, clean_environment

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

EVIL = "\x1b[2J\x1b]0;title\x07\x9b31m\x85\x7f\u202egood [red]x[/red]"

#: Functions that print. Only `moorage.cli.output` calls them.
PRINTING = {"print", "echo", "secho", "style", "write", "Console", "Table"}


@pytest.fixture
def evil(project: Project) -> Project:
    """Return a project whose texts have control characters."""
    body = a_body(model=EVIL, messages=[{"role": "user", "content": f"{EVIL}\n{EVIL}"}])
    assert project.put("a", {**body, "description": EVIL, "notes": EVIL}).status == 201
    assert project.put("a", {**a_body(model="b"), "description": EVIL, "notes": EVIL}).status == 200
    return project


COMMANDS = [
    "deployments invoke a --mock \x1b[2J", "deployments invoke a -o json --mock \x1b[2J",
    "deployments list", "deployments list -o json", "deployments list -o yaml", "deployments show a",
    "deployments show a -o json", "deployments show a -o yaml", "deployments versions a",
    "deployments versions a -o json", "deployments versions a -o yaml", "deployments history a",
    "deployments diff a 1.0 1.1", "deployments diff a 1.0 1.1 -o json", "deployments diff a 1.0 1.1 -o yaml",
    "deployments get-config a", "deployments get-config a -o json", "deployments explain a", "drift", "diff files",
    "diff files -o json", "apply files",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_stored_text_reaches_the_terminal_as_it_is(evil: Project, folder: Path, command: str) -> None:
    (folder / "files").mkdir()
    for name, document in {
        "a": {"key": "a", **a_body(model=EVIL)},
        "b": {"key": EVIL, **a_body()},
        "c": {"key": "c", "prompt_config": {EVIL: EVIL}},
        "d": {"key": "d", **a_body(), EVIL: EVIL, "notes": EVIL},
    }.items():
        (folder / "files" / f"{name}.json").write_text(json.dumps(document))

    result = moorage(*command.split(), folder=folder, project=evil)

    assert result.returncode in (0, 1)
    assert "unexpected" not in result.stderr
    assert not UNSAFE.search(result.stdout + result.stderr), ascii(result.stdout + result.stderr)


def test_json_and_yaml_lose_nothing(evil: Project, folder: Path) -> None:
    shown = moorage("deployments", "show", "a", "-o", "json", folder=folder, project=evil)

    assert json.loads(shown.stdout)["description"] == EVIL
    assert "\\u009b" in shown.stdout
    assert "\\u007f" in shown.stdout
    assert "\\u202e" in shown.stdout


def test_a_terminal_gets_colours_and_no_other_command(evil: Project, folder: Path) -> None:
    for arguments in (
        ["deployments", "diff", "a", "1.0", "1.1"],
        ["deployments", "list"],
        ["deployments", "show", EVIL],
    ):
        shown = on_a_terminal(arguments, folder, evil)

        assert shown
        assert not UNSAFE.search(re.sub(r"\x1b\[[0-9;]*m|\r\n", "", shown)), ascii(shown)


def on_a_terminal(arguments: list[str], folder: Path, project: Project) -> str:
    """Run a command on a terminal, and return everything that the terminal got."""
    ours, theirs = pty.openpty()
    settings = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": project.token, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=folder, env=clean_environment(**settings), stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        received = b""
        try:
            while piece := os.read(ours, 65_536):
                received += piece
        except OSError:  # Linux reports the end of a terminal as an error
            pass
        process.wait()
    os.close(ours)
    return received.decode()


def test_names_in_the_database_are_escaped(folder: Path) -> None:
    """Another program can write them there; Moorage accepts only printable names."""
    database = f"sqlite:///{folder}/moorage.db"
    with closing(open_store(database)) as store, store.write() as tx:
        tx.insert_project(EVIL)

    for command in (
        "projects list",
        "projects list -o json",
        "projects list -o yaml",
        "keys create y --project nowhere",
    ):
        result = moorage(*command.split(), folder=folder)

        assert not UNSAFE.search(result.stdout + result.stderr), ascii(result.stdout + result.stderr)
        assert "title" in result.stdout + result.stderr


def test_only_the_module_of_the_output_prints() -> None:
    folder = Path(cli.__file__).parent
    calls = [
        (path.name, ast.unparse(node.func))
        for path in folder.rglob("*.py")
        if path not in (folder / "output.py", folder / "table.py")  # its cells are escaped, see test_table
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]

    printing = [(file, name) for file, name in calls if name.rpartition(".")[2] in PRINTING and name != "echo"]
    assert printing == []
    assert ("main.py", "echo") in calls, "the positive control"
