"""`moorage serve`: start the server."""

import multiprocessing
import os
import resource
import shlex
import shutil
import socket
import sys
import tempfile
import threading
import time
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

import click
import msgspec
import urllib3
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from moorage import __version__
from moorage.catalog.follower import open_disk_cache
from moorage.cli.options import setting
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import MoorageError
from moorage.core.errors.storage import DatabaseUnreachable
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.documents.read import read_paths
from moorage.logs import configuration
from moorage.registry.api_keys import create_first_api_key
from moorage.registry.deployments import put_deployment
from moorage.registry.lookup import find_including_deleted
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.registry.write_context import WriteContext
from moorage.rendering.jinja import Jinja
from moorage.rendering.variables import TemplateVariables
from moorage.server.app import connections, create_app
from moorage.settings import ServerSettings
from moorage.store.opening import open_store
from moorage.store.store import Store

_HEADER_MS = 10_000  # the time in which a client must send its headers
_STOP_SECONDS = 10  # the time that requests in progress have at shutdown
_READY_SECONDS = 120


class _Server(MPServer):
    """A server that signals a shutdown to its workers: they must end their streams, which have no end of their own."""

    stopping: Event

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        """Handle SIGTERM and SIGINT."""
        self.stopping.set()
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types


@click.command()
@setting("host")
@setting("port", click.IntRange(1, 65_535))
@setting("database")
@setting("database_listen")
@setting("disk_cache")
@setting("max_staleness", click.FloatRange(1))
@setting("jinja", click.BOOL)
@setting("workers", click.IntRange(1, 64))
@setting("load")
@setting("log_format", click.Choice(["json", "console"]))
@setting("log_level", click.Choice(["debug", "info", "warning", "error"]))
def serve(host: str, port: int, workers: int, load: str | None, **others: Any) -> None:
    """Start the server.

    Without options, it listens on this machine only and uses the SQLite file moorage.db in this folder. The first start
    creates an API key and prints its token once.
    """
    _check_address(host, port)
    settings = ServerSettings(**others)
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else _in_url(host)}:{port}"  # noqa: S104 -- compared only
    try:
        with closing(open_store(settings.database, settings.database_listen)) as store:
            loaded = _load(store, load, Jinja() if settings.jinja else None) if load else 0
            token = create_first_api_key(store)
            greeting = _greeting(url, store.url, token, loaded)
    except DatabaseUnreachable as error:
        greeting = _greeting_without(url, error, settings)
    threading.Thread(target=_greet, args=(url, greeting), daemon=True).start()
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


def _check_address(host: str, port: int) -> None:
    """Reject an address in use. Workers share a port, so the server would share that of another program, too."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {reason}. Choose another address with --host or --port."
        ) from error


def _load(store: Store, path: str, jinja: Jinja | None) -> int:
    """Put the deployments in `path` into the default project; return how many there are."""
    templates = TemplateVariables(jinja)
    # At the start, the file decides.
    ctx = WriteContext(
        get_project(store, DEFAULT_PROJECT).id, options=WriteOptions(allow_breaking=True), templates=templates
    )
    documents, problems = read_paths([path]), []
    for document in documents:
        if document.problem:
            problems.append(f"{document.source}: {document.problem}")
            continue
        if _was_changed(store, ctx.project_id, document.key):
            continue
        try:
            body, _ = read_body(strict_json.parse(msgspec.json.encode(document.body)), PutDeployment)
            templates.run_with_variables(partial(store.run, put_deployment, ctx, document.key, body))
        except MoorageError as error:
            lines = [f"{problem.path}: {problem.message}" for problem in error.problems] or [str(error)]
            problems += [f"{document.source} ({document.key}): {line}" for line in lines]
    if jinja is not None:
        jinja.close()
    if problems:
        raise click.ClickException(f"Cannot load {path}:\n  " + "\n  ".join(problems))
    return len(documents)


def _was_changed(store: Store, project_id: str, key: str) -> bool:
    """Return whether a deployment was changed or deleted since it was loaded, or is managed by a file.

    A restart must not revert such a change.
    """
    with store.read() as reader:
        deployment = find_including_deleted(reader, project_id, key)
        if deployment is None:
            return False
        entries, _ = reader.history(deployment.id, PageQuery(limit=1))
        return deployment.owner == "files" or any(entry.api_key is not None for entry in entries)


def _greeting(url: str, database: str, token: str | None, loaded: int) -> str:
    deployments = f", {loaded} deployments loaded" if loaded else ""
    program = sys.argv[0] if sys.argv[0].endswith("/moorage") and not shutil.which("moorage") else "moorage"
    shown = token or "$MOORAGE_API_KEY"
    if token:
        key = f"Your API key, shown this once:\n\n    {token}"
    elif database.startswith("sqlite"):
        create = f"{program} keys create NAME --database {shlex.quote(database)}"
        key = f"The database has API keys. To create another one:\n\n    export MOORAGE_API_KEY=$({create})"
    else:  # the address is shown without its password
        key = f"""The database has API keys. To create another one, with MOORAGE_DATABASE set:

    export MOORAGE_API_KEY=$({program} keys create NAME)"""
    imports = "" if token else "    import os\n\n"
    python_key = f'"{token}"' if token else 'os.environ["MOORAGE_API_KEY"]'
    return f"""Moorage {__version__} is ready at {url} (database {database}{deployments}).

{key}

List the deployments:

    curl -H "Authorization: Bearer {shown}" {url}/v2/deployments

List them with the SDK (pip install orq-ai-sdk):

{imports}    from orq_ai_sdk import Orq

    with Orq(api_key={python_key}, server_url="{url}") as orq:
        for deployment in orq.deployments.list(limit=10).data:
            print(deployment.key, deployment.version)

The API documentation is at {url}/docs. Stop the server with Ctrl-C.
"""


def _greeting_without(url: str, error: DatabaseUnreachable, settings: ServerSettings) -> str:
    """Return the greeting of a server that starts from its disk cache; raise the error if there is none."""
    with closing(open_store(settings.database, mode="upgrade", may_be_down=True)) as store:
        disk_cache = open_disk_cache(store, settings.disk_cache)
        cached = disk_cache.load() if disk_cache else None
    if cached is None:
        raise error
    return f"""Moorage {__version__} is DEGRADED at {url}. {error}

Until the database is reachable, reads return the state of {cached[1]:,.0f} seconds ago, from
{settings.disk_cache}, and writes return 503.
Stop the server with Ctrl-C.
"""


def _greet(url: str, greeting: str) -> None:
    """Print the greeting when the server is ready, so that its commands work."""
    deadline = time.monotonic() + _READY_SECONDS
    with urllib3.PoolManager(retries=False, timeout=1.0) as pool:
        while time.monotonic() < deadline:
            try:
                if pool.request("GET", f"{url}/health/ready").status == 200:
                    click.echo(greeting)
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.05)  # another process can only poll for the workers


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
