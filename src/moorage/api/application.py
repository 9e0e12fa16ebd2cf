"""The ASGI application: routes behind a front, and errors as one shape."""

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from moorage.api.call import Services
from moorage.api.configurations import Quick
from moorage.api.endpoints import routes
from moorage.api.front import Front
from moorage.api.problems import problem
from moorage.api.turns import Turns
from moorage.core.errors import MethodNotAllowed, MoorageError, RouteNotFound
from moorage.core.storage_errors import StorageError
from moorage.registry.purge import forget_usage, is_purge_due, purge

#: Routes of the orq.ai API that are no keys either.
_NOT_YET = frozenset({"/v2/deployments/invoke", "/v2/deployments/stream"})

#: How often the journal is settled (seconds).
SETTLE_SECONDS = 0.25

#: How often what was deleted long enough ago is erased (seconds).
PURGE_SECONDS = 3_600

#: How often it is written down who was served by which version (seconds).
USAGE_SECONDS = 10

_log = logging.getLogger("moorage.api")


def build_application(services: Services, is_stopping: Callable[[], bool], close: Callable[[], None]) -> ASGIApp:
    """Put the parts together; `is_stopping` is asked a few times a second, and `close` called when the server stops."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        gc.collect()
        gc.disable()
        try:
            services.follower.start()
        finally:
            gc.enable()
        gc.freeze()  # what was loaded is not looked through for garbage again and again, which would hold up requests
        works = (
            services.follower.run(), _settle(services, is_stopping), _purge(services), _note_usage(services)
        )  # fmt: skip
        tasks = [asyncio.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()
        with contextlib.suppress(StorageError):  # there is no next time: who was served in the last seconds is not kept
            await services.usage.flush(is_last=True)
        services.writer.close()
        services.reader.shutdown()
        services.follower.close()
        services.gateway.close()
        services.journal.settle()
        close()

    app = Starlette(
        routes=routes(services),
        lifespan=lifespan,
        exception_handlers={MoorageError: _on_error, HTTPException: _on_http_exception, Exception: _on_unexpected},
    )
    app.router.redirect_slashes = False  # a redirect would be built from the Host header, which anybody can write
    quick = Quick(services.catalog, services.gateway, services.usage)
    return Front(app, services.catalog, services.follower, services.journal, quick)


async def _settle(services: Services, is_stopping: Callable[[], bool]) -> None:
    """Do what is due a few times a second, and end when the process that started this one is gone."""
    parent, turns = multiprocessing.parent_process(), Turns()
    while True:
        await asyncio.sleep(SETTLE_SECONDS)  # many at once are cheaper
        turns.look()
        try:
            services.journal.settle()
        except Exception:  # noqa: BLE001 -- without this loop nothing would be noted in silence
            _log.exception("noting requests failed; trying again")
        if is_stopping():
            services.streams.end()
        if parent is not None and not parent.is_alive():
            services.streams.end()
            _log.error("the process that started this worker is gone; stopping")
            os.kill(os.getpid(), signal.SIGTERM)


async def _purge(services: Services) -> None:
    """Erase what was deleted long enough ago."""
    beside = partial(asyncio.get_running_loop().run_in_executor, services.reader)
    while True:
        try:
            if await beside(partial(is_purge_due, services.store)):
                await services.writer.write(purge)
            await beside(partial(forget_usage, services.store))
        except StorageError:
            pass  # it has time until the next turn
        except Exception:  # noqa: BLE001 -- without this loop nothing would be erased in silence
            _log.exception("erasing what was deleted failed; trying again")
        await asyncio.sleep(PURGE_SECONDS)  # nothing else says that time has passed


async def _note_usage(services: Services) -> None:
    """Write down who was served by which version."""
    while True:
        await asyncio.sleep(USAGE_SECONDS)  # many at once are one write
        try:
            await services.usage.flush()
        except StorageError:
            pass  # it is kept for the next turn
        except Exception:  # noqa: BLE001 -- without this loop nothing would be written down in silence
            _log.exception("writing down who was served failed; trying again")


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MoorageError)  # noqa: S101 -- registered for that class
    response = problem(error, request.scope["moorage.request_id"])
    if "moorage.revision" in request.scope:  # of what is asked for with a known key
        response.headers["X-Moorage-Revision"] = request.scope["moorage.revision"]
    return response


async def _on_unexpected(request: Request, error: Exception) -> Response:
    return await _on_error(request, MoorageError())  # the front logs what it was


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for that class
    path = request.url.path[:200]
    if error.status_code == 405 and path not in _NOT_YET:
        allowed = (error.headers or {})["Allow"]
        return await _on_error(request, MethodNotAllowed(path=path, method=request.method[:20], allowed=allowed))
    return await _on_error(request, RouteNotFound(path=path))
