"""The guide: the commands of each page are run as a reader runs them, and what it shows is what came back.

In what a page shows, `…` stands for what is left out: alone on a line for lines, in a line or a JSON string for a part
of it, as a JSON value for that value, and at the end of a JSON array for what follows.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moorage.api.problems import status_of
from moorage.core.access import DEFAULT_SCOPES
from moorage.registry.api_keys import create_api_key
from moorage.store.opening import open_store
from tests.support.errors import all_errors
from tests.support.server import Server
from tests.support.shell import run_shell

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs/guide"

#: What a person does, in the order of work.
PAGES = (
    "create", "draft", "compare", "publish", "history", "undo", "delete-and-restore", "protect-programs", "use",
    "routing", "templates", "edit-together", "files", "api-keys", "keep-answering",
)  # fmt: skip

SECTIONS = CURL, CLI, SHOWN, WRONG = "With curl", "With the command line", "What comes back", "What can go wrong"

#: What is another at each run. A key's id is any 12 letters and digits, so a word of 12 letters is not compared either.
MASKS = {
    r"mrg_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}": "<token>",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "<id>",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d\.\d{3}Z)?": "<time>",
    r'"\d+-[0-9a-f]{16}"': "<etag>",
    r"\b[0-9a-f]{32,64}\b": "<hash>",
    r"(?<![0-9A-Za-z])[0-9A-Za-z]{12}(?![0-9A-Za-z])": "<key>",
    r"\b\d+ entries": "<count> entries",
}

CODES = {kind.code: kind for kind in all_errors()}


class Block(NamedTuple):
    """A block of code, or what one printed, and the heading that it stands under."""

    section: str
    language: str
    text: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all pages."""
    with Server(tmp_path_factory.mktemp("guide")) as running:
        yield running


def read(page: str) -> str:
    return (GUIDE / f"{page}.md").read_text()


def blocks(page: str) -> list[Block]:
    found, section = [], ""
    for heading, language, text in re.findall(r"^## (.+)$|^```(\w*)\n((?:.*\n)*?)```$", read(page), re.MULTILINE):
        section = heading or section
        if not heading:
            found.append(Block(section, language, text))
    return found


def commands(page: str) -> list[Block]:
    return [block for block in blocks(page) if block.language == "sh"]


def run_page(page: str, server: Server, folder: Path) -> list[Block]:
    """Run the commands of a page in one shell, with a project and an API key of its own; what each block printed."""
    with closing(open_store(server.database)) as store:
        _, token = create_api_key(store, server.new_project().id, "anna", DEFAULT_SCOPES)
    script, mark = "exec 2>&1\n", "=== next ==="
    for block in commands(page):
        # What can go wrong does: there, a command that is refused does not end it.
        script += f"set {'+' if block.section == WRONG else '-'}e\necho '{mark}'\n{block.text}"
    settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": token, "MOORAGE_DATABASE": server.database}
    printed = run_shell(script, folder, **settings).stdout.split(f"{mark}\n")[1:]
    assert len(printed) == len(commands(page)), f"it stopped after {printed[-1]}"
    return [block._replace(language="", text=text) for block, text in zip(commands(page), printed, strict=True)]


def masked(text: str) -> str:
    for pattern, name in MASKS.items():
        text = re.sub(pattern, name, text)
    # How wide a column is depends on what else stands in it.
    return "\n".join(re.sub(r"(?<=\S)  +", "  ", line).rstrip() for line in text.splitlines())


def json_values(text: str) -> list[Any]:
    """The JSON objects that a text has in it, in order."""
    found, start = [], text.find("{")
    while start >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, start)
            found.append(value)
        except ValueError:
            end = start + 1
        start = text.find("{", end)
    return found


def is_same(shown: Any, real: Any) -> bool:
    """Whether a page shows a JSON value as it is, with the fields in their order."""
    if shown == "…":
        return True
    if isinstance(shown, dict) and isinstance(real, dict):
        return list(shown) == list(real) and all(is_same(shown[name], real[name]) for name in shown)
    if isinstance(shown, list) and isinstance(real, list):
        if shown[-1:] == ["…"]:
            shown, real = shown[:-1], real[: len(shown) - 1]
        return len(shown) == len(real) and all(map(is_same, shown, real))
    if isinstance(shown, str) and isinstance(real, str):
        return re.fullmatch(_pattern(shown), masked(real)) is not None
    return type(shown) is type(real) and bool(shown == real)


def is_printed(shown: Block, printed: str) -> bool:
    if shown.language == "json":
        return any(is_same(json.loads(shown.text), value) for value in json_values(printed))
    parts = [_pattern(part.strip("\n")) for part in re.split(r"^…$", shown.text, flags=re.MULTILINE)]
    # An answer of curl does not end its line.
    return re.search(r"(?:^|\})" + r"\n(?:.*\n)*?".join(parts) + "$", masked(printed), re.MULTILINE) is not None


def _pattern(shown: str) -> str:
    return re.escape(masked(shown)).replace("…", ".*")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(page: str, server: Server, folder: Path) -> None:
    printed = run_page(page, server, folder)
    shown = [block for block in blocks(page) if block.language != "sh"]

    for section, sources in ((SHOWN, (CURL, CLI)), (WRONG, (WRONG,))):
        text = "\n".join(block.text for block in printed if block.section in sources)
        for block in shown:
            assert block.section != section or is_printed(block, text), f"{block.text}\nis not in\n{text}"
    for source in (CURL, CLI):
        text = "\n".join(block.text for block in printed if block.section == source)
        is_shown = any(is_printed(block, text) for block in shown if block.section == SHOWN)
        assert is_shown, f"of what comes back {source}, nothing is shown"
    refusals = [value["error"]["code"] for value in json_values(printed[-1].text) if "error" in value]
    assert refusals == re.findall(r"# (\w+)$", commands(page)[-1].text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_what_can_go_wrong_does_and_has_its_status(page: str) -> None:
    named = re.findall(r"^- `(\w+)` \((\d+)\): ", read(page).partition(f"## {WRONG}")[2], re.MULTILINE)
    refused = re.findall(r"# (\w+)$", commands(page)[-1].text, re.MULTILINE)

    assert 2 <= len(named) <= 4
    assert {code for code, _ in named} == set(refused)
    assert [(code, str(status_of(CODES[code]))) for code, _ in named] == named


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_the_same_things_in_the_same_order(page: str) -> None:
    assert tuple(re.findall(r"^## (.+)$", read(page), re.MULTILINE)) == SECTIONS
    assert max(map(len, read(page).splitlines())) <= 120


@pytest.mark.parametrize("page", PAGES)
def test_each_way_needs_nothing_but_itself(page: str) -> None:
    with_curl = "".join(block.text for block in commands(page) if block.section == CURL)
    with_cli = "".join(block.text for block in commands(page) if block.section == CLI)

    assert with_curl.count("curl ") == with_curl.count("curl -fsS ") > 0, "a refusal would not be noticed"
    assert "curl" not in with_cli
    assert "moorage " in with_cli
    # The first key of all is made on the database itself.
    assert "moorage " not in with_curl.replace("$(moorage keys create admin", "")


def test_there_is_a_page_for_each_thing_and_the_contents_name_it() -> None:
    linked = re.findall(r"\]\(([a-z-]+)\.md\)", (GUIDE / "README.md").read_text())

    assert linked == list(PAGES)
    assert sorted(page.stem for page in GUIDE.glob("*.md")) == sorted([*PAGES, "README"])
    assert "](docs/guide/README.md)" in (ROOT / "README.md").read_text().partition("## Where to read next")[2]


@pytest.mark.parametrize(
    ("language", "shown", "printed", "expected"),
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
def test_what_was_not_printed_is_noticed(language: str, shown: str, printed: str, expected: bool) -> None:
    assert is_printed(Block(SHOWN, language, shown), printed) == expected
