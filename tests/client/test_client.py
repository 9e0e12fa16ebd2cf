"""The client: where it answers from, and that it says so."""

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

from moorage.client import AsyncMoorage, BrokenDeployment, Config, Moorage, NothingKnown, UnknownDeployment
from moorage.core.access import Scope
from moorage.core.request_errors import InvalidBody, InvalidJson
from moorage.core.template_errors import JinjaNotEnabled
from tests.support.program import moorage
from tests.support.server import Project, Server, a_body


@pytest.fixture
def kept(folder: Path) -> Iterator[tuple[Project, Path]]:
    """A project with a deployment on a server of its own, and a folder for a cache."""
    (folder / "server").mkdir()
    with Server(folder / "server") as server:
        project = server.new_project()
        project.put("greeting")
        yield project, folder / "cache"


def client(project: Project, cache: Path | None = None, lockfile: Path | None = None) -> Moorage:
    return Moorage(project.server.url, project.token, cache=cache, lockfile=lockfile)


def wait_for(ask: Callable[[], Config], is_so: Callable[[Config], bool]) -> Config:
    """The first answer of which something is so."""
    deadline = time.monotonic() + 30
    while not is_so(config := ask()):
        assert time.monotonic() < deadline, config
        time.sleep(0.01)  # asked again, up to the deadline
    return config


JINJA = [{"role": "system", "content": "You help {{ customer }}."}]


def file_of(cache: Path) -> Path:
    (file,) = cache.iterdir()
    return file


def test_it_answers_as_the_server_and_says_so(project: Project) -> None:
    put = project.put("greeting", a_body(messages=[{"role": "system", "content": "You help {{customer}}."}]))
    with client(project) as asked:
        config = asked.get_config("greeting", {"customer": "Ada"})
        by_id = asked.get_config(put.json["id"], {"customer": "Ada"})

    body = json.dumps({"key": "greeting", "inputs": {"customer": "Ada"}}).encode()
    assert config.json == project.request("POST", "/v2/deployments/get_config", body).body
    assert config.json == by_id.json
    assert (config.source, config.version, config.variant, config.reason) == ("server", "1.0", "default", "only")
    assert (config.key, config.model, config.provider, config.type) == ("greeting", "openai/gpt-4o", "openai", "chat")
    assert config.messages == [{"role": "system", "content": "You help Ada."}]
    assert config.parameters == {"temperature": 0.2, "maxTokens": 512}
    assert (config.tools, config.missing_inputs) == ([], [])
    assert config.id == json.loads(config.json)["id"]
    assert config.age >= 0
    assert "greeting 1.0 default, from the server" in repr(config)


def test_what_a_caller_changes_is_its_own(project: Project) -> None:
    project.put("greeting")
    with client(project) as asked:
        first = asked.get_config("greeting", {"customer": "Ada"})
        before = first.json
        first.messages[0]["content"] = first.parameters["temperature"] = "changed"

        assert asked.get_config("greeting", {"customer": "Ada"}).json == before


def test_what_is_published_is_answered_soon_after(project: Project) -> None:
    project.put("greeting")
    with client(project) as asked:
        assert asked.get_config("greeting").model == "openai/gpt-4o"
        project.put("greeting", a_body(model="other"))
        project.put("new")

        assert wait_for(lambda: asked.get_config("greeting"), lambda config: config.version == "1.1").model == "other"
        project.request("DELETE", "/v2/deployments/greeting")
        with pytest.raises(UnknownDeployment):
            wait_for(lambda: asked.get_config("greeting"), lambda config: False)
        assert asked.get_config("new").version == "1.0"


def test_a_server_that_is_restarted_is_not_missed(kept: tuple[Project, Path]) -> None:
    project, _ = kept
    with client(project) as asked:
        before = asked.get_config("greeting")
        project.server.stop()
        during = asked.get_config("greeting")
        project.server.start()
        project.put("greeting", a_body(model="other"))
        after = wait_for(lambda: asked.get_config("greeting"), lambda config: config.version == "1.1")

    assert (before.version, during.version, during.source, after.source) == ("1.0", "1.0", "server", "server")
    assert during.json == before.json


def test_without_a_server_it_answers_from_the_disk_and_says_how_old_that_is(kept: tuple[Project, Path]) -> None:
    project, cache = kept
    with client(project, cache) as asked:
        live = asked.get_config("greeting")
    project.server.stop()
    long_ago = time.time() - 3_600
    os.utime(file_of(cache), (long_ago, long_ago))

    with client(project, cache) as asked:
        config = asked.get_config("greeting")
        assert (config.source, config.version, config.json) == ("disk", "1.0", live.json)
        assert config.age >= 3_600

        project.server.start()
        again = wait_for(lambda: asked.get_config("greeting"), lambda config: config.source == "server")
        assert again.age < 3_600


def test_without_server_and_cache_it_answers_from_the_lockfile(kept: tuple[Project, Path], folder: Path) -> None:
    project, _ = kept
    assert moorage("pull", folder=folder, project=project).returncode == 0
    lockfile = folder / "deployments.lock.json"
    with client(project) as asked:
        live = asked.get_config("greeting", {"customer": "Ada"})
    project.server.stop()
    long_ago = time.time() - 3_600
    os.utime(lockfile, (long_ago, long_ago))

    with client(project, folder / "empty", lockfile) as asked:
        config = asked.get_config("greeting", {"customer": "Ada"})

    assert (config.source, config.version, config.json) == ("lockfile", "1.0", live.json)
    assert config.age >= 3_600


def test_the_age_of_a_lockfile_is_that_of_the_file_which_has_no_date_in_it(
    kept: tuple[Project, Path], folder: Path
) -> None:
    project, _ = kept
    assert moorage("pull", folder=folder, project=project).returncode == 0
    lockfile, checkout = folder / "deployments.lock.json", folder / "checkout.json"
    long_ago = time.time() - 3_600
    os.utime(lockfile, (long_ago, long_ago))
    checkout.write_bytes(lockfile.read_bytes())
    project.server.stop()

    with client(project, folder / "empty", checkout) as asked:
        assert asked.get_config("greeting").age < 3_600
    told = " ".join(moorage("pull", "--help", folder=folder).stdout.split())
    assert "for a checkout is the checkout" in told


def test_a_deployment_that_is_broken_in_the_lockfile_is_told_and_others_are_answered(
    kept: tuple[Project, Path], folder: Path
) -> None:
    project, _ = kept
    project.put("other")
    assert moorage("pull", folder=folder, project=project).returncode == 0
    project.server.stop()
    lockfile = folder / "deployments.lock.json"
    locked = json.loads(lockfile.read_text())
    locked["deployments"][0]["prompt_config"] = {}
    lockfile.write_text(json.dumps(locked))

    with client(project, folder / "empty", lockfile) as asked:
        with pytest.raises(
            BrokenDeployment, match=r"'greeting' cannot be read .* from the lockfile: .*`model`.*moorage pull"
        ):
            asked.get_config("greeting")
        assert asked.get_config("other").source == "lockfile"


def flipped(file: Path) -> None:
    """Another letter in the middle."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def unsigned(file: Path) -> None:
    file.write_bytes(b"hmac-sha256=" + b"0" * 64 + b"\n" + file.read_bytes().partition(b"\n")[2])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [flipped, cut, unsigned, emptied])
def test_a_cache_that_is_damaged_is_not_used(
    kept: tuple[Project, Path], folder: Path, damage: Callable[[Path], None]
) -> None:
    project, cache = kept
    assert moorage("pull", folder=folder, project=project).returncode == 0
    with client(project, cache) as asked:
        asked.get_config("greeting")
    project.server.stop()
    damage(file_of(cache))

    with client(project, cache, folder / "deployments.lock.json") as asked:
        assert asked.get_config("greeting").source == "lockfile"
    with client(project, cache) as asked, pytest.raises(NothingKnown, match="is damaged, or was not made with this"):
        asked.get_config("greeting")


def test_another_keys_cache_is_not_used(kept: tuple[Project, Path]) -> None:
    project, cache = kept
    with client(project, cache) as asked:
        asked.get_config("greeting")
    project.server.stop()
    other = Project(project.server, project.id, project.name, project.key(Scope.INVOKE)[1])
    file = file_of(cache)
    file.rename(file.with_name(file.name.replace(project.token[4:16], other.token[4:16])))

    with client(other, cache) as asked, pytest.raises(NothingKnown, match="was not made with this API key"):
        asked.get_config("greeting")


def test_a_server_that_is_another_is_not_believed(kept: tuple[Project, Path], folder: Path) -> None:
    """It has the project and a key of the same id, and not the secret of that key."""
    project, cache = kept
    other = project.token[:-1] + ("x" if project.token[-1] != "x" else "y")
    stranger = Project(project.server, project.id, project.name, other)
    with client(stranger, cache) as asked, pytest.raises(NothingKnown, match="401"):
        asked.get_config("greeting")


def test_with_nothing_at_all_it_says_what_was_tried_and_what_to_do(folder: Path) -> None:
    with (
        Moorage("http://127.0.0.1:9", "mrg_x", cache=folder / "cache", lockfile=folder / "no.json") as asked,
        pytest.raises(NothingKnown, match=r"connection refused.*there is none.*there is none.*moorage pull"),
    ):
        asked.get_config("greeting")


def test_an_unknown_key_is_told_with_what_is_known(project: Project) -> None:
    project.put("greeting")
    with client(project) as asked:
        with pytest.raises(
            UnknownDeployment, match=r"no deployment 'greetings'.*server.*did you mean greeting.*knows 1"
        ):
            asked.get_config("greetings")
        with pytest.raises(InvalidBody):
            asked.get_config("greeting", context={"a": {"b": 1}})
        with pytest.raises(InvalidBody):
            asked.get_config("greeting", messages=[{"role": "nobody", "content": ""}])


class Plan(StrEnum):
    PRO = "pro"


class Markup(str):
    """As template engines have it."""

    __slots__ = ()


class Older(str, Enum):  # noqa: UP042 -- the form there was before StrEnum
    PRO = "pro"


@pytest.mark.parametrize(
    "context",
    [{"plan": Plan.PRO}, {"plan": Older.PRO}, {Older.PRO: 1, "plan": "pro"}, {"plan": ("free", "pro")}],
    ids=["StrEnum", "str and Enum", "a name", "tuple"],
)
def test_what_is_nearly_json_is_what_the_server_would_get(project: Project, context: dict[Any, Any]) -> None:
    body = a_body(messages=[{"role": "system", "content": "Help {{customer.name}}, {{plan}}."}])
    variant = {"name": "paid", "prompt_config": body["prompt_config"]}
    route = {"variant": "paid", "when": {"plan": {"in": ["pro", "team"]}}}
    project.put("greeting", {**body, "variants": [variant], "routing": [route]})
    inputs = {"customer": {"name": Older.PRO}, "plan": Markup("pro")}
    sent = json.dumps({"key": "greeting", "context": context, "inputs": inputs}).encode()

    with client(project) as asked:
        config = asked.get_config("greeting", inputs, context)

    assert config.json == project.request("POST", "/v2/deployments/get_config", sent).body
    assert (config.variant, config.messages[0]["content"]) == ("paid", "Help pro, pro.")


def test_mappings_and_sequences_of_any_type_are_objects_and_arrays(project: Project) -> None:
    project.put("greeting", a_body(messages=[{"role": "system", "content": "Help {{a}}."}]))
    said = {"role": "user", "content": "Hi"}
    with client(project) as asked:
        config = asked.get_config(
            "greeting", MappingProxyType({"a": MappingProxyType({"b": deque([1])})}), messages=deque([said])
        )

    assert config.messages == [{"role": "system", "content": 'Help {"b":[1]}.'}, said]


def test_what_is_no_json_is_refused_with_its_place(project: Project) -> None:
    project.put("greeting")
    with client(project) as asked:
        for arguments, told in (
            ((None,), "key must be a string, not null"),
            (("greeting", {"a": object()}), "inputs is no JSON value"),
            (("greeting", None, {"a": 1j}), "context is no JSON value"),
            (("greeting", {"a": float("nan")}), "inputs is no JSON value"),
            (("greeting", {"a": [float("inf")]}), "inputs is no JSON value"),
            (("greeting", {"a": b"1"}), "inputs is no JSON value"),
            (("greeting", {"a": 10**5_000}), "inputs is no JSON value"),
            (("greeting", {}, {"a": 10**5_000}), "context is no JSON value"),
        ):
            with pytest.raises(InvalidBody, match=told):
                asked.get_config(*arguments)


def test_jinja_is_rendered_where_it_is_enabled(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        project.put("greeting", {**a_body(messages=JINJA), "settings": {"engine": "jinja"}})
        with client(project) as asked, pytest.raises(JinjaNotEnabled):
            asked.get_config("greeting", {"customer": "Ada"})
        with Moorage(server.url, project.token, cache=None, lockfile=None, jinja=True) as asked:
            assert asked.get_config("greeting", {"customer": "Ada"}).messages[0]["content"] == "You help Ada."


def test_on_an_event_loop_it_is_the_same(project: Project) -> None:
    project.put("greeting")

    async def ask() -> Config:
        async with AsyncMoorage(project.server.url, project.token, cache=None, lockfile=None) as asked:
            with pytest.raises(InvalidJson, match=r"half a surrogate pair in inputs\.customer"):
                await asked.get_config("greeting", {"customer": "\ud800"})
            return await asked.get_config("greeting", {"customer": "Ada"})

    config = asyncio.run(ask())

    with client(project) as asked:
        assert config.json == asked.get_config("greeting", {"customer": "Ada"}).json
    assert config.source == "server"


def test_a_cache_can_be_read_by_its_owner_alone(kept: tuple[Project, Path]) -> None:
    project, cache = kept
    with client(project, cache) as asked:
        asked.get_config("greeting")

    assert (cache.stat().st_mode & 0o777, file_of(cache).stat().st_mode & 0o777) == (0o700, 0o600)
