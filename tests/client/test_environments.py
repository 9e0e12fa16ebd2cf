"""A client has the deployments of one environment, and never serves those of another one."""

import asyncio
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.client import AsyncMoorage, InvalidEnvironment, Moorage, NoConfigurationError, WrongEnvironment, usage
from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.errors.environments import InvalidEnvironmentName
from moorage.core.resolution.snapshot import encode_lockfile
from tests.client.test_forks import Program
from tests.client.test_middleman import wait_for_log
from tests.support.environments import set_environment
from tests.support.middleman import Middleman, Reply
from tests.support.server import Project, Response, Server, a_body
from tests.support.threads import HANG_SECONDS, until

pytestmark = pytest.mark.system

SNAPSHOT = "/v2/deployments/snapshot"


class Staged:
    """A project with the environments production, staging and more, where `greeting` has different models.

    In staging, `follower` follows production.
    """

    def __init__(self, project: Project) -> None:
        self.project, self.url, self.token = project, project.server.url, project.token
        _, token = project.key(*DEFAULT_SCOPES, Scope.ENVIRONMENTS_ADMIN, Scope.KEYS_ADMIN)
        self._admin = {"Authorization": f"Bearer {token}"}
        for name in ("staging", "more"):
            self.create(name)
        project.put("greeting", a_body(model="of production"))
        project.put("follower", a_body(model="of production"))
        self.put("greeting", "of staging")

    def create(self, name: str) -> None:
        response = self.project.request("PUT", f"/v2/environments/{name}", b"{}", self._admin)
        assert response.status == 201, response.body

    def delete(self, name: str) -> None:
        response = self.project.request("DELETE", f"/v2/environments/{name}?force=true", None, self._admin)
        assert response.status == 200, response.body

    def put(self, key: str, model: str, environment: str = "staging") -> None:
        response = self.project.put(key, a_body(model=model), f"?environment={environment}")
        assert response.status in (200, 201), response.body

    def promote(self, keys: list[str]) -> None:
        """Promote deployments from staging to production."""
        body = {"from": "staging", "to": "production", "deployments": [{"key": key} for key in keys]}
        response = self.project.request("POST", "/v2/promotions", json.dumps(body).encode())
        assert response.status == 200, response.body

    def bound_key(self, environment: str) -> str:
        """Return the token of a key that is bound to an environment."""
        body = {"name": environment, "environment": environment, "scopes": ["deployments:invoke", "deployments:read"]}
        return str(self.project.request("POST", "/v2/api-keys", json.dumps(body).encode(), self._admin).json["token"])

    def snapshot(self, environment: str) -> Response:
        return self.project.request("GET", f"{SNAPSHOT}?environment={environment}")

    def lockfile(self, folder: Path, environment: str) -> Path:
        path = folder / f"{environment}.lock.json"
        path.write_bytes(encode_lockfile(self.snapshot(environment).json))
        return path

    def connect(
        self, environment: str | None = None, *, url: str = "", token: str = "", cache: Path | None = None,
        lockfile: Path | None = None,
    ) -> Moorage:  # fmt: skip
        return Moorage(
            url or self.url, token or self.token, cache=cache, lockfile=lockfile, report_usage=False,
            environment=environment,
        )  # fmt: skip


@pytest.fixture
def staged(project: Project) -> Staged:
    return Staged(project)


@pytest.fixture
def own_server(folder: Path) -> Iterator[Staged]:
    """Return a project on a separate server."""
    (folder / "server").mkdir()
    with Server(folder / "server") as server:
        yield Staged(server.new_project())


def model_of(client: Moorage, key: str = "greeting") -> str:
    return client.get_config(key).model


def status_of(client: Moorage) -> str:
    return client._sync._status["server"]


# The environment of a client


def test_a_client_has_the_deployments_of_its_environment(staged: Staged) -> None:
    with staged.connect() as none, staged.connect("production") as production, staged.connect("staging") as staging:
        assert [model_of(client) for client in (none, production, staging)] == [
            "of production", "of production", "of staging",
        ]  # fmt: skip
        assert model_of(staging, "follower") == "of production"
        config = staging.get_config("greeting", {"customer": "Ada"})

    body = json.dumps({"key": "greeting", "inputs": {"customer": "Ada"}}).encode()
    assert config.json == staged.project.request("POST", "/v2/deployments/get_config?environment=staging", body).body


def test_a_bound_key_gets_its_environment_without_the_argument(staged: Staged) -> None:
    token = staged.bound_key("staging")
    with staged.connect(token=token) as client, staged.connect("staging", token=token) as named:
        assert (model_of(client), model_of(named)) == ("of staging", "of staging")


def test_a_bound_key_and_another_environment_have_no_configuration(staged: Staged) -> None:
    with (
        staged.connect("production", token=staged.bound_key("staging")) as client,
        pytest.raises(NoConfigurationError, match="This API key is bound to the environment 'staging'"),
    ):
        client.get_config("greeting")


def test_the_environment_is_sent_only_if_it_is_an_argument(staged: Staged) -> None:
    with Middleman(staged.url) as middleman:
        with staged.connect(url=middleman.url) as client:
            model_of(client)
            until(lambda: middleman.count("/changes") == 1)
        with staged.connect("staging", url=middleman.url) as client:
            model_of(client)
            until(lambda: middleman.count("/changes") == 2)

    assert [path.removeprefix("/v2/deployments/") for path in middleman.requests] == [
        "snapshot", "changes", "snapshot?environment=staging", "changes?environment=staging",
    ]  # fmt: skip


def test_usage_is_recorded_in_the_environment(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "CLOSE_SECONDS", HANG_SECONDS)

    def callers(environment: str) -> list[list[str]]:
        path = f"/v2/deployments/greeting/callers?environment={environment}"
        return [caller["inputs"] for caller in staged.project.request("GET", path).json["data"]]

    with Moorage(staged.url, staged.token, cache=None, lockfile=None, environment="staging") as client:
        client.get_config("greeting", {"in_staging": 1})
    assert (client.usage_reports, callers("staging"), callers("production")) == ((1, 0), [["in_staging"]], [])

    with Moorage(staged.url, staged.token, cache=None, lockfile=None) as client:
        client.get_config("greeting", {"in_production": 1})
    assert (callers("staging"), callers("production")) == ([["in_staging"]], [["in_production"]])


def test_an_unknown_environment_has_no_configuration(staged: Staged) -> None:
    with (
        staged.connect("unknown") as client,
        pytest.raises(NoConfigurationError, match="HTTP status 404: Environment 'unknown' not found"),
    ):
        client.get_config("greeting")


@pytest.mark.parametrize("name", ["", "Staging", "../staging", "live", "a&b=c"])
def test_an_invalid_name_is_rejected_before_any_request(name: str) -> None:
    with pytest.raises(InvalidEnvironmentName):
        Moorage("http://127.0.0.1:9", "mrg_a", environment=name)


def test_from_env_reads_the_environment_and_an_argument_takes_precedence(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOORAGE_URL", staged.url)
    monkeypatch.setenv("MOORAGE_API_KEY", staged.token)
    monkeypatch.setenv("MOORAGE_ENVIRONMENT", "staging")
    with Moorage.from_env(cache=None, lockfile=None) as client:
        assert model_of(client) == "of staging"
    with Moorage.from_env(cache=None, lockfile=None, environment="production") as client:
        assert model_of(client) == "of production"

    monkeypatch.setenv("MOORAGE_ENVIRONMENT", "Staging")
    with pytest.raises(InvalidEnvironment, match="MOORAGE_ENVIRONMENT: 'Staging' is not the name of an environment"):
        Moorage.from_env()


# The environment that a context names

ATTRIBUTES = [
    "staging", ["staging"], "production", ["production"], "more", ["more"], ("more",), "unknown", ["unknown"], [], None,
    ["staging", "more"], ["more", "more"], [["more"]], "", "Staging", 1, True,
]  # fmt: skip


@pytest.mark.parametrize("bound", ["staging", "production"])
def test_a_client_accepts_the_contexts_that_the_server_accepts_from_a_bound_key(staged: Staged, bound: str) -> None:
    token = staged.bound_key(bound)
    with staged.connect(token=token) as of_key, staged.connect(bound) as of_argument:
        for attribute in ATTRIBUTES:
            body = json.dumps({"key": "greeting", "context": {"environments": attribute}}).encode()
            response = staged.project.request(
                "POST", "/v2/deployments/get_config", body, {"Authorization": f"Bearer {token}"}
            )
            for client in (of_key, of_argument):
                if response.status == 403:
                    with pytest.raises(WrongEnvironment) as raised:
                        client.get_config("greeting", context={"environments": attribute})
                    assert raised.value.code == response.error["code"]
                elif response.status == 200:
                    config = client.get_config("greeting", context={"environments": attribute})
                    assert config.json == response.body, attribute
                else:  # an attribute has no such form
                    assert response.status == 400


def test_a_client_without_the_argument_is_that_of_production(staged: Staged) -> None:
    with staged.connect() as client:
        assert client.get_config("greeting", context={"environments": "production"}).model == "of production"
        with pytest.raises(WrongEnvironment) as raised:
            client.get_config("greeting", context={"environments": ["staging"]})

    assert str(raised.value) == (
        "The context names the environment 'staging', and this client is of 'production'. Use a client of that "
        "environment: Moorage(url, api_key, environment='staging')."
    )
    assert raised.value.param == "context.environments"


def test_the_asynchronous_client_raises_too(staged: Staged) -> None:
    async def use() -> str:
        async with AsyncMoorage(
            staged.url, staged.token, cache=None, lockfile=None, report_usage=False, environment="staging"
        ) as client:
            with pytest.raises(WrongEnvironment):
                await client.get_config("greeting", context={"environments": "production"})
            return (await client.get_config("greeting", context={"environments": "staging"})).model

    assert asyncio.run(use()) == "of staging"


def test_routing_rules_get_the_attribute_exactly_as_sent(staged: Staged) -> None:
    body = a_body(model="default")
    body["variants"] = [{"name": "other", "prompt_config": a_body(model="other")["prompt_config"]}]
    body["routing"] = [{"variant": "other", "when": {"environments": {"in": ["staging", "unknown"]}}}]
    put = staged.project.put("ruled", body)
    assert put.status == 201, put.body
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "default"), ({"environments": "staging"}, "other"), ({"environments": ["unknown"]}, "other"),
        ({"environments": ["staging", "x"]}, "other"), ({"environments": "x"}, "default"),
    ]  # fmt: skip
    with staged.connect("staging") as client:
        for context, model in cases:
            assert client.get_config("ruled", context=context).model == model, context


# Disk caches and lockfiles


def test_a_client_that_is_restarted_with_another_environment_never_reads_the_cache(
    own_server: Staged, folder: Path
) -> None:
    cache = folder / "cache"
    with own_server.connect("staging", cache=cache) as client:
        assert model_of(client) == "of staging"
    own_server.project.server.stop()

    with own_server.connect("staging", cache=cache) as client:
        assert (model_of(client), client.get_config("greeting").source) == ("of staging", "disk")
        with pytest.raises(WrongEnvironment):
            client.get_config("greeting", context={"environments": "production"})
    for environment in ("production", "more", None):
        with own_server.connect(environment, cache=cache) as client, pytest.raises(NoConfigurationError):
            client.get_config("greeting")


def test_a_copied_cache_of_another_environment_is_rejected_and_replaced(own_server: Staged, folder: Path) -> None:
    cache = folder / "cache"
    for environment in ("production", "staging"):
        with own_server.connect(environment, cache=cache) as client:
            model_of(client)
    production, staging = (next(cache.glob(f"*-{name}.snapshot")) for name in ("production", "staging"))
    shutil.copy(staging, production)
    own_server.project.server.stop()

    with own_server.connect("production", cache=cache) as client, pytest.raises(NoConfigurationError) as raised:
        client.get_config("greeting")
    assert f"{production} is of the environment 'staging', and this client is of 'production'" in str(raised.value)

    own_server.project.server.start()
    with own_server.connect("production", cache=cache) as client:
        until(lambda: client.get_config("greeting").source == "server")
    assert production.read_bytes().partition(b"\n")[2] == own_server.snapshot("production").body


def test_a_cache_has_the_name_of_an_environment_that_was_created_later(project: Project, folder: Path) -> None:
    project.put("greeting")
    with Moorage(project.server.url, project.token, cache=folder, lockfile=None, report_usage=False) as client:
        client.get_config("greeting", context={"environments": "staging"})
    staged = Staged(project)
    for name in ("last", "later"):  # the second one only adds a name, at the same revision
        staged.create(name)
        with staged.connect(cache=folder) as client:
            until(lambda: client.get_config("greeting").source == "server")
        (file,) = folder.glob("*.snapshot")
        assert file.read_bytes().partition(b"\n")[2] == project.request("GET", SNAPSHOT).body


def test_the_lockfile_of_another_environment_is_rejected(staged: Staged, folder: Path) -> None:
    locked = {name: staged.lockfile(folder, name) for name in ("production", "staging")}
    away = "http://127.0.0.1:9"
    with staged.connect("staging", url=away, lockfile=locked["staging"]) as client:
        assert (model_of(client), client.get_config("greeting").source) == ("of staging", "lockfile")
    for environment in (None, "production"):
        with staged.connect(environment, url=away, lockfile=locked["production"]) as client:
            assert model_of(client) == "of production"

    for environment, other in ((None, "staging"), ("production", "staging"), ("staging", "production")):
        own = environment or "production"
        with staged.connect(environment, url=away, lockfile=locked[other]) as client:
            with pytest.raises(NoConfigurationError) as raised:
                client.get_config("greeting")
            assert f"is of the environment '{other}', and this client is of '{own}'" in str(raised.value)


def test_a_new_environment_does_not_change_a_lockfile(staged: Staged, folder: Path) -> None:
    before = {name: staged.lockfile(folder, name).read_bytes() for name in ("production", "staging")}
    staged.create("last")
    assert before == {name: staged.lockfile(folder, name).read_bytes() for name in before}
    assert b"environment" not in before["production"]


def test_another_name_in_a_context_is_logged_once_with_a_lockfile(
    staged: Staged, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lockfile = staged.lockfile(folder, "staging")
    with (
        caplog.at_level(logging.WARNING, "moorage.client"),
        staged.connect("staging", url="http://127.0.0.1:9", lockfile=lockfile) as client,
    ):
        client.get_config("greeting", context={"environments": "staging"})
        assert "cannot show whether" not in caplog.text
        for name in ("production", ["production"], "unknown"):
            assert client.get_config("greeting", context={"environments": name}).model == "of staging"

    assert caplog.text.count("the lockfile is of the environment 'staging', and cannot show whether 'production'") == 1
    assert caplog.text.count("cannot show whether") == 1


# Servers and programs that respond with something else


def test_an_old_server_is_named_and_the_cache_is_used(
    staged: Staged, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = staged.project.request("GET", f"{SNAPSHOT}?other=staging").body.replace(b"other", b"environment")
    reply = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(unknown), unknown)

    def respond(path: str, send: Any) -> bool:
        if is_old[0] and "environment=" in path:
            send(reply)
        return is_old[0] and "environment=" in path

    is_old = [False]
    lockfile = staged.lockfile(folder, "production")
    with Middleman(staged.url) as middleman:
        middleman.on_raw = respond
        with staged.connect("staging", url=middleman.url, cache=folder) as client:
            assert model_of(client) == "of staging"
        is_old[0] = True

        with staged.connect("staging", url=middleman.url, cache=folder, lockfile=lockfile) as client:
            assert (model_of(client), client.get_config("greeting").source) == ("of staging", "disk")
            wait_for_log(caplog, "the environment 'staging' needs a newer server: 127.0.0.1:")
        with (
            staged.connect("staging", url=middleman.url, lockfile=lockfile) as client,
            pytest.raises(NoConfigurationError, match="needs a newer server"),
        ):
            client.get_config("greeting")
        with staged.connect(url=middleman.url) as client:
            assert model_of(client) == "of production"


@pytest.mark.parametrize("environment", ["staging", None])
def test_the_signed_snapshot_of_another_environment_is_rejected(
    staged: Staged, environment: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The client without the argument knows its environment from the first snapshot."""
    own, other = ("staging", "production") if environment else ("production", "staging")
    response = staged.snapshot(other)
    forged = Reply(200, {"X-Moorage-Signature": response.headers["x-moorage-signature"]}, response.body)
    with Middleman(staged.url) as middleman:
        with staged.connect(environment, url=middleman.url) as client:
            until(lambda: middleman.count("/changes") == 1)
            middleman.on_snapshot = lambda reply: forged
            staged.put("greeting", "changed", own)
            wait_for_log(caplog, f"the snapshot is of the environment '{other}' instead of '{own}'")
            assert model_of(client) == f"of {own}"
        if environment:
            with staged.connect(environment, url=middleman.url) as client, pytest.raises(NoConfigurationError):
                client.get_config("greeting")


def test_a_client_of_a_deleted_environment_keeps_its_state_and_follows_a_new_one_of_the_name(
    staged: Staged, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with staged.connect("staging", cache=folder) as client:
        assert model_of(client) == "of staging"
        staged.delete("staging")
        wait_for_log(caplog, "HTTP status 404: Environment 'staging' not found")
        assert (model_of(client), client.get_config("greeting").source) == ("of staging", "server")
        assert "Environment 'staging' not found" in status_of(client)
        with staged.connect("staging", cache=folder) as restarted:
            assert restarted.get_config("greeting").source == "disk"

        staged.create("staging")
        until(lambda: model_of(client) == "of production")
        staged.put("greeting", "of the new one")
        until(lambda: model_of(client) == "of the new one")


def test_a_client_whose_key_is_bound_to_a_deleted_environment_keeps_its_state(
    staged: Staged, caplog: pytest.LogCaptureFixture
) -> None:
    with staged.connect(token=staged.bound_key("staging")) as client:
        assert model_of(client) == "of staging"
        staged.delete("staging")
        wait_for_log(caplog, "rejects the API key")
        assert model_of(client) == "of staging"


# Changes


def test_a_connected_client_knows_an_environment_when_it_is_created(project: Project) -> None:
    project.put("greeting")

    def is_wrong(client: Moorage) -> bool:
        try:
            client.get_config("greeting", context={"environments": "staging"})
        except WrongEnvironment:
            return True
        return False

    with (
        Middleman(project.server.url) as middleman,
        Moorage(middleman.url, project.token, cache=None, lockfile=None, report_usage=False) as client,
    ):
        until(lambda: middleman.count("/changes") == 1)
        assert not is_wrong(client)
        staged = Staged(project)
        until(lambda: is_wrong(client))
        staged.delete("staging")
        until(lambda: not is_wrong(client))
        staged.delete("more")
        until(lambda: client._sync.wait().environments == ())
        assert client._sync.wait().encoded() == project.request("GET", SNAPSHOT).body


def test_a_client_learns_that_all_environments_were_deleted_after_its_snapshot(project: Project) -> None:
    project.put("greeting")
    staged = Staged(project)

    def then_delete(reply: Reply) -> Reply:
        middleman.on_snapshot = lambda reply: reply
        staged.delete("staging")
        staged.delete("more")
        return reply

    with Middleman(project.server.url) as middleman:
        middleman.on_snapshot = then_delete
        with Moorage(middleman.url, project.token, cache=None, lockfile=None, report_usage=False) as client:
            until(lambda: client._sync.wait().environments == ())
            assert client._sync.wait().encoded() == project.request("GET", SNAPSHOT).body


def test_a_client_learns_the_environments_that_were_created_while_it_was_disconnected(own_server: Staged) -> None:
    server = own_server.project.server
    with own_server.connect() as client:
        model_of(client)
        server.stop()
        with server.open_store() as store:
            set_environment(store, own_server.project.id, "offline")
        server.start()
        until(lambda: "offline" in client._sync.wait().environments)
        with pytest.raises(WrongEnvironment):
            client.get_config("greeting", context={"environments": "offline"})


def test_names_that_cannot_be_decoded_are_rejected(staged: Staged, caplog: pytest.LogCaptureFixture) -> None:
    with Middleman(staged.url) as middleman:
        middleman.on_event = lambda event: [event, b"event: environments\ndata: [1]\n\n"]
        with staged.connect(url=middleman.url) as client:
            wait_for_log(caplog, "the change stream has invalid names of environments")
            assert model_of(client) == "of production"


def test_a_client_of_production_gets_neither_events_nor_snapshots_while_staging_moves(staged: Staged) -> None:
    events: list[bytes] = []

    def record(event: bytes) -> list[bytes]:
        if b"event: " in event and b"event: environments" not in event:
            events.append(event)
        return [event]

    with Middleman(staged.url) as middleman:
        middleman.on_event = record
        with staged.connect(url=middleman.url) as client:
            until(lambda: middleman.count("/changes") == 1)
            before = staged.project.request("GET", SNAPSHOT)
            for number in range(100):
                staged.put("greeting", f"try {number}")
            assert staged.project.request("GET", SNAPSHOT).headers["etag"] == before.headers["etag"]
            staged.project.put("greeting", a_body(model="at last"))
            until(lambda: model_of(client) == "at last")

    assert (len(events), middleman.statuses) == (1, [200, 304])


def test_a_follower_gets_every_move_of_production_and_an_own_version_none(staged: Staged) -> None:
    events: list[bytes] = []

    def record(event: bytes) -> list[bytes]:
        if b"event: " in event and b"event: environments" not in event:
            events.append(event)
        return [event]

    with Middleman(staged.url) as middleman:
        middleman.on_event = record
        with staged.connect("staging", url=middleman.url) as client:
            until(lambda: middleman.count("/changes") == 1)
            for number in range(5):
                staged.project.put("greeting", a_body(model=f"hidden {number}"))
                staged.project.put("follower", a_body(model=f"move {number}"))
                until(lambda model=f"move {number}": model_of(client, "follower") == model)  # type: ignore[misc]  # mypy infers no lambda with a default
            assert model_of(client) == "of staging"
            assert client._sync.wait().encoded() == staged.snapshot("staging").body

    assert len(events) == 5
    assert all(b'"key":"follower"' in event for event in events)
    assert middleman.statuses == [200, *[304] * 5]  # the client predicted each snapshot


@pytest.mark.parametrize("interruption", ["disconnect", "reset"])
def test_a_promotion_of_many_that_is_interrupted_ends_complete(staged: Staged, interruption: str) -> None:
    keys = [f"d{number:02}" for number in range(40)]
    for key in keys:
        staged.put(key, "promoted")
    events: list[bytes] = []

    def interrupt(event: bytes) -> list[bytes]:
        if b"event: deployment" in event:
            events.append(event)
            if len(events) == 20:
                assert not any(b"id: " in each for each in events), "all have one revision"
                if interruption == "disconnect":
                    raise BrokenPipeError
                return [b"event: reset\ndata: {}\n\n"]
        return [event]

    with Middleman(staged.url) as middleman:
        middleman.on_event = interrupt
        with staged.connect(url=middleman.url) as client:
            until(lambda: middleman.count("/changes") == 1)
            assert len(client.list()) == 2
            staged.promote(keys)
            counts: list[int] = []

            def is_complete() -> bool:
                counts.append(len(client.list()))
                return counts[-1] == 2 + len(keys)

            until(is_complete)
            assert {*counts} <= {2, 2 + len(keys)}, "the deployments of one revision are never separated"
            assert all(model_of(client, key) == "promoted" for key in keys)
            assert client._sync.wait().encoded() == staged.project.request("GET", SNAPSHOT).body
    assert len(events) >= 20


def test_a_client_of_an_environment_follows_it_in_forked_processes(staged: Staged, folder: Path) -> None:
    with Program("environment", staged.url, staged.token, folder, "staging") as program:
        assert (program.says(), program.says()) == ("of staging", "forked")
        staged.project.put("greeting", a_body(model="moved in production"))
        staged.put("greeting", "moved in staging")
        program.go_on()

        assert [program.says() for _ in range(2)] == [["child", "moved in staging"], ["parent", "moved in staging"]]
