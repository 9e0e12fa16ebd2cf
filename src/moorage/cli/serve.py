"""`moorage serve`: start the server."""

import logging.config
import os
import shlex
import shutil
import socket
import sys
from contextlib import closing
from functools import partial
from typing import Any

import click

from moorage import __version__
from moorage.api.routes import OPERATIONS
from moorage.catalog.follower import open_disk_cache
from moorage.cli.options import Parsed, Seconds, WholeNumber, secret_keys, setting
from moorage.cli.output import echo, pluralize
from moorage.core.errors.storage import DatabaseUnreachable
from moorage.core.private_hosts import NO_PRIVATE_HOSTS, PrivateHosts
from moorage.core.root_path import parse_root_path
from moorage.core.trusted_proxies import NO_PROXIES, TrustedProxies
from moorage.core.validation.strict_json import MAX_BODY
from moorage.logs import configuration
from moorage.registry.api_keys import create_first_api_key
from moorage.rendering.jinja import Jinja
from moorage.server.load import load_deployments
from moorage.server.process import run
from moorage.settings import ServerSettings
from moorage.store.opening import is_sqlite, open_store
from moorage.store.store import Store

_log = logging.getLogger("moorage.server")


def _root_path(text: str) -> str:
    """Return a root path; a request below one of the routes would be ambiguous."""
    path = parse_root_path(text)
    if path and any(operation.path.split("/")[1] == path.split("/")[1] for operation in OPERATIONS):
        raise ValueError(f"'{path}' begins like a route of the server itself; choose another path")
    return path


@click.command()
@setting("host")
@setting("port", WholeNumber(1, 65_535))
@setting("database")
@setting("database_listen")
@setting("disk_cache")
@setting("max_staleness", Seconds())
@setting("jinja", click.BOOL)
@setting("max_call_body", WholeNumber(MAX_BODY, 1_073_741_824))
@setting("max_upload", WholeNumber(MAX_BODY, 10_737_418_240))
@setting("response_cache_bytes", WholeNumber(0, 1_099_511_627_776))
@setting("root_path", Parsed(_root_path))
@setting("trusted_proxies", Parsed(TrustedProxies.parse))
@setting("private_hosts", Parsed(PrivateHosts.parse))
@setting("requests_per_key", WholeNumber(0, 1_000_000_000))
@setting("failures_per_address", WholeNumber(0, 1_000_000_000))
@setting("stop_seconds", WholeNumber(1, 3_600))
@setting("workers", WholeNumber(1, 64))
@setting("load")
@setting("log_format", click.Choice(["json", "console"]))
@setting("log_level", click.Choice(["debug", "info", "warning", "error"]))
def serve(
    host: str,
    port: int,
    workers: int,
    load: str | None,
    root_path: str | None,
    trusted_proxies: TrustedProxies | None,
    private_hosts: PrivateHosts | None,
    **others: Any,
) -> None:
    """Start the server.

    Without options, it listens on this machine only and uses the SQLite file moorage.db in this folder. The first start
    creates an API key and prints its token once.
    """
    _check_address(host, port)
    settings = ServerSettings(
        **others,
        secret_keys=secret_keys(),
        root_path=root_path or "",
        trusted_proxies=trusted_proxies or NO_PROXIES,
        private_hosts=private_hosts or NO_PRIVATE_HOSTS,
    )
    local = "127.0.0.1" if host in ("0.0.0.0", "::") else _in_url(host)  # noqa: S104 -- compared only
    url = f"http://{local}:{port}{settings.root_path}"
    logging.config.dictConfig(configuration(settings.log_format, settings.log_level))
    greeting = _prepare(settings, url, load)
    kind = "sqlite" if is_sqlite(settings.database) else "postgresql"
    start = {"version": __version__, "address": f"{_in_url(host)}:{port}", "workers": workers, "database": kind}
    _log.info("the server is starting", extra={"fields": {**start, "pid": os.getpid()}})
    run(host, port, workers, settings, url, partial(echo, greeting) if sys.stdout.isatty() else lambda: None)


def _prepare(settings: ServerSettings, url: str, load: str | None) -> str:
    """Create or upgrade the database, load deployments, and create the first API key; return the text for a terminal.

    If standard output is no terminal, only the token of a new API key is printed there: it must not be in the log.
    """
    try:
        opened = open_store(settings.database, settings.database_listen, secret_keys=settings.secret_keys)
    except DatabaseUnreachable as error:
        return _prepare_without(url, error, settings)
    with closing(opened) as store:
        head = store.history_head()
        loaded = _load(store, load, Jinja() if settings.jinja else None) if load else 0
        if loaded:
            _log.info("deployments were loaded", extra={"fields": {"count": loaded, "path": load}})
        if settings.secret_keys.current_id and not head.is_authenticated(settings.secret_keys):
            _log.warning(
                "the history of this database is older than MOORAGE_SECRET_KEY, and is not authenticated with it; run"
                " `moorage db authenticate`"
            )
        token = create_first_api_key(store)
        if token and not sys.stdout.isatty():
            echo(f"Your API key, shown this once: {token}")
        return _greeting(url, store.url, token, loaded)


def _check_address(host: str, port: int) -> None:
    """Reject an address in use. Workers share a port, so the server would share that of another program, too."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:  # a host with a label of 64 characters is no name
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise click.ClickException(
            f"Cannot listen on {_in_url(host)}:{port}: {reason}. Choose another address with --host or --port."
        ) from error


def _load(store: Store, path: str, jinja: Jinja | None) -> int:
    """Load the deployments in `path`; return how many there are."""
    loaded, problems = load_deployments(store, path, jinja)
    if problems:
        raise click.ClickException(f"Cannot load {path}:\n  " + "\n  ".join(problems))
    return loaded


def _greeting(url: str, database: str, token: str | None, loaded: int) -> str:
    deployments = f", {pluralize(loaded, 'deployment')} loaded" if loaded else ""
    program = sys.argv[0] if sys.argv[0].endswith("/moorage") and not shutil.which("moorage") else "moorage"
    if token:
        key = f"Your API key, shown this once:\n\n    export MOORAGE_API_KEY={token}"
    elif database.startswith("sqlite"):
        create = f"{program} keys create NAME \\\n      --database {shlex.quote(database)}"
        key = f"The database has API keys. To create another one:\n\n    export MOORAGE_API_KEY=$({create})"
    else:  # the address is shown without its password
        key = f"""The database has API keys. To create another one, with MOORAGE_DATABASE set:

    export MOORAGE_API_KEY=$({program} keys create NAME)"""
    return f"""Moorage {__version__} is ready at {url}
(database {database}{deployments}).

Open the console in a browser: {url}/console

{key}

List the deployments:

    curl -H "Authorization: Bearer $MOORAGE_API_KEY" \\
      {url}/v2/deployments

List them with the SDK (pip install orq-ai-sdk):

    import os

    from orq_ai_sdk import Orq

    with Orq(
        api_key=os.environ["MOORAGE_API_KEY"],
        server_url="{url}",
    ) as orq:
        for deployment in orq.deployments.list(limit=10).data:
            print(deployment.key, deployment.version)

The API documentation is at {url}/docs.
Stop the server with Ctrl-C.
"""


def _prepare_without(url: str, error: DatabaseUnreachable, settings: ServerSettings) -> str:
    """Check that a server can start from its disk cache, or raise the error; return the text for a terminal."""
    with closing(open_store(settings.database, mode="upgrade", may_be_down=True)) as store:
        disk_cache = open_disk_cache(store, settings.disk_cache)
        cached = disk_cache.load() if disk_cache else None
    if cached is None:
        raise error
    fields = {"age": int(cached[1]), "disk_cache": settings.disk_cache}
    _log.warning("the server starts from its disk cache: %s", error, extra={"fields": fields})
    return f"""Moorage {__version__} is DEGRADED at {url}. {error}

Until the database is reachable, reads return the state of {cached[1]:,.0f} seconds ago, from
{settings.disk_cache}, and writes return 503.
Stop the server with Ctrl-C.
"""


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
