"""The guide: run the commands of each page in a shell, and compare the output with the output on the page.

On a page, `…` replaces omitted output: any number of lines if it is alone on a line, a part of a line or of a JSON
string, a JSON value, or the remaining items at the end of a JSON array.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moorage.api.errors import status_of
from moorage.core.access import DEFAULT_SCOPES
from moorage.store.opening import open_store
from tests.support.docs_provider import DocsProvider
from tests.support.errors import all_errors
from tests.support.registry import create_api_key
from tests.support.server import Server
from tests.support.shell import run_shell

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guide"

#: The tasks of a user, in the order of work.
PAGES = (
    "create", "draft", "diff", "publish", "history", "undo", "delete-and-restore", "breaking-changes",
    "get-config", "connect-a-provider", "call-a-deployment", "when-a-provider-fails", "cache-responses", "routing",
    "templates", "concurrent-edits", "files", "api-keys", "environments", "offline-client",
)  # fmt: skip

#: The pages without commands, and where their content is tested.
WITHOUT_COMMANDS = {
    "console": "tests/system/console", "providers": "tests/test_documentation.py",
    "responses": "tests/calls/test_openai_responses.py", "retired-models": "tests/test_documentation.py",
}  # fmt: skip

SECTIONS = CURL, CLI, OUTPUT, ERRORS = "With curl", "With the command line", "Output", "Errors"

#: Values that differ in each run. An API key id is any 12 letters and digits, so words of 12 letters are masked too.
MASKS = {
    r"mrg_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}": "<token>",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "<id>",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d\.\d{3}Z)?": "<time>",
    r'"\d+-[0-9a-f]{16}"': "<etag>",
    r"\b[0-9a-f]{32,64}\b": "<hash>",
    r"(?<![0-9A-Za-z])[0-9A-Za-z]{12}(?![0-9A-Za-z])": "<key>",
    r"\b\d+ entries": "<count> entries",
    r"^head +\d+:": "head <count>:",
}

CODES = {kind.code: kind for kind in all_errors()}


class Block(NamedTuple):
    """A code block of a page, or the output of one, with the heading above it."""

    section: str
    language: str
    text: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one server for all pages, and a provider that it calls."""
    folder = tmp_path_factory.mktemp("guide")
    with DocsProvider() as provider, Server(folder, prefix=provider.environment) as server:
        yield server


def read_page(page: str) -> str:
    return (GUIDE / f"{page}.md").read_text()


def blocks(page: str) -> list[Block]:
    """Return the code blocks of a page."""
    result, section = [], ""
    for heading, language, text in re.findall(r"^## (.+)$|^```(\w*)\n((?:.*\n)*?)```$", read_page(page), re.MULTILINE):
        section = heading or section
        if not heading:
            result.append(Block(section, language, text))
    return result


def commands(page: str) -> list[Block]:
    """Return the shell commands of a page."""
    return [block for block in blocks(page) if block.language == "sh"]


def error_codes(page: str) -> list[str]:
    """Return the error codes in the comments of the last commands, one for each rejected request."""
    return re.findall(r"# (\w+)$", commands(page)[-1].text, re.MULTILINE)


def run_page(page: str, server: Server, folder: Path) -> list[Block]:
    """Run the commands of a page in one shell, in a new project, and return the output of each block."""
    with closing(open_store(server.database)) as store:
        _, token = create_api_key(store, server.new_project().id, "anna", DEFAULT_SCOPES)
    script, separator = "exec 2>&1\n", "=== next ==="
    for block in commands(page):
        # The commands under "Errors" fail on purpose, so the shell must not exit there.
        script += f"set {'+' if block.section == ERRORS else '-'}e\necho '{separator}'\n{block.text}"
    settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": token, "MOORAGE_DATABASE": server.database}
    outputs = run_shell(script, folder, **settings).stdout.split(f"{separator}\n")[1:]
    assert len(outputs) == len(commands(page)), f"the shell exited after {outputs[-1]}"
    return [block._replace(language="", text=text) for block, text in zip(commands(page), outputs, strict=True)]


def mask(text: str) -> str:
    """Replace the values that differ in each run."""
    for pattern, name in MASKS.items():
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    # The width of a column depends on the masked values.
    return "\n".join(re.sub(r"(?<=\S)  +", "  ", line).rstrip() for line in text.splitlines())


def json_values(text: str) -> list[Any]:
    """Return the JSON objects in a text, in order."""
    values, start = [], text.find("{")
    while start >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, start)
            values.append(value)
        except ValueError:
            end = start + 1
        start = text.find("{", end)
    return values


def json_matches(expected: Any, actual: Any) -> bool:
    """Return whether a JSON value matches the value on the page, with its fields in the same order."""
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        return list(expected) == list(actual) and all(json_matches(expected[name], actual[name]) for name in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        if expected[-1:] == ["…"]:
            expected, actual = expected[:-1], actual[: len(expected) - 1]
        return len(expected) == len(actual) and all(map(json_matches, expected, actual))
    if isinstance(expected, str) and isinstance(actual, str):
        return re.fullmatch(_pattern(expected), mask(actual)) is not None
    return type(expected) is type(actual) and bool(expected == actual)


def output_contains(output: str, expected: Block) -> bool:
    """Return whether the output of commands contains a block of the page."""
    if expected.language == "json":
        return any(json_matches(json.loads(expected.text), value) for value in json_values(output))
    parts = [_pattern(part.strip("\n")) for part in re.split(r"^…$", expected.text, flags=re.MULTILINE)]
    # curl prints no line end after a response.
    return re.search(r"(?:^|\})" + r"\n(?:.*\n)*?".join(parts) + "$", mask(output), re.MULTILINE) is not None


def _pattern(expected: str) -> str:
    return re.escape(mask(expected)).replace("…", ".*")


@pytest.mark.parametrize("page", PAGES)
def test_the_output_on_a_page_is_the_output_of_its_commands(page: str, server: Server, folder: Path) -> None:
    outputs = run_page(page, server, folder)
    expected = [block for block in blocks(page) if block.language != "sh"]

    for section, sources in ((OUTPUT, (CURL, CLI)), (ERRORS, (ERRORS,))):
        text = "\n".join(output.text for output in outputs if output.section in sources)
        for block in expected:
            assert block.section != section or output_contains(text, block), f"{block.text}\nis not in\n{text}"
    for source in (CURL, CLI):
        text = "\n".join(output.text for output in outputs if output.section == source)
        is_shown = any(output_contains(text, block) for block in expected if block.section == OUTPUT)
        assert is_shown, f"the page shows no output of the section {source!r}"
    rejected = [value["error"]["code"] for value in json_values(outputs[-1].text) if "error" in value]
    assert rejected == error_codes(page)


@pytest.mark.parametrize("page", PAGES)
def test_each_error_on_a_page_is_triggered_and_has_the_status_of_its_class(page: str) -> None:
    listed = re.findall(r"^- `(\w+)` \((\d+)\): ", read_page(page).partition(f"## {ERRORS}")[2], re.MULTILINE)

    assert 2 <= len(listed) <= 4
    assert {code for code, _ in listed} == set(error_codes(page))
    assert [(code, str(status_of(CODES[code]))) for code, _ in listed] == listed


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_the_same_sections(page: str) -> None:
    assert tuple(re.findall(r"^## (.+)$", read_page(page), re.MULTILINE)) == SECTIONS


@pytest.mark.parametrize("page", PAGES)
def test_curl_and_command_line_sections_are_independent(page: str) -> None:
    with_curl = "".join(block.text for block in commands(page) if block.section == CURL)
    with_cli = "".join(block.text for block in commands(page) if block.section == CLI)

    assert with_curl.count("curl ") == with_curl.count("curl -fsS ") > 0, "curl must fail if a request is rejected"
    assert "curl" not in with_cli
    assert "moorage " in with_cli
    # Only the command line can create the first API key.
    assert "moorage " not in with_curl.replace("$(moorage keys create admin", "")


def test_the_table_of_contents_links_every_page_in_order() -> None:
    linked = re.findall(r"\]\(([a-z-]+)\.md\)", (GUIDE / "README.md").read_text())

    assert [page for page in linked if page not in WITHOUT_COMMANDS] == list(PAGES)
    assert all((ROOT / test).exists() for test in WITHOUT_COMMANDS.values())
    assert sorted(page.stem for page in GUIDE.glob("*.md")) == sorted([*linked, "README"])
    assert "](docs/guide/README.md)" in (ROOT / "README.md").read_text().partition("## Where to read next")[2]


@pytest.mark.parametrize(
    ("language", "expected", "output", "is_contained"),
    [
        ("json", '{"a": 1}', 'x{"a":1}{"b":2}', True),
        ("json", '{"a": 1}', '{"a":2}', False),
        ("json", '{"a": 1}', '{"a":1,"b":2}', False),
        ("json", '{"a": "…", "b": ["x", "…"]}', '{"a":{"c":1},"b":["x","y"]}', True),
        ("json", '{"b": ["x", "…"]}', '{"b":["y"]}', False),
        ("json", '{"at": "2026-11-22T17:34:19.030Z"}', '{"at":"2027-01-01T00:00:00.000Z"}', True),
        ("json", '{"at": "2026-11-22T17:34:19.030Z"}', '{"at":"yesterday"}', False),
        ("", "a  b\nc\n", '{"x":1}a  b  \nc\n', True),
        ("", "a  b\nc\n", "a b\nc\n", False),
        ("", "a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("", "a\n…\nd\n", "a\nb\nc\n", False),
        ("", "b\n", "a b\n", False),
        ("", "there are … of it\n", "there are many of it\n", True),
    ],
)
def test_output_contains_only_a_printed_block(language: str, expected: str, output: str, is_contained: bool) -> None:
    assert output_contains(output, Block(OUTPUT, language, expected)) == is_contained
