"""The resolver: its cache of compiled deployments is bounded and follows the catalog."""

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.errors.base import DeploymentNotFound
from moorage.gateway import resolve
from moorage.gateway.resolve import Resolver
from tests.support.registry import create_project, put
from tests.support.server import a_body
from tests.support.stores import a_store

#: Contents whose compiled form is large for their size.
CONTENTS: dict[str, dict[str, Any]] = {
    "one long text": {"messages": [{"role": "user", "content": "x" * 100_000}]},
    "a text with one character of four bytes": {"messages": [{"role": "user", "content": "x" * 100_000 + "👋"}]},
    "many names": {"messages": [{"role": "user", "content": "".join(f"{{{{n{n}}}}}" for n in range(4_500))}]},
    "one name many times": {"messages": [{"role": "user", "content": "{{a}}" * 4_500}]},
    "many messages": {"messages": [{"role": "user", "content": ""}] * 3_000},
    "many tools": {"tools": [{"type": "function", "function": {"name": f"f{n}"}} for n in range(1_000)]},
    "many parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * 3_000}]},
}


def test_the_cache_is_bounded_in_bytes_and_returns_the_live_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "MAX_BYTES", 50_000)
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
        assert 0 < resolver.held <= 50_000
    cached = resolver.compiled(project.id, "d9")
    assert resolver.compiled(project.id, "d9") is cached
    put(store, project.id, "d9", a_body(model="changed"))
    catalog.apply(catalog.fetch())

    assert resolver.compiled(project.id, "d9").live.version == "1.1"
    with pytest.raises(DeploymentNotFound):
        resolver.compiled(project.id, "unknown")


@pytest.mark.parametrize("content", CONTENTS)
def test_the_cache_counts_at_least_the_memory_of_a_compiled_deployment(folder: Path, content: str) -> None:
    store = a_store(folder)
    project = create_project(store, "p")
    put(store, project.id, "a", a_body(**CONTENTS[content]))
    catalog = Catalog(store)
    catalog.apply(catalog.fetch())
    Resolver(catalog, None).compiled(project.id, "a")  # fills the caches that are shared by all deployments
    resolver = Resolver(catalog, None)

    gc.collect()
    tracemalloc.start()
    resolver.compiled(project.id, "a")
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken <= resolver.held
    assert resolver.held <= 12 * taken, "an estimate that is far too high would make the cache useless"
