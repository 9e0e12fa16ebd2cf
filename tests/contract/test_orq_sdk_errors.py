"""The official SDK raises a typed error for each rejected request."""

import pytest
from orq_ai_sdk import models

from tests.contract.conftest import Client, Connect, as_json
from tests.support.server import Project, Server

UNKNOWN_ID = "01AAAAAAAAAAAAAAAAAAAAAAAA"


def test_every_limit_out_of_range_gets_the_same_error(client: Client) -> None:
    """Case 4."""
    errors = {limit: client.error(limit=limit) for limit in (0, 51, -1, 9999)}

    assert {error.status for error in errors.values()} == {400}
    assert {error.code for error in errors.values()} == {"invalid_limit"}
    assert {error.param for error in errors.values()} == {"limit"}
    assert len({error.message.replace(repr(str(limit)), "") for limit, error in errors.items()}) == 1


@pytest.mark.parametrize("limit", ["abc", "2.5"])
def test_a_limit_that_is_not_an_integer_is_rejected(project: Project, limit: str) -> None:
    """Case 5."""
    response = project.page(limit=limit)

    assert response.status == 400
    assert response.error["code"] == "invalid_limit"
    assert response.error["param"] == "limit"


def test_both_cursors_together_are_rejected(full_client: Client, deployment_ids: dict[str, str]) -> None:
    """Case 11."""
    error = full_client.error(starting_after=deployment_ids["d40"], ending_before=deployment_ids["d20"])

    assert (error.status, error.code) == (400, "conflicting_cursors")


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_an_unknown_cursor_is_rejected_with_its_parameter(full_client: Client, name: str) -> None:
    """Case 12."""
    error = full_client.error(**{name: UNKNOWN_ID})

    assert (error.status, error.code, error.param) == (400, "invalid_cursor", name)
    assert UNKNOWN_ID in error.message


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_the_key_of_a_deployment_is_not_a_valid_cursor(full_client: Client, name: str) -> None:
    """Case 12."""
    error = full_client.error(**{name: "d30"})

    assert (error.status, error.code, error.param) == (400, "invalid_cursor", name)


def test_an_empty_cursor_is_treated_as_omitted(full_client: Client) -> None:
    """Case 12."""
    assert as_json(full_client.list(starting_after="", ending_before="")) == as_json(full_client.list())


def test_a_cursor_is_decoded_from_every_percent_encoding(project: Project, client: Client) -> None:
    """Case 13: the SDK encodes a space as `+`, other clients as `%20`."""
    error = client.error(ending_before="a b/&=é")
    responses = [
        project.request("GET", f"/v2/deployments?ending_before={cursor}", headers={"X-Request-Id": "same"})
        for cursor in ("a+b%2F%26%3D%C3%A9", "a%20b%2F%26%3D%C3%A9", "%61%20b/%26=%c3%a9")
    ]

    assert len({response.body for response in responses}) == 1
    assert responses[0].error["code"] == error.code == "invalid_cursor"
    assert responses[0].error["message"] == error.message
    assert "a b/&=é" in error.message


def test_a_client_without_an_api_key_gets_the_typed_401_of_the_sdk(connect: Connect) -> None:
    """Case 16."""
    error = connect(None).error(models.ErrorResponse)

    assert (error.status, error.code) == (401, "authentication_required")
    assert error.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["nope", f"mrg_{'0' * 12}_{'0' * 49}", "sk-orq-01JJ1HDHN79XAS7A01WB3HYSDB-secret"])
def test_an_invalid_api_key_gets_the_typed_401_of_the_sdk(connect: Connect, token: str) -> None:
    """Case 16."""
    error = connect(token).error(models.ErrorResponse)

    assert (error.status, error.code) == (401, "invalid_api_key")
    assert error.headers["www-authenticate"] == "Bearer"


def test_an_api_key_with_one_changed_letter_is_invalid(connect: Connect, project: Project) -> None:
    """Case 16."""
    token = project.token[:-1] + ("a" if project.token[-1] != "a" else "b")

    assert connect(token).error(models.ErrorResponse).code == "invalid_api_key"


def test_the_typed_401_has_the_message_of_the_server(connect: Connect) -> None:
    """Case 16: the text of the exception."""
    with pytest.raises(models.ErrorResponse) as caught:
        connect("nope").list()

    assert str(caught.value) == caught.value.data.message != ""
    assert caught.value.data.code is None


@pytest.mark.parametrize("scheme", ["Basic x", "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", ""])
def test_a_scheme_other_than_bearer_is_rejected(project: Project, scheme: str) -> None:
    """Case 16."""
    response = project.request("GET", "/v2/deployments", headers={"Authorization": scheme})

    assert response.status == 401
    assert response.error["code"] == "authentication_required"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_a_cursor_of_another_project_gets_the_same_error_as_an_unknown_one(
    server: Server, connect: Connect, deployment_ids: dict[str, str], name: str
) -> None:
    """Case 17."""
    other = connect(server.new_project().token)
    foreign, unknown = other.error(**{name: deployment_ids["d30"]}), other.error(**{name: UNKNOWN_ID})

    assert (foreign.status, foreign.code, foreign.param) == (400, "invalid_cursor", name)
    assert foreign.message.replace(deployment_ids["d30"], "") == unknown.message.replace(UNKNOWN_ID, "")
