"""The methods of both clients, and their creation from the environment."""

import asyncio
import inspect
from pathlib import Path

import pytest

from moorage.client import AsyncMoorage, HeldDeployment, InvalidEnvironment, Moorage
from tests.support.server import Project


def surface(client: type[Moorage | AsyncMoorage]) -> dict[str, list[str]]:
    """Return the public methods with their parameters; the types of results differ."""
    found = {name: value for name, value in inspect.getmembers(client, callable) if not name.startswith("_")}
    return {name: [str(each) for each in inspect.signature(value).parameters.values()] for name, value in found.items()}


def test_both_clients_have_the_same_methods() -> None:
    assert surface(Moorage) == surface(AsyncMoorage)
    assert {*surface(Moorage)} >= {"get_config", "list", "close", "from_env"}
    assert inspect.signature(Moorage) == inspect.signature(AsyncMoorage)


def test_each_method_of_the_asynchronous_client_that_waits_is_a_coroutine() -> None:
    coroutines = {name for name in surface(AsyncMoorage) if inspect.iscoroutinefunction(getattr(AsyncMoorage, name))}
    assert coroutines == {*surface(Moorage)} - {"from_env"}


def test_a_client_is_created_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put = project.put("greeting")
    monkeypatch.setenv("MOORAGE_URL", project.server.url)
    monkeypatch.setenv("MOORAGE_API_KEY", project.token)
    with Moorage.from_env(cache=None, lockfile=None) as client:
        assert client.get_config("greeting").source == "server"
        assert client.list() == [HeldDeployment("greeting", "1.0", put.json["id"])]

    monkeypatch.delenv("MOORAGE_API_KEY")
    (tmp_path / "key").write_text(f"{project.token}\n")
    monkeypatch.setenv("MOORAGE_API_KEY_FILE", str(tmp_path / "key"))

    async def held() -> list[HeldDeployment]:
        client = AsyncMoorage.from_env(cache=None, lockfile=None)
        try:
            return await client.list()
        finally:
            await client.close()

    assert [each.key for each in asyncio.run(held())] == ["greeting"]


@pytest.mark.parametrize(("name", "value", "message"), [
    ("MOORAGE_API_KEY", "", "MOORAGE_API_KEY is not set"),
    ("MOORAGE_API_KEY", "a b", "MOORAGE_API_KEY: the value contains a space"),
    ("MOORAGE_URL", "http://a\n", "MOORAGE_URL: "),
])  # fmt: skip
def test_a_variable_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv("MOORAGE_API_KEY", "mrg_a")
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidEnvironment) as caught:
        Moorage.from_env()
    assert message in str(caught.value)


def test_the_list_is_ordered_and_follows_the_server(project: Project) -> None:
    for key in ("b", "c", "a"):
        project.put(key)
    project.request("DELETE", "/v2/deployments/c")
    with Moorage(project.server.url, project.token, cache=None, lockfile=None) as client:
        assert [(each.key, each.version) for each in client.list()] == [("a", "1.0"), ("b", "1.0")]
