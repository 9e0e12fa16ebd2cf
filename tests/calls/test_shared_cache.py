"""The response cache on PostgreSQL: what one process has stored, all others find."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage import clock
from moorage.store.cached_responses import CachedResponseTable
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.postgres import PostgresServer, sql
from tests.support.server import KeyedServer, Project, Response, SharedServer, a_body
from tests.support.threads import until
from tests.support.vendors import all_vendors
from tests.support.vendors.server import VendorServer


class Nodes:
    """Two servers on one database, whose provider is a fake of OpenAI."""

    def __init__(self, first: KeyedServer, second: KeyedServer, vendors: VendorServer) -> None:
        self.first, self.second, self.vendors = first, second, vendors
        self.gateway = Gateway(first, vendors)
        self.key = self.deploy(ttl=3600)

    def deploy(self, ttl: float) -> str:
        """Create a deployment whose cache has a ttl (seconds)."""
        body = a_body(provider="openai", model="openai/my-gpt", messages=[], model_parameters={})
        return self.gateway.put({**body, "settings": {"cache": {"enabled": True, "type": "exact", "ttl": ttl}}})

    def call(self, node: KeyedServer, text: str, *, is_stream: bool = False, key: str | None = None) -> Response:
        """Call the deployment, or another one, through a server."""
        project: Project = self.gateway.project.on_server(node)
        body = {"model": key or self.key, "messages": [{"role": "user", "content": text}], "stream": is_stream}
        response = project.request("POST", "/v1/chat/completions", json.dumps(body).encode())
        assert response.status == 200, response.body
        return response

    def miss(self, node: KeyedServer, text: str, key: str | None = None) -> Response:
        """Call a deployment for a response that no server has, and wait until the database has it."""
        before_us = clock.now_us()
        response = self.call(node, text, key=key)
        assert response.headers["x-moorage-cache"] == "miss"
        query = f"SELECT count(*) FROM cached_response WHERE stored_us >= {before_us}"
        until(lambda: sql(self.first.database, query) == [(1,)])
        return response

    def rows(self) -> int:
        """Return the number of stored responses."""
        return int(sql(self.first.database, "SELECT count(*) FROM cached_response")[0][0])


@pytest.fixture(scope="module")
def running(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    database = postgres.new_database()
    folders = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    with (
        VendorServer([each for each in all_vendors() if each.id == "openai"]) as vendors,
        KeyedServer(folders[0], database=database, prefix=ALLOW_LOOPBACK) as first,
        KeyedServer(folders[1], database=database, prefix=ALLOW_LOOPBACK) as second,
    ):
        yield Nodes(first, second, vendors)


@pytest.fixture
def nodes(running: Nodes) -> Nodes:
    running.vendors.take("openai")
    sql(running.first.database, "DELETE FROM cached_response")
    return running


def test_another_process_returns_the_response_without_a_call_also_as_a_stream(nodes: Nodes) -> None:
    found: list[tuple[str, Response, Response]] = []

    def is_found() -> bool:
        text = f"Where is order {len(found)}?"
        first = nodes.miss(nodes.first, text)
        nodes.vendors.take("openai")
        found.append((text, first, nodes.call(nodes.second, text)))
        return found[-1][2].headers["x-moorage-cache"] == "hit"

    until(is_found)  # a server that waits for more than a second, as on a busy machine, does not look for a while
    text, first, again = found[-1]
    streamed = nodes.call(nodes.second, text, is_stream=True)

    assert again.json["choices"] == first.json["choices"]
    assert again.json["id"] != first.json["id"]
    assert streamed.headers["x-moorage-cache"] == "hit"
    assert nodes.vendors.take("openai") == []


@pytest.mark.parametrize("value", ["'{broken'", "'AAAA'", "''"])
def test_a_row_that_another_program_changed_is_a_miss(nodes: Nodes, value: str) -> None:
    nodes.miss(nodes.first, f"changed {value}")
    sql(nodes.first.database, f"UPDATE cached_response SET response = {value}")

    nodes.miss(nodes.second, f"changed {value}")


def test_a_response_that_is_too_old_is_a_miss(nodes: Nodes) -> None:
    nodes.miss(nodes.first, "old")
    sql(nodes.first.database, "UPDATE cached_response SET stored_us = stored_us - 3600000000")

    nodes.miss(nodes.second, "old")


@pytest.mark.parametrize("ttl", [10**14, 1e306])
def test_a_huge_ttl_is_stored_like_any_other(nodes: Nodes, ttl: float) -> None:
    key = nodes.deploy(ttl)
    nodes.miss(nodes.first, "huge", key)

    assert nodes.call(nodes.second, "huge", key=key).headers["x-moorage-cache"] == "hit"


def test_without_the_table_a_call_is_made(nodes: Nodes) -> None:
    sql(nodes.first.database, "ALTER TABLE cached_response RENAME TO elsewhere")
    try:
        response = nodes.call(nodes.second, "without a table")
        until(lambda: any("was not stored in the cache" in line["event"] for line in nodes.second.log_lines()))
    finally:
        sql(nodes.first.database, "ALTER TABLE elsewhere RENAME TO cached_response")
    assert response.headers["x-moorage-cache"] == "miss"


def test_the_table_holds_a_maximum_and_deletes_what_ends_first(nodes: Nodes) -> None:
    with nodes.first.open_store() as store:
        table = store.cached_responses
        assert isinstance(table, CachedResponseTable)
        now_us = clock.now_us()
        for number in range(20):
            table.store(f"{number:064x}", b"x" * 1_000, now_us, now_us + 1_000_000 * (number + 1))
        table.limit(20 * 2_000)
        assert nodes.rows() == 20
        table.limit(20 * 1_000)
        assert nodes.rows() == 18
        assert table.find(f"{0:064x}", 0) is None
        assert table.find(f"{19:064x}", 0) == (now_us, b"x" * 1_000)
        table.store("f" * 64, b"new", now_us + 30_000_000, now_us + 40_000_000)
        assert nodes.rows() == 1, "a new one deletes those whose time has passed"


def test_sqlite_has_no_shared_cache(folder: Path) -> None:
    with SharedServer(folder) as server, server.open_store() as store:
        assert store.cached_responses is None
