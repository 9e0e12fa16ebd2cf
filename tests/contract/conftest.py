"""The official orq-ai-sdk as a synchronous and an asynchronous client of a real server."""

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
    """The calls of `orq.deployments.list` that a user of the SDK makes."""

    def __init__(self, list_deployments: ListDeployments) -> None:
        self.list = list_deployments

    def walk(self, limit: int, page: Page | None = None) -> Iterator[Page]:
        """Yield `page`, by default the first page, and all pages after it."""
        page = page or self.list(limit=limit)
        yield page
        while page.has_more:
            page = self.list(limit=limit, starting_after=page.data[-1].id)
            yield page

    def error(self, kind: type[models.OrqError] = models.APIDefaultError, /, **query: Any) -> "SdkError":
        """Return the error that a list request raises; check that it is of exactly this class."""
        with pytest.raises(models.OrqError) as caught:
            self.list(**query)
        assert type(caught.value) is kind, caught.value
        return SdkError(caught.value)


class SdkError:
    """A typed error of the SDK, with a body in the format that every client can parse."""

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
    """Return the deployment keys of a page, in order."""
    return [item.key for item in page.data]


def names(newest: int, oldest: int) -> list[str]:
    """Return the keys from `d<newest>` down to `d<oldest>`."""
    return [f"d{number}" for number in range(newest, oldest - 1, -1)]


def as_json(page: Page) -> Any:
    """Return the page that the SDK parsed as JSON."""
    return json.loads(page.model_dump_json(by_alias=True))


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Return a function that makes a client with a token or without one; the test closes the clients."""
    monkeypatch.delenv("ORQ_API_KEY", raising=False)
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if request.param == "async" else None

        def make(token: str | None) -> Client:
            sdk = stack.enter_context(Orq(api_key=token, server_url=server.url))
            if runner is None:
                return Client(sdk.deployments.list)
            stack.callback(lambda: runner.run(sdk.__aexit__(None, None, None)))
            return Client(lambda **query: runner.run(sdk.deployments.list_async(**query)))

        yield make


@pytest.fixture
def client(connect: Connect, project: Project) -> Client:
    """Return a client of the project of the test."""
    return connect(project.token)


@pytest.fixture(scope="session")
def full_project(server: Server) -> Project:
    """Return a project with 60 deployments, from d1, the oldest, to d60. Tests only read it."""
    project = server.new_project()
    project.fill(60)
    return project


@pytest.fixture
def full_client(connect: Connect, full_project: Project) -> Client:
    """Return a client of the project with 60 deployments."""
    return connect(full_project.token)


@pytest.fixture(scope="session")
def deployment_ids(full_project: Project) -> dict[str, str]:
    """Return the ids of the 60 deployments by key."""
    return {item["key"]: item["id"] for page in full_project.walk(50) for item in page.json["data"]}
