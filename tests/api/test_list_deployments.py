"""`GET /v2/deployments`: pages and cursors."""

from urllib.parse import quote

import pytest

from tests.support.server import Project, Server


def test_an_empty_project_is_an_empty_page(project: Project) -> None:
    page = project.page()

    assert page.status == 200
    assert page.headers["content-type"] == "application/json"
    assert page.body == b'{"object":"list","data":[],"has_more":false}'


def test_the_page_has_the_ten_newest_first(project: Project) -> None:
    project.fill(12)

    page = project.page()

    assert page.keys == [f"d{number}" for number in range(12, 2, -1)]
    assert page.json["has_more"] is True


def test_an_item_has_exactly_the_seven_fields_of_the_contract(project: Project) -> None:
    project.put("support_bot")

    (item,) = project.page().json["data"]

    assert list(item) == ["id", "created", "updated", "key", "description", "prompt_config", "version"]
    assert item["version"] == "1.0"
    assert item["created"].endswith("Z")
    assert len(item["created"]) == len("2026-03-01T09:30:00.000Z")


@pytest.mark.parametrize("limit", ["10.0", "10.00", ""])
def test_every_form_of_the_limit_10_is_accepted(project: Project, limit: str) -> None:
    project.fill(12)

    assert project.page(limit=limit).body == project.page().body


@pytest.mark.parametrize(
    "limit", ["0", "51", "-1", "9999", "abc", "2.5", "1e1", "1_0", "٣", "nan", "10.0.0", " 10", "0x10"]
)
def test_an_invalid_limit_is_rejected_by_name(project: Project, limit: str) -> None:
    response = project.page(limit=limit)

    assert response.status == 400
    assert response.error["code"] == "invalid_limit"
    assert response.error["param"] == "limit"


def test_paging_forward_returns_every_deployment_once_in_order(project: Project) -> None:
    project.fill(60)

    pages = list(project.walk(limit=7))

    assert len(pages) == 9
    assert [key for page in pages for key in page.keys] == [f"d{number}" for number in range(60, 0, -1)]
    assert [page.json["has_more"] for page in pages] == [True] * 8 + [False]


def test_a_page_that_fits_exactly_has_no_more(project: Project) -> None:
    items = project.fill(20)

    second = project.page(limit=10, starting_after=items[10]["id"])

    assert second.keys == [f"d{number}" for number in range(10, 0, -1)]
    assert second.json["has_more"] is False


def test_the_page_after_the_oldest_deployment_is_empty(project: Project) -> None:
    items = project.fill(3)

    page = project.page(starting_after=items[0]["id"])

    assert page.json == {"object": "list", "data": [], "has_more": False}


def test_ending_before_returns_the_next_newer_items_newest_first(project: Project) -> None:
    items = project.fill(40)

    page = project.page(limit=5, ending_before=items[29]["id"])

    assert page.keys == ["d35", "d34", "d33", "d32", "d31"]
    assert page.json["has_more"] is True


def test_ending_before_near_the_newest_has_no_more(project: Project) -> None:
    items = project.fill(40)

    page = project.page(limit=5, ending_before=items[37]["id"])

    assert page.keys == ["d40", "d39"]
    assert page.json["has_more"] is False


@pytest.mark.parametrize(("alias", "name"), [("after", "starting_after"), ("before", "ending_before")])
def test_the_names_after_and_before_are_aliases(project: Project, alias: str, name: str) -> None:
    cursor = project.fill(5)[2]["id"]

    assert project.page(**{alias: cursor}).body == project.page(**{name: cursor}).body


def test_an_empty_cursor_is_ignored(project: Project) -> None:
    project.fill(3)

    assert project.page(starting_after="", ending_before="").body == project.page().body


def test_both_cursors_together_are_rejected(project: Project) -> None:
    items = project.fill(3)

    response = project.page(starting_after=items[0]["id"], ending_before=items[2]["id"])

    assert response.status == 400
    assert response.error["code"] == "conflicting_cursors"


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
@pytest.mark.parametrize("cursor", ["01AAAAAAAAAAAAAAAAAAAAAAAA", "a b/&=é", "' OR 1=1 --", "d1", "\x00", "x" * 5000])
def test_an_unknown_cursor_is_rejected_by_name(project: Project, name: str, cursor: str) -> None:
    project.fill(1)

    response = project.page(**{name: cursor})

    assert response.status == 400
    assert response.error["code"] == "invalid_cursor"
    assert response.error["param"] == name


def test_plus_and_percent_encoding_result_in_the_same_cursor(project: Project) -> None:
    plus = project.request("GET", "/v2/deployments?ending_before=a+b%2F%26%3D%C3%A9", headers={"X-Request-Id": "same"})
    percent = project.request(
        "GET", f"/v2/deployments?ending_before={quote('a b/&=é', safe='')}", headers={"X-Request-Id": "same"}
    )

    assert "a b/&=é" in plus.error["message"]
    assert plus.body == percent.body


@pytest.mark.parametrize("query", ["label=production", "status=live", "Limit=3", "limit[]=3"])
def test_an_unknown_parameter_is_rejected_with_the_supported_ones(project: Project, query: str) -> None:
    response = project.request("GET", f"/v2/deployments?{query}")

    assert response.status == 400
    assert response.error["code"] == "unknown_parameter"
    assert response.error["param"] == query.partition("=")[0]
    assert "starting_after" in response.error["message"]


@pytest.mark.parametrize("query", ["limit=1&limit=2", "after=x&starting_after=y"])
def test_a_repeated_parameter_is_rejected(project: Project, query: str) -> None:
    response = project.request("GET", f"/v2/deployments?{query}")

    assert response.status == 400
    assert response.error["code"] == "repeated_parameter"


def test_an_insert_while_paging_does_not_shift_items(project: Project) -> None:
    project.fill(6)
    first = project.page(limit=3)

    project.put("newcomer")
    second = project.page(limit=3, starting_after=first.json["data"][-1]["id"])

    assert first.keys + second.keys == ["d6", "d5", "d4", "d3", "d2", "d1"]


def test_an_update_keeps_the_position_and_the_creation_date(project: Project) -> None:
    items = project.fill(3)

    project.put("d1", {"prompt_config": items[0]["prompt_config"] | {"model": "openai/gpt-5"}})
    page = project.page()

    assert page.keys == ["d3", "d2", "d1"]
    assert page.json["data"][2]["created"] == items[0]["created"]
    assert page.json["data"][2]["updated"] > items[0]["updated"]


def test_a_project_lists_only_its_own_deployments(server: Server, project: Project) -> None:
    other = server.new_project()
    items = project.fill(2)

    assert other.page().json["data"] == []
    assert other.get("d1").status == 404
    assert other.get(items[0]["id"]).status == 404


def test_a_cursor_of_another_project_gets_the_response_of_an_unknown_one(server: Server, project: Project) -> None:
    cursor = project.fill(1)[0]["id"]
    unknown = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
    other = server.new_project()
    headers = {"X-Request-Id": "same"}

    foreign_response = other.request("GET", f"/v2/deployments?starting_after={cursor}", headers=headers)
    unknown_response = other.request("GET", f"/v2/deployments?starting_after={unknown}", headers=headers)

    assert foreign_response.status == 400
    assert foreign_response.body.replace(cursor.encode(), b"") == unknown_response.body.replace(unknown.encode(), b"")
