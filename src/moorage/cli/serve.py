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
from moorage.app import connections, create_app
from moorage.catalog.follower import open_snapshot
from moorage.cli.documents import read_paths
from moorage.cli.options import setting
from moorage.core.errors import MoorageError
from moorage.core.history import Actor
from moorage.core.ownership import Terms
from moorage.core.page import PageQuery
from moorage.core.storage_errors import DatabaseAway
from moorage.logs import configuration
from moorage.registry.api_keys import create_first_api_key
from moorage.registry.deployments import put_deployment
from moorage.registry.lookup import find_known
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.rendering.jinja import Jinja
from moorage.rendering.names import TemplateNames
from moorage.settings import ServerSettings
from moorage.store.opening import open_store
from moorage.store.store import Store

_HEADER_MS = 10_000  # how long a client may take to send its headers
_STOP_SECONDS = 10  # how long requests under way may take at shutdown
_READY_SECONDS = 120


class _Server(MPServer):
    """Tells its workers that they are to stop: streams have no end of their own, and requests are waited for."""

    stopping: Event

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        """SIGTERM or SIGINT."""
        self.stopping.set()
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types


@click.command()
@setting("host")
@setting("port", click.IntRange(1, 65_535))
@setting("database")
@setting("database_listen")
@setting("snapshot")
@setting("max_age", click.FloatRange(1))
@setting("jinja", click.BOOL)
@setting("workers", click.IntRange(1, 64))
@setting("load")
@setting("log_format", click.Choice(["json", "console"]))
@setting("log_level", click.Choice(["debug", "info", "warning", "error"]))
def serve(host: str, port: int, workers: int, load: str | None, **others: Any) -> None:
    """Start the server. Without options: on this machine, with the SQLite file moorage.db in this folder.

    The first start makes an API key and prints its token once.
    """
    _check_address(host, port)
    settings = ServerSettings(**others)
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else _in_url(host)}:{port}"  # noqa: S104 -- compared only
    try:
        with closing(open_store(settings.database, settings.database_listen)) as store:
            loaded = _load(store, load, Jinja() if settings.jinja else None) if load else 0
            token = create_first_api_key(store)
            greeting = _greeting(url, store.url, token, loaded)
    except DatabaseAway as error:
        greeting = _greeting_without(url, error, settings)
    threading.Thread(target=_greet, args=(url, greeting), daemon=True).start()
    _raise_descriptor_limit()
    # A fresh process for each worker: it holds what it needs and nothing of this one.
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
            log_level=LogLevels.warning,  # its lines at `info` tell of processes; ours tell what a person needs
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
    """As many as this user may have: what is set is made for programs that cannot count beyond 1,024 of them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _check_address(host: str, port: int) -> None:
    """Refuse an address that is taken. The server lets its workers share a port, and would share a stranger's too."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"cannot listen on {host}:{port}: {reason}. Choose another with --port.") from error


def _load(store: Store, path: str, jinja: Jinja | None) -> int:
    """Put the deployments in `path` into the default project; returns how many there are."""
    project, names = get_project(store, DEFAULT_PROJECT), TemplateNames(jinja)
    # At the start the file is the truth.
    terms = Terms(allow_breaking=True, has_jinja=jinja is not None, names_of=names)
    documents, problems = read_paths([path]), []
    for document in documents:
        if document.problem:
            problems.append(f"{document.source}: {document.problem}")
            continue
        if _is_left_alone(store, project.id, document.key):
            continue
        body = msgspec.json.encode(document.body)
        try:
            names.with_names(partial(put_deployment, store, project.id, document.key, body, Actor(), terms))
        except MoorageError as error:
            shown = [f"{problem.path} {problem.message}" for problem in error.problems] or [str(error)]
            problems += [f"{document.source} ({document.key}): {line}" for line in shown]
    if jinja is not None:
        jinja.close()
    if problems:
        raise click.ClickException(f"cannot load {path}:\n  " + "\n  ".join(problems))
    return len(documents)


def _is_left_alone(store: Store, project_id: str, key: str) -> bool:
    """Whether somebody changed or deleted it since it was loaded, or a file keeps it: a restart takes nothing back."""
    with store.read() as reading:
        known = find_known(reading, project_id, key)
        if known is None:
            return False
        entries, _ = reading.history(known.id, PageQuery(limit=1))
        return known.owner == "files" or any(entry.api_key is not None for entry in entries)


def _greeting(url: str, database: str, token: str | None, loaded: int) -> str:
    deployments = f", {loaded} deployments loaded" if loaded else ""
    program = sys.argv[0] if sys.argv[0].endswith("/moorage") and not shutil.which("moorage") else "moorage"
    shown = token or "$MOORAGE_API_KEY"
    if token:
        key = f"Your API key, shown this once:\n\n    {token}"
    elif database.startswith("sqlite"):
        create = f"{program} keys create NAME --database {shlex.quote(database)}"
        key = f"It has API keys already. To make another:\n\n    export MOORAGE_API_KEY=$({create})"
    else:  # what is shown of the address has no password
        key = f"""It has API keys already. To make another, with the whole address of this database in MOORAGE_DATABASE:

    export MOORAGE_API_KEY=$({program} keys create NAME)"""
    imports = "" if token else "    import os\n\n"
    python_key = f'"{token}"' if token else 'os.environ["MOORAGE_API_KEY"]'
    return f"""Moorage {__version__} is ready at {url} (database {database}{deployments}).

{key}

List the deployments:

    curl -H "Authorization: Bearer {shown}" {url}/v2/deployments

The same with the SDK (pip install orq-ai-sdk):

{imports}    from orq_ai_sdk import Orq

    with Orq(api_key={python_key}, server_url="{url}") as orq:
        for deployment in orq.deployments.list(limit=10).data:
            print(deployment.key, deployment.version)

The API is described at {url}/docs. Stop with Ctrl-C.
"""


def _greeting_without(url: str, error: DatabaseAway, settings: ServerSettings) -> str:
    """What to say when the database is away and the snapshot is there; raises the error again if it is not."""
    with closing(open_store(settings.database, may_be_away=True, may_be_new=False)) as store:
        snapshot = open_snapshot(store, settings.snapshot)
        kept = snapshot.load() if snapshot else None
    if kept is None:
        raise error
    return f"""Moorage {__version__} answers at {url}, DEGRADED. {error}

It answers reads with what it had {kept[1]:,.0f} seconds ago, from {settings.snapshot}, and writes with 503, until the
database is back.
Stop with Ctrl-C.
"""


def _greet(url: str, greeting: str) -> None:
    """Print the greeting as soon as the server answers: what it says to try works from then on."""
    deadline = time.monotonic() + _READY_SECONDS
    with urllib3.PoolManager(retries=False, timeout=1.0) as pool:
        while time.monotonic() < deadline:
            try:
                if pool.request("GET", f"{url}/health/ready").status == 200:
                    click.echo(greeting)
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.05)  # workers that start have no other sign for another process than their answer


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
