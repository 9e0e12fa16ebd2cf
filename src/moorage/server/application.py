"""The ASGI application of a server process: routes, request pipeline, lifespan, and errors as responses."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from moorage.api.environment import HEADER
from moorage.api.errors import error_response, report_error
from moorage.api.metrics import Metrics
from moorage.api.middleware.calls import CallRoutes
from moorage.api.middleware.get_config_fast_path import GetConfigFastPath
from moorage.api.middleware.pipeline import RequestPipeline
from moorage.api.middleware.proxies import Proxies
from moorage.api.router import routes
from moorage.api.routes import OPERATIONS
from moorage.api.services import Services
from moorage.console.application import console_routes
from moorage.core.errors.base import MoorageError
from moorage.core.errors.routes import MethodNotAllowed, RouteNotFound
from moorage.core.errors.storage import StorageError
from moorage.server.background import flush_request_log, purge_deleted, record_consumers
from moorage.server.garbage_collection import collect_when_idle

_log = logging.getLogger("moorage.server")


def build_application(
    services: Services,
    is_stopping: Callable[[], bool],
    close: Callable[[], None],
    proxies: Proxies,
) -> ASGIApp:
    """Return the ASGI application; `is_stopping` is polled a few times a second, and `close` runs at shutdown."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        _load(services)
        jobs = (
            services.follower.run(),
            flush_request_log(services, is_stopping),
            purge_deleted(services),
            record_consumers(services),
            collect_when_idle(),
        )
        tasks = [asyncio.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()
        with contextlib.suppress(StorageError):  # the consumers of the last seconds are lost
            await services.consumers.flush(is_last=True)
        services.write_queue.close()
        services.reader.shutdown()
        services.compute.shutdown()
        services.follower.close()
        services.resolver.close()
        services.request_log.flush()
        services.call_log.flush()
        await services.runner.close()
        close()

    handlers = (_on_error, _on_http_exception, _on_unexpected)
    on_error, on_http_exception, on_unexpected = (partial(handler, services.metrics) for handler in handlers)
    app = Starlette(
        routes=[*routes(services), *console_routes(services)],
        lifespan=lifespan,
        exception_handlers={MoorageError: on_error, HTTPException: on_http_exception, Exception: on_unexpected},
    )
    app.router.redirect_slashes = False  # a redirect would be built from the Host header, which anybody can set
    fast_path = GetConfigFastPath(services.catalog, services.resolver, services.consumers, services.unknown_names)
    calls = CallRoutes(OPERATIONS, services, on_error)
    return RequestPipeline(
        app, services.catalog, services.follower, services.request_log, fast_path, proxies, services.limits, calls
    )


def _load(services: Services) -> None:
    """Load the catalog, and exclude it from garbage collection, which would block requests while it traverses it."""
    gc.collect()
    gc.disable()
    try:
        services.follower.start()
        services.catalog.report_unreadable()
    finally:
        gc.enable()
    gc.freeze()


async def _on_error(metrics: Metrics, request: Request, error: Exception) -> Response:
    assert isinstance(error, MoorageError)  # noqa: S101 -- registered for that class
    scope = request.scope
    error = report_error(metrics, scope, error)
    response = error_response(error, scope["moorage.request_id"], scope["moorage.root_path"])
    if "moorage.environment" in scope:
        response.headers[HEADER] = scope["moorage.environment"]
    if "moorage.revision" in scope and response.status_code != 401:  # the request has a valid API key
        response.headers["X-Moorage-Revision"] = scope["moorage.revision"]
    return response


async def _on_unexpected(metrics: Metrics, request: Request, error: Exception) -> Response:
    return await _on_error(metrics, request, MoorageError())  # the pipeline logs the exception


async def _on_http_exception(metrics: Metrics, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for that class
    path = request.url.path[:200]
    if error.status_code == 405:
        allowed = (error.headers or {})["Allow"]
        not_allowed = MethodNotAllowed(path=path, method=request.method[:20], allowed=allowed)
        return await _on_error(metrics, request, not_allowed)
    return await _on_error(metrics, request, RouteNotFound.of(path, (operation.path for operation in OPERATIONS)))
