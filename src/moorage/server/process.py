"""The processes of a server: the parent, and one worker process for each of `workers`."""

import logging
import multiprocessing
import os
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial

import msgspec
import urllib3
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from moorage.logs import configuration
from moorage.server.app import connections, create_app
from moorage.server.service_manager import notify
from moorage.server.supervisor import Supervisor
from moorage.settings import ServerSettings

_HEADER_MS = 10_000  # the time in which a client must send its headers
_POLL_SECONDS = 0.05

#: Settings of glibc for the workers: large memory that was freed is used again, up to 32 MiB. Else each large response
#: is in new pages, which the system clears first; that took longer than all other work on it (decision 0043).
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "33554432"}

_log = logging.getLogger("moorage.server")


def run(
    host: str, port: int, workers: int, settings: ServerSettings, url: str, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Run the server until it gets SIGTERM or SIGINT.

    `url` leads to it from this machine. `on_ready` is called in a thread when it responds.
    """
    _raise_descriptor_limit()
    # A fresh process for each worker, without the memory of this one.
    multiprocessing.set_start_method("spawn")
    for name, value in _ALLOCATOR.items():
        os.environ.setdefault(name, value)
    metrics_folder = tempfile.mkdtemp(prefix="moorage-metrics-") if workers > 1 else None
    if metrics_folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_folder
    threading.Thread(target=_announce, args=(url, on_ready), daemon=True).start()
    try:
        server = Supervisor(
            "moorage",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            workers=workers,
            runtime_mode=RuntimeModes.st,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            websockets=False,
            backpressure=connections(),
            http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MS),
            log_level=LogLevels.warning,  # at `info`, it logs about processes
            log_dictconfig=configuration(settings.log_format, settings.log_level),
            respawn_failed_workers=True,
            workers_kill_timeout=settings.stop_seconds,
        )
        server.serve(target_loader=partial(create_app, settings), wrap_loader=False)
    finally:
        if metrics_folder:
            shutil.rmtree(metrics_folder, ignore_errors=True)


def _announce(url: str, on_ready: Callable[[], None]) -> None:
    """Log and notify when a worker responds; until all deployments are in memory, connections wait."""
    with urllib3.PoolManager(retries=False, timeout=1.0) as pool:
        while (body := _response(pool, f"{url}/health/ready")) is None:
            time.sleep(_POLL_SECONDS)  # another process can only poll for the workers
    status = msgspec.json.decode(body)["status"]
    _log.info("the server is ready", extra={"fields": {"url": url, "status": status}})
    notify("READY=1", f"STATUS={status} at {url}")
    on_ready()


def _response(pool: urllib3.PoolManager, url: str) -> bytes | None:
    try:
        return pool.request("GET", url).data
    except urllib3.exceptions.HTTPError:
        return None


def _raise_descriptor_limit() -> None:
    """Raise the limit of file descriptors to the hard limit; the soft limit is often 1,024, for `select`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
