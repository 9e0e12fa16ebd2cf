"""The processes of a server: the parent, and one worker process for each of `workers`."""

import multiprocessing
import os
import resource
import shutil
import tempfile
from functools import partial
from multiprocessing.synchronize import Event

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from moorage.logs import configuration
from moorage.server.app import connections, create_app
from moorage.settings import ServerSettings

_HEADER_MS = 10_000  # the time in which a client must send its headers
_STOP_SECONDS = 10  # the time that requests in progress have at shutdown


class _Server(MPServer):
    """A server that signals a shutdown to its workers: they must end their streams, which have no end of their own."""

    stopping: Event

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        """Handle SIGTERM and SIGINT."""
        self.stopping.set()
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types


def run(host: str, port: int, workers: int, settings: ServerSettings) -> None:
    """Run the server until it gets SIGTERM or SIGINT."""
    _raise_descriptor_limit()
    # A fresh process for each worker, without the memory of this one.
    multiprocessing.set_start_method("spawn")
    metrics_folder = tempfile.mkdtemp(prefix="moorage-metrics-") if workers > 1 else None
    if metrics_folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_folder
    try:
        server = _Server(
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
            workers_kill_timeout=_STOP_SECONDS,
        )
        server.stopping = multiprocessing.Event()
        server.serve(target_loader=partial(create_app, settings, server.stopping), wrap_loader=False)
    finally:
        if metrics_folder:
            shutil.rmtree(metrics_folder, ignore_errors=True)


def _raise_descriptor_limit() -> None:
    """Raise the limit of file descriptors to the hard limit; the soft limit is often 1,024, for `select`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
