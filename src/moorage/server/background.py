"""Background work of a server process."""

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial

from moorage.api.services import Services
from moorage.core.errors.storage import StorageError
from moorage.registry.purge import delete_old_consumers, is_purge_due, purge
from moorage.server.cpu_scheduling import CpuScheduler

#: How often the request log is flushed (seconds).
FLUSH_SECONDS = 0.25

#: How often deleted data is purged (seconds).
PURGE_SECONDS = 3_600

#: How often the consumers of versions are stored (seconds).
CONSUMER_SECONDS = 10

_log = logging.getLogger("moorage.server")


async def flush_request_log(services: Services, is_stopping: Callable[[], bool]) -> None:
    """Flush the request log a few times a second; stop this worker when its parent process is gone."""
    parent, scheduler = multiprocessing.parent_process(), CpuScheduler()
    while True:
        await asyncio.sleep(FLUSH_SECONDS)  # a batch costs less than single records
        scheduler.update()
        try:
            services.request_log.flush()
            services.call_log.flush()
        except Exception:  # noqa: BLE001 -- without this loop, requests would silently not be logged
            _log.exception("flushing the request log failed; retrying")
        if is_stopping():
            services.streams.close_all()
        if parent is not None and not parent.is_alive():
            services.streams.close_all()
            _log.error("the parent process of this worker is gone; stopping")
            os.kill(os.getpid(), signal.SIGTERM)


async def purge_deleted(services: Services) -> None:
    """Permanently delete expired deleted content, every hour."""
    in_thread = partial(asyncio.get_running_loop().run_in_executor, services.reader)
    while True:
        try:
            if await in_thread(partial(is_purge_due, services.store)):
                await services.write_queue.write(purge)
            await in_thread(partial(delete_old_consumers, services.store))
        except StorageError as error:  # the next round can do it
            services.metrics.database_error(error)
        except Exception:  # noqa: BLE001 -- without this loop, nothing would be purged
            _log.exception("the purge failed; retrying")
        await asyncio.sleep(PURGE_SECONDS)  # nothing else signals that time has passed


async def record_consumers(services: Services) -> None:
    """Store which API keys were served which versions."""
    while True:
        await asyncio.sleep(CONSUMER_SECONDS)  # many records are one write
        try:
            await services.consumers.flush()
            await services.unknown_names.flush()
        except StorageError as error:  # the records stay in memory for the next round
            services.metrics.database_error(error)
        except Exception:  # noqa: BLE001 -- without this loop, no consumer would be stored
            _log.exception("storing consumers failed; retrying")
