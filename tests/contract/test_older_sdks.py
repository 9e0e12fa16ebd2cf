"""Older major versions of the official SDK, which send `limit=10.0` and support fewer values, parse the same pages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import names
from tests.contract.full_items import FULL_TOOL, MINIMAL_BODY, PROVIDER_VALUES, full_bodies
from tests.contract.older_sdk import UNSUPPORTED_FIELDS, OlderSdk
from tests.support.server import Project, Server, a_body

pytestmark = pytest.mark.system

PROGRAM = Path(__file__).with_name("list_with_sdk.py")

ListWithSdk = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module", params=UNSUPPORTED_FIELDS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def list_with_sdk(version: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ListWithSdk]:
    """Return a function that lists the deployments of a token with this version of the SDK."""
    with OlderSdk(version, PROGRAM, server.url, tmp_path_factory.mktemp("sdk")) as sdk:
        yield sdk.run


def keys(page: dict[str, Any]) -> list[str]:
    return [item["key"] for item in page["data"]]


def test_an_older_sdk_parses_the_default_page_that_it_requests_with_a_float_limit(
    list_with_sdk: ListWithSdk, full_project: Project
) -> None:
    """Cases 1 and 2."""
    result = list_with_sdk(full_project.token)

    assert keys(result["default"]) == names(60, 51)
    assert result["default"]["has_more"] is True
    assert result["async"] == result["default"]


def test_an_older_sdk_lists_all_60_deployments_once_in_order(list_with_sdk: ListWithSdk, full_project: Project) -> None:
    """Case 6."""
    pages = list_with_sdk(full_project.token)["walk"]

    assert [key for page in pages for key in keys(page)] == names(60, 1)
    assert [page["has_more"] for page in pages] == [True] * 8 + [False]


def test_an_older_sdk_parses_the_page_of_an_empty_project(list_with_sdk: ListWithSdk, project: Project) -> None:
    """Case 21."""
    empty = {"object": "list", "data": [], "has_more": False}

    assert list_with_sdk(project.token) == {"default": empty, "walk": [empty], "async": empty}


def test_an_older_sdk_parses_a_minimal_item_without_changes(list_with_sdk: ListWithSdk, project: Project) -> None:
    """Case 19."""
    project.put("minimal", MINIMAL_BODY)

    assert list_with_sdk(project.token)["default"] == project.page().json


def test_an_older_sdk_parses_items_with_every_field(version: str, list_with_sdk: ListWithSdk, project: Project) -> None:
    """Case 18: it drops the fields that it does not support, and no other."""
    for key, body in full_bodies():
        project.put(key, body)
    sent = {item["key"]: item for page in project.walk(50) for item in page.json["data"]}

    parsed = {item["key"]: item for page in list_with_sdk(project.token)["walk"] for item in page["data"]}

    assert list(parsed) == list(sent)
    assert dropped_fields(sent, parsed) == UNSUPPORTED_FIELDS[version]


def test_an_older_sdk_drops_the_parameters_of_providers(list_with_sdk: ListWithSdk, project: Project) -> None:
    project.put("with", a_body(model_parameters={"temperature": 0.2, **PROVIDER_VALUES}))

    (item,) = list_with_sdk(project.token)["default"]["data"]

    assert item["prompt_config"]["model_parameters"] == {"temperature": 0.2}


def dropped_fields(sent: Any, parsed: Any) -> set[str]:
    """Return the names of the fields that were dropped; check that everything else is equal."""
    if isinstance(sent, dict):
        assert set(parsed) <= set(sent)
        missing = {key for key in sent if key not in parsed}
        return missing.union(*(dropped_fields(sent[key], child) for key, child in parsed.items()))
    if isinstance(sent, list):
        return set().union(*(dropped_fields(*pair) for pair in zip(sent, parsed, strict=True)))
    assert parsed == sent
    return set()


def test_an_older_sdk_parses_a_page_with_a_normalized_tool(list_with_sdk: ListWithSdk, project: Project) -> None:
    """Case 20."""
    function = {"name": "find_order", "strict": None, "parameters": {"type": "object", "additionalProperties": True}}
    normalized = {"type": "function", "id": "01JJ1HDHN79XAS7A01WB3HYSDB", "function": function}
    project.put("usual", a_body(tools=[FULL_TOOL]))
    project.put("normalized", a_body(tools=[normalized]))

    assert keys(list_with_sdk(project.token)["default"]) == ["normalized", "usual"]


def test_an_older_sdk_raises_its_own_error_for_an_invalid_api_key(list_with_sdk: ListWithSdk) -> None:
    """Case 16."""
    result = list_with_sdk("nope")

    assert (result["error"], result["status"]) == ("APIError", 401)
    assert json.loads(result["body"])["error"]["code"] == "invalid_api_key"
