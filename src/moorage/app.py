"""The only file that knows every part: settings -> store -> catalog -> services -> application."""

import logging.config
import math
from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp

from moorage.api.application import build_application
from moorage.api.call import Services
from moorage.api.description import describe
from moorage.api.journal import Journal
from moorage.api.metrics import Metrics
from moorage.api.routes import OPERATIONS
from moorage.api.writer import Writer
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


def create_app(settings: ServerSettings) -> ASGIApp:
    """The application of one server process.

    Raises:
        StorageError: the database cannot be opened.
    """
    logging.config.dictConfig(configuration(settings.log_format, settings.log_level))
    store = open_store(settings.database, settings.database_listen, may_be_away=True)
    catalog = Catalog(store)
    max_age = math.inf if settings.max_age is None else settings.max_age
    follower = Follower(store, catalog, open_snapshot(store, settings.snapshot), max_age)
    jinja = Jinja() if settings.jinja else None
    metrics = Metrics(catalog, follower)
    services = Services(
        store=store,
        catalog=catalog,
        follower=follower,
        gateway=Gateway(catalog, jinja),
        usage=Usage(store),
        names=TemplateNames(jinja),
        metrics=metrics,
        journal=Journal(metrics, AccessLog(settings.log_format, settings.log_level)),
        documents=describe(OPERATIONS),
        writer=Writer(store, catalog),
        reader=ThreadPoolExecutor(READERS, "moorage-reader"),
    )
    return build_application(services, store.close)
