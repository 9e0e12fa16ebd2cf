"""Older majors of the official SDK, which send `limit=10.0` and know fewer values, read the same pages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import names
from tests.contract.full_items import FULL_TOOL, MINIMAL_BODY, full_bodies
from tests.contract.older_sdk import UNKNOWN, OlderSdk
from tests.support.server import Project, Server, a_body

PROGRAM = Path(__file__).with_name("list_with_sdk.py")

Ask = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module", params=UNKNOWN)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ask(version: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask that version of the SDK what it makes of a token."""
    with OlderSdk(version, PROGRAM, server.url, tmp_path_factory.mktemp("sdk")) as sdk:
        yield sdk.ask


def keys(page: dict[str, Any]) -> list[str]:
    return [item["key"] for item in page["data"]]


def test_an_older_sdk_reads_the_default_page_that_it_asks_for_with_a_float(ask: Ask, full_project: Project) -> None:
    """Cases 1 and 2."""
    found = ask(full_project.token)

    assert keys(found["default"]) == names(60, 51)
    assert found["default"]["has_more"] is True
    assert found["async"] == found["default"]


def test_an_older_sdk_walks_through_all_sixty_once_in_order(ask: Ask, full_project: Project) -> None:
    """Case 6."""
    pages = ask(full_project.token)["walk"]

    assert [key for page in pages for key in keys(page)] == names(60, 1)
    assert [page["has_more"] for page in pages] == [True] * 8 + [False]


def test_an_older_sdk_reads_an_empty_project(ask: Ask, project: Project) -> None:
    """Case 21."""
    empty = {"object": "list", "data": [], "has_more": False}

    assert ask(project.token) == {"default": empty, "walk": [empty], "async": empty}


def test_an_older_sdk_reads_a_minimal_item_as_it_is(ask: Ask, project: Project) -> None:
    """Case 19."""
    project.put("minimal", MINIMAL_BODY)

    assert ask(project.token)["default"] == project.page().json


def test_an_older_sdk_reads_items_with_every_field(version: str, ask: Ask, project: Project) -> None:
    """Case 18: the fields that it does not know are lost on it, no other, and harm nothing."""
    for key, body in full_bodies():
        project.put(key, body)
    sent = {item["key"]: item for page in project.walk(50) for item in page.json["data"]}

    understood = {item["key"]: item for page in ask(project.token)["walk"] for item in page["data"]}

    assert list(understood) == list(sent)
    assert lost(sent, understood) == UNKNOWN[version]


def lost(sent: Any, understood: Any) -> set[str]:
    """The names of the fields that were not understood; everything else must be what was sent."""
    if isinstance(sent, dict):
        assert set(understood) <= set(sent)
        missing = {key for key in sent if key not in understood}
        return missing.union(*(lost(sent[key], child) for key, child in understood.items()))
    if isinstance(sent, list):
        return set().union(*(lost(*pair) for pair in zip(sent, understood, strict=True)))
    assert understood == sent
    return set()


def test_an_older_sdk_reads_a_page_with_a_tool_that_was_put_in_an_awkward_spelling(ask: Ask, project: Project) -> None:
    """Case 20."""
    function = {"name": "find_order", "strict": None, "parameters": {"type": "object", "additionalProperties": True}}
    awkward = {"type": "function", "id": "01JJ1HDHN79XAS7A01WB3HYSDB", "function": function}
    project.put("usual", a_body(tools=[FULL_TOOL]))
    project.put("awkward", a_body(tools=[awkward]))

    assert keys(ask(project.token)["default"]) == ["awkward", "usual"]


def test_an_older_sdk_turns_a_bad_key_into_its_own_error(ask: Ask) -> None:
    """Case 16."""
    found = ask("nope")

    assert (found["error"], found["status"]) == ("APIError", 401)
    assert json.loads(found["body"])["error"]["code"] == "invalid_api_key"
