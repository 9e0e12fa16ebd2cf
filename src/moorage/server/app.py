"""The composition root: settings -> store -> catalog -> services -> application."""

import logging.config
import math
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event

from starlette.types import ASGIApp

from moorage.api.call_log import CallLog
from moorage.api.event_stream import Streams
from moorage.api.memory_budget import MemoryBudget
from moorage.api.metrics import Metrics
from moorage.api.middleware.proxies import Proxies
from moorage.api.openapi.document import describe
from moorage.api.repeated_hits import RepeatedHits
from moorage.api.request_limits import RequestLimits
from moorage.api.request_log import RequestLog
from moorage.api.routes import OPERATIONS
from moorage.api.services import Services
from moorage.api.shared_cache import SharedCache
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower, open_disk_cache
from moorage.catalog.notifier import ChangeNotifier
from moorage.catalog.snapshots import SnapshotCache
from moorage.gateway.authentication import Authenticator
from moorage.gateway.connections import IntegrationConnections
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.egress import Egress
from moorage.gateway.http.transport import Transport
from moorage.gateway.resolve import Resolver
from moorage.gateway.response_cache import ResponseCache
from moorage.gateway.runner import Runner
from moorage.gateway.unknown_names import UnknownNames
from moorage.logs import AccessLog, configuration
from moorage.providers.environment import read_environment
from moorage.registry.write_queue import WriteQueue, lower_priority
from moorage.rendering.jinja import Jinja
from moorage.rendering.variables import TemplateVariables
from moorage.server.application import build_application
from moorage.settings import ServerSettings
from moorage.store.opening import open_store

#: The number of concurrent lookups of versions, history and manifests.
READERS = 2

#: The connection limit of a process. Change streams may use seven eighths of it.
CONNECTIONS = 10_000

#: Descriptors that are reserved for files, the database and the jinja renderer.
_OTHER_FILES = 256


def connections() -> int:
    """Return the connection limit of this process, which depends on its descriptor limit."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, max(limit - _OTHER_FILES, limit // 2))


def create_app(settings: ServerSettings, stopping: Event | None = None, worker: int = 1) -> ASGIApp:
    """Return the application of one server process; `stopping` is set at a shutdown, and `worker` is its number.

    Raises:
        StorageError: the database cannot be opened.
    """
    logging.config.dictConfig(configuration(settings.log_format, settings.log_level))
    store = open_store(
        settings.database, settings.database_listen, mode="upgrade", may_be_down=True,
        secret_keys=settings.secret_keys,
    )  # fmt: skip
    catalog = Catalog(store)
    max_staleness = math.inf if settings.max_staleness is None else settings.max_staleness
    follower = Follower(store, catalog, open_disk_cache(store, settings.disk_cache), max_staleness)
    jinja = Jinja() if settings.jinja else None
    metrics, notifier, memory = Metrics(catalog, follower, worker), ChangeNotifier(), MemoryBudget()
    call_memory = MemoryBudget.for_calls(settings.max_call_body)
    metrics.add_gauge(
        "moorage_waiting_bytes", "Memory that requests in progress hold.", lambda: memory.held + call_memory.held
    )
    catalog.on_change = notifier.notify
    access_log = AccessLog(settings.log_format, settings.log_level)
    call_log = CallLog(metrics.calls, access_log)
    environment = read_environment(os.environ)
    providers = IntegrationConnections(catalog, environment)
    egress = Egress(settings.private_hosts)
    transport = Transport(egress)
    compute = ThreadPoolExecutor(1, "moorage-compute", lower_priority)
    reader = ThreadPoolExecutor(READERS, "moorage-reader")
    services = Services(
        store=store,
        catalog=catalog,
        follower=follower,
        resolver=Resolver(catalog, jinja, compute, store, reader),
        runner=Runner(providers, transport, Authenticator(transport), compute),
        response_cache=(response_cache := ResponseCache(settings.response_cache_bytes)),
        repeated_hits=RepeatedHits(catalog),
        shared_cache=SharedCache(store.cached_responses, response_cache, settings.response_cache_bytes),
        finished_calls=call_log.record,
        consumers=ConsumerTracker(store),
        unknown_names=UnknownNames(store, on_record=metrics.unknown_environment),
        template_variables=TemplateVariables(jinja),
        snapshots=SnapshotCache(catalog),
        streams=Streams(catalog, follower, notifier, connections() * 7 // 8),
        metrics=metrics,
        request_log=RequestLog(metrics, access_log),
        call_log=call_log,
        limits=RequestLimits(settings.requests_per_key, settings.failures_per_address),
        description=describe(OPERATIONS, settings.root_path),
        write_queue=WriteQueue(store, catalog),
        memory=memory,
        call_memory=call_memory,
        environment=environment,
        providers=providers,
        egress=egress,
        max_call_body=settings.max_call_body,
        max_upload=settings.max_upload,
        upload_space=MemoryBudget(4 * settings.max_upload),
        reader=reader,
        compute=compute,
    )
    return build_application(
        services,
        stopping.is_set if stopping else lambda: False,
        store.close,
        Proxies(settings.root_path, settings.trusted_proxies),
    )
