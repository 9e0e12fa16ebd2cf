"""`GET /v2/deployments` with filters, which are additions to the contract."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.core.times import find_moment
from tests.support.server import Project, Response, a_body


def put(project: Project, key: str, description: str = "", **config: Any) -> dict[str, Any]:
    response = project.put(key, {**a_body(**config), "description": description})
    assert response.status in (200, 201), response.body
    item: dict[str, Any] = response.json
    return item


def error_of(response: Response) -> tuple[int, str, str]:
    return response.status, response.error["code"], response.error["param"]


@pytest.fixture
def fleet(project: Project) -> Project:
    """Return a project with five deployments, oldest first."""
    put(project, "support_bot", "Answers REFUNDS", provider="openai", model="openai/my-gpt")
    put(project, "Refund-mail", "Straße, naïve", provider="anthropic", model="claude")
    put(project, "pictures", "Draws", provider="openai", model="openai/dall-e", model_type="image")
    put(project, "notes", "100% of_it", provider="mistral", model="openai/my-gpt")
    put(project, "other", "", provider="openai", model="openai/my-gpt")
    return project


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({"search": "refund"}, ["Refund-mail", "support_bot"]),
        ({"search": "BOT"}, ["support_bot"]),
        ({"search": "STRASSE"}, ["Refund-mail"]),
        ({"search": "0% of_"}, ["notes"]),
        ({"search": "bot\nanswers"}, ["support_bot"]),
        ({"search": "nowhere"}, []),
        ({"provider": "openai"}, ["other", "pictures", "support_bot"]),
        ({"provider": "OpenAI"}, []),
        ({"provider": "groq"}, []),
        ({"model": "openai/my-gpt"}, ["other", "notes", "support_bot"]),
        ({"model": "openai/gpt"}, []),
        ({"model_type": "image"}, ["pictures"]),
        ({"model_type": "ocr"}, []),
        ({"provider": "openai", "model": "openai/my-gpt"}, ["other", "support_bot"]),
        ({"provider": "openai", "model_type": "chat", "search": "refund"}, ["support_bot"]),
        ({"search": "", "provider": "", "model": "", "model_type": "", "updated_since": ""}, [
            "other", "notes", "pictures", "Refund-mail", "support_bot",
        ]),
    ],
)  # fmt: skip
def test_a_page_has_the_deployments_that_match_all_filters(
    fleet: Project, filters: dict[str, str], keys: list[str]
) -> None:
    page = fleet.page(**filters)

    assert page.status == 200
    assert page.keys == keys
    assert page.json["has_more"] is False


def test_model_status_finds_retired_models_and_combines_with_filters_and_cursors(project: Project) -> None:
    retired = {"provider": "openai", "model": "openai/o1", "model_type": "chat"}
    put(project, "old", model="openai/o1")
    project.put("fallback", {**a_body(provider="groq", model="ours"), "fallbacks": [retired]})
    put(project, "custom", model="ours")

    first = project.page(model_status="retired", limit="1")
    rest = project.page(model_status="retired", limit="1", starting_after=first.json["data"][-1]["id"])

    assert (first.keys, first.json["has_more"]) == (["fallback"], True)
    assert (rest.keys, rest.json["has_more"]) == (["old"], False)
    assert project.page(model_status="retired", provider="groq").keys == ["fallback"]
    put(project, "old", model="ours")
    assert project.page(model_status="retired").keys == ["fallback"]


def test_a_page_by_model_status_is_not_cached_because_it_depends_on_the_date(project: Project) -> None:
    headers = project.page(model_status="retired").headers

    assert headers["cache-control"] == "no-store"
    assert "etag" not in headers


def test_an_item_has_the_same_bytes_with_and_without_a_filter(fleet: Project) -> None:
    assert fleet.page(search="nothing").body == b'{"object":"list","data":[],"has_more":false}'
    assert fleet.page(updated_since="2000-01-01").body == fleet.page().body


def test_updated_since_is_inclusive_and_utc_without_an_offset(project: Project) -> None:
    put(project, "a")
    moment = put(project, "b")["updated"]
    put(project, "c")

    assert project.page(updated_since=moment).keys == ["c", "b"]
    assert project.page(updated_since=moment.removesuffix("Z")).keys == ["c", "b"]
    assert project.page(updated_since=moment.replace("Z", "+00:00")).keys == ["c", "b"]
    assert project.page(updated_since=moment.replace("Z", "+01:00")).keys == ["c", "b", "a"]
    assert project.page(updated_since="2000-01-01").keys == ["c", "b", "a"]
    assert project.page(updated_since="2900-01-01").keys == []


def test_filters_match_the_live_version(project: Project) -> None:
    put(project, "a", "first", provider="openai")
    moment = put(project, "b")["updated"]

    put(project, "a", "second", provider="groq")
    assert project.page(provider="groq", search="second", updated_since=moment).keys == ["a"]
    assert project.page(search="first").keys == []

    project.request("POST", "/v2/deployments/a/undo")
    assert project.page(provider="groq").keys == []
    assert project.page(provider="openai", search="second").keys == ["a"]

    project.request("DELETE", "/v2/deployments/a")
    assert project.page(search="second").keys == []
    project.request("POST", "/v2/deployments/a/restore")
    assert project.page(search="second").keys == ["a"]


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        ("model_type", "chatt", "Did you mean 'chat'?"),
        ("model_status", "retire", "Did you mean 'retired'?"),
        ("model_type", "Chat", "must be one of chat, completion"),
        ("updated_since", "yesterday", "ISO 8601"),
        ("updated_since", "2026-02-30", "ISO 8601"),
        ("updated_since", "2026-03-01T10:00 01:00", "encode + as %2B"),
        ("updated_since", "1772357400", "ISO 8601"),
        ("search", "x" * 257, "at most 256 characters"),
        ("provider", "x" * 257, "at most 256 characters"),
    ],
)
def test_an_invalid_value_is_rejected_by_name(project: Project, parameter: str, value: str, text: str) -> None:
    response = project.page(**{parameter: value})

    assert error_of(response) == (400, "invalid_filter", parameter)
    assert text in response.error["message"]


def test_a_repeated_and_an_unknown_filter_are_rejected(project: Project) -> None:
    repeated = project.request("GET", "/v2/deployments?provider=openai&provider=groq")
    unknown = project.page(author="anna")

    assert error_of(repeated) == (400, "repeated_parameter", "provider")
    assert error_of(unknown) == (400, "unknown_parameter", "author")
    assert unknown.error["message"].endswith("search, provider, model, model_type, owner, model_status, updated_since.")
    versions = project.request("GET", "/v2/manifests?provider=openai")
    assert error_of(versions) == (400, "unknown_parameter", "provider")


def test_the_cursor_can_be_a_deployment_that_does_not_match_or_is_deleted(fleet: Project) -> None:
    ids = {item["key"]: item["id"] for item in fleet.page().json["data"]}
    fleet.request("DELETE", "/v2/deployments/notes")

    assert fleet.page(provider="openai", starting_after=ids["notes"]).keys == ["pictures", "support_bot"]
    assert fleet.page(provider="openai", starting_after=ids["Refund-mail"]).keys == ["support_bot"]
    assert fleet.page(provider="openai", ending_before=ids["notes"]).keys == ["other"]
    assert fleet.page(search="r", ending_before=ids["support_bot"], limit=1).json["has_more"] is True
    assert error_of(fleet.page(provider="openai", starting_after="never")) == (400, "invalid_cursor", "starting_after")


def test_a_filtered_page_keeps_its_etag_until_a_change(fleet: Project) -> None:
    path = "/v2/deployments?search=refund"
    etag = fleet.request("GET", path).headers["etag"]

    same = fleet.request("GET", path, headers={"If-None-Match": etag})
    put(fleet, "support_bot", "Changed")

    assert same.status == 304
    assert fleet.request("GET", path, headers={"If-None-Match": etag}).status == 200


PROVIDERS, TYPES, WORDS = ["openai", "groq"], ["chat", "image"], ["Ab", "bA", "c"]
CHANGES = st.tuples(
    st.integers(0, 14), st.sampled_from(PROVIDERS), st.sampled_from(TYPES), st.sampled_from(WORDS), st.booleans()
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(PROVIDERS),
        "model_type": st.sampled_from(TYPES),
        "search": st.sampled_from(["a", "AB", "b", "k1"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.lists(CHANGES, min_size=4, max_size=14),
    later=st.lists(st.lists(CHANGES, max_size=2), max_size=6),
    filters=FILTERS,
    limit=st.integers(1, 4),
    direction=st.sampled_from(["starting_after", "ending_before"]),
)
def test_filtered_paging_during_changes_returns_unchanged_items_once_in_order(
    project: Project,
    first: list[tuple[int, str, str, str, bool]],
    later: list[list[tuple[int, str, str, str, bool]]],
    filters: dict[str, str],
    limit: int,
    direction: str,
) -> None:
    """Compare the pages with a model."""
    for key in [item["key"] for page in project.walk(50) for item in page.json["data"]]:
        project.request("DELETE", f"/v2/deployments/{key}")
    model = Model(project)
    anchor = model.put("anchor", "mistral", "chat", "-")
    for change in first:
        model.change(change)
    always = set(model.matching(filters)) - ({anchor} if direction == "ending_before" else set())
    listed: list[str] = []
    cursor = None if direction == "starting_after" else anchor
    pages = iter(later)
    while True:
        query = {**filters, "limit": limit} | ({direction: cursor} if cursor else {})
        page = project.page(**query)
        assert page.status == 200, page.body
        expected = model.matching(filters)
        if not listed and direction == "starting_after":
            assert (ids(page), page.json["has_more"]) == (expected[:limit], len(expected) > limit)
        listed = [*listed, *ids(page)] if direction == "starting_after" else [*ids(page), *listed]
        if not page.json["has_more"]:
            break
        cursor = ids(page)[-1 if direction == "starting_after" else 0]
        for change in next(pages, []):
            model.change(change)
            always &= set(model.matching(filters))

    assert len(listed) == len(set(listed))
    assert always <= set(listed)
    assert listed == [item_id for item_id in model.created[::-1] if item_id in listed]


def ids(page: Response) -> list[str]:
    return [item["id"] for item in page.json["data"]]


class Model:
    """The existing deployments by key in order of creation: id and filtered fields."""

    def __init__(self, project: Project) -> None:
        self.created: list[str] = []
        self._project = project
        self._items: dict[str, tuple[str, str, str, str]] = {}

    def change(self, change: tuple[int, str, str, str, bool]) -> None:
        """Put a deployment; or delete it, if it exists and the change is a deletion."""
        number, provider, model_type, description, is_deletion = change
        key = f"k{number}"
        if is_deletion and key in self._items:
            assert self._project.request("DELETE", f"/v2/deployments/{key}").status == 200
            del self._items[key]
        else:
            self.put(key, provider, model_type, description)

    def put(self, key: str, provider: str, model_type: str, description: str) -> str:
        """Put a deployment; return its id."""
        item = put(self._project, key, description, provider=provider, model_type=model_type)
        if key not in self._items:
            self.created.append(item["id"])
        self._items[key] = item["id"], provider, model_type, description
        return str(item["id"])

    def matching(self, filters: dict[str, str]) -> list[str]:
        """Return the ids of the deployments that match the filters, newest first."""
        search = filters.get("search", "").lower()
        return [
            found
            for key, (found, provider, model_type, description) in reversed(self._items.items())
            if filters.get("provider") in (None, provider)
            and filters.get("model_type") in (None, model_type)
            and any(search in text.lower() for text in (key, description))
        ]


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_every_valid_time_is_accepted(project: Project, text: str) -> None:
    assert find_moment(text) is not None
    assert project.page(updated_since=text).status == 200
