"""`python -m moorage`: commands in their own process, which other tests do not start."""

import re
from pathlib import Path

import pytest

from tests.cli.files import a_document, run, write
from tests.support.program import moorage, moorage_process
from tests.support.server import Project

#: Repeatable command -> a part of its output.
COMMANDS = {
    "apply prompts": "unchanged",
    "diff other": "1 to update",
    "drift prompts": "",
    "export out": "unchanged",
    "lock": "deployments.lock.json",
    "lock --check": "deployments.lock.json",
    "schema": "Moorage deployment file",
    "deployments list": "greeting",
    "deployments show greeting -o json": '"key": "greeting"',
    "deployments get-config greeting -o yaml": "model: openai/my-gpt",
    "deployments invoke greeting --mock Hello": "openai my-gpt, mock response",
    "deployments versions greeting": "1.1",
    "deployments diff greeting 1.0 1.1": "+prompt_config",
    "deployments history greeting": "created",
    "deployments explain greeting": "default",
    "deployments publish greeting 1.1": "greeting: 1.1 is live in production.",
    "deployments show nowhere": "'nowhere' not found",
    "environments list": "production",
    "proposals list": "There are no such proposals.",
    "keys list": "test",
    "projects list": "default",
    "db backup --force backup.db": "backup.db",
    "db check": "ok",
    "db purge --yes": "purge",
    "doctor": "SQLite",
    "completion bash": "_MOORAGE_COMPLETE=bash_complete",
    "nonsense": "No such command 'nonsense'",
    "--version": "moorage",
}


#: The commands that `make test` starts.
SMOKE = {"apply prompts", "deployments show nowhere", "db check", "nonsense", "--version"}


@pytest.mark.parametrize(
    "command", [pytest.param(each, marks=() if each in SMOKE else pytest.mark.system) for each in COMMANDS]
)
def test_a_command_has_the_same_result_in_its_own_process(project: Project, folder: Path, command: str) -> None:
    settings = {"MOORAGE_DATABASE": project.server.database}
    write(folder / "other" / "a.yaml", a_document("greeting", "three"))
    for text in ("one", "two"):
        write(folder / "prompts" / "a.yaml", a_document("greeting", text))
        run(project, folder, "apply", "prompts")
    for earlier in ("export out", "lock"):
        run(project, folder, *earlier.split())

    own_process = moorage_process(*command.split(), folder=folder, project=project, settings=settings)
    test_process = moorage(*command.split(), folder=folder, project=project, settings=settings)

    assert COMMANDS[command] in own_process.stdout + own_process.stderr
    assert without_numbers(own_process.stdout) == without_numbers(test_process.stdout)
    assert without_numbers(own_process.stderr) == without_numbers(test_process.stderr)
    assert own_process.returncode == test_process.returncode


def without_numbers(text: str) -> str:
    """Normalize numbers and spaces, because times, sizes and widths differ."""
    return re.sub(r" +", " ", re.sub(r"\d+", "0", text))


@pytest.mark.parametrize(
    "arguments",
    [[], ["keys"], ["no-such-command"], ["diff"], ["diff", "--no-such-option", "x"], ["drift", "no-such-file"]],
    ids=" ".join,
)
def test_wrong_usage_is_an_error_and_not_a_difference(folder: Path, arguments: list[str]) -> None:
    result = moorage(*arguments, folder=folder)

    assert result.returncode == 1
    assert "Usage: moorage" in result.stderr


@pytest.mark.parametrize(
    "group", ["", "deployments", "environments", "proposals", "integrations", "keys", "projects", "db"]
)
def test_help_describes_each_command_without_cutting_it_off(folder: Path, group: str) -> None:
    shown = moorage(*group.split(), "--help", folder=folder, settings={"COLUMNS": "80"}).stdout

    assert [line for line in shown.partition("Commands:\n")[2].splitlines() if line.endswith("...")] == []
    assert "Commands:" in shown


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("aply", "x"), "apply"),
        (("deployments", "lst"), "list"),
        (("keys", "creat"), "create"),
        (("db", "chek"), "check"),
    ],
)
def test_an_unknown_command_names_a_similar_one(folder: Path, arguments: tuple[str, ...], meant: str) -> None:
    done = moorage(*arguments, folder=folder)

    assert done.returncode == 1
    assert done.stderr.endswith(f"Did you mean '{meant}'?\n")
