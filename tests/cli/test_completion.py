"""`moorage completion`, and the completions that a shell requests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.environments import put_environment
from tests.support.program import moorage
from tests.support.server import Project, clean_environment
from tests.support.threads import HANG_SECONDS

pytestmark = pytest.mark.system

#: The installed command, because a shell runs only that.
MOORAGE = Path(sys.executable).with_name("moorage")


@pytest.fixture
def project_with_keys(project: Project) -> Project:
    """Return a project with more than one page of keys; some begin with `support`."""
    project.fill(51)
    for key in ("support_answers", "support-bot", "Support", "unsupported"):
        project.put(key)
    return project


def completions(*words: str, folder: Path, settings: dict[str, str]) -> list[str]:
    """Return the completions of the last word, and assert that nothing else is printed."""
    request = {"COMP_WORDS": " ".join(["moorage", *words]), "COMP_CWORD": str(len(words))}
    result = subprocess.run(
        [MOORAGE],
        cwd=folder, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        env=clean_environment(_MOORAGE_COMPLETE="bash_complete", PYTHONWARNINGS="error", **request, **settings),
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    return sorted(line.removeprefix("plain,") for line in result.stdout.splitlines() if line)


def settings_of(project: Project) -> dict[str, str]:
    return {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": project.token}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed_without_a_server(folder: Path, shell: str) -> None:
    result = moorage("completion", shell, folder=folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert f"_MOORAGE_COMPLETE={shell}_complete" in result.stdout
    assert "moorage" in result.stdout


def test_an_unsupported_shell_is_rejected_with_the_supported_ones(folder: Path) -> None:
    result = moorage("completion", "tcsh", folder=folder)

    assert result.returncode == 1
    assert all(shell in result.stderr for shell in ("bash", "zsh", "fish"))


def test_bash_parses_its_script(folder: Path) -> None:
    script = moorage("completion", "bash", folder=folder).stdout

    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    broken = subprocess.run(
        ["bash", "-n"], input=script.replace("}", "", 1), capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert broken.returncode != 0, "positive control: bash detects a syntax error"


def test_bash_completes_keys_after_the_documented_setup(project_with_keys: Project, folder: Path) -> None:
    script = """
        eval "$(moorage completion bash)"
        complete -p moorage
        COMP_WORDS=(moorage deployments show supp) COMP_CWORD=3
        _moorage_completion moorage supp show
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = clean_environment(**settings_of(project_with_keys))
    environment["PATH"] = f"{MOORAGE.parent}:{environment['PATH']}"

    result = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip

    assert result.stderr == ""
    assert result.stdout.splitlines()[0].startswith("complete ")
    assert sorted(result.stdout.splitlines()[1:]) == ["support-bot", "support_answers"]


def test_keys_with_the_typed_prefix_are_listed(project_with_keys: Project, folder: Path) -> None:
    settings = settings_of(project_with_keys)

    assert completions("deployments", "show", "supp", folder=folder, settings=settings) == [
        "support-bot",
        "support_answers",
    ]
    assert completions("deployments", "publish", "none", folder=folder, settings=settings) == []
    assert len(completions("deployments", "history", "", folder=folder, settings=settings)) == 55


def test_commands_and_options_are_completed(folder: Path) -> None:
    assert completions("d", folder=folder, settings={}) == ["db", "deployments", "diff", "doctor", "drift"]
    assert completions("apply", "--pr", folder=folder, settings={}) == ["--prune"]


def test_the_names_of_environments_are_completed(project: Project, folder: Path) -> None:
    put_environment(project, "staging")

    for words in (
        ("deployments", "list", "--environment", "st"), ("environments", "set", "st"), ("apply", "--environment", "st"),
        ("deployments", "promote", "--from", "st"), ("environments", "diff", "production", "st"),
    ):  # fmt: skip
        assert completions(*words, folder=folder, settings=settings_of(project)) == ["staging"], words


def test_the_url_option_overrides_the_environment(project_with_keys: Project, folder: Path) -> None:
    settings = settings_of(project_with_keys) | {"MOORAGE_URL": "http://127.0.0.1:9"}
    words = ("deployments", "show", "--url", project_with_keys.server.url, "supp")

    assert completions(*words, folder=folder, settings=settings) == ["support-bot", "support_answers"]


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
def test_nothing_is_printed_without_a_server_or_a_valid_key(
    project_with_keys: Project, folder: Path, settings: dict[str, str]
) -> None:
    """The positive control is `test_keys_with_the_typed_prefix_are_listed`."""
    assert (
        completions("deployments", "show", "supp", folder=folder, settings=settings_of(project_with_keys) | settings)
        == []
    )


def test_another_http_server_yields_no_completions_and_a_clear_error(folder: Path) -> None:
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
            found = completions("deployments", "show", "supp", folder=folder, settings=settings)
            listed = moorage("deployments", "list", folder=folder, settings=settings)
        finally:
            web.terminate()

    assert found == []
    assert listed.returncode == 1
    assert "Check MOORAGE_URL" in listed.stderr
