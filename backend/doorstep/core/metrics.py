"""Numbers for Prometheus: requests, jobs, the outbox and the pool; and the page that shows them.

Where several processes serve one machine, set PROMETHEUS_MULTIPROC_DIR to an empty folder: then
any of them answers for all, the workers included.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import structlog
from litestar import Request, Response, get
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from doorstep.core import db, db_engine
from doorstep.core.auth.permissions import public
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.errors import NotFound
from doorstep.settings import settings

log = structlog.get_logger(__name__)

REGISTRY = CollectorRegistry()

REQUESTS = Histogram(
    "doorstep_request_seconds",
    "Time from a request's first byte to the end of its answer.",
    ("operation", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
JOBS = Histogram(
    "doorstep_job_seconds",
    "Time of one attempt of a job.",
    ("kind", "outcome"),
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 5, 20, 60, 300),
    registry=REGISTRY,
)
REFUSED_BY_LIMIT = Counter(
    "doorstep_limit_refused_total",
    "Requests refused by a rate limit.",
    ("limit",),
    registry=REGISTRY,
)
LIMITS_BLIND = Counter(
    "doorstep_limit_blind_total",
    "Requests that no rate limit could count because Redis was out of reach.",
    ("limit",),
    registry=REGISTRY,
)

_request_children: dict[tuple[str, int], Any] = {}


def request_answered(operation: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    child = _request_children.get((operation, status))
    if child is None:
        child = _request_children[operation, status] = REQUESTS.labels(operation, str(status))
    child.observe(seconds)


def job_finished(kind: str, outcome: str, seconds: float) -> None:
    """Count one attempt of a job; `outcome` is done, failed, postponed or dead."""
    JOBS.labels(kind, outcome).observe(seconds)


class _Pool(Collector):
    """How many database connections this process has open and idle, at the time of asking."""

    def collect(self) -> Iterable[Metric]:
        idle, open_ = db_engine.pool_state()
        family = GaugeMetricFamily(
            "doorstep_pool_connections", "Connections of this process.", labels=("state",)
        )
        family.add_metric(("idle",), idle)
        family.add_metric(("busy",), open_ - idle)
        yield family


REGISTRY.register(_Pool())

OUTBOX = """
SELECT count(*) FILTER (WHERE dead_at IS NULL) AS due,
       count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
       coalesce(extract(epoch FROM now() - min(next_at) FILTER (WHERE dead_at IS NULL)), 0)::float8
         AS lag
FROM outbox WHERE done_at IS NULL AND (dead_at IS NOT NULL OR next_at <= now())
"""


async def _outbox_lines() -> bytes:
    found = await db.one(OUTBOX)
    page = CollectorRegistry()
    page.register(_Given("doorstep_outbox_due", "Outbox rows that wait to be done.", found["due"]))
    page.register(_Given("doorstep_outbox_dead", "Outbox rows given up.", found["dead"]))
    page.register(
        _Given("doorstep_outbox_lag_seconds", "Age of the oldest due outbox row.", found["lag"])
    )
    return generate_latest(page)


class _Given(Collector):
    """A number that was read a moment ago."""

    def __init__(self, name: str, documentation: str, value: float) -> None:
        self._family = GaugeMetricFamily(name, documentation, value=value)

    def collect(self) -> Iterable[Metric]:
        yield self._family


def _own_registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    shared.register(_Pool())
    return shared


def _may_read(request: Request[Any, Any, Any]) -> bool:
    expected = settings().metrics_token
    if expected:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {expected}".encode())
    client = request.client
    try:
        return client is not None and ip_address(client.host).is_loopback
    except ValueError:
        return False


@get("/metrics", operation_id="readMetrics", opt=public(), include_in_schema=False)
async def read_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Show the numbers to Prometheus: with `METRICS_TOKEN` as bearer, else only to this machine.

    Raises: NotFound for anybody else.
    """
    if not _may_read(request):
        raise NotFound
    content = generate_latest(_own_registry())
    try:
        content += await _outbox_lines()
    except DatabaseUnavailable:
        # The numbers of the process are wanted most when the database is gone.
        log.info("metrics.without_outbox")
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


handlers = [read_metrics]
