"""The docs are held against the code, and their commands are run as a reader runs them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from moorage import __version__
from moorage.api.routes import OPERATIONS
from moorage.settings import SETTINGS
from tests.support.program import moorage
from tests.support.server import Project, Server, clean_environment
from tests.support.shell import run_shell

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_every_setting_is_a_row_of_the_table_word_for_word() -> None:
    rows = re.findall(
        r"^\| `(MOORAGE_\w+)` \| (?:`(.*?)`)? ?\| (.*) \|$", (ROOT / "docs/operations.md").read_text(), re.M
    )

    assert rows == [(row.variable, row.default or "", row.help) for row in SETTINGS.values()]


def test_every_metric_in_the_docs_is_there(project: Project) -> None:
    project.page()
    text = project.request("GET", "/metrics").body.decode()
    named = re.findall(r"^\| `(moorage_\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)

    assert named
    assert all(f"# TYPE {name}" in text for name in named)
    assert {name for name in re.findall(r"# TYPE (moorage_\w+)", text) if not name.endswith("_created")} == set(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_command_of_the_docs_is_one_the_program_has(folder: Path) -> None:
    text = "".join(block for page in ("README.md", "docs/command-line.md") for block in blocks(page, "sh"))
    alone, groups = (
        "serve|apply|export|pull|diff|drift|purge|completion|copy|backup|restore|check|doctor",
        "deployments|keys|projects|audit",
    )
    commands = set(re.findall(rf"moorage ((?:{alone})\b|(?:{groups}) [\w-]+)", text))

    assert len(commands) >= 7
    for command in commands:
        assert moorage(*command.split(), "--help", folder=folder).returncode == 0


def test_the_key_commands_of_the_docs_run_as_they_stand(folder: Path) -> None:
    script = next(block for block in blocks("docs/command-line.md", "sh") if "keys create ci" in block)

    result = run_shell(script, folder)

    assert result.returncode == 0, result.stderr
    assert result.stdout.count("mrg_") == 2


def test_the_quick_start_runs_as_it_stands(folder: Path) -> None:
    """README's commands, but for the installation: CI does that before it runs the tests."""
    with Server(folder, "--load", str(ROOT / "examples")) as server:
        token = next(word for word in server.greeting().split() if word.startswith("mrg_"))
        curl, sdk = blocks("README.md", "sh")[1], blocks("README.md", "python")[0]
        settings = {"MOORAGE_URL": server.url, "OLD_KEY": token}

        listed = run_shell(here(curl, server).replace("mrg_…", token), folder, **settings)
        with_sdk = subprocess.run(
            [sys.executable, "-c", here(sdk, server)],
            env=clean_environment(MOORAGE_API_KEY=token), capture_output=True, text=True, check=False,
        )  # fmt: skip
        bring = here(blocks("README.md", "sh")[2], server).replace("https://OLD_HOST", server.url)
        brought = run_shell(bring, ROOT, MOORAGE_API_KEY=token, **settings)

    assert json.loads(listed.stdout)["data"][0]["key"] == "support_answers"
    assert with_sdk.stdout.splitlines()[0] == "support_answers 1.0 openai/gpt-4o", with_sdk.stderr
    assert brought.returncode == 0, brought.stderr
    assert brought.stdout.count("unchanged") == 2


def test_what_the_server_prints_to_try_works(folder: Path) -> None:
    with Server(folder, "--load", str(ROOT / "examples")) as server:
        greeting = server.greeting()
        curl = next(line.strip() for line in greeting.splitlines() if line.strip().startswith("curl"))
        sdk = "\n".join(line[4:] for line in greeting.splitlines() if line.startswith("    "))
        sdk = sdk[sdk.index("from orq_ai_sdk") :]

        listed = run_shell(curl, folder)
        with_sdk = subprocess.run([sys.executable, "-c", sdk], capture_output=True, text=True, check=False)

    assert len(json.loads(listed.stdout)["data"]) == 10
    assert len(with_sdk.stdout.splitlines()) == 10, with_sdk.stderr


def test_a_second_start_shows_no_token_and_what_to_do(folder: Path) -> None:
    with Server(folder) as server:
        assert "mrg_" in server.greeting()
    (folder / "output").unlink()
    with Server(folder) as server:
        greeting = server.greeting()

    assert "mrg_" not in greeting
    assert "moorage keys create" in greeting


def test_the_readme_shows_both_commands_and_the_changelog_has_the_version() -> None:
    assert "make serve" in (ROOT / "README.md").read_text()
    assert "make test" in (ROOT / "CONTRIBUTING.md").read_text()
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_no_route_is_missing_from_the_api_page() -> None:
    text = (ROOT / "docs/api.md").read_text() + (ROOT / "docs/operations.md").read_text()

    for operation in OPERATIONS:
        path = operation.path.replace("{key_or_id}", "{key" if operation.method == "PUT" else "{keyOrID}")
        path = path.replace("{version_or_id}", "{versionOrID}")
        assert path in text


def here(text: str, server: Server) -> str:
    return text.replace("http://127.0.0.1:8700", server.url)
