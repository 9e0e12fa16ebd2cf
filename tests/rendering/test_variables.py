"""The cache of the variables of jinja templates is bounded in bytes, and always holds what one write needs."""

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence

import pytest

from moorage.core.compatibility.contract import Templates
from moorage.rendering import variables
from moorage.rendering.jinja import Jinja
from moorage.rendering.variables import TemplateVariables, VariablesNotCached


class FakeJinja(Jinja):
    """A renderer without processes, which finds the words of a template."""

    def __init__(self) -> None:
        pass

    async def names(self, templates: Sequence[str]) -> list[list[str]]:
        return [template.split() for template in templates]


def variant(number: int, names: int) -> Templates:
    return ("jinja", (" ".join(f"name_{number}_{name}_{'x' * 100}" for name in range(names)),))


def test_the_cache_takes_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "MAX_BYTES", 100_000)
    found = TemplateVariables(FakeJinja())

    async def load() -> None:
        for number in range(200):
            await found.load([variant(number, 20)])

    gc.collect()
    tracemalloc.start()
    asyncio.run(load())
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0 < found.held <= 120_000
    assert taken <= found.held + 50_000, "the event loop"


def test_what_one_write_needs_is_cached_however_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "MAX_BYTES", 10_000)
    found = TemplateVariables(FakeJinja())
    needed = [variant(number, 50) for number in range(20)]
    with pytest.raises(VariablesNotCached):
        found.find_variables(needed)

    asyncio.run(found.load(needed))

    assert [len(names) for names in found.find_variables(needed) if isinstance(names, set)] == [50] * 20
