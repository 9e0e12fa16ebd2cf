"""The resolver: its cache of compiled deployments is bounded and follows the catalog."""

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.errors.base import DeploymentNotFound
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.resolution.config import GetConfigRequest
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
    "many texts in braces": {"messages": [{"role": "user", "content": "{{a b}}"}] * 2_400},
    "many files": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "file", "file": dict.fromkeys(["file_data", "uri", "mimeType", "filename"], "")}]
                * 1_200,
            }
        ]
    },
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

    def compiled(key: str) -> CompiledDeployment:
        found = resolver.compiled_now(project.id, key)
        assert found is not None
        return found

    for key in keys * 2:
        assert compiled(key).live.key == key
        assert 0 < resolver.held <= 50_000
    cached = compiled("d9")
    assert compiled("d9") is cached
    put(store, project.id, "d9", a_body(model="changed"))
    catalog.apply(catalog.fetch())

    assert compiled("d9").live.version == "1.1"
    with pytest.raises(DeploymentNotFound):
        compiled("unknown")


@pytest.mark.system
@pytest.mark.parametrize("content", CONTENTS)
def test_the_cache_counts_at_least_the_memory_of_a_compiled_deployment(folder: Path, content: str) -> None:
    store = a_store(folder)
    project = create_project(store, "p")
    put(store, project.id, "a", a_body(**CONTENTS[content]))
    catalog = Catalog(store)
    catalog.apply(catalog.fetch())
    asyncio.run(
        Resolver(catalog, None).compiled(project.id, "a")
    )  # fills the caches that are shared by all deployments
    resolver = Resolver(catalog, None)

    gc.collect()
    tracemalloc.start()
    asyncio.run(resolver.compiled(project.id, "a"))
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken <= resolver.held
    assert resolver.held <= 12 * taken, "an estimate that is far too high would make the cache useless"


@pytest.fixture
def catalog(folder: Path) -> Iterator[Catalog]:
    """Return a catalog whose only project, `p`, has no deployments."""
    with closing(a_store(folder)) as store:
        create_project(store, "p")
        yield Catalog(store)


def put_one(catalog: Catalog, body: dict[str, Any]) -> str:
    """Put the deployment `d`; return the project's id."""
    (project,) = catalog._store.projects()
    put(catalog._store, project.id, "d", body)
    catalog.catch_up()
    return project.id


def test_a_large_version_is_compiled_in_a_thread_and_then_cached(catalog: Catalog) -> None:
    project_id = put_one(catalog, a_body(messages=[{"role": "user", "content": "x" * 50_000}]))
    resolver, request = Resolver(catalog, None), GetConfigRequest("d")
    assert resolver.compiled_now(project_id, "d") is None
    assert resolver.resolve_now(project_id, request) is None

    resolved = asyncio.run(resolver.resolve(project_id, request))

    assert b"x" * 50_000 in resolved.config
    assert resolved.revision == catalog.revision
    assert resolver.resolve_now(project_id, request) == resolved


def test_a_template_with_many_steps_is_rendered_in_a_thread(catalog: Catalog) -> None:
    body = a_body(messages=[{"role": "user", "content": "{{#a}}{{#b}}{{c}}{{/b}}{{/a}}"}])
    project_id = put_one(catalog, {**body, "settings": {"engine": "mustache"}})
    resolver = Resolver(catalog, None)
    few, many = (GetConfigRequest("d", {"a": [{}] * n, "b": [{}] * n, "c": "x"}) for n in (10, 150))

    assert resolver.resolve_now(project_id, few) is not None
    assert resolver.resolve_now(project_id, many) is None
    assert b"x" * 22_500 in asyncio.run(resolver.resolve(project_id, many)).config


def test_a_large_request_is_resolved_in_a_thread(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    project_id, threads = put_one(catalog, a_body()), list[threading.Thread]()
    resolve_context = CompiledDeployment.resolve

    def noted(self: CompiledDeployment, context: Any) -> Any:
        threads.append(threading.current_thread())
        return resolve_context(self, context)

    monkeypatch.setattr(CompiledDeployment, "resolve", noted)
    resolver = Resolver(catalog, None)
    for is_small in (True, False):
        asyncio.run(resolver.resolve(project_id, GetConfigRequest("d"), is_small=is_small))

    assert [thread is threading.main_thread() for thread in threads] == [True, False]
