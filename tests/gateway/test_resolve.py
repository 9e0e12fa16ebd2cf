"""The resolver: its cache of compiled deployments is bounded and follows the catalog."""

from pathlib import Path

import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.errors.base import DeploymentNotFound
from moorage.gateway import resolve
from moorage.gateway.resolve import Resolver
from tests.support.registry import create_project, put
from tests.support.server import a_body
from tests.support.stores import a_store


def test_the_cache_is_bounded_and_returns_the_live_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "MAX_COMPILED", 3)
    store = a_store(folder)
    project = create_project(store, "p")
    keys = [f"d{number}" for number in range(10)]
    for key in keys:
        put(store, project.id, key, a_body())
    catalog = Catalog(store)
    catalog.apply(catalog.fetch())
    resolver = Resolver(catalog, None)

    for key in keys * 2:
        assert resolver.compiled(project.id, key).live.key == key
        assert len(resolver._cache) <= 3
    cached = resolver.compiled(project.id, "d9")
    assert resolver.compiled(project.id, "d9") is cached
    put(store, project.id, "d9", a_body(model="changed"))
    catalog.apply(catalog.fetch())

    assert resolver.compiled(project.id, "d9").live.version == "1.1"
    with pytest.raises(DeploymentNotFound):
        resolver.compiled(project.id, "unknown")
