"""`/v2/integrations`: connections to providers, whose credentials can be written but not read."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.store.opening import open_store
from tests.support.registry import create_project
from tests.support.server import Project, Response, Server, a_body
from tests.support.stores import run_sql

KEY = "sk-0123456789-wxyz"
VENDOR = {"provider": "openai", "credentials": {"api_key": KEY}, "headers": {"X-Team": "the-support-team"}}
LOCAL = {"provider": "openailike", "base_url": "https://llm.example:8443/v1"}
ENVIRONMENT = ("env", f"MOORAGE_SECRET_KEY={'k' * 40}", "GROQ_API_KEY=gsk-from-the-environment", "CO_API_KEY=")
UNREADABLE = "UPDATE integration SET key_id = '00000000' WHERE name = '{}'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """Return a server with a secret key, which a PostgreSQL database needs for credentials.

    Its history began without the key, so the tests can write into the database without it.
    """
    folder = tmp_path_factory.mktemp("server")
    database = new_database(folder)
    with Server(folder, database=database):
        pass
    with Server(folder, database=database, prefix=ENVIRONMENT) as running:
        yield running


@pytest.fixture
def admin(project: Project) -> Project:
    """Return the project with a key that has all scopes."""
    return Project(project.server, project.id, project.name, project.key(*Scope)[1])


def send(project: Project, method: str, name: str = "", body: object = None, **headers: str) -> Response:
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.request(method, f"/v2/integrations{name and '/'}{name}", data, names)


def problems(response: Response) -> dict[str, str]:
    """Return the problems of a rejected body by path."""
    assert response.status == 400, response.body
    return {problem["path"]: problem["message"] for problem in response.error["problems"]}


def test_a_put_creates_and_replaces_and_no_response_has_the_credentials(admin: Project) -> None:
    created = send(admin, "PUT", "openai", VENDOR)

    assert (created.status, created.headers["x-moorage-result"]) == (201, "created")
    assert created.json["credentials"] == {"api_key": "…wxyz"}
    assert created.json["headers"] == {"x-team": "…team"}
    assert created.json["url"] == "https://api.openai.com/v1"
    fetched = send(admin, "GET", "openai")
    assert fetched.json == created.json
    assert fetched.headers["etag"] == created.headers["etag"]
    updated = send(admin, "PUT", "openai", {**VENDOR, "options": {"timeout_total_s": "600", "project": "p1"}})
    assert (updated.status, updated.headers["x-moorage-result"]) == (200, "updated")
    assert updated.json["options"] == {"project": "p1", "timeout_total_s": 600}
    assert updated.json["id"] == created.json["id"]
    assert send(admin, "GET").json["data"][0] == updated.json
    for response in (created, fetched, updated, send(admin, "GET")):
        assert KEY.encode() not in response.body
        assert b"the-support" not in response.body


def test_an_equal_put_changes_nothing(admin: Project) -> None:
    created = send(admin, "PUT", "openai", VENDOR)
    before = admin.page().headers["x-moorage-revision"]

    equal, kept = send(admin, "PUT", "openai", VENDOR), send(admin, "PUT", "openai", {"provider": "openai"})

    assert [each.headers["x-moorage-result"] for each in (equal, kept)] == ["unchanged", "unchanged"]
    assert equal.headers["etag"] == created.headers["etag"]
    assert admin.page().headers["x-moorage-revision"] == before


def test_short_secrets_are_not_shown_at_all(admin: Project) -> None:
    created = send(admin, "PUT", "openai", {"provider": "openai", "credentials": {"api_key": "short-key12"}})

    assert created.json["credentials"] == {"api_key": "…"}


@pytest.mark.parametrize("url", [
    "http://api.openai.com/v1", "https://127.0.0.1/v1", "https://10.0.0.1/v1", "https://[::1]/v1",
    "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/v1", "https://2130706433/v1", "https://0x7f000001/v1",
    "https://metadata.google.internal/v1",
])  # fmt: skip
def test_an_address_that_calls_must_not_reach_is_rejected(admin: Project, url: str) -> None:
    response = send(admin, "PUT", "local", {"provider": "openailike", "base_url": url})

    assert (response.status, response.error["code"]) == (422, "egress_forbidden"), response.body
    assert send(admin, "GET", "local").status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://attacker.example/v1"},
        {"base_url": "https://api.openai.com:8443/v1"},
        {"provider": "mistral"},
    ],
    ids=str,
)
def test_stored_credentials_are_not_sent_to_another_host(admin: Project, change: dict[str, Any]) -> None:
    send(admin, "PUT", "openai", VENDOR)
    before = send(admin, "GET", "openai").json

    kept: dict[str, Any]
    for kept in ({}, {"headers": {}}, {"credentials": {"api_key": "sk-of-the-attacker"}}):
        response = send(admin, "PUT", "openai", {"provider": "openai", **change, **kept})
        assert (response.status, response.error["code"]) == (409, "credentials_required"), response.body

    assert send(admin, "GET", "openai").json == before
    assert send(admin, "PUT", "openai", {**VENDOR, **change}).status == 200
    assert send(admin, "PUT", "openai", {"provider": "openai", **change}).headers["x-moorage-result"] == "unchanged"


def test_a_url_in_an_option_is_a_host_too(admin: Project) -> None:
    nvidia = {"provider": "nvidia", "credentials": {"api_key": KEY}}
    send(admin, "PUT", "nvidia", nvidia)
    moved = {"provider": "nvidia", "options": {"retrieval_base_url": "https://attacker.example"}}

    assert send(admin, "PUT", "nvidia", moved).error["code"] == "credentials_required"
    assert send(admin, "PUT", "nvidia", {**moved, **nvidia}).status == 200


def test_another_path_on_the_same_host_keeps_the_credentials(admin: Project) -> None:
    send(admin, "PUT", "openai", VENDOR)

    response = send(admin, "PUT", "openai", {"provider": "openai", "base_url": "https://api.openai.com/v2/"})

    assert response.json["credentials"] == {"api_key": "…wxyz"}
    assert response.json["url"] == "https://api.openai.com/v2"


PLANTED = "planted-secret-0123456789"
REJECTED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"provider": "opena"}, {"provider": "Did you mean 'openai'?"}),
    ({"provider": "xai"}, {"provider": "must be one of"}),
    ({"provider": "openai"}, {"credentials": "must have api_key"}),
    ({"provider": "openai", "credentials": PLANTED}, {"credentials": "must be an object, not a string"}),
    ({"provider": "openai", "credentials": {"api-key": PLANTED}}, {"credentials": "has an unknown field"}),
    ({"provider": "openai", "credentials": {"apikey": PLANTED}}, {"credentials.apikey": "Did you mean 'api_key'?"}),
    ({"provider": "openai", "credentials": {PLANTED: "x"}}, {"credentials": "has an unknown field"}),
    ({"provider": "openai", "credentials": {"api_key": f"{PLANTED}\n"}}, {"credentials.api_key": "has a space"}),
    ({"provider": "openai", "credentials": {"api_key": PLANTED * 1_000}}, {"credentials.api_key": "at most 16384"}),
    ({"provider": "openai", "credentials": {"api_key": [PLANTED]}}, {"credentials.api_key": "must be a string"}),
    ({"provider": "openai", "credentials": {"api_key": ""}}, {"credentials.api_key": "must not be empty"}),
    ({"provider": "aws", "credentials": {"access_key_id": PLANTED}}, {
        "credentials": "access_key_id and secret_access_key", "options.region": "is required",
    }),
    ({"provider": "aws", "credentials": {"api_key": PLANTED, "access_key_id": "a", "secret_access_key": "b"},
      "options": {"region": "eu-west-1"}}, {"credentials": "must have"}),
    ({"provider": "google", "credentials": {"access_token": PLANTED}}, {
        "options.location": "is required", "options.project": "is required",
    }),
    ({"provider": "google", "credentials": {"client_email": "a@b", "private_key": PLANTED}}, {
        "credentials.private_key": "PEM", "options.location": "", "options.project": "",
    }),
    ({"provider": "azure", "credentials": {"api_key": PLANTED}}, {"options.resource": "is required"}),
    ({"provider": "azure", "credentials": {"api_key": PLANTED}, "options": {"resource": "a.evil/"}}, {
        "options.resource": "letters, digits or hyphens",
    }),
    ({"provider": "openailike"}, {"base_url": "is required"}),
    *(({**LOCAL, "base_url": url}, {"base_url": found}) for url, found in {
        "ftp://a": "with http or https", "//a/v1": "with http or https", "https://": "with http or https",
        "https://u:p@a": "must not have a user", "https://a?x=1": "neither a query", "https://a#": "neither a query",
        "https://a:99999": "must be a URL", "https://a:0": "must have a port", "https://a/../b": ". or ..",
        "https://a/%2E%2e/b": ". or ..", "https://ä.example": "printable ASCII", "https://a b": "printable ASCII",
        "https://[::1": "must be a URL", "https://{region}.a": "printable ASCII",
    }.items()),
    ({**LOCAL, "options": {"timeout_totl_s": 5}}, {"options.timeout_totl_s": "Did you mean 'timeout_total_s'?"}),
    *(({**LOCAL, "options": {name: value}}, {f"options.{name}": "must be"}) for name, value in (
        ("timeout_connect_s", 0), ("timeout_total_s", 7_201), ("timeout_total_s", "abc"), ("timeout_total_s", True),
        ("timeout_total_s", 10**15), ("max_connections", 1.5), ("max_connections", 0), ("ca_file", "ca.pem"),
        ("ca_file", 1), ("timeout_total_s", None), ("timeout_total_s", []),
    )),
    *(({**LOCAL, "headers": {name: value}}, {path: found}) for name, value, path, found in (
        ("Host", "a", "headers.Host", "is set by Moorage"), ("content-length", "1", "headers.content-length", "is set"),
        ("Transfer-Encoding", "x", "headers.Transfer-Encoding", "is set"), ("X A", PLANTED, "headers", "has a name"),
        ("X-A", f"{PLANTED}\r\nX: 1", "headers.X-A", "must be"), ("X-A", "é", "headers.X-A", "must be"),
        ("X-A", "", "headers.X-A", "must be"),
        ("X-A", 5, "headers.X-A", "must be a string"), ("", "x", "headers", "has a name"),
    )),
    ({**LOCAL, "headers": {"X-A": "a", "x-a": "b"}}, {"headers.x-a": "occurs twice"}),
    ({**LOCAL, "headers": {f"X-{number}": "a" for number in range(21)}}, {"headers": "at most 20"}),
    ({"provider": "openai", "credentials": {"api_key": KEY}, "headers": {"Authorization": PLANTED}}, {
        "headers.Authorization": "is set by Moorage",
    }),
    ({"provider": "openai", "api_key": PLANTED}, {"api_key": "unknown field"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), REJECTED)
def test_an_invalid_body_is_rejected_with_every_problem_and_without_a_secret(
    admin: Project, body: dict[str, Any], expected: dict[str, str]
) -> None:
    response = send(admin, "PUT", "link", body)

    found = problems(response)
    assert found.keys() == expected.keys()
    for path, text in expected.items():
        assert text in found[path]
    assert PLANTED.encode() not in response.body
    assert send(admin, "GET", "link").status == 404


ACCEPTED: list[tuple[dict[str, Any], str]] = [
    (LOCAL, "https://llm.example:8443/v1"),
    ({**LOCAL, "headers": {"Authorization": "Basic eDp5"}}, "https://llm.example:8443/v1"),
    ({"provider": "azure", "credentials": {"api_key": KEY}, "options": {"resource": "my-shop"}},
     "https://my-shop.openai.azure.com/openai/v1"),
    ({"provider": "aws", "credentials": {"api_key": KEY}, "options": {"region": "eu-west-1"}},
     "https://bedrock-runtime.eu-west-1.amazonaws.com"),
    ({"provider": "aws", "credentials": {"access_key_id": "AKIA", "secret_access_key": "a/b+c", "session_token": "t"},
      "options": {"region": "eu-west-1"}}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
    ({"provider": "google", "credentials": {"access_token": KEY}, "options": {"location": "global", "project": "p"}},
     "https://aiplatform.googleapis.com/v1"),
    ({"provider": "google", "options": {"location": "europe-west1"},
      "credentials": {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "project_id": "p",
                      "private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}},
     "https://europe-west1-aiplatform.googleapis.com/v1"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "url"), ACCEPTED)
def test_each_form_of_credentials_is_accepted(admin: Project, body: dict[str, Any], url: str) -> None:
    response = send(admin, "PUT", "link", body)

    assert response.status == 201, response.body
    assert (response.json["url"], response.json["status"]) == (url, "ready")


@pytest.mark.parametrize("name", ["a%20b", "..", "ä", "x" * 129, "01a2b3c4-0000-7000-8000-000000000000"])
def test_a_name_has_the_characters_of_keys_and_not_the_form_of_an_id(admin: Project, name: str) -> None:
    response = send(admin, "PUT", name, LOCAL)

    assert response.status in (400, 404)
    assert send(admin, "GET").json["data"][0]["source"] == "environment"


def test_preconditions_prevent_lost_updates(admin: Project) -> None:
    first = send(admin, "PUT", "link", LOCAL, If_None_Match="*").headers["etag"]
    second = send(admin, "PUT", "link", {**LOCAL, "options": {"max_connections": 5}}, If_Match=first).headers["etag"]

    for method, body in (("PUT", LOCAL), ("DELETE", None)):
        for headers in ({"If_Match": first}, {"If_None_Match": "*"} if body else {"If_Match": '"0-x"'}):
            response = send(admin, method, "link", body, **headers)
            assert (response.status, response.error["code"]) == (412, "precondition_failed")
    assert send(admin, "PUT", "other", LOCAL, If_Match=first).error["code"] == "integration_not_found"
    assert send(admin, "DELETE", "link", If_Match=second).status == 200


def test_a_deleted_integration_is_gone_and_its_name_is_free(admin: Project) -> None:
    created = send(admin, "PUT", "openai", VENDOR).json

    deleted = send(admin, "DELETE", "openai")

    assert (deleted.json["id"], deleted.json["deleted"]) == (created["id"], True)
    for method in ("GET", "DELETE"):
        assert send(admin, method, "openai").error["code"] == "integration_not_found"
    assert send(admin, "PUT", "openai", {"provider": "openai"}).status == 400, "its credentials are gone"
    again = send(admin, "PUT", "openai", VENDOR)
    assert again.status == 201
    assert again.json["id"] != created["id"]
    assert run_sql(
        admin.server.database, f"SELECT credentials, headers, key_id FROM integration WHERE id = '{created['id']}'"
    ) == [("", "", "")]


def test_the_pages_of_the_list_have_each_integration_once_and_cursors_stay_valid(admin: Project) -> None:
    ids = [send(admin, "PUT", f"link{number}", LOCAL).json["id"] for number in range(5)]
    send(admin, "DELETE", "link2")
    expected = [*reversed(ids[:2] + ids[3:]), "env.groq"]

    found, query = [], "?limit=2"
    while True:
        page = admin.request("GET", f"/v2/integrations{query}").json
        found += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        query = f"?limit=2&starting_after={found[-1]}"

    assert found == expected
    after = admin.request("GET", f"/v2/integrations?starting_after={ids[2]}").json["data"]
    assert [item["id"] for item in after] == expected[2:]
    before = admin.request("GET", f"/v2/integrations?limit=1&ending_before={ids[2]}").json
    assert ([item["id"] for item in before["data"]], before["has_more"]) == ([ids[3]], True)
    assert admin.request("GET", "/v2/integrations?starting_after=nothing").error["code"] == "invalid_cursor"


def use(name: str | None, **fields: Any) -> dict[str, Any]:
    """Return the body of a deployment that names an integration, or none."""
    return a_body(**({} if name is None else {"integration_id": name}), **fields)


@pytest.mark.parametrize("by", ["name", "id", "variant", "fallback", "fallback of a variant"])
def test_an_integration_in_use_is_not_deleted(admin: Project, by: str) -> None:
    created = send(admin, "PUT", "link", {**VENDOR, "options": {"project": "p1"}}).json
    config = use("link")["prompt_config"]
    fallback = {"model": "m", "model_type": "chat", "provider": "openai", "integration_id": "link"}
    bodies: dict[str, dict[str, Any]] = {
        "name": use("link"), "id": use(created["id"]),
        "variant": {**use(None), "variants": [{"name": "v", "prompt_config": config}]},
        "fallback": {**use(None), "fallbacks": [fallback]},
        "fallback of a variant": {
            **use(None),
            "variants": [{"name": "v", "prompt_config": use(None)["prompt_config"], "fallbacks": [fallback]}],
        },
    }  # fmt: skip
    assert admin.put("other", use("another")).status == 201
    assert admin.put("user", bodies[by]).status == 201, by

    response = send(admin, "DELETE", "link")

    assert (response.status, response.error["code"]) == (409, "integration_in_use")
    assert response.error["deployments"] == ["user"]
    assert "user" in response.error["message"]
    admin.put("user", {**use(None), "variants": [], "fallbacks": []})
    assert send(admin, "DELETE", "link").status == 200


def test_an_integration_with_the_name_of_a_provider_serves_its_models(admin: Project) -> None:
    send(admin, "PUT", "openai", VENDOR)
    admin.put("named", use("another"))
    assert send(admin, "DELETE", "openai").status == 200
    send(admin, "PUT", "openai", VENDOR)
    for number in range(25):
        admin.put(f"d{number}", use(None))

    response = send(admin, "DELETE", "openai")

    assert response.error["deployments"] == [f"d{number}" for number in range(25)]
    assert response.error["message"].count(", d") == 9
    assert " and more" in response.error["message"]


def test_a_project_replaces_an_integration_of_the_environment(admin: Project) -> None:
    found = send(admin, "GET", "groq").json
    assert (found["source"], found["variables"]) == ("environment", ["GROQ_API_KEY"])
    assert found["credentials"] == {"api_key": "…ment"}
    refused = send(admin, "DELETE", "groq")
    assert (refused.status, refused.error["code"]) == (409, "integration_from_environment")
    assert "GROQ_API_KEY" in refused.error["message"]

    assert send(admin, "PUT", "groq", {"provider": "groq"}).status == 400
    own = send(admin, "PUT", "groq", {"provider": "groq", "credentials": {"api_key": KEY}})

    assert (own.status, own.json["source"]) == (201, "project")
    assert [item["source"] for item in send(admin, "GET").json["data"]] == ["project"]
    admin.put("user", use(None, provider="groq"))
    assert send(admin, "DELETE", "groq").status == 200, "that of the environment takes its place"
    assert send(admin, "GET", "groq").json == found


def test_unreadable_credentials_affect_nothing_else(admin: Project, folder: Path) -> None:
    send(admin, "PUT", "lost", VENDOR)
    send(admin, "PUT", "fine", VENDOR)
    run_sql(admin.server.database, UNREADABLE.format("lost"))
    admin.put("another-write")
    with Server(folder, database=admin.server.database, prefix=ENVIRONMENT) as restarted:
        here = admin.on_server(restarted)

        lost, fine = send(here, "GET", "lost"), send(here, "GET", "fine")

        assert (lost.json["status"], lost.json["key_id"], lost.json["credentials"]) == ("unreadable", "00000000", None)
        assert "etag" not in lost.headers
        assert (fine.json["status"], fine.json["credentials"]) == ("ready", {"api_key": "…wxyz"})
        assert "00000000" in restarted.wait_for_event("The credentials of the integration 'lost'")["event"]
        kept = send(here, "PUT", "lost", {"provider": "openai", "options": {"project": "p1"}})
        assert (kept.status, kept.error["code"]) == (422, "provider_credential_invalid")
        assert send(here, "PUT", "lost", VENDOR).json["status"] == "ready"


def test_a_server_on_sqlite_without_a_secret_key_makes_a_key_file(folder: Path) -> None:
    with Server(folder) as server:
        admin = first_project(server)
        assert send(admin, "PUT", "link", LOCAL).status == 201
        assert not (folder / "moorage.key").exists(), "there was nothing to encrypt"

        assert send(admin, "PUT", "openai", VENDOR).status == 201

        key = folder / "moorage.key"
        assert key.stat().st_mode & 0o777 == 0o600
        assert send(admin, "GET", "openai").json["status"] == "ready"
        key.chmod(0o640)
        refused = send(admin, "PUT", "openai", {**VENDOR, "options": {"project": "p1"}})
        assert (refused.status, refused.error["code"]) == (503, "secret_key_unusable")
        assert "chmod 600 moorage.key" in refused.error["message"]


def test_the_history_has_hashes_of_an_integration_and_no_values(admin: Project) -> None:
    send(admin, "PUT", "openai", {**VENDOR, "reason": "for the shop"})
    send(admin, "DELETE", "openai", X_Moorage_Change_Reason="moved")

    entries = run_sql(
        admin.server.database,
        "SELECT action, reason, changes, api_key_id FROM history WHERE integration_id IS NOT NULL"
        f" AND project_id = '{admin.id}' ORDER BY rev",
    )

    assert [entry[:2] for entry in entries] == [
        ("integration_set", "for the shop"),
        ("integration_deleted", "moved"),
    ]
    assert {*json.loads(entries[0][2])} == {"name", "provider", "settings_sha256", "sealed_sha256"}
    assert {entry[3] for entry in entries} == {admin.token.split("_")[1]}


def first_project(server: Server) -> Project:
    """Return a project of a server with a key that has all scopes."""
    with closing(open_store(server.database)) as store:
        project = create_project(store, "p")
    found = Project(server, project.id, project.name, "")
    return Project(server, project.id, project.name, found.key(*Scope)[1]).on_server(server)
