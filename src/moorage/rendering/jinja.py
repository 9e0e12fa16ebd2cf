"""Jinja templates, rendered by a few processes that are killed when a template exceeds the limits.

Each process is spoken to by one thread, so nothing waits on the event loop, and a template that is stopped costs the
others at most its place.
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
from moorage.rendering.messages import Names, Question, Refused, Render, Texts, VariablesFound
from moorage.rendering.worker import Worker

#: How long the templates of one request may take, in seconds.
MAX_SECONDS = 0.25

#: How long a request waits for its turn, in seconds.
_MAX_WAIT = 2.0

_texts: Decoder[Texts | Refused] = Decoder(Texts | Refused)
_names: Decoder[VariablesFound | Refused] = Decoder(VariablesFound | Refused)

T = TypeVar("T", Texts, VariablesFound)


class Jinja:
    """Renders jinja templates in at most `workers` processes, which are started when they are needed.

    Raises:
        JinjaNotInstalled: jinja2 is not there.
    """

    def __init__(self, *, workers: int = 2, seconds: float = MAX_SECONDS) -> None:
        if importlib.util.find_spec("jinja2") is None:
            raise JinjaNotInstalled
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="jinja")
        self._here = threading.local()
        self._started: set[Worker] = set()

    async def render(
        self, templates: Sequence[str], inputs: Mapping[str, Any], missing: Missing, *, budget: int = MAX_OUTPUT
    ) -> list[Rendered]:
        """Put the inputs into each template; all of them have the time and the room of one.

        Raises:
            InvalidTemplate, TemplateNotAllowed: a template is broken, fails, or reaches for what it must not have.
            TemplateTooHeavy, OutputTooLarge: it was stopped.
            MissingInputs: naming all that is missing, where `missing` is "error".
            RenderingBusy: too many others came first.
        """
        return _rendered(
            await asyncio.wrap_future(self._submit(_question(templates, inputs, missing, budget), _texts)), missing
        )

    def render_now(
        self, templates: Sequence[str], inputs: Mapping[str, Any], missing: Missing, *, budget: int = MAX_OUTPUT
    ) -> list[Rendered]:
        """The same, for a thread that can wait."""
        return _rendered(self._submit(_question(templates, inputs, missing, budget), _texts).result(), missing)

    async def names(self, templates: Sequence[str]) -> list[list[str]]:
        """For each template the names that it uses, in alphabetical order; of `{{ customer.name }}` the first part.

        Raises:
            InvalidTemplate, TemplateTooHeavy, RenderingBusy: as `render`.
        """
        return (await asyncio.wrap_future(self._submit(Names([*templates]), _names))).names

    def names_now(self, templates: Sequence[str]) -> list[list[str]]:
        """The same, for a thread that can wait."""
        return self._submit(Names([*templates]), _names).result().names

    def close(self) -> None:
        """End the processes, after what they are at."""
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            worker.end()

    def _submit(self, question: Question, decoder: "Decoder[T | Refused]") -> "Future[T]":
        return self._threads.submit(self._ask, msgspec.json.encode(question), decoder, time.monotonic() + _MAX_WAIT)

    def _ask(self, question: bytes, decoder: "Decoder[T | Refused]", latest_start: float) -> T:
        # A request that waited too long fails here, when its turn comes; all that wait behind a bomb fail at once.
        if time.monotonic() > latest_start:
            raise RendererBusy(seconds=_MAX_WAIT)
        worker = self._worker()
        try:
            reply = decoder.decode(worker.ask(question, self._seconds))
        except msgspec.DecodeError:
            self._replace(worker)
            raise RendererFailed from None
        except MoorageError:
            self._replace(worker)
            raise
        if isinstance(reply, Refused):
            if reply.is_last:
                self._replace(worker)
            raise _error(reply)
        return reply

    def _worker(self) -> Worker:
        """The process of this thread."""
        worker: Worker | None = getattr(self._here, "worker", None)
        if worker is None:
            return self._start()
        return worker if worker.is_alive() else self._replace(worker)

    def _replace(self, worker: Worker) -> Worker:
        """Start another process now, so that it is ready when the next template comes."""
        self._started.discard(worker)
        worker.end()
        return self._start()

    def _start(self) -> Worker:
        self._here.worker = worker = Worker()
        self._started.add(worker)
        return worker


def _question(templates: Sequence[str], inputs: Mapping[str, Any], missing: Missing, budget: int) -> Render:
    return Render([*templates], dict(inputs), missing == "keep", budget)


def _rendered(texts: Texts, missing: Missing) -> list[Rendered]:
    names = list(dict.fromkeys(name for each in texts.rendered for name in each.missing))
    if missing == "error" and names:
        raise MissingInputs.of(names)
    return texts.rendered


def _error(reply: Refused) -> TemplateError:
    match reply.problem:
        case "invalid":
            return InvalidTemplate(engine="jinja", reason=reply.reason)
        case "not_allowed":
            return TemplateNotAllowed(engine="jinja", reason=reply.reason)
        case "too_heavy":
            return TemplateLimitExceeded(engine="jinja", reason=reply.reason)
        case "too_large":
            return OutputTooLarge(engine="jinja", maximum=MAX_OUTPUT)
