"""`moorage completion`, and what a shell then asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import moorage
from tests.support.server import Project, clean_environment
from tests.support.threads import HANG_SECONDS

#: The program as it is installed: a shell knows nothing else.
MOORAGE = Path(sys.executable).with_name("moorage")


@pytest.fixture
def keyed(project: Project) -> Project:
    """A project with more keys than a page has, some of which begin with `support`."""
    project.fill(51)
    for key in ("support_answers", "support-bot", "Support", "unsupported"):
        project.put(key)
    return project


def completed(*words: str, folder: Path, settings: dict[str, str]) -> list[str]:
    """What the shell is given to complete the last of these words; nothing else may be printed."""
    asked = {"COMP_WORDS": " ".join(["moorage", *words]), "COMP_CWORD": str(len(words))}
    result = subprocess.run(
        [MOORAGE],
        cwd=folder, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        env=clean_environment(_MOORAGE_COMPLETE="bash_complete", PYTHONWARNINGS="error", **asked, **settings),
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    return sorted(line.removeprefix("plain,") for line in result.stdout.splitlines() if line)


def settings_of(project: Project) -> dict[str, str]:
    return {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": project.token}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed_and_needs_no_server(folder: Path, shell: str) -> None:
    result = moorage("completion", shell, folder=folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert f"_MOORAGE_COMPLETE={shell}_complete" in result.stdout
    assert "moorage" in result.stdout


def test_another_shell_is_told_which_there_are(folder: Path) -> None:
    result = moorage("completion", "tcsh", folder=folder)

    assert result.returncode == 2
    assert all(shell in result.stderr for shell in ("bash", "zsh", "fish"))


def test_bash_reads_its_script(folder: Path) -> None:
    script = moorage("completion", "bash", folder=folder).stdout

    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    broken = subprocess.run(
        ["bash", "-n"], input=script.replace("}", "", 1), capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert broken.returncode != 0, "the positive control"


def test_bash_completes_a_key_as_the_page_says(keyed: Project, folder: Path) -> None:
    script = """
        eval "$(moorage completion bash)"
        complete -p moorage
        COMP_WORDS=(moorage deployments show supp) COMP_CWORD=3
        _moorage_completion moorage supp show
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = clean_environment(**settings_of(keyed))
    environment["PATH"] = f"{MOORAGE.parent}:{environment['PATH']}"

    result = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip

    assert result.stderr == ""
    assert result.stdout.splitlines()[0].startswith("complete ")
    assert sorted(result.stdout.splitlines()[1:]) == ["support-bot", "support_answers"]


def test_the_keys_that_begin_so_are_listed(keyed: Project, folder: Path) -> None:
    settings = settings_of(keyed)

    assert completed("deployments", "show", "supp", folder=folder, settings=settings) == [
        "support-bot",
        "support_answers",
    ]
    assert completed("deployments", "publish", "none", folder=folder, settings=settings) == []
    assert len(completed("deployments", "history", "", folder=folder, settings=settings)) == 55


def test_commands_and_options_are_completed_too(folder: Path) -> None:
    assert completed("d", folder=folder, settings={}) == ["db", "deployments", "diff", "doctor", "drift"]
    assert completed("apply", "--pr", folder=folder, settings={}) == ["--prune"]


def test_the_address_on_the_line_is_heeded(keyed: Project, folder: Path) -> None:
    settings = settings_of(keyed) | {"MOORAGE_URL": "http://127.0.0.1:9"}
    words = ("deployments", "show", "--url", keyed.server.url, "supp")

    assert completed(*words, folder=folder, settings=settings) == ["support-bot", "support_answers"]


@pytest.mark.parametrize(
    "settings",
    [
        {"MOORAGE_API_KEY": ""},
        {"MOORAGE_API_KEY": "mrg_wrong"},
        {"MOORAGE_API_KEY_FILE": "missing"},
        {"MOORAGE_URL": "http://127.0.0.1:9"},
    ],
    ids=lambda settings: " ".join(f"{name[8:].lower()}={value}" for name, value in settings.items()),
)
def test_without_a_server_or_a_key_nothing_is_printed(keyed: Project, folder: Path, settings: dict[str, str]) -> None:
    """Where it is listed otherwise (`test_the_keys_that_begin_so_are_listed`)."""
    assert completed("deployments", "show", "supp", folder=folder, settings=settings_of(keyed) | settings) == []


def test_a_server_that_is_no_moorage_completes_nothing_and_is_told_in_a_line(folder: Path) -> None:
    (folder / "v2").mkdir()
    (folder / "v2" / "deployments").write_text("<html>Welcome</html>")
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as web:  # fmt: skip
        assert web.stdout is not None
        port = web.stdout.readline().split()[5]
        settings = {"MOORAGE_URL": f"http://127.0.0.1:{port}", "MOORAGE_API_KEY": "mrg_any"}
        try:
            found = completed("deployments", "show", "supp", folder=folder, settings=settings)
            told = moorage("deployments", "list", folder=folder, settings=settings)
        finally:
            web.terminate()

    assert found == []
    assert told.returncode == 1
    assert "Check MOORAGE_URL" in told.stderr
