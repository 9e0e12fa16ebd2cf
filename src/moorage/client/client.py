"""Moorage and AsyncMoorage: the request to a model, resolved in the application's own process.

Rendering and routing are the server's own code, so both give the same bytes.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeGuard

from moorage.client.cache import Cache
from moorage.client.config import Config
from moorage.client.http import Server
from moorage.client.state import ClientState
from moorage.client.sync import Following
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.errors.templates import JinjaNotEnabled
from moorage.core.resolution.compiled import CompiledVariant
from moorage.core.resolution.config import GetConfigRequest, Object, read_request
from moorage.core.routing.table import Resolution
from moorage.core.templates.template import Rendered
from moorage.rendering.jinja import Jinja

Objects = Sequence[Object]

#: Whole numbers from here on are looked at as the server does.
_LARGE = 2**53

_NONE: tuple[Objects, ...] = ((), [])


class _Client:
    """The base of both: the deployments, updated in a thread. Create one for each process, after it was forked."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        cache: str | Path | None = ".moorage-cache",
        lockfile: str | Path | None = "deployments.lock.json",
        jinja: bool = False,
    ) -> None:
        """Follow the server at `url`; nothing is waited for.

        `cache` is a folder for the last bundle, `lockfile` what `moorage lock` has written; None is to have none. With
        `jinja`, such templates are rendered, in processes of their own.

        Raises:
            JinjaNotInstalled
        """
        self._jinja = Jinja() if jinja else None
        kept = None if cache is None else Cache(Path(cache), url, api_key)
        self._following = Following(Server(url, api_key), kept, None if lockfile is None else Path(lockfile))

    def close(self) -> None:
        """Stop following."""
        self._following.close()
        if self._jinja is not None:
            self._jinja.close()


class Moorage(_Client):
    """The synchronous client. Any number of threads can use one."""

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
        """Return the request to the model, for a deployment's key or id; the arguments are those of the API, JSON
        values.

        Only the first time, and while nothing is known, the server is waited for, two seconds at most.

        Raises:
            UnknownDeployment, BrokenDeployment, NothingKnown
            InvalidJson, InvalidBody, VariantNotResolved, TemplateError: as the server's get_config.
        """
        known = self._following.known or self._following.wait()
        asked = _Asked(known, _request(key, inputs, context, prefix_messages, messages, extra_params))
        if asked.prepared.engine != "jinja":
            return asked.answer(asked.prepared.render(asked.request))
        if self._jinja is None:
            raise JinjaNotEnabled
        return asked.answer(asked.rendered(self._jinja.render_now(*asked.for_jinja())))


class AsyncMoorage(_Client):
    """For an event loop, which it does not hold up."""

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
        known = self._following.known
        if known is None:
            known = await asyncio.to_thread(self._following.wait)
        asked = _Asked(known, _request(key, inputs, context, prefix_messages, messages, extra_params))
        if asked.prepared.engine != "jinja":
            return asked.answer(asked.prepared.render(asked.request))
        if self._jinja is None:
            raise JinjaNotEnabled
        return asked.answer(asked.rendered(await self._jinja.render(*asked.for_jinja())))


class _Asked:
    """A question, up to where templates are rendered."""

    __slots__ = ("known", "live", "prepared", "request", "resolution")

    known: ClientState
    live: LiveVersion
    prepared: CompiledVariant
    resolution: Resolution

    def __init__(self, known: ClientState, request: GetConfigRequest) -> None:
        plan = known.plan(request.key)
        self.known, self.live, self.request = known, plan.live, request
        self.resolution, self.prepared = plan.resolve(request.attributes())

    def for_jinja(self) -> tuple[list[str], dict[str, Any], Any]:
        """The arguments for rendering with jinja."""
        return self.prepared.texts, self.prepared.inputs(self.request.inputs), self.prepared.missing

    def rendered(self, templates: list[Rendered]) -> bytes:
        """Return the response as JSON, with the output of jinja."""
        return self.prepared.encoded(templates, self.request)

    def answer(self, json: bytes) -> Config:
        """The answer, with where it is known from."""
        return Config(json, self.live, self.resolution, self.known.source, self.known.age())


def _request(
    key: str,
    inputs: Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
    prefix_messages: Objects,
    messages: Objects,
    extra_params: Mapping[str, Any] | None,
) -> GetConfigRequest:
    """The arguments as the server would read them, which for most calls is as they are.

    Raises:
        InvalidJson, InvalidBody: as the server, or an argument is no JSON value.
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
    return read_request(_sent({"key": key} | {name: value for name, value in body.items() if value is not None}))


def _is_plain(given: Mapping[str, Any]) -> TypeGuard[Object]:
    """Whether the server would read it as it is: an object of texts, not too large numbers, booleans and nulls."""
    if not isinstance(given, dict):
        return False
    for name, value in given.items():
        if type(name) is not str or not (name.isascii() or _is_whole(name)):
            return False
        if type(value) is str:
            if not (value.isascii() or _is_whole(value)):
                return False
        elif type(value) is int:
            if not -_LARGE < value < _LARGE:
                return False
        elif type(value) is not bool and value is not None:
            return False
    return True


def _is_whole(text: str) -> bool:
    """Whether no half of a surrogate pair is in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _sent(body: Object) -> bytes:
    """Return the value that the server would get: JSON has no tuples, no enumerations, and no subclasses of `str`.

    Raises:
        InvalidBody: it is no JSON value; naming the field.
    """
    try:
        return _encode(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        if len(body) > 1:
            for name, value in body.items():
                _sent({name: value})
        raise InvalidBody.of([Problem(next(iter(body)), f"is no JSON value: {error}")]) from error


def _known_to_json(value: Any) -> Any:
    """Convert a value for `json`."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_encode = json.JSONEncoder(allow_nan=False, default=_known_to_json).encode
