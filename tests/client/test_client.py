"""The client: the sources of its configurations, its errors and its disk cache."""

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from moorage.client import AsyncMoorage, Config, DeploymentNotFound, DeploymentUnreadable, Moorage, NoConfigurationError
from moorage.core.access import Scope
from moorage.core.errors.requests import InvalidBody, InvalidJson
from moorage.core.errors.templates import JinjaNotEnabled
from tests.support.program import moorage
from tests.support.server import Project, Server, a_body
from tests.support.threads import HANG_SECONDS


@pytest.fixture
def cached_project(folder: Path) -> Iterator[tuple[Project, Path]]:
    """Return a project with a deployment, on a separate server, and the path of a disk cache."""
    (folder / "server").mkdir()
    with Server(folder / "server") as server:
        project = server.new_project()
        project.put("greeting")
        yield project, folder / "cache"


def connect(project: Project, cache: Path | None = None, lockfile: Path | None = None) -> Moorage:
    return Moorage(project.server.url, project.token, cache=cache, lockfile=lockfile, report_usage=False)


def wait_for(get_config: Callable[[], Config], condition: Callable[[Config], bool]) -> Config:
    """Return the first configuration for which the condition is true."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition(config := get_config()):
        assert time.monotonic() < deadline, config
        time.sleep(0.01)  # polls: the client is updated in another thread
    return config


JINJA = [{"role": "system", "content": "You help {{ customer }}."}]


def cache_file(cache: Path) -> Path:
    """Return the only file of a disk cache."""
    (file,) = cache.iterdir()
    return file


def test_a_config_has_the_bytes_of_the_server_and_its_source(project: Project) -> None:
    put = project.put("greeting", a_body(messages=[{"role": "system", "content": "You help {{customer}}."}]))
    with connect(project) as client:
        config = client.get_config("greeting", {"customer": "Ada"})
        by_id = client.get_config(put.json["id"], {"customer": "Ada"})

    body = json.dumps({"key": "greeting", "inputs": {"customer": "Ada"}}).encode()
    assert config.json == project.request("POST", "/v2/deployments/get_config", body).body
    assert config.json == by_id.json
    assert (config.source, config.version, config.variant, config.reason) == ("server", "1.0", "default", "only")
    assert (config.key, config.model, config.provider, config.type) == ("greeting", "openai/my-gpt", "openai", "chat")
    assert config.messages == [{"role": "system", "content": "You help Ada."}]
    assert config.parameters == {"temperature": 0.2, "maxTokens": 512}
    assert (config.tools, config.missing_inputs) == ([], [])
    assert config.id == json.loads(config.json)["id"]
    assert config.age >= 0
    assert "greeting 1.0 default, from the server" in repr(config)


def test_a_changed_config_does_not_affect_later_configs(project: Project) -> None:
    project.put("greeting")
    with connect(project) as client:
        first = client.get_config("greeting", {"customer": "Ada"})
        before = first.json
        first.messages[0]["content"] = first.parameters["temperature"] = "changed"

        assert client.get_config("greeting", {"customer": "Ada"}).json == before


def test_the_client_follows_puts_and_deletions(project: Project) -> None:
    project.put("greeting")
    with connect(project) as client:
        assert client.get_config("greeting").model == "openai/my-gpt"
        project.put("greeting", a_body(model="other"))
        project.put("new")

        assert wait_for(lambda: client.get_config("greeting"), lambda config: config.version == "1.1").model == "other"
        assert project.request("DELETE", "/v2/deployments/greeting").status == 200
        with pytest.raises(DeploymentNotFound):
            wait_for(lambda: client.get_config("greeting"), lambda config: False)
        assert client.get_config("new").version == "1.0"


def test_the_client_works_while_the_server_restarts(cached_project: tuple[Project, Path]) -> None:
    project, _ = cached_project
    with connect(project) as client:
        before = client.get_config("greeting")
        project.server.stop()
        during = client.get_config("greeting")
        project.server.start()
        project.put("greeting", a_body(model="other"))
        after = wait_for(lambda: client.get_config("greeting"), lambda config: config.version == "1.1")

    assert (before.version, during.version, during.source, after.source) == ("1.0", "1.0", "server", "server")
    assert during.json == before.json


def test_the_disk_cache_is_used_with_its_age_while_the_server_is_unreachable(
    cached_project: tuple[Project, Path],
) -> None:
    project, cache = cached_project
    with connect(project, cache) as client:
        live = client.get_config("greeting")
    project.server.stop()
    an_hour_ago = time.time() - 3_600
    os.utime(cache_file(cache), (an_hour_ago, an_hour_ago))

    with connect(project, cache) as client:
        config = client.get_config("greeting")
        assert (config.source, config.version, config.json) == ("disk", "1.0", live.json)
        assert config.age >= 3_600

        project.server.start()
        current = wait_for(lambda: client.get_config("greeting"), lambda config: config.source == "server")
        assert current.age < 3_600


def test_the_lockfile_is_used_without_server_and_disk_cache(cached_project: tuple[Project, Path], folder: Path) -> None:
    project, _ = cached_project
    assert moorage("lock", folder=folder, project=project).returncode == 0
    lockfile = folder / "deployments.lock.json"
    with connect(project) as client:
        live = client.get_config("greeting", {"customer": "Ada"})
    project.server.stop()
    an_hour_ago = time.time() - 3_600
    os.utime(lockfile, (an_hour_ago, an_hour_ago))

    with connect(project, folder / "empty", lockfile) as client:
        config = client.get_config("greeting", {"customer": "Ada"})

    assert (config.source, config.version, config.json) == ("lockfile", "1.0", live.json)
    assert config.age >= 3_600


def test_the_age_of_a_lockfile_is_the_age_of_the_file(cached_project: tuple[Project, Path], folder: Path) -> None:
    project, _ = cached_project
    assert moorage("lock", folder=folder, project=project).returncode == 0
    lockfile, checkout = folder / "deployments.lock.json", folder / "checkout.json"
    an_hour_ago = time.time() - 3_600
    os.utime(lockfile, (an_hour_ago, an_hour_ago))
    checkout.write_bytes(lockfile.read_bytes())
    project.server.stop()

    with connect(project, folder / "empty", checkout) as client:
        assert client.get_config("greeting").age < 3_600
    help_text = " ".join(moorage("lock", "--help", folder=folder).stdout.split())
    assert "which is the time of a checkout" in help_text


def test_an_unreadable_deployment_in_the_lockfile_raises_and_others_are_returned(
    cached_project: tuple[Project, Path], folder: Path
) -> None:
    project, _ = cached_project
    project.put("other")
    assert moorage("lock", folder=folder, project=project).returncode == 0
    project.server.stop()
    lockfile = folder / "deployments.lock.json"
    locked = json.loads(lockfile.read_text())
    locked["deployments"][0]["prompt_config"] = {}
    lockfile.write_text(json.dumps(locked))

    with connect(project, folder / "empty", lockfile) as client:
        with pytest.raises(
            DeploymentUnreadable, match=r"'greeting' in the lockfile cannot be decoded: .*`model`.*moorage lock"
        ):
            client.get_config("greeting")
        assert client.get_config("other").source == "lockfile"


def flip_bit(file: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def truncate(file: Path) -> None:
    """Remove the last bytes of a file."""
    file.write_bytes(file.read_bytes()[:-10])


def forge_signature(file: Path) -> None:
    """Replace the signature of a cache file."""
    file.write_bytes(b"hmac-sha256=" + b"0" * 64 + b"\n" + file.read_bytes().partition(b"\n")[2])


def clear(file: Path) -> None:
    """Remove the content of a file."""
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip_bit, truncate, forge_signature, clear])
def test_a_damaged_disk_cache_is_not_used(
    cached_project: tuple[Project, Path], folder: Path, damage: Callable[[Path], None]
) -> None:
    project, cache = cached_project
    assert moorage("lock", folder=folder, project=project).returncode == 0
    with connect(project, cache) as client:
        client.get_config("greeting")
    project.server.stop()
    damage(cache_file(cache))

    with connect(project, cache, folder / "deployments.lock.json") as client:
        assert client.get_config("greeting").source == "lockfile"
    with (
        connect(project, cache) as client,
        pytest.raises(NoConfigurationError, match="is damaged, or was written with another API key"),
    ):
        client.get_config("greeting")


def test_the_disk_cache_of_another_api_key_is_not_used(cached_project: tuple[Project, Path]) -> None:
    project, cache = cached_project
    with connect(project, cache) as client:
        client.get_config("greeting")
    project.server.stop()
    other = Project(project.server, project.id, project.name, project.key(Scope.INVOKE)[1])
    file = cache_file(cache)
    file.rename(file.with_name(file.name.replace(project.token[4:16], other.token[4:16])))

    with connect(other, cache) as client, pytest.raises(NoConfigurationError, match="was written with another API key"):
        client.get_config("greeting")


def test_a_server_that_rejects_the_api_key_is_not_a_source(cached_project: tuple[Project, Path], folder: Path) -> None:
    """The API key has a valid id and an invalid secret."""
    project, cache = cached_project
    other = project.token[:-1] + ("x" if project.token[-1] != "x" else "y")
    invalid = Project(project.server, project.id, project.name, other)
    with (
        connect(invalid, cache) as client,
        pytest.raises(
            NoConfigurationError,
            match=rf"127\.0\.0\.1:{project.server.port} rejects the API key, HTTP status 401: .*keys:admin can",
        ),
    ):
        client.get_config("greeting")


def test_the_error_without_any_source_lists_the_sources_and_a_fix(folder: Path) -> None:
    with (
        Moorage("http://127.0.0.1:9", "mrg_x", cache=folder / "cache", lockfile=folder / "no.json") as client,
        pytest.raises(
            NoConfigurationError,
            match=r"Server: connection refused\. Disk cache: none\. Lockfile: none\..*moorage lock",
        ),
    ):
        client.get_config("greeting")


def test_an_unknown_key_raises_with_the_source_and_the_nearest_key(project: Project) -> None:
    project.put("greeting")
    with connect(project) as client:
        with pytest.raises(
            DeploymentNotFound,
            match=r"'greetings' not found in the server's snapshot \(1 deployment, .*Did you mean 'greeting'\?",
        ):
            client.get_config("greetings")
        with pytest.raises(InvalidBody):
            client.get_config("greeting", context={"a": {"b": 1}})
        with pytest.raises(InvalidBody):
            client.get_config("greeting", messages=[{"role": "nobody", "content": ""}])


class Plan(StrEnum):
    PRO = "pro"


class Markup(str):
    """A subclass of str, as template engines have one."""

    __slots__ = ()


class MixedPlan(str, Enum):  # noqa: UP042 -- the form before StrEnum
    PRO = "pro"


@pytest.mark.parametrize(
    "context",
    [{"plan": Plan.PRO}, {"plan": MixedPlan.PRO}, {MixedPlan.PRO: 1, "plan": "pro"}, {"plan": ("free", "pro")}],
    ids=["StrEnum", "str and Enum", "key", "tuple"],
)
def test_values_that_json_dumps_converts_resolve_as_on_the_server(project: Project, context: dict[Any, Any]) -> None:
    body = a_body(messages=[{"role": "system", "content": "Help {{customer.name}}, {{plan}}."}])
    variant = {"name": "paid", "prompt_config": body["prompt_config"]}
    rule = {"variant": "paid", "when": {"plan": {"in": ["pro", "team"]}}}
    project.put("greeting", {**body, "variants": [variant], "routing": [rule]})
    inputs = {"customer": {"name": MixedPlan.PRO}, "plan": Markup("pro")}
    request = json.dumps({"key": "greeting", "context": context, "inputs": inputs}).encode()

    with connect(project) as client:
        config = client.get_config("greeting", inputs, context)

    assert config.json == project.request("POST", "/v2/deployments/get_config", request).body
    assert (config.variant, config.messages[0]["content"]) == ("paid", "Help pro, pro.")


def test_mappings_and_sequences_of_any_type_are_accepted(project: Project) -> None:
    project.put("greeting", a_body(messages=[{"role": "system", "content": "Help {{a}}."}]))
    message = {"role": "user", "content": "Hi"}
    with connect(project) as client:
        config = client.get_config(
            "greeting", MappingProxyType({"a": MappingProxyType({"b": deque([1])})}), messages=deque([message])
        )

    assert config.messages == [{"role": "system", "content": 'Help {"b":[1]}.'}, message]


def test_a_value_that_is_not_json_is_rejected_with_its_argument(project: Project) -> None:
    project.put("greeting")
    with connect(project) as client:
        for arguments, message in (
            ((None,), "key: must be a string, not null"),
            (("greeting", {"a": object()}), "inputs: is not a JSON value"),
            (("greeting", None, {"a": 1j}), "context: is not a JSON value"),
            (("greeting", {"a": float("nan")}), "inputs: is not a JSON value"),
            (("greeting", {"a": [float("inf")]}), "inputs: is not a JSON value"),
            (("greeting", {"a": b"1"}), "inputs: is not a JSON value"),
            (("greeting", {"a": 10**5_000}), "inputs: is not a JSON value"),
            (("greeting", {}, {"a": 10**5_000}), "context: is not a JSON value"),
        ):
            with pytest.raises(InvalidBody, match=message):
                client.get_config(*arguments)


def test_jinja_templates_are_rendered_only_if_jinja_is_enabled(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("greeting", {**a_body(messages=JINJA), "settings": {"engine": "jinja"}})
        with connect(project) as client, pytest.raises(JinjaNotEnabled):
            client.get_config("greeting", {"customer": "Ada"})
        with Moorage(server.url, project.token, cache=None, lockfile=None, jinja=True) as client:
            assert client.get_config("greeting", {"customer": "Ada"}).messages[0]["content"] == "You help Ada."


def test_the_asynchronous_client_returns_the_same_config(project: Project) -> None:
    project.put("greeting")

    async def get_config() -> Config:
        async with AsyncMoorage(project.server.url, project.token, cache=None, lockfile=None) as client:
            with pytest.raises(InvalidJson, match=r"inputs\.customer contains half a surrogate pair"):
                await client.get_config("greeting", {"customer": "\ud800"})
            return await client.get_config("greeting", {"customer": "Ada"})

    config = asyncio.run(get_config())

    with connect(project) as client:
        assert config.json == client.get_config("greeting", {"customer": "Ada"}).json
    assert config.source == "server"


def test_only_the_owner_can_read_the_disk_cache(cached_project: tuple[Project, Path]) -> None:
    project, cache = cached_project
    with connect(project, cache) as client:
        client.get_config("greeting")

    assert (cache.stat().st_mode & 0o777, cache_file(cache).stat().st_mode & 0o777) == (0o700, 0o600)
