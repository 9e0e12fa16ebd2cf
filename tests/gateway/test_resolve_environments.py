"""The resolver in environments: it serves each one's live version, and compiles what they share once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.environments import PRODUCTION, Environment
from moorage.core.errors.environments import NotInEnvironment, VersionNotPublished
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.resolution.config import GetConfigRequest
from moorage.gateway import compiled_cache
from moorage.gateway.resolve import Pin, Resolved, Resolver
from tests.support.registry import create_project, put, save
from tests.support.server import a_body
from tests.support.staged_project import create_environment, put_in, set_environment
from tests.support.stores import a_store


class Shop:
    """A project with `staging` and `qa`, and a resolver."""

    def __init__(self, folder: Path) -> None:
        self.store = a_store(folder)
        self.id = create_project(self.store, "shop").id
        self.staging = create_environment(self.store, self.id, "staging")
        self.qa = create_environment(self.store, self.id, "qa")
        self.catalog = Catalog(self.store)
        self.resolver = Resolver(self.catalog, None, store=self.store)

    def resolve(self, key: str, environment: Environment | None = None) -> Resolved:
        self.catalog.catch_up()
        now = self.resolver.resolve_now(self.id, GetConfigRequest(key), environment=environment)
        assert now is not None
        assert now == asyncio.run(self.resolver.resolve(self.id, GetConfigRequest(key), environment=environment))
        return now

    def call(self, version: str | None, environment: Environment | None = None) -> tuple[str, str, bool]:
        self.catalog.catch_up()
        call = self.resolver.resolve_call(self.id, GetConfigRequest("a"), Pin(version), environment=environment)
        found = asyncio.run(call)
        return found.live.version, found.environment, found.follows


@pytest.fixture
def shop(folder: Path) -> Shop:
    return Shop(folder)


def described(resolved: Resolved) -> tuple[Any, str, bool]:
    return json.loads(resolved.config)["model"], resolved.environment, resolved.follows


def test_each_environment_gets_its_live_version_and_its_name(shop: Shop) -> None:
    put(shop.store, shop.id, "a", a_body(model="one"))
    put_in(shop.store, shop.staging, "a", a_body(model="two"))
    put_in(shop.store, shop.staging, "b", a_body(model="two"))
    production = shop.catalog.environments(shop.id)[PRODUCTION]
    for _ in range(3):
        for environment in (None, production):
            assert described(shop.resolve("a", environment)) == ("one", "production", False)
        assert described(shop.resolve("a", shop.staging)) == ("two", "staging", False)
        assert described(shop.resolve("a", shop.qa)) == ("one", "qa", True)
        assert described(shop.resolve("b", shop.staging)) == ("two", "staging", False)
        for without in (None, shop.qa):
            with pytest.raises(NotInEnvironment):
                shop.resolve("b", without)
    put(shop.store, shop.id, "a", a_body(model="three"))
    assert described(shop.resolve("a", shop.qa)) == ("three", "qa", True)
    assert described(shop.resolve("a", shop.staging)) == ("two", "staging", False)


def test_environments_that_follow_share_the_compiled_deployment_of_production(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop.store, shop.id, "a", a_body(model="one"))
    put_in(shop.store, shop.staging, "a", a_body(model="two"))
    compiled = list[str]()

    def counted(live: Any) -> CompiledDeployment:
        compiled.append(live.version)
        return CompiledDeployment(live)

    monkeypatch.setattr(compiled_cache, "CompiledDeployment", counted)
    for number in range(5):
        for environment in (None, shop.staging, shop.qa):
            shop.resolve("a", environment)
        put(shop.store, shop.id, f"other{number}", a_body())  # the catalog changes, and these deployments do not
    assert compiled == ["1.0", "1.1"]
    assert shop.resolver.compiled_now(shop.id, "a") is shop.resolver.compiled_now(shop.id, "a", environment=shop.qa)


def test_a_pinned_version_in_a_protected_environment_must_have_been_live_there(shop: Shop) -> None:
    put(shop.store, shop.id, "a", a_body(model="one"))
    put_in(shop.store, shop.staging, "a", a_body(model="two"))
    save(shop.store, shop.id, "a", a_body(model="draft") | {"status": "draft"})
    protected = set_environment(shop.store, shop.qa, protected=True)

    assert shop.call(None, shop.qa) == ("1.0", "qa", True)
    assert shop.call("live", shop.staging) == ("1.1", "staging", False)
    for version in ("1.0", "1.1", "1.2"):
        assert shop.call(version, shop.staging) == (version, "staging", False)
    assert shop.call("1.0") == ("1.0", "production", False)
    assert shop.call("1.0", protected) == ("1.0", "qa", True)
    for environment, name, versions in ((None, "production", ("1.1", "1.2")), (protected, "qa", ("1.1", "1.2"))):
        for version in versions:
            with pytest.raises(VersionNotPublished, match=f"Version {version} of deployment 'a' .* live in {name}"):
                shop.call(version, environment)
    put(shop.store, shop.id, "a", a_body(model="two"))
    put(shop.store, shop.id, "a", a_body(model="four"))
    assert shop.call("1.1") == ("1.1", "production", False)
