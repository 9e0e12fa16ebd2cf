"""The real program: every command in a process, with the result that it has in the process of the other tests."""

import re
from pathlib import Path

import pytest

from tests.cli.files import a_document, done, write
from tests.support.program import moorage, moorage_process
from tests.support.server import Project

#: Commands that can be repeated, and a part of their output.
COMMANDS = {
    "apply prompts": "unchanged",
    "diff other": "1 to update",
    "drift prompts": "",
    "export out": "unchanged",
    "lock": "deployments.lock.json",
    "lock --check": "deployments.lock.json",
    "deployments list": "greeting",
    "deployments show greeting -o json": '"key": "greeting"',
    "deployments get-config greeting -o yaml": "model: openai/gpt-4o",
    "deployments versions greeting": "1.1",
    "deployments diff greeting 1.0 1.1": "+prompt_config",
    "deployments history greeting": "created",
    "deployments explain greeting": "default",
    "deployments publish greeting 1.1": "greeting: 1.1 is live.",
    "deployments show nowhere": "'nowhere' not found",
    "keys list": "test",
    "projects list": "default",
    "db backup --force kept.db": "kept.db",
    "db check": "ok",
    "db purge --yes": "purge",
    "doctor": "SQLite",
    "completion bash": "_MOORAGE_COMPLETE=bash_complete",
    "nonsense": "No such command 'nonsense'",
    "--version": "moorage",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_same_result_in_a_process_of_its_own(project: Project, folder: Path, command: str) -> None:
    settings = {"MOORAGE_DATABASE": project.server.database}
    write(folder / "other" / "a.yaml", a_document("greeting", "three"))
    for text in ("one", "two"):
        write(folder / "prompts" / "a.yaml", a_document("greeting", text))
        done(project, folder, "apply", "prompts")
    for repeated in ("export out", "lock"):
        done(project, folder, *repeated.split())

    real = moorage_process(*command.split(), folder=folder, project=project, settings=settings)
    same = moorage(*command.split(), folder=folder, project=project, settings=settings)

    assert COMMANDS[command] in real.stdout + real.stderr
    assert without_numbers(real.stdout) == without_numbers(same.stdout)
    assert without_numbers(real.stderr) == without_numbers(same.stderr)
    assert real.returncode == same.returncode


def without_numbers(text: str) -> str:
    """Return a text without what differs from one moment to the next: times, sizes and the columns they need."""
    return re.sub(r" +", " ", re.sub(r"\d+", "0", text))
