"""What is counted, for Prometheus, on a listener of its own. No label holds anything a stranger chose."""

import errno
from collections.abc import Callable
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from gatepass.errors import BadConfiguration

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """All counters of one server."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self.verifications = Counter(
            "gatepass_verifications_total",
            "Presented tokens judged, by door and result (accepted, or the reason of refusal).",
            ("door", "result"),
            registry=self.registry,
        )
        self.sign_ins = Counter(
            "gatepass_sign_ins_total",
            "Passwords checked, by door and result (ok, refused, throttled, busy).",
            ("door", "result"),
            registry=self.registry,
        )
        self.requests = Counter(
            "gatepass_requests_total", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "gatepass_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=self.registry
        )
        self.store_seconds = Histogram(
            "gatepass_store_seconds",
            "Time a use of the store took.",
            ("operation",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.store_failures = Counter(
            "gatepass_store_failures_total", "Uses of the store that failed.", ("operation",), registry=self.registry
        )
        self.uses_waiting = Gauge(
            "gatepass_token_uses_waiting", "Counts of token uses that are not written yet.", registry=self.registry
        )
        self.uses_dropped = Gauge(
            "gatepass_token_uses_dropped",
            "Requests not counted since the start because too many tokens were in use at once.",
            registry=self.registry,
        )
        self.verifier_instances = Gauge(
            "gatepass_verifier_instances",
            "Processes of registered verifiers that may answer from memory at present.",
            registry=self.registry,
        )
        self.verifier_lag = Histogram(
            "gatepass_verifier_lag_seconds",
            "Time from telling a verifier of a change to its acknowledgement.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.receipts = Counter(
            "gatepass_receipts_total",
            "Receipts given, by result (complete, or incomplete: the time was over).",
            ("result",),
            registry=self.registry,
        )
        self.directories = Gauge(
            "gatepass_directory_reachable",
            "Whether a directory answered when its people were read last: 1 or 0.",
            ("provider",),
            registry=self.registry,
        )
        self.directory_endings = Counter(
            "gatepass_directory_endings_total",
            "People disabled because their directory lost them, or was out of reach for too long.",
            registry=self.registry,
        )
        self.hashes_waiting = Gauge(
            "gatepass_passwords_waiting", "Passwords waiting to be checked.", registry=self.registry
        )

    def used(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Note one use of the store (`stores/observed.py`)."""
        self.store_seconds.labels(operation).observe(seconds)
        if failed:
            self.store_failures.labels(operation).inc()

    def listen(self, host: str, port: int) -> tuple[int, Callable[[], None]]:
        """Serve /metrics in a thread of its own; return the port and what stops it.

        Raises BadConfiguration if the address cannot be had.
        """
        try:
            server, _ = start_http_server(port, host, self.registry)
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, "")
            raise BadConfiguration("server.metrics_listen", f"cannot listen on {host}:{port} ({reason})") from None
        return server.server_port, lambda: _stop(server)


def _stop(server: WSGIServer) -> None:
    server.shutdown()
    server.server_close()
