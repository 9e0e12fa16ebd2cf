"""Long calculations run before the write, and again if another write changed their arguments."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.core.deployments import content as contents
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.errors.base import MoorageError
from moorage.core.errors.requests import InvalidBody
from moorage.registry.calculations import Calculations, NotCalculated
from moorage.registry.deployments import put_deployment
from moorage.registry.versions import publish_version
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from tests.support.registry import create_project, parsed, put
from tests.support.server import a_body
from tests.support.stores import a_store


def large(text: str = "x") -> dict[str, Any]:
    return a_body(messages=[{"role": "user", "content": text * 50_000}])


class Writer:
    """A put with calculations outside of the write, as in a request."""

    def __init__(self, store: Store, project_id: str, body: dict[str, Any]) -> None:
        self.store = store
        self.body = parsed(body, PutDeployment)
        self.ctx = WriteContext(project_id, calculate=Calculations(len(json.dumps(body))))
        self.calculated = 0

    def put(self) -> str:
        while True:
            try:
                return self.store.run(put_deployment, self.ctx, "d", self.body).result
            except NotCalculated as missing:
                missing.runs[0]()
                self.calculated += 1


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the size of each content that is hashed."""
    sizes: list[int] = []
    sha256 = contents.StoredContent.sha256

    def counted(content: contents.StoredContent) -> str:
        sizes.append(content.size)
        return sha256(content)

    monkeypatch.setattr(contents.StoredContent, "sha256", counted)
    return sizes


def test_no_content_of_a_large_body_is_hashed_inside_the_write(folder: Path, hashed: list[int]) -> None:
    with closing(a_store(folder)) as store:
        writer = Writer(store, create_project(store, "p").id, large())
        with pytest.raises(NotCalculated):
            store.run(put_deployment, writer.ctx, "d", writer.body)
        assert hashed == []

        assert writer.put() == "created"
        assert len(hashed) == 1


def test_a_small_write_calculates_inside_the_write(folder: Path) -> None:
    with closing(a_store(folder)) as store:
        writer = Writer(store, create_project(store, "p").id, a_body())

        assert writer.put() == "created"
        assert writer.calculated == 0


def test_a_small_body_on_a_large_content_calculates_before_the_write(folder: Path) -> None:
    with closing(a_store(folder)) as store:
        project = create_project(store, "p")
        put(store, project.id, "d", large())
        writer = Writer(store, project.id, a_body())

        assert writer.put() == "updated"
        assert writer.calculated > 0


def test_a_calculation_is_repeated_if_another_write_changed_the_live_version(folder: Path) -> None:
    with closing(a_store(folder)) as store:
        project = create_project(store, "p")
        put(store, project.id, "d", large("a"))
        writer = Writer(store, project.id, large("b"))
        for _ in range(2):
            with pytest.raises(NotCalculated) as missing:
                store.run(put_deployment, writer.ctx, "d", writer.body)
            missing.value.runs[0]()
        put(store, project.id, "d", large("b"))

        assert writer.put() == "unchanged"
        assert writer.calculated > 0


def test_an_error_of_a_calculation_is_the_error_of_the_write(folder: Path) -> None:
    with closing(a_store(folder)) as store:
        body = {**large(), "variables": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}
        writer = Writer(store, create_project(store, "p").id, body)

        with pytest.raises(InvalidBody):
            writer.put()


def test_publishing_a_large_version_compares_before_the_write(folder: Path) -> None:
    with closing(a_store(folder)) as store:
        project = create_project(store, "p")
        put(store, project.id, "d", large("a"))
        put(store, project.id, "d", large("b"))
        ctx = WriteContext(project.id, calculate=Calculations(0))

        for _ in ("breaking changes", "warnings"):
            with pytest.raises(NotCalculated) as missing:
                store.run(publish_version, ctx, "d", "1.0")
            missing.value.runs[0]()
        assert store.run(publish_version, ctx, "d", "1.0").version.status == "live"


def test_calculations_return_the_result_for_the_same_arguments_only() -> None:
    calculations = Calculations(100_000)

    def double(number: int) -> int:
        return number * 2

    for number in (1, 2):
        with pytest.raises(NotCalculated) as missing:
            calculations(double, number)
        missing.value.runs[0]()
        assert calculations(double, number) == number * 2


def test_an_error_is_returned_each_time() -> None:
    calculations = Calculations(100_000)

    def fail() -> int:
        raise MoorageError

    with pytest.raises(NotCalculated) as missing:
        calculations(fail)
    missing.value.runs[0]()
    for _ in range(2):
        with pytest.raises(MoorageError):
            calculations(fail)
