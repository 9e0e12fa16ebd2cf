"""Moorage and AsyncMoorage: get_config in the application's own process.

The client uses the server's code for rendering and routing, so both return the same bytes.
"""

import asyncio
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from moorage.client.cache import DiskCache
from moorage.client.config import Config
from moorage.client.errors import InvalidEnvironment
from moorage.client.forks import restart_after_fork
from moorage.client.http import HttpClient
from moorage.client.request import Objects, new_request
from moorage.client.resolved import ResolvedRequest
from moorage.client.state import ClientState, Held
from moorage.client.sync import Sync
from moorage.client.usage import UsageReports
from moorage.core.environments import check_environment_name
from moorage.core.errors.environments import InvalidEnvironmentName
from moorage.core.errors.templates import JinjaNotEnabled
from moorage.rendering.jinja import Jinja
from moorage.settings import SettingError, from_environment


class _Client:
    """The base of both clients. A client works in forked processes, too: each synchronizes by itself."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        cache: str | Path | None = ".moorage-cache",
        lockfile: str | Path | None = "deployments.lock.json",
        jinja: bool = False,
        report_usage: bool = True,
        environment: str | None = None,
    ) -> None:
        """Start the synchronization with the server at `url`, without waiting for it.

        `cache` is the folder of the disk cache, and `lockfile` the file of `moorage lock`; None disables each. `jinja`
        enables jinja templates, which separate processes render. `report_usage` lets the server know which versions
        are in use, with the names of inputs and never their values.

        The client has the deployments of `environment`; without it, those of the environment that the API key is bound
        to, else of production.

        Raises:
            InvalidEnvironmentName, JinjaNotInstalled
        """
        if environment is not None:
            check_environment_name(environment)
        self._jinja = Jinja() if jinja else None
        disk_cache = None if cache is None else DiskCache(Path(cache), url, api_key, environment)
        locked = None if lockfile is None else Path(lockfile)
        self._sync = Sync(HttpClient(url, api_key, environment), disk_cache, locked, environment)
        self._usage = UsageReports(HttpClient(url, api_key, environment)) if report_usage else None
        self._stop = weakref.finalize(self, _abandon, self._sync, self._usage)
        self._stop.atexit = False
        restart_after_fork(self)

    @classmethod
    def from_env(
        cls,
        *,
        cache: str | Path | None = ".moorage-cache",
        lockfile: str | Path | None = "deployments.lock.json",
        jinja: bool = False,
        report_usage: bool = True,
        environment: str | None = None,
    ) -> Self:
        """Return a client for `MOORAGE_URL` (default: `http://127.0.0.1:8700`) with the API key `MOORAGE_API_KEY`.

        As for the command line, `MOORAGE_API_KEY_FILE` can name a file instead. Without `environment`, it is
        `MOORAGE_ENVIRONMENT`, if that is set.

        Raises:
            InvalidEnvironment: there is no API key, or a variable cannot be used.
            JinjaNotInstalled
        """
        try:
            url, api_key = from_environment("url"), from_environment("api_key")
            if environment is None and (named := from_environment("environment")):
                environment = check_environment_name(named)
        except SettingError as error:
            raise InvalidEnvironment(reason=error) from error
        except InvalidEnvironmentName as error:
            raise InvalidEnvironment(reason=f"MOORAGE_ENVIRONMENT: {error.message}") from error
        if url is None or api_key is None:
            raise InvalidEnvironment(
                reason="MOORAGE_API_KEY is not set; to create a key, run `moorage keys create NAME`"
            )
        return cls(
            url, api_key, cache=cache, lockfile=lockfile, jinja=jinja, report_usage=report_usage,
            environment=environment,
        )  # fmt: skip

    def _restart_in_child(self) -> None:
        """Continue in a forked process."""
        if self._jinja is not None:
            self._jinja.restart_in_child()
        self._sync.restart_in_child()
        if self._usage is not None:
            self._usage.restart_in_child()

    @property
    def usage_reports(self) -> tuple[int, int]:
        """How many reports of usage the server accepted, and how many failed."""
        return (0, 0) if self._usage is None else (self._usage.sent, self._usage.failed)

    def _close(self) -> None:
        if self._usage is not None:
            self._usage.close()
        self._sync.close()
        if self._jinja is not None:
            self._jinja.close()


class Moorage(_Client):
    """The synchronous client, safe for any number of threads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the synchronization, and write the disk cache."""
        self._close()

    def list(self) -> Held:
        """Return the deployments that the client has now, ordered by key. It waits as `get_config` does.

        Raises:
            NoConfigurationError
        """
        return (self._sync.state or self._sync.wait()).held()

    def get_config(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        *,
        prefix_messages: Objects = (),
        messages: Objects = (),
        extra_params: Mapping[str, Any] | None = None,
    ) -> Config:
        """Return the configuration for a deployment's key or id. The arguments are JSON values, as in the API.

        The client waits for the server only if it has no deployments yet, for at most two seconds.

        Raises:
            DeploymentNotFound, DeploymentUnreadable, NoConfigurationError
            WrongEnvironment: the context names another environment than the client's.
            InvalidJson, InvalidBody, VariantNotResolved, TemplateError: as the server's get_config.
        """
        state = self._sync.state or self._sync.wait()
        request = new_request(key, inputs, context, prefix_messages, messages, extra_params)
        resolution = ResolvedRequest(state, request, self._usage)
        if resolution.variant.engine != "jinja":
            return resolution.config(resolution.variant.render(resolution.request))
        if self._jinja is None:
            raise JinjaNotEnabled
        return resolution.config(resolution.rendered(self._jinja.render_now(*resolution.for_jinja())))


class AsyncMoorage(_Client):
    """The client for an event loop, which it does not block."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """The same as `Moorage.close`."""
        await asyncio.to_thread(self._close)

    async def list(self) -> Held:
        """The same as `Moorage.list`."""
        return (await self._state()).held()

    async def get_config(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        *,
        prefix_messages: Objects = (),
        messages: Objects = (),
        extra_params: Mapping[str, Any] | None = None,
    ) -> Config:
        """The same as `Moorage.get_config`."""
        state = self._sync.state or await self._state()
        request = new_request(key, inputs, context, prefix_messages, messages, extra_params)
        resolution = ResolvedRequest(state, request, self._usage)
        if resolution.variant.engine != "jinja":
            return resolution.config(resolution.variant.render(resolution.request))
        if self._jinja is None:
            raise JinjaNotEnabled
        return resolution.config(resolution.rendered(await self._jinja.render(*resolution.for_jinja())))

    async def _state(self) -> ClientState:
        state = self._sync.state
        return state if state is not None else await asyncio.to_thread(self._sync.wait)


def _abandon(sync: Sync, usage: UsageReports | None) -> None:
    """Stop the threads of a client that is not referenced any more."""
    sync.abandon()
    if usage is not None:
        usage.abandon()
