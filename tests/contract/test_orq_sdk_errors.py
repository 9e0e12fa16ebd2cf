"""What the server refuses is a typed error in the official SDK."""

import pytest
from orq_ai_sdk import models

from tests.contract.conftest import Client, Connect, as_json
from tests.support.server import Project, Server

INVENTED = "01AAAAAAAAAAAAAAAAAAAAAAAA"


def test_every_limit_out_of_range_gets_the_same_answer(client: Client) -> None:
    """Case 4."""
    refusals = {limit: client.refusal(limit=limit) for limit in (0, 51, -1, 9999)}

    assert {refusal.status for refusal in refusals.values()} == {400}
    assert {refusal.code for refusal in refusals.values()} == {"invalid_limit"}
    assert {refusal.param for refusal in refusals.values()} == {"limit"}
    assert len({refusal.message.replace(repr(str(limit)), "") for limit, refusal in refusals.items()}) == 1


@pytest.mark.parametrize("limit", ["abc", "2.5"])
def test_a_limit_that_is_no_whole_number_is_refused(project: Project, limit: str) -> None:
    """Case 5."""
    answer = project.page(limit=limit)

    assert answer.status == 400
    assert answer.error["code"] == "invalid_limit"
    assert answer.error["param"] == "limit"


def test_both_cursors_at_once_are_refused(full_client: Client, sixty: dict[str, str]) -> None:
    """Case 11."""
    refusal = full_client.refusal(starting_after=sixty["d40"], ending_before=sixty["d20"])

    assert (refusal.status, refusal.code) == (400, "conflicting_cursors")


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_an_unknown_cursor_is_refused_by_name(full_client: Client, name: str) -> None:
    """Case 12."""
    refusal = full_client.refusal(**{name: INVENTED})

    assert (refusal.status, refusal.code, refusal.param) == (400, "invalid_cursor", name)
    assert INVENTED in refusal.message


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_a_key_of_a_deployment_is_no_cursor(full_client: Client, name: str) -> None:
    """Case 12."""
    refusal = full_client.refusal(**{name: "d30"})

    assert (refusal.status, refusal.code, refusal.param) == (400, "invalid_cursor", name)


def test_an_empty_cursor_is_no_cursor(full_client: Client) -> None:
    """Case 12: nothing was asked for."""
    assert as_json(full_client.list(starting_after="", ending_before="")) == as_json(full_client.list())


def test_a_cursor_in_any_percent_encoding_is_decoded_the_same(project: Project, client: Client) -> None:
    """Case 13: the SDK writes a space as `+`, others as `%20`."""
    refusal = client.refusal(ending_before="a b/&=é")
    answers = [
        project.request("GET", f"/v2/deployments?ending_before={cursor}", headers={"X-Request-Id": "same"})
        for cursor in ("a+b%2F%26%3D%C3%A9", "a%20b%2F%26%3D%C3%A9", "%61%20b/%26=%c3%a9")
    ]

    assert len({answer.body for answer in answers}) == 1
    assert answers[0].error["code"] == refusal.code == "invalid_cursor"
    assert answers[0].error["message"] == refusal.message
    assert "a b/&=é" in refusal.message


def test_a_client_without_a_key_gets_the_sdks_typed_401(connect: Connect) -> None:
    """Case 16."""
    refusal = connect(None).refusal(models.ErrorResponse)

    assert (refusal.status, refusal.code) == (401, "authentication_required")
    assert refusal.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["nope", f"mrg_{'0' * 12}_{'0' * 49}", "sk-orq-01JJ1HDHN79XAS7A01WB3HYSDB-secret"])
def test_a_bad_key_gets_the_sdks_typed_401(connect: Connect, token: str) -> None:
    """Case 16."""
    refusal = connect(token).refusal(models.ErrorResponse)

    assert (refusal.status, refusal.code) == (401, "invalid_api_key")
    assert refusal.headers["www-authenticate"] == "Bearer"


def test_a_key_with_one_letter_changed_is_a_bad_key(connect: Connect, project: Project) -> None:
    """Case 16."""
    token = project.token[:-1] + ("a" if project.token[-1] != "a" else "b")

    assert connect(token).refusal(models.ErrorResponse).code == "invalid_api_key"


def test_the_typed_401_carries_the_servers_message(connect: Connect) -> None:
    """Case 16: what a user of the SDK reads."""
    with pytest.raises(models.ErrorResponse) as caught:
        connect("nope").list()

    assert str(caught.value) == caught.value.data.message != ""
    assert caught.value.data.code is None


@pytest.mark.parametrize("scheme", ["Basic x", "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", ""])
def test_a_scheme_other_than_bearer_is_no_authentication(project: Project, scheme: str) -> None:
    """Case 16."""
    answer = project.request("GET", "/v2/deployments", headers={"Authorization": scheme})

    assert answer.status == 401
    assert answer.error["code"] == "authentication_required"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_another_projects_cursor_is_answered_like_an_invented_one(
    server: Server, connect: Connect, sixty: dict[str, str], name: str
) -> None:
    """Case 17."""
    stranger = connect(server.new_project().token)
    foreign, invented = stranger.refusal(**{name: sixty["d30"]}), stranger.refusal(**{name: INVENTED})

    assert (foreign.status, foreign.code, foreign.param) == (400, "invalid_cursor", name)
    assert foreign.message.replace(sixty["d30"], "") == invented.message.replace(INVENTED, "")
