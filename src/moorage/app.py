"""The only file that knows every part: settings -> store -> catalog -> services -> application."""

import logging.config
import math
import resource
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event

from starlette.types import ASGIApp

from moorage.api.application import build_application
from moorage.api.call import Services
from moorage.api.change_stream import Streams
from moorage.api.description import describe
from moorage.api.journal import Journal
from moorage.api.metrics import Metrics
from moorage.api.routes import OPERATIONS
from moorage.api.writer import Writer
from moorage.catalog.bell import Bell
from moorage.catalog.bundles import Bundles
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower, open_snapshot
from moorage.gateway.gateway import Gateway
from moorage.gateway.usage import Usage
from moorage.logs import AccessLog, configuration
from moorage.rendering.jinja import Jinja
from moorage.rendering.names import TemplateNames
from moorage.settings import ServerSettings
from moorage.store.opening import open_store

#: How many lookups of versions, history and manifests run at once.
READERS = 2

#: How many connections a process takes at most; of eight, seven may be streams of changes.
CONNECTIONS = 10_000

#: Descriptors that are kept for files, the database, and what renders.
_OTHER_FILES = 256


def connections() -> int:
    """How many connections this process takes, as far as the system gives it descriptors."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, max(limit - _OTHER_FILES, limit // 2))


def create_app(settings: ServerSettings, stopping: Event | None = None) -> ASGIApp:
    """The application of one server process; `stopping` is set when all of them are to end.

    Raises:
        StorageError: the database cannot be opened.
    """
    logging.config.dictConfig(configuration(settings.log_format, settings.log_level))
    store = open_store(settings.database, settings.database_listen, may_be_away=True, may_be_new=False)
    catalog = Catalog(store)
    max_age = math.inf if settings.max_age is None else settings.max_age
    follower = Follower(store, catalog, open_snapshot(store, settings.snapshot), max_age)
    jinja = Jinja() if settings.jinja else None
    metrics, bell = Metrics(catalog, follower), Bell()
    catalog.on_news = bell.ring
    services = Services(
        store=store,
        catalog=catalog,
        follower=follower,
        gateway=Gateway(catalog, jinja),
        usage=Usage(store),
        names=TemplateNames(jinja),
        bundles=Bundles(catalog),
        streams=Streams(catalog, follower, bell, connections() * 7 // 8),
        metrics=metrics,
        journal=Journal(metrics, AccessLog(settings.log_format, settings.log_level)),
        documents=describe(OPERATIONS),
        writer=Writer(store, catalog),
        reader=ThreadPoolExecutor(READERS, "moorage-reader"),
    )
    return build_application(services, stopping.is_set if stopping else lambda: False, store.close)
