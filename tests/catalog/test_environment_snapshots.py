"""Snapshots of environments: an old client reads that of production, and rejects those of other environments."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moorage.catalog.catalog import Catalog
from moorage.catalog.snapshots import EncodedSnapshot, SnapshotCache
from moorage.client.state import ClientState
from moorage.core.environments import PRODUCTION, Environment
from moorage.core.resolution.snapshot import InvalidSnapshot, encode_snapshot, read_snapshot
from tests.support.registry import create_project, put
from tests.support.server import a_body
from tests.support.staged_project import create_environment, delete_environment, put_in, set_environment
from tests.support.stores import a_store


class Shop:
    """A project with one deployment in production."""

    def __init__(self, folder: Path) -> None:
        self.store = a_store(folder)
        self.id = create_project(self.store, "shop").id
        put(self.store, self.id, "a", a_body(model="one"))
        self.catalog = Catalog(self.store)
        self.cache = SnapshotCache(self.catalog)

    def get(self, environment: Environment | None = None) -> EncodedSnapshot:
        self.catalog.catch_up()
        return asyncio.run(self.cache.get(self.id, environment))

    def read(self, environment: Environment | None = None) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get(environment).body)
        return found


@pytest.fixture
def shop(folder: Path) -> Shop:
    return Shop(folder)


def test_a_snapshot_of_a_project_with_production_alone_has_no_new_field(shop: Shop) -> None:
    assert [*shop.read()] == ["format", "project", "epoch", "revision", "deployments"]
    assert shop.get(shop.catalog.environments(shop.id)[PRODUCTION]) is shop.get()


def test_with_more_environments_the_snapshot_of_production_gains_their_names_only(shop: Shop) -> None:
    before, body = shop.read(), shop.get().body
    staging = create_environment(shop.store, shop.id, "staging")
    names = ["production", "staging"]
    assert shop.read() == before | {"environment": "production", "environments": names}
    assert [*shop.read()][4:6] == ["environment", "environments"]
    etag = shop.get().etag
    put_in(shop.store, staging, "a", a_body(model="two"))
    put_in(shop.store, staging, "b", a_body(model="two"))
    assert shop.get().etag == etag
    delete_environment(shop.store, staging)
    assert shop.get().body == body


def test_a_snapshot_of_another_environment_has_format_2_and_its_live_versions(shop: Shop) -> None:
    staging, qa = (create_environment(shop.store, shop.id, name) for name in ("staging", "qa"))
    put_in(shop.store, staging, "a", a_body(model="two"))
    found = shop.read(staging)
    assert (found["format"], found["environment"]) == (2, "staging")
    assert found["environments"] == ["production", "staging", "qa"]
    assert [item["version"] for item in found["deployments"]] == ["1.1"]
    assert [item["version"] for item in shop.read(qa)["deployments"]] == ["1.0"]

    etags = [shop.get(each).etag for each in (None, staging, qa)]
    put(shop.store, shop.id, "a", a_body(model="three"))
    assert [shop.get(each).etag == etag for each, etag in zip((None, staging, qa), etags, strict=True)] == [
        False, True, False,
    ]  # fmt: skip
    etags = [shop.get(each).etag for each in (None, staging, qa)]
    put_in(shop.store, qa, "a", a_body(model="four"))
    staging = set_environment(shop.store, staging, protected=True)
    assert [shop.get(each).etag == etag for each, etag in zip((None, staging, qa), etags, strict=True)] == [
        True, True, False,
    ]  # fmt: skip


def test_a_client_encodes_the_same_bytes(shop: Shop) -> None:
    staging = create_environment(shop.store, shop.id, "staging")
    put_in(shop.store, staging, "b", a_body(model="two"))
    for environment in (None, staging):
        snapshot = shop.get(environment)
        state = ClientState(read_snapshot(snapshot.body), snapshot.digest, "server", time.monotonic())
        assert state.encoded() == snapshot.body
        assert state.environment == (PRODUCTION if environment is None else "staging")


def test_a_lockfile_has_an_environment_and_no_list_of_them() -> None:
    for environment in (PRODUCTION, "staging"):
        fields = json.loads(encode_snapshot("p", "e", 7, (), environment, (PRODUCTION, "staging")))
        for name in ("epoch", "revision", "environments"):
            del fields[name]
        found = read_snapshot(msgspec.json.encode(fields))
        assert (found.environment, found.environments) == (environment, ())


@pytest.mark.parametrize(
    "fields", [{"format": 1, "environment": "staging"}, {"format": 2}, {"format": 3, "environment": "staging"}]
)
def test_a_snapshot_whose_format_contradicts_its_environment_is_rejected(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidSnapshot):
        read_snapshot(msgspec.json.encode({"project": "p", "deployments": [], **fields}))
