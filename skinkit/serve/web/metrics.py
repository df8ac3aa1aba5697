"""Numbers about the server in Prometheus' text format."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from skinkit.serve.store import model_cards

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH")


class Metrics:
    """Counts requests, and asks the table about tasks and workers.

    Args:
        store: `skinkit.serve.store.Store`.
        times: Function without arguments that returns the `skinkit.serve.settings.Times` of now.
    """

    def __init__(self, store, times):
        self.store, self.times = store, times
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("skinkit_requests", "Answers", labels, registry=self.registry)
        self._seconds = Histogram(
            "skinkit_request_seconds", "Time until an answer began", ("route",), registry=self.registry
        )
        self._images = Counter("skinkit_images", "Images accepted", ("model",), registry=self.registry)
        self.registry.register(self)

    def watch(self, scope, status, seconds):
        """Counts an answer; by its route, because an address may hold the id of a task."""
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def accepted(self, model, images):
        """Counts images that were accepted."""
        self._images.labels(model).inc(images)

    def collect(self):
        """Yields what the table says of now, as Prometheus asks a collector."""
        tasks = GaugeMetricFamily("skinkit_tasks", "Tasks in the table", labels=["state"])
        for state, count in self.store.counts().items():
            tasks.add_metric([state], count)
        yield tasks
        workers = self.store.workers(time.time() - self.times().worker)
        yield GaugeMetricFamily("skinkit_workers", "Workers alive", value=len(workers))
        yield GaugeMetricFamily("skinkit_models", "Models served", value=len(model_cards(workers)))

    def text(self):
        """Returns all numbers as bytes."""
        return generate_latest(self.registry)
