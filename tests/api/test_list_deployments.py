"""`GET /v2/deployments`: what is on the wire."""

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


def test_an_item_has_the_contracts_seven_fields_and_no_other(project: Project) -> None:
    project.put("support_bot")

    (item,) = project.page().json["data"]

    assert list(item) == ["id", "created", "updated", "key", "description", "prompt_config", "version"]
    assert item["version"] == "1.0"
    assert item["created"].endswith("Z")
    assert len(item["created"]) == len("2026-03-01T09:30:00.000Z")


@pytest.mark.parametrize("limit", ["10.0", "10.00", ""])
def test_a_limit_that_means_ten_is_ten(project: Project, limit: str) -> None:
    project.fill(12)

    assert project.page(limit=limit).body == project.page().body


@pytest.mark.parametrize(
    "limit", ["0", "51", "-1", "9999", "abc", "2.5", "1e1", "1_0", "٣", "nan", "10.0.0", " 10", "0x10"]
)
def test_a_limit_outside_1_to_50_is_refused_by_name(project: Project, limit: str) -> None:
    answer = project.page(limit=limit)

    assert answer.status == 400
    assert answer.error["code"] == "invalid_limit"
    assert answer.error["param"] == "limit"


def test_a_forward_walk_meets_every_deployment_once_in_order(project: Project) -> None:
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


def test_after_the_oldest_there_is_nothing(project: Project) -> None:
    items = project.fill(3)

    page = project.page(starting_after=items[0]["id"])

    assert page.json == {"object": "list", "data": [], "has_more": False}


def test_ending_before_gives_the_page_just_newer_newest_first(project: Project) -> None:
    items = project.fill(40)

    page = project.page(limit=5, ending_before=items[29]["id"])

    assert page.keys == ["d35", "d34", "d33", "d32", "d31"]
    assert page.json["has_more"] is True


def test_ending_before_near_the_top_has_no_more(project: Project) -> None:
    items = project.fill(40)

    page = project.page(limit=5, ending_before=items[37]["id"])

    assert page.keys == ["d40", "d39"]
    assert page.json["has_more"] is False


@pytest.mark.parametrize(("alias", "name"), [("after", "starting_after"), ("before", "ending_before")])
def test_the_names_in_the_reference_pages_prose_mean_the_same(project: Project, alias: str, name: str) -> None:
    cursor = project.fill(5)[2]["id"]

    assert project.page(**{alias: cursor}).body == project.page(**{name: cursor}).body


def test_an_empty_cursor_is_no_cursor(project: Project) -> None:
    project.fill(3)

    assert project.page(starting_after="", ending_before="").body == project.page().body


def test_both_cursors_at_once_are_refused(project: Project) -> None:
    items = project.fill(3)

    answer = project.page(starting_after=items[0]["id"], ending_before=items[2]["id"])

    assert answer.status == 400
    assert answer.error["code"] == "conflicting_cursors"


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
@pytest.mark.parametrize("cursor", ["01AAAAAAAAAAAAAAAAAAAAAAAA", "a b/&=é", "' OR 1=1 --", "d1", "\x00", "x" * 5000])
def test_an_unknown_cursor_is_refused_by_name(project: Project, name: str, cursor: str) -> None:
    project.fill(1)

    answer = project.page(**{name: cursor})

    assert answer.status == 400
    assert answer.error["code"] == "invalid_cursor"
    assert answer.error["param"] == name


def test_a_cursor_is_decoded_the_same_in_both_spellings(project: Project) -> None:
    plus = project.request("GET", "/v2/deployments?ending_before=a+b%2F%26%3D%C3%A9", headers={"X-Request-Id": "same"})
    percent = project.request(
        "GET", f"/v2/deployments?ending_before={quote('a b/&=é', safe='')}", headers={"X-Request-Id": "same"}
    )

    assert "a b/&=é" in plus.error["message"]
    assert plus.body == percent.body


@pytest.mark.parametrize("query", ["label=production", "status=live", "Limit=3", "limit[]=3"])
def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(project: Project, query: str) -> None:
    answer = project.request("GET", f"/v2/deployments?{query}")

    assert answer.status == 400
    assert answer.error["code"] == "unknown_parameter"
    assert answer.error["param"] == query.partition("=")[0]
    assert "starting_after" in answer.error["message"]


@pytest.mark.parametrize("query", ["limit=1&limit=2", "after=x&starting_after=y"])
def test_a_repeated_parameter_is_refused(project: Project, query: str) -> None:
    answer = project.request("GET", f"/v2/deployments?{query}")

    assert answer.status == 400
    assert answer.error["code"] == "repeated_parameter"


def test_an_insert_while_paging_moves_nothing(project: Project) -> None:
    project.fill(6)
    first = project.page(limit=3)

    project.put("newcomer")
    second = project.page(limit=3, starting_after=first.json["data"][-1]["id"])

    assert first.keys + second.keys == ["d6", "d5", "d4", "d3", "d2", "d1"]


def test_an_update_keeps_the_place_and_the_creation_date(project: Project) -> None:
    items = project.fill(3)

    project.put("d1", {"prompt_config": items[0]["prompt_config"] | {"model": "openai/gpt-5"}})
    page = project.page()

    assert page.keys == ["d3", "d2", "d1"]
    assert page.json["data"][2]["created"] == items[0]["created"]
    assert page.json["data"][2]["updated"] > items[0]["updated"]


def test_a_project_sees_only_its_own(server: Server, project: Project) -> None:
    other = server.new_project()
    items = project.fill(2)

    assert other.page().json["data"] == []
    assert other.get("d1").status == 404
    assert other.get(items[0]["id"]).status == 404


def test_another_projects_cursor_gets_the_same_bytes_as_an_invented_one(server: Server, project: Project) -> None:
    cursor = project.fill(1)[0]["id"]
    invented = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
    other = server.new_project()
    headers = {"X-Request-Id": "same"}

    foreign_answer = other.request("GET", f"/v2/deployments?starting_after={cursor}", headers=headers)
    invented_answer = other.request("GET", f"/v2/deployments?starting_after={invented}", headers=headers)

    assert foreign_answer.status == 400
    assert foreign_answer.body.replace(cursor.encode(), b"") == invented_answer.body.replace(invented.encode(), b"")
