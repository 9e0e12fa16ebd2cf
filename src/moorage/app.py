"""The only file that knows every part: settings -> store -> catalog -> services -> application."""

import logging.config
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
from moorage.logs import AccessLog, configuration
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
    store = open_store(settings.database, settings.database_listen)
    catalog = Catalog(store)
    metrics = Metrics(catalog)
    services = Services(
        store=store,
        catalog=catalog,
        metrics=metrics,
        journal=Journal(metrics, AccessLog(settings.log_format, settings.log_level)),
        documents=describe(OPERATIONS),
        writer=Writer(store, catalog),
        reader=ThreadPoolExecutor(READERS, "moorage-reader"),
    )
    return build_application(services, store.close)
