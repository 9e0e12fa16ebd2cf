"""The docs agree with the code, and their commands run as written."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import click
import pytest

from moorage import __version__
from moorage.api.errors import status_of
from moorage.api.routes import OPERATIONS
from moorage.cli.main import main
from moorage.core.deployments.model_rules import AS_OF as RULES_AS_OF
from moorage.core.deployments.model_rules import RULES
from moorage.core.deployments.retired_models import AS_OF, RETIREMENTS
from moorage.core.errors.integrations import NoIntegration, OtherProvider
from moorage.core.errors.requests import InvalidBody
from moorage.core.integrations import IntegrationProvider, PutIntegration
from moorage.gateway.egress import EgressForbidden
from moorage.gateway.errors import CallFailed, UnsupportedModelTypeForCall
from moorage.providers.connection import LIMITS, read_connection
from moorage.providers.errors import NotSupportedByProvider
from moorage.providers.media.table import MEDIA
from moorage.providers.table import PROVIDERS, ProviderRow
from moorage.settings import SETTINGS
from tests.support.docs_provider import TEXT, DocsProvider
from tests.support.server import Project, Server, TerminalServer, clean_environment
from tests.support.shell import run_shell
from tests.support.stores import create_database

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "requirements").glob("*.md")])

CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]

#: Package -> its layers, from the top: {"moorage.core": [["compatibility"], …]}.
LAYERS = {
    container: [layer.split(" | ") for layer in contract["layers"]]
    for contract in CONTRACTS
    if contract["type"] == "layers"
    for container in contract["containers"]
}


ROWS = tuple(PROVIDERS.values())


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def with_url_of(server: Server, text: str) -> str:
    """Replace the URL of the docs by that of a server."""
    return text.replace("http://127.0.0.1:8700", server.url)


# Pages


def test_the_settings_table_equals_the_settings() -> None:
    rows = re.findall(
        r"^\| `(MOORAGE_\w+)` \| (?:`(.*?)`)? ?\| (.*) \|$", (ROOT / "docs/operations.md").read_text(), re.M
    )

    assert rows == [(setting.variable, setting.default or "", setting.help) for setting in SETTINGS.values()]


def test_the_metrics_table_equals_the_metrics(project: Project) -> None:
    project.page()
    text = project.request("GET", "/metrics").body.decode()
    named = re.findall(r"^\| `(moorage_\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)

    assert named
    assert all(f"# TYPE {name}" in text for name in named)
    assert set(re.findall(r"# TYPE (moorage_\w+)", text)) == set(named)


@pytest.mark.parametrize("page", sorted((ROOT / "docs/guide").glob("*.md")), ids=lambda path: path.stem)
def test_no_line_of_the_guide_is_over_120_characters_except_in_tables(page: Path) -> None:
    assert [line for line in page.read_text().splitlines() if len(line) > 120 and not line.startswith("|")] == []


def test_the_tables_of_providers_equal_the_table_in_the_code() -> None:
    text = (ROOT / "docs/guide/connect-a-provider.md").read_text()
    named = (r"^\| `([\w-]+)` \| ([A-Z].*|fal) \| (.*) \|$", r"^\| `([\w-]+)` \| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|$")

    providers, variables = (re.findall(pattern, text, re.MULTILINE) for pattern in named)

    assert providers == [(row.id, row.name, listed(options_of(row))) for row in ROWS]
    assert variables == [(row.id, listed(names)) for row in ROWS if (names := variables_of(row))]


def test_the_table_of_model_types_equals_the_table_in_the_code() -> None:
    text = (ROOT / "docs/guide/providers.md").read_text()
    _, *types = re.findall(r"\w+", next(line for line in text.splitlines() if line.startswith("| provider |")))
    marks = dict(re.findall(r"^\| `([\w-]+)` \| ([● –|]+) \|$", text, re.MULTILINE))  # noqa: RUF001 -- as there

    found = {
        name: [kind for kind, mark in zip(types, row.split(" | "), strict=True) if mark == "●"]
        for name, row in marks.items()
    }

    assert found == {row.id: sorted(types_of(row), key=types.index) for row in ROWS}


def types_of(row: ProviderRow) -> list[str]:
    """Return the model types that Moorage calls at a provider."""
    return [*row.protocols, *MEDIA.get(row.id, {})]


def options_of(row: ProviderRow) -> list[str]:
    """Return the options of a provider; those that an integration requires have an asterisk."""
    try:
        read_connection(PutIntegration(provider=cast(IntegrationProvider, row.id)))
        required = set[str]()
    except InvalidBody as error:
        required = {problem.path.removeprefix("options.") for problem in error.problems}
    options = ("base_url", *row.options) if "base_url" in required else row.options
    return [f"`{name}`{'*' if name in required else ''}" for name in options]


def variables_of(row: ProviderRow) -> list[str]:
    return [f"`{name}`" for name in (*row.key_variables, *row.url_variables)]


def listed(values: Iterable[str]) -> str:
    return ", ".join(values) or "–"  # noqa: RUF001 -- as in the other tables


def test_the_table_of_retired_models_equals_the_table_in_the_code() -> None:
    page = (ROOT / "docs/guide/retired-models.md").read_text()
    row = r"^\| (\S+) \| `(\S+)` \| (?:(\S+) )?\| (\S+(?: \(tentative\))?) \| (?:`(\S+)` )?\| \[(.+)\]\((.+)\) \|$"

    assert f"The dates are those of {AS_OF}." in page
    assert re.findall(row, page, re.MULTILINE) == [
        (
            each.provider, each.model, str(each.announced or ""), each.day, each.replacement or "",
            each.source.title, each.source.url,
        )
        for each in RETIREMENTS
    ]  # fmt: skip


def test_the_table_of_the_rules_of_models_equals_the_table_in_the_code() -> None:
    section = (ROOT / "docs/providers.md").read_text().partition("### Rules of models\n")[2].partition("\n## ")[0]
    rows = [re.split(r" ?\| ?", line)[1:-1] for line in section.splitlines() if line.startswith("| ")]

    assert f"The rules are those of {RULES_AS_OF}." in section
    assert rows[1:] == [
        [
            ", ".join(rule.protocols), ", ".join(rule.providers or ("all",)), rule.models,
            ", ".join(f"`{name}`" for name in rule.rejects), rule.when if rule.rejects else "", rule.thinking or "",
            f"[{rule.source.title}]({rule.source.url})",
        ]
        for rule in RULES
    ]  # fmt: skip


def test_the_table_of_limits_equals_the_limits_of_integrations() -> None:
    pattern = r"^\| `(\w+)` \| ([\d.]+) \| .*, ([\d.]+) to ([\d.]+) \|$"

    rows = re.findall(pattern, (ROOT / "docs/guide/connect-a-provider.md").read_text(), re.MULTILINE)

    assert {name: tuple(map(float, (low, high, default))) for name, default, low, high in rows} == LIMITS


def test_the_errors_of_calls_in_the_guide_have_their_statuses() -> None:
    text = (ROOT / "docs/guide/when-a-provider-fails.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \| ", text.partition("### All errors")[2], re.MULTILINE))
    kinds: list[Any] = [
        *all_subclasses(CallFailed), NoIntegration, OtherProvider, EgressForbidden, NotSupportedByProvider,
        UnsupportedModelTypeForCall,
    ]  # fmt: skip

    assert rows == {kind.code: str(status_of(kind)) for kind in kinds}


def all_subclasses(kind: type[Any]) -> list[type[Any]]:
    return [found for child in kind.__subclasses__() for found in (child, *all_subclasses(child))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    for name in re.findall(r"`((?:src|tests|tools|deploy|examples|requirements)/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_the_index_of_decisions_lists_every_page_with_its_title() -> None:
    folder = ROOT / "docs/decisions"
    rows = re.findall(r"^\| \[(\d{4})\]\((.*)\) \| (.*) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    pages = sorted(page.name for page in folder.glob("[0-9]*.md"))

    assert [file for _, file, _ in rows] == pages
    for number, file, title in rows:
        assert file.startswith(f"{number}-")
        assert (folder / file).read_text().splitlines()[0] == f"# {number}: {title}"


def test_every_route_is_on_a_page() -> None:
    text = (ROOT / "docs/api.md").read_text() + (ROOT / "docs/operations.md").read_text()

    for operation in OPERATIONS:
        path = operation.path.replace("{key_or_id}", "{key}" if operation.method == "PUT" else "{keyOrID}")
        path = path.replace("{version_or_id}", "{versionOrID}")
        assert path in text


def test_readme_contributing_changelog_and_version_are_complete_for_a_release() -> None:
    assert "make serve" in (ROOT / "README.md").read_text()
    assert "make test" in (ROOT / "CONTRIBUTING.md").read_text()
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


# Packages


@pytest.mark.parametrize("container", LAYERS)
def test_the_package_tables_equal_the_import_layers(container: str) -> None:
    layers = LAYERS[container]
    prefix = container.removeprefix("moorage").removeprefix(".")
    name_of = rf"{re.escape(prefix)}\.\w+" if prefix else r"\w+"
    table = re.findall(rf"^\| `({name_of})` \| \S.* \| (.*) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)

    expected = []
    for layer, below in zip(layers, [*layers[1:], []], strict=True):
        may_import = f"{', '.join(f'`{name}`' for name in below)} and below" if below else "nothing"
        expected += [(f"{prefix}.{name}" if prefix else name, may_import) for name in layer]
    assert table == expected


@pytest.mark.parametrize("container", LAYERS)
def test_the_import_layers_contain_every_package(container: str) -> None:
    folder = ROOT / "src" / container.replace(".", "/")
    modules = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    packages = [path.parent.name for path in folder.glob("*/__init__.py")]

    assert sorted(name for layer in LAYERS[container] for name in layer) == sorted([*modules, *packages])


def test_every_make_target_of_contributing_exists() -> None:
    named = re.findall(r"`make ([\w-]+)", (ROOT / "CONTRIBUTING.md").read_text())
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert len(named) >= 7
    assert set(named) <= set(targets)


# Commands


def command_lines() -> Iterator[str]:
    """Yield the arguments of every `moorage …` command of the docs."""
    for page in ("README.md", "docs/command-line.md"):
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                yield from re.findall(r"\bmoorage ([^#|]+)", line)


def test_the_readme_installs_extras_that_exist() -> None:
    named = re.findall(r"'\.\[(\w+)\]'", (ROOT / "README.md").read_text())

    assert "server" in named
    assert set(named) <= set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def test_every_command_and_option_of_the_docs_exists() -> None:
    lines = list(command_lines())

    assert len(lines) >= 30
    for line in lines:
        words, command, context = line.split(), main, click.Context(main)
        found: click.Command | None = command
        while isinstance(found, click.Group):
            found = found.get_command(context, words.pop(0))
        assert found is not None, line
        options = {name for param in found.params for name in param.opts}
        assert {word for word in words if word.startswith("-") and word != "-"} <= options, line


def test_the_key_commands_of_the_docs_run_as_written(folder: Path) -> None:
    script = next(block for block in blocks("docs/command-line.md", "sh") if "keys create ci" in block)
    create_database(folder)

    result = run_shell(script, folder)

    assert result.returncode == 0, result.stderr
    assert result.stdout.count("mrg_") == 3


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_quick_start_fits_80_columns(language: str) -> None:
    assert max(len(line) for block in blocks("README.md", language) for line in block.splitlines()) <= 80


def run_python(script: str, server: Server, token: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", with_url_of(server, script)],
        env=clean_environment(MOORAGE_API_KEY=token), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_quick_start_runs_as_written(folder: Path) -> None:
    """The installation is not included, because CI runs it before the tests."""
    with Server(folder, "--load", str(ROOT / "examples")) as server:
        token = server.token()
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": token, "OLD_KEY": token}
        _, curl, call, import_ = (with_url_of(server, block) for block in blocks("README.md", "sh"))

        listed = run_shell(curl.replace("mrg_…", token), folder, **settings)
        with_sdk = run_python(blocks("README.md", "python")[0], server, token)
        called = run_shell(call, folder, **settings)
        imported = run_shell(import_.replace("https://OLD_HOST", server.url), ROOT, **settings)

    assert json.loads(listed.stdout)["data"][0]["key"] == "support_answers"
    assert with_sdk.stdout.splitlines()[0] == "support_answers 1.0 openai/gpt-6.1-terra", with_sdk.stderr
    streamed, _, printed = called.stdout.partition("data: [DONE]\n\n")
    assert '"content":"It"' in streamed, called.stderr
    assert printed == "It arrives tomorrow.\n", called.stderr
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.count("unchanged  failed") == 2


@pytest.mark.parametrize("has_mock", [True, False])
def test_the_calls_of_the_quick_start_run_as_written_and_without_the_mock(folder: Path, has_mock: bool) -> None:
    script = blocks("README.md", "python")[1]
    if not has_mock:
        script = script.replace('{"mock_response": "It arrives tomorrow."}', "{}")
    with (
        DocsProvider() as provider,
        Server(folder, "--load", str(ROOT / "examples"), prefix=provider.environment) as server,
    ):
        called = run_python(script, server, server.token())

    assert called.stdout.splitlines() == ["It arrives tomorrow." if has_mock else TEXT] * 3, called.stderr
    assert len(provider.requests) == (0 if has_mock else 3)
    for request in provider.requests:
        assert request["model"] == "gpt-6.1-terra"
        last = (request.get("messages") or request["input"])[-1]
        assert (last["role"], last["content"]) == ("user", "Where is my order?")


def test_the_commands_that_the_server_prints_work(folder: Path) -> None:
    with TerminalServer(folder, "--load", str(ROOT / "examples")) as server:
        greeting = server.greeting()
        commands = "\n".join(line[4:] for line in greeting.splitlines() if line.startswith("    "))
        export, curl, sdk = re.split(r"^(?=curl|import os)", commands, flags=re.MULTILINE)

        listed = run_shell(export + curl, folder)
        token = export.partition("=")[2].strip()
        with_sdk = subprocess.run(
            [sys.executable, "-c", sdk], env=clean_environment(MOORAGE_API_KEY=token), capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    assert len(json.loads(listed.stdout)["data"]) == 10
    assert len(with_sdk.stdout.splitlines()) == 10, with_sdk.stderr
    shown = greeting.replace(token, "").replace(server.database, "sqlite:///moorage.db")
    assert max(map(len, shown.splitlines())) <= 80


def test_the_command_for_another_key_that_the_server_prints_works(folder: Path) -> None:
    with Server(folder) as server:
        server.token()
    with TerminalServer(folder) as server:
        greeting = server.greeting()
        export = greeting[greeting.index("    export") : greeting.index("List the deployments")]

        created = run_shell(f"{export}\necho $MOORAGE_API_KEY", folder)

    assert created.stdout.startswith("mrg_"), created.stderr


def test_a_second_start_prints_how_to_create_a_key_and_no_token(folder: Path) -> None:
    with TerminalServer(folder) as server:
        assert "mrg_" in server.greeting()
    (folder / "output").unlink()
    with TerminalServer(folder) as server:
        greeting = server.greeting()

    assert "mrg_" not in greeting
    assert "moorage keys create" in greeting
