"""The official orq-ai-sdk, synchronous and asynchronous, as clients of the real server."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from orq_ai_sdk import Orq, models

from tests.support.server import Project, Server

Page = models.DeploymentsResponseBody
ListDeployments = Callable[..., Page]


class Client:
    """What a user does with `orq.deployments.list`."""

    def __init__(self, list_deployments: ListDeployments) -> None:
        self.list = list_deployments

    def walk(self, limit: int, page: Page | None = None) -> Iterator[Page]:
        """The pages as the SDK's users loop over them, from `page` on."""
        page = page or self.list(limit=limit)
        yield page
        while page.has_more:
            page = self.list(limit=limit, starting_after=page.data[-1].id)
            yield page

    def refusal(self, kind: type[models.OrqError] = models.APIDefaultError, /, **query: Any) -> "Refusal":
        """The error that a list raises; exactly of this kind."""
        with pytest.raises(models.OrqError) as caught:
            self.list(**query)
        assert type(caught.value) is kind, caught.value
        return Refusal(caught.value)


class Refusal:
    """A typed error of the SDK, and the body it carries, in the shape that every client can parse."""

    def __init__(self, error: models.OrqError) -> None:
        self.status = error.status_code
        self.headers = error.headers
        body = json.loads(error.body)
        assert set(body) == {"message", "error"}
        assert body["error"]["message"] == body["message"]
        self.message: str = body["message"]
        self.code: str = body["error"]["code"]
        self.param: str | None = body["error"].get("param")


Connect = Callable[[str | None], Client]


def keys(page: Page) -> list[str]:
    """The keys of a page, in order."""
    return [item.key for item in page.data]


def names(newest: int, oldest: int) -> list[str]:
    """`d<newest>` down to `d<oldest>`."""
    return [f"d{number}" for number in range(newest, oldest - 1, -1)]


def as_json(page: Page) -> Any:
    """What the SDK understood, written as JSON again."""
    return json.loads(page.model_dump_json(by_alias=True))


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Make a client of a token, or of none; it is closed after the test."""
    monkeypatch.delenv("ORQ_API_KEY", raising=False)
    with ExitStack() as opened:
        runner = opened.enter_context(asyncio.Runner()) if request.param == "async" else None

        def make(token: str | None) -> Client:
            sdk = opened.enter_context(Orq(api_key=token, server_url=server.url))
            if runner is None:
                return Client(sdk.deployments.list)
            opened.callback(lambda: runner.run(sdk.__aexit__(None, None, None)))
            return Client(lambda **query: runner.run(sdk.deployments.list_async(**query)))

        yield make


@pytest.fixture
def client(connect: Connect, project: Project) -> Client:
    """A client of the test's own project."""
    return connect(project.token)


@pytest.fixture(scope="session")
def full_project(server: Server) -> Project:
    """A project of sixty deployments, d1 the oldest. Tests only read it."""
    project = server.new_project()
    project.fill(60)
    return project


@pytest.fixture
def full_client(connect: Connect, full_project: Project) -> Client:
    """A client of the project of sixty."""
    return connect(full_project.token)


@pytest.fixture(scope="session")
def sixty(full_project: Project) -> dict[str, str]:
    """The ids of the sixty, by key."""
    return {item["key"]: item["id"] for page in full_project.walk(50) for item in page.json["data"]}
