"""Jinja templates, rendered in a few processes that are killed when a template exceeds the limits.

One thread communicates with each process, so the event loop never blocks. A template that exceeds the limits delays
only the requests that wait for its process.
"""

import asyncio
import importlib.util
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from msgspec.json import Decoder

from moorage.core.errors.base import MoorageError
from moorage.core.errors.templates import (
    InvalidTemplate,
    JinjaNotInstalled,
    MissingInputs,
    OutputTooLarge,
    RendererBusy,
    RendererFailed,
    TemplateError,
    TemplateLimitExceeded,
    TemplateNotAllowed,
)
from moorage.core.templates.output import MAX_OUTPUT
from moorage.core.templates.template import Missing, Rendered
from moorage.rendering.messages import Failure, FindVariables, Render, RenderedTexts, Request, Variables
from moorage.rendering.worker import Worker

#: The time limit for the templates of a request, in seconds.
MAX_SECONDS = 0.25

#: The time limit for a request to wait for a process, in seconds.
_MAX_WAIT = 2.0

_texts: Decoder[RenderedTexts | Failure] = Decoder(RenderedTexts | Failure)
_names: Decoder[Variables | Failure] = Decoder(Variables | Failure)

T = TypeVar("T", RenderedTexts, Variables)


class Jinja:
    """A pool of at most `workers` rendering processes, which start when they are needed.

    Raises:
        JinjaNotInstalled: jinja2 is not installed.
    """

    def __init__(self, *, workers: int = 2, seconds: float = MAX_SECONDS) -> None:
        if importlib.util.find_spec("jinja2") is None:
            raise JinjaNotInstalled
        self._workers, self._seconds = workers, seconds
        self._started: set[Worker] = set()
        self._is_closed = False
        self._start_threads()

    async def render(
        self, templates: Sequence[str], inputs: Mapping[str, Any], missing: Missing, *, budget: int = MAX_OUTPUT
    ) -> list[Rendered]:
        """Render the templates with the inputs; together they share the time limit and the budget.

        Raises:
            InvalidTemplate, TemplateNotAllowed: a template is invalid, fails, or uses a forbidden feature.
            TemplateLimitExceeded, OutputTooLarge: a limit was exceeded.
            MissingInputs: with all missing names, if `missing` is "error".
            RendererBusy: no process was available in time.
        """
        return _rendered(
            await asyncio.wrap_future(self._submit(_render_request(templates, inputs, missing, budget), _texts)),
            missing,
        )

    def render_now(
        self, templates: Sequence[str], inputs: Mapping[str, Any], missing: Missing, *, budget: int = MAX_OUTPUT
    ) -> list[Rendered]:
        """Do the same in a thread that can block."""
        return _rendered(self._submit(_render_request(templates, inputs, missing, budget), _texts).result(), missing)

    async def names(self, templates: Sequence[str]) -> list[list[str]]:
        """Return the sorted names that each template uses; of `{{ customer.name }}` only the first part.

        Raises:
            InvalidTemplate, TemplateLimitExceeded, RendererBusy: as `render`.
        """
        return (await asyncio.wrap_future(self._submit(FindVariables([*templates]), _names))).names

    def names_now(self, templates: Sequence[str]) -> list[list[str]]:
        """Do the same in a thread that can block."""
        return self._submit(FindVariables([*templates]), _names).result().names

    def restart_in_child(self) -> None:
        """Start again in a process that was forked from this one: threads and processes belong to the parent."""
        for worker in self._started:
            worker.leave_to_parent()
        self._started = set()
        if not self._is_closed:
            self._start_threads()

    def close(self) -> None:
        """End the processes after their current requests."""
        self._is_closed = True
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            worker.end()

    def _start_threads(self) -> None:
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="jinja")
        self._local = threading.local()

    def _submit(self, request: Request, decoder: "Decoder[T | Failure]") -> "Future[T]":
        return self._threads.submit(self._request, msgspec.json.encode(request), decoder, time.monotonic() + _MAX_WAIT)

    def _request(self, request: bytes, decoder: "Decoder[T | Failure]", latest_start: float) -> T:
        # A request that waited too long fails here, so that all requests behind a slow template fail immediately.
        if time.monotonic() > latest_start:
            raise RendererBusy(seconds=_MAX_WAIT)
        worker = self._worker()
        try:
            reply = decoder.decode(worker.request(request, self._seconds))
        except msgspec.DecodeError:
            self._replace(worker)
            raise RendererFailed from None
        except MoorageError:
            self._replace(worker)
            raise
        if isinstance(reply, Failure):
            if reply.is_last:
                self._replace(worker)
            raise _error(reply)
        return reply

    def _worker(self) -> Worker:
        """Return the process of this thread."""
        worker: Worker | None = getattr(self._local, "worker", None)
        if worker is None:
            return self._start()
        return worker if worker.is_alive() else self._replace(worker)

    def _replace(self, worker: Worker) -> Worker:
        """Start a new process now, so that it is ready for the next template."""
        self._started.discard(worker)
        worker.end()
        return self._start()

    def _start(self) -> Worker:
        self._local.worker = worker = Worker()
        self._started.add(worker)
        return worker


def _render_request(templates: Sequence[str], inputs: Mapping[str, Any], missing: Missing, budget: int) -> Render:
    return Render([*templates], dict(inputs), missing == "keep", budget)


def _rendered(texts: RenderedTexts, missing: Missing) -> list[Rendered]:
    names = list(dict.fromkeys(name for rendered in texts.rendered for name in rendered.missing))
    if missing == "error" and names:
        raise MissingInputs.of(names)
    return texts.rendered


def _error(reply: Failure) -> TemplateError:
    match reply.problem:
        case "invalid":
            return InvalidTemplate(engine="jinja", reason=reply.reason)
        case "not_allowed":
            return TemplateNotAllowed(engine="jinja", reason=reply.reason)
        case "limit_exceeded":
            return TemplateLimitExceeded(engine="jinja", reason=reply.reason)
        case "too_large":
            return OutputTooLarge(engine="jinja", maximum=MAX_OUTPUT)
