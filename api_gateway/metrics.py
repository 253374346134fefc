"""The Prometheus metrics of one gateway, in a registry of its own, so that tests can have many."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from api_gateway.results.sinks import PartialSink, ProcessedReading

JOBS = "jobs"
"""The label of all jobs together: each has a name of its own, and Prometheus would keep them all."""
AGES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)


class Metrics(PartialSink):
    """The figures of one gateway."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.readings = Counter("emotii_gateway_readings", "Readings taken in", ["source"], registry=self.registry)
        self.stale = Counter(
            "emotii_gateway_stale_readings",
            "Readings that came too late to classify",
            ["source"],
            registry=self.registry,
        )
        self.repeats = Counter(
            "emotii_gateway_repeated_readings", "Readings dropped because they came before", registry=self.registry
        )
        self.age = Histogram(
            "emotii_gateway_age_seconds",
            "From the frame to its reading here",
            ["source"],
            buckets=AGES,
            registry=self.registry,
        )
        self.saved = Counter("emotii_gateway_saved_faces", "Faces saved", registry=self.registry)
        self.missed = Counter(
            "emotii_gateway_missed_events", "Events that slow WebSocket clients missed", registry=self.registry
        )
        self.history_waiting = Gauge(
            "emotii_gateway_history_waiting", "Readings and episodes that wait to be recorded", registry=self.registry
        )
        self.history_dropped = Gauge(
            "emotii_gateway_history_dropped", "Readings and episodes never recorded so far", registry=self.registry
        )
        self.viewers = Gauge("emotii_gateway_viewers", "Viewers of the video", registry=self.registry)
        self.clients = Gauge("emotii_gateway_websocket_clients", "Clients of /ws/emotions", registry=self.registry)
        self.rendered = Gauge(
            "emotii_gateway_pictures_made", "Pictures encoded for viewers so far", registry=self.registry
        )
        self.redis = Gauge("emotii_gateway_redis_reachable", "Whether Redis answered last", registry=self.registry)
        self.workers = Gauge("emotii_gateway_workers", "Workers that are alive", registry=self.registry)

    def reading(self, reading: ProcessedReading) -> None:
        event = reading.event
        label = JOBS if event.age_ms is None else event.source
        self.readings.labels(label).inc()
        if event.stale:
            self.stale.labels(label).inc()
        elif event.age_ms is not None:
            self.age.labels(label).observe(event.age_ms / 1000)
