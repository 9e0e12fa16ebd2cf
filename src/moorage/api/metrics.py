"""Metrics for Prometheus: requests by route and status, latency, and the state of the catalog.

With several workers, each one writes its values into files of `PROMETHEUS_MULTIPROC_DIR`, and the worker that is
scraped adds them up. The variable must be set before this module is imported.
"""

import os
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from moorage import __version__
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower

CONTENT_TYPE = CONTENT_TYPE_LATEST

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of this process, and the page with those of all workers."""

    def __init__(self, catalog: Catalog, follower: Follower) -> None:
        self._registry = CollectorRegistry()
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
        self._exposed = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            self._exposed = CollectorRegistry()
            MultiProcessCollector(self._exposed)  # type: ignore[no-untyped-call]  # it registers itself
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
        for duration in seconds:
            latency.observe(duration)

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._exposed)

    def _add_series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        label = method if method in _METHODS else "OTHER"
        series = self._requests.labels(label, route, str(status)), self._latency.labels(label, route)
        if label == method:
            self._series[method, route, status] = series
        return series


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
        build = GaugeMetricFamily("moorage_build_info", "Version of Moorage.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
