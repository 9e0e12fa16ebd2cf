"""Metrics for Prometheus: requests by route and status, latency, and the state of the catalog.

With several workers, each one writes its values into files of `PROMETHEUS_MULTIPROC_DIR`, and the worker that is
scraped adds them up. The variable must be set before this module is imported.
"""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from moorage import __version__
from moorage.api.call_metrics import CallMetrics
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.errors import api_keys as api_key_errors
from moorage.core.errors import base as errors
from moorage.core.errors.storage import CommitUnknown, StorageError, StorageFull, StorageUnavailable

CONTENT_TYPE = CONTENT_TYPE_LATEST

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each one, which nobody needs

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Responses that last as long as their clients: they have no latency.
_STREAMS = frozenset({("/v2/deployments/changes", 200)})

#: Routes that wait for models, whose latency is that of `moorage_call_duration_seconds`.
_CALLS = ("/deployments/invoke", "/deployments/stream", "/completions", "/try")

#: Series that exist from the start with 0, so that their first increase is visible.
_CODES = (
    api_key_errors.AuthenticationRequired, api_key_errors.InvalidApiKey, api_key_errors.ExpiredApiKey,
    api_key_errors.InsufficientScope, errors.TooManyRequests, errors.TooManyStreams, errors.ApiKeyQueueFull,
    errors.WriteQueueFull, errors.IdempotencyQuotaExceeded, errors.MoorageError, StorageUnavailable, StorageFull,
)  # fmt: skip
_DATABASE_ERRORS = (StorageUnavailable, CommitUnknown, StorageFull)


class Metrics:
    """The metrics of this process, and the page with those of all workers."""

    def __init__(self, catalog: Catalog, follower: Follower, worker: int = 1) -> None:
        """`worker` is the number of this worker, from 1."""
        self._registry = CollectorRegistry()
        self.calls = CallMetrics(self._registry)
        requests = Counter(
            "moorage_http_requests",
            "HTTP requests.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        latency = Histogram(
            "moorage_http_request_duration_seconds", "Seconds until the response was passed to the network.",
            ["method", "route"], buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests, self._latency = requests, latency
        self._errors = Counter(
            "moorage_error_responses", "Error responses by the code of the error.", ["code"], registry=self._registry
        )
        self._database_errors = Counter(
            "moorage_database_errors", "Failed uses of the database.", ["kind"], registry=self._registry
        )
        self._emergencies = Counter(
            "moorage_emergency_changes", "Changes without the approvals that an environment requires.",
            registry=self._registry,
        )  # fmt: skip
        self._unknown_environments = Counter(
            "moorage_unknown_environments", "Calls whose context names no environment of the project.",
            registry=self._registry,
        )  # fmt: skip
        for error in _CODES:
            self._errors.labels(error.code)
        for kind in _DATABASE_ERRORS:
            self._database_errors.labels(_kind(kind))
        self._exposed = self._registry
        if _FOLDER in os.environ:
            self._exposed = CollectorRegistry()
            self._exposed.register(_FilesCollector(Path(os.environ[_FOLDER])))
            self._exposed.register(_WorkersCollector(Path(os.environ[_FOLDER]), worker))
        else:
            ProcessCollector(registry=self._exposed)
        self._exposed.register(_CatalogCollector(catalog, follower))

    def add_gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a gauge of this process; `value` is called when the metrics are read."""
        self._exposed.register(_GaugeCollector(name, description, value))

    def requests(self, method: str, route: str, status: int, seconds: list[float]) -> None:
        """Count requests with the same labels; `route` is a path of the route table, so there are few series."""
        count, latency = self._series.get((method, route, status)) or self._add_series(method, route, status)
        count.inc(len(seconds))
        if (route, status) not in _STREAMS and not route.endswith(_CALLS):
            for duration in seconds:
                latency.observe(duration)

    def error_responses(self, code: str, count: int) -> None:
        """Count error responses with a code; there are as many series as error classes."""
        self._errors.labels(code).inc(count)

    def database_error(self, error: StorageError) -> None:
        """Count a failed use of the database."""
        self._database_errors.labels(_kind(type(error))).inc()

    def emergency_change(self) -> None:
        """Count a change that was made without the required approvals."""
        self._emergencies.inc()

    def unknown_environment(self) -> None:
        """Count a call whose context names no environment."""
        self._unknown_environments.inc()

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._exposed)

    def _add_series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        label = method if method in _METHODS else "OTHER"
        series = self._requests.labels(label, route, str(status)), self._latency.labels(label, route)
        if label == method:
            self._series[method, route, status] = series
        return series


def _kind(error: type[StorageError]) -> str:
    """Return the kind of an error of the database: `CommitUnknown` is `commit_unknown`."""
    return re.sub("(?<!^)(?=[A-Z])", "_", error.__name__).lower()


class _FilesCollector(Collector):
    """The metrics in the files of all workers.

    A worker that starts creates a file before it gives it a size, and prometheus_client cannot read an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._folder.glob("*.db") if file.stat().st_size]
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # it has no types
        return found


class _WorkersCollector(Collector):
    """The `process_*` metrics of all workers, with the number of the worker as a label.

    Their sum would not do: when a worker is replaced, it falls, and Prometheus would count the rest as an increase.
    """

    def __init__(self, folder: Path, worker: int) -> None:
        self._folder = folder
        written = folder / f".worker-{worker}"
        written.write_text(str(os.getpid()))
        written.rename(folder / f"worker-{worker}")  # another worker must not read half of it

    def collect(self) -> Iterable[Metric]:
        metrics: dict[str, Metric] = {}
        for file in sorted(self._folder.glob("worker-*")):
            pid, worker = file.read_text(), file.name.removeprefix("worker-")
            # mypy infers no type for a lambda with a default value.
            for found in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]  # a lambda in a loop
                metric = metrics.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    metric.add_sample(sample.name, {"worker": worker}, sample.value)
        return metrics.values()


class _GaugeCollector(Collector):
    def __init__(self, name: str, description: str, value: Callable[[], float]) -> None:
        self._name, self._description, self._value = name, description, value

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(self._name, self._description, value=self._value())


class _CatalogCollector(Collector):
    def __init__(self, catalog: Catalog, follower: Follower) -> None:
        self._catalog = catalog
        self._follower = follower

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "moorage_catalog_deployments", "Deployments in memory, in all projects.", value=len(self._catalog)
        )
        yield GaugeMetricFamily(
            "moorage_catalog_decode_errors",
            "Deployments whose live version cannot be decoded; the previous version is served, or none.",
            value=self._catalog.unreadable,
        )
        yield GaugeMetricFamily(
            "moorage_revision",
            "Newest committed write that this process shows.",
            value=self._catalog.revision,
        )
        yield GaugeMetricFamily(
            "moorage_catalog_age_seconds",
            "Seconds since this process was last known to be current.",
            value=self._follower.age(),
        )
        yield GaugeMetricFamily(
            "moorage_environments",
            "Environments, in all projects, without deleted ones.",
            value=len(self._catalog.state.environments),
        )
        build = GaugeMetricFamily("moorage_build_info", "Version of Moorage.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
