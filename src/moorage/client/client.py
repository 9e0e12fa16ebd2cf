"""Moorage and AsyncMoorage: get_config in the application's own process.

The client uses the server's code for rendering and routing, so both return the same bytes.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeGuard

from moorage.client.cache import DiskCache
from moorage.client.config import Config
from moorage.client.http import HttpClient
from moorage.client.state import ClientState
from moorage.client.sync import Sync
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import BodyTooLarge, InvalidBody
from moorage.core.errors.templates import JinjaNotEnabled
from moorage.core.resolution.compiled import CompiledVariant
from moorage.core.resolution.config import MAX_CALL_BODY, GetConfigRequest, Object, read_request
from moorage.core.routing.table import Resolution
from moorage.core.templates.template import Rendered
from moorage.rendering.jinja import Jinja

Objects = Sequence[Object]

#: Whole numbers from here on take the path of the server.
_LARGE = 2**53

#: Texts with more characters together, too: their size is checked.
_LARGE_TEXT = 1_048_576

_NONE: tuple[Objects, ...] = ((), [])


class _Client:
    """The base of both clients. Create a client in each process, after the fork."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        cache: str | Path | None = ".moorage-cache",
        lockfile: str | Path | None = "deployments.lock.json",
        jinja: bool = False,
    ) -> None:
        """Start the synchronization with the server at `url`, without waiting for it.

        `cache` is the folder of the disk cache, and `lockfile` the file of `moorage lock`; None disables each. `jinja`
        enables jinja templates, which separate processes render.

        Raises:
            JinjaNotInstalled
        """
        self._jinja = Jinja() if jinja else None
        disk_cache = None if cache is None else DiskCache(Path(cache), url, api_key)
        self._sync = Sync(HttpClient(url, api_key), disk_cache, None if lockfile is None else Path(lockfile))

    def close(self) -> None:
        """Stop the synchronization."""
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
            InvalidJson, InvalidBody, VariantNotResolved, TemplateError: as the server's get_config.
        """
        state = self._sync.state or self._sync.wait()
        resolution = _Resolution(state, _request(key, inputs, context, prefix_messages, messages, extra_params))
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
        await asyncio.to_thread(self.close)

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
        state = self._sync.state
        if state is None:
            state = await asyncio.to_thread(self._sync.wait)
        resolution = _Resolution(state, _request(key, inputs, context, prefix_messages, messages, extra_params))
        if resolution.variant.engine != "jinja":
            return resolution.config(resolution.variant.render(resolution.request))
        if self._jinja is None:
            raise JinjaNotEnabled
        return resolution.config(resolution.rendered(await self._jinja.render(*resolution.for_jinja())))


class _Resolution:
    """A request with its variant, before the templates are rendered."""

    __slots__ = ("live", "request", "resolution", "state", "variant")

    state: ClientState
    live: LiveVersion
    variant: CompiledVariant
    resolution: Resolution

    def __init__(self, state: ClientState, request: GetConfigRequest) -> None:
        compiled = state.compiled(request.key)
        self.state, self.live, self.request = state, compiled.live, request
        self.resolution, self.variant = compiled.resolve(request.attributes())

    def for_jinja(self) -> tuple[list[str], dict[str, Any], Any]:
        """Return the arguments for rendering with jinja."""
        return self.variant.texts, self.variant.inputs(self.request.inputs), self.variant.missing

    def rendered(self, templates: list[Rendered]) -> bytes:
        """Return the response as JSON, with the output of jinja."""
        return self.variant.encoded(templates, self.request)

    def config(self, json: bytes) -> Config:
        """Return the result with its source."""
        return Config(json, self.live, self.resolution, self.state.source, self.state.age())


def _request(
    key: str,
    inputs: Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
    prefix_messages: Objects,
    messages: Objects,
    extra_params: Mapping[str, Any] | None,
) -> GetConfigRequest:
    """Return the arguments as the server would decode them; most are unchanged.

    Raises:
        InvalidJson, InvalidBody: as on the server, or an argument is not a JSON value.
    """
    if (
        (type(key) is str and key and key.isascii())
        and (inputs is None or _is_plain(inputs))
        and (context is None or _is_plain(context))
        and (extra_params is None or _is_plain(extra_params))
        and prefix_messages in _NONE
        and messages in _NONE
    ):
        return GetConfigRequest(key, inputs or {}, context or {}, [], [], dict(extra_params) if extra_params else {})
    body = {
        "inputs": inputs, "context": context, "prefix_messages": prefix_messages, "messages": messages,
        "extra_params": extra_params,
    }  # fmt: skip
    fields = {name: value for name, value in body.items() if value is not None and value != ()}
    encoded = _encode_body({"key": key} | fields)
    if len(encoded) > MAX_CALL_BODY:
        raise BodyTooLarge(maximum=MAX_CALL_BODY)
    return read_request(encoded)[0]


def _is_plain(given: Mapping[str, Any]) -> TypeGuard[Object]:
    """Return whether decoding keeps an object unchanged: strings, small whole numbers, booleans and nulls.

    The size of a large one must be checked, so it is not plain.
    """
    if not isinstance(given, dict):
        return False
    size = 0
    for name, value in given.items():
        if type(name) is not str or not (name.isascii() or _is_encodable(name)):
            return False
        if type(value) is str:
            size += len(value)
            if size > _LARGE_TEXT or not (value.isascii() or _is_encodable(value)):
                return False
        elif type(value) is int:
            if not -_LARGE < value < _LARGE:
                return False
        elif type(value) is not bool and value is not None:
            return False
    return True


def _is_encodable(text: str) -> bool:
    """Return whether the text contains no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encode_body(body: Object) -> bytes:
    """Return the JSON that the server would get: it has no tuples, enumerations, or subclasses of `str`.

    Raises:
        InvalidBody: a field is not a JSON value.
    """
    try:
        return _encode(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        if len(body) > 1:
            for name, value in body.items():
                _encode_body({name: value})
        raise InvalidBody.of([Problem(next(iter(body)), f"is not a JSON value: {error}")]) from error


def _to_json_type(value: Any) -> Any:
    """Convert a value for `json`."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_encode = json.JSONEncoder(allow_nan=False, default=_to_json_type).encode
