"""The services that request handlers use."""

from concurrent.futures import Executor

import msgspec

from moorage.api.call_log import CallLog
from moorage.api.event_stream import Streams
from moorage.api.finished_calls import CallSink
from moorage.api.memory_budget import MemoryBudget
from moorage.api.metrics import Metrics
from moorage.api.repeated_hits import RepeatedHits
from moorage.api.request_limits import RequestLimits
from moorage.api.request_log import RequestLog
from moorage.api.shared_cache import SharedCache
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.catalog.snapshots import SnapshotCache
from moorage.gateway.connections import IntegrationConnections
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.egress import Egress
from moorage.gateway.resolve import Resolver
from moorage.gateway.response_cache import ResponseCache
from moorage.gateway.runner import Runner
from moorage.gateway.unknown_names import UnknownNames
from moorage.providers.environment import EnvironmentIntegrations
from moorage.registry.write_queue import WriteQueue
from moorage.rendering.variables import TemplateVariables
from moorage.store.store import Store


class ApiDescription(msgspec.Struct, frozen=True):
    """The description of the API as it is sent: for programs, and as a page for people."""

    openapi_json: bytes
    docs_html: bytes


class Services(msgspec.Struct, frozen=True):
    """The parts of a server process.

    `max_call_body` is the maximum size of the body of a call such as get_config, in bytes, and `max_upload` that of a
    form with a file. `upload_space` is the budget of the disk for files, in bytes. `reader` runs lookups in the
    database, and `compute` long calculations of requests, one at a time.
    """

    store: Store
    catalog: Catalog
    follower: Follower
    resolver: Resolver
    providers: IntegrationConnections
    egress: Egress
    runner: Runner
    response_cache: ResponseCache
    shared_cache: SharedCache
    repeated_hits: RepeatedHits
    finished_calls: CallSink
    call_log: CallLog
    consumers: ConsumerTracker
    unknown_names: UnknownNames
    template_variables: TemplateVariables
    snapshots: SnapshotCache
    streams: Streams
    metrics: Metrics
    request_log: RequestLog
    limits: RequestLimits
    description: ApiDescription
    write_queue: WriteQueue
    memory: MemoryBudget
    call_memory: MemoryBudget
    environment: EnvironmentIntegrations
    max_call_body: int
    max_upload: int
    upload_space: MemoryBudget
    reader: Executor
    compute: Executor
