"""The wheel: `pip install moorage` is the client library, and `moorage[server]` the server and the command line."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from moorage import __version__
from moorage.__main__ import PACKAGES
from tests.support.server import Project, clean_environment

ROOT = Path(__file__).parents[1]

#: The packages of the project that the client library may use.
CLIENT = {"client", "providers", "rendering", "files", "settings", "clock", "core"}

BUILD = "from flit_core import buildapi; import sys; print(buildapi.build_wheel(sys.argv[1]))"


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found[0].lower().replace("_", "-")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / built.stdout.strip()


@pytest.fixture(scope="module")
def requirements(wheel: Path) -> dict[str, set[str]]:
    """Return the names of the packages that the wheel requires, by the extra; `` for none."""
    with zipfile.ZipFile(wheel) as opened:
        metadata = Parser().parsestr(opened.read(f"moorage-{__version__}.dist-info/METADATA").decode())
    found: dict[str, set[str]] = {}
    for requirement in metadata.get_all("Requires-Dist", []):
        extra = re.search(r"extra == [\"'](.*?)[\"']", requirement)
        found.setdefault(extra[1] if extra else "", set()).add(name_of(requirement))
    return found


@pytest.fixture(scope="module")
def light(wheel: Path) -> Path:
    """Return a folder with the wheel and the packages that it requires without an extra, and with nothing else."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    for name in ("msgspec", "urllib3"):
        found = find_spec(name)
        assert found is not None
        assert found.origin is not None
        (folder / name).symlink_to(Path(found.origin).parent)
    return folder


def run_light(light: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages in a folder alone."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-S", *arguments],
        env=clean_environment(PYTHONPATH=str(light), **settings), cwd=light.parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_the_client_library_is_what_installs_without_an_extra(requirements: dict[str, set[str]]) -> None:
    assert requirements[""] == {"msgspec", "urllib3"}
    assert {"granian", "starlette", "uvloop", "click", "rich", "apsw"} <= requirements["server"]
    assert {"moorage", "psycopg"} <= requirements["postgres"], "PostgreSQL is for the server"
    assert not requirements[""] & requirements["server"]


def test_the_program_checks_all_packages_of_the_extra(requirements: dict[str, set[str]]) -> None:
    distributions = packages_distributions()

    assert {name_of(name) for package in PACKAGES for name in distributions[package]} == requirements["server"]


def test_the_locks_have_all_packages(requirements: dict[str, set[str]]) -> None:
    for lock in ("serve", "postgres", "jinja", "test"):
        text = (ROOT / f"requirements/{lock}.txt").read_text()

        assert requirements[""] | requirements["server"] <= set(map(name_of, re.findall(r"^[\w.-]+(?===)", text, re.M)))


def test_the_program_without_the_extra_prints_one_line(light: Path) -> None:
    for arguments in ((), ("serve",), ("deployments", "list"), ("--help",)):
        result = run_light(light, "-m", "moorage", *arguments)

        assert (result.returncode, result.stdout) == (1, "")
        assert re.fullmatch(r"The server .* \(aiohttp, .*\)\. Run: pip install 'moorage\[server\]'\n", result.stderr)


def test_the_console_script_is_that_program() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert scripts == {"moorage": "moorage.__main__:main"}


def modules_after(light: Path, statement: str) -> Sequence[str]:
    result = run_light(light, "-c", f"import sys; {statement}; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_the_client_imports_no_module_of_the_server(light: Path) -> None:
    modules = modules_after(light, "import moorage.client")

    packages = {name.split(".")[1] for name in modules if name.startswith("moorage.")}
    assert packages <= CLIENT
    assert {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) <= {
        "moorage", "msgspec", "urllib3", "__main__", "__mp_main__"
    }  # fmt: skip


CALL = """
import os
from moorage.client import Moorage

with Moorage(os.environ["MOORAGE_URL"], os.environ["MOORAGE_API_KEY"]) as moorage:
    print(moorage.get_config("a", {"customer": "Ada"}).messages[0]["content"])
"""


def test_the_client_works_with_its_own_packages_alone(light: Path, project: Project) -> None:
    message = {"role": "user", "content": "Hello {{customer}}"}
    project.put("a", {"prompt_config": {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai",
                                        "messages": [message], "tools": [], "model_parameters": {}}})  # fmt: skip

    result = run_light(light, "-c", CALL, MOORAGE_URL=project.server.url, MOORAGE_API_KEY=project.token)

    assert (result.returncode, result.stdout) == (0, "Hello Ada\n"), result.stderr
