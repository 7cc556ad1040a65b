"""Counters, gauges and timers, through Airflow's own stats (StatsD, OpenTelemetry, Datadog)."""

from __future__ import annotations

import datetime
import enum
import functools
import logging
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.attempts import Attempt
    from airflow_provider_campaigns.api.endpoints import Endpoint

logger = logging.getLogger(__name__)

#: A shorter wait for the account's limit is not worth a metric of its own beside those of the request.
LEAST_WAIT_SECONDS = 0.01
#: What StatsD, as Airflow speaks it, does not take in a tag.
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_./-]+")


class MetricKind(enum.StrEnum):
    """How the values of a metric add up."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One metric.

    :param name: Its name below Airflow's prefix.
    :param kind: How its values add up.
    :param tags: The tags that each of its values has. None of them tells campaigns, runs, connections or people apart.
    """

    name: str
    kind: MetricKind
    tags: tuple[str, ...]


LAUNCHES = Metric("campaigns.launches", MetricKind.COUNTER, ("vendor", "outcome"))
REFUSALS = Metric("campaigns.refusals", MetricKind.COUNTER, ("vendor", "guard", "action"))
CONTACTS = Metric("campaigns.contacts", MetricKind.COUNTER, ("vendor", "result"))
WAITS_UNDER_WAY = Metric("campaigns.waits.under_way", MetricKind.GAUGE, ("vendor", "hostname"))
WAITS_OLDEST = Metric("campaigns.waits.oldest_seconds", MetricKind.GAUGE, ("vendor", "hostname"))
WAITS_UNSEEN = Metric("campaigns.waits.unseen_seconds", MetricKind.GAUGE, ("vendor", "hostname"))
WAITS_STILL = Metric("campaigns.waits.still_seconds", MetricKind.GAUGE, ("vendor", "hostname"))
WAITS_PROGRESS = Metric("campaigns.waits.progress_percent", MetricKind.GAUGE, ("vendor", "hostname"))
WAITS_ENDED = Metric("campaigns.waits.ended", MetricKind.COUNTER, ("vendor", "outcome"))
WAIT_TIME = Metric("campaigns.waits.duration", MetricKind.TIMER, ("vendor", "outcome"))
LOOKS = Metric("campaigns.looks", MetricKind.COUNTER, ("vendor", "result"))
LOOK_TIME = Metric("campaigns.looks.duration", MetricKind.TIMER, ("vendor", "kind"))
LOOK_LAG = Metric("campaigns.looks.lag", MetricKind.TIMER, ("vendor", "kind"))
REQUESTS = Metric("campaigns.requests", MetricKind.COUNTER, ("vendor", "endpoint", "status"))
REQUEST_TIME = Metric("campaigns.requests.duration", MetricKind.TIMER, ("vendor", "endpoint"))
LIMITER_TIME = Metric("campaigns.limiter.duration", MetricKind.TIMER, ("vendor", "kind"))

#: All metrics of this package, which are those that the page "Monitoring" lists.
METRICS = (
    LAUNCHES,
    REFUSALS,
    CONTACTS,
    WAITS_UNDER_WAY,
    WAITS_OLDEST,
    WAITS_UNSEEN,
    WAITS_STILL,
    WAITS_PROGRESS,
    WAITS_ENDED,
    WAIT_TIME,
    LOOKS,
    LOOK_TIME,
    LOOK_LAG,
    REQUESTS,
    REQUEST_TIME,
    LIMITER_TIME,
)


def count(metric: Metric, number: int = 1, **tags: str) -> None:
    """Add to a counter."""
    if number:
        _emit("incr", metric, number, tags)


def gauge(metric: Metric, value: float, **tags: str) -> None:
    """Set a gauge of this process, which the tag ``hostname`` tells from those of others."""
    _emit("gauge", metric, value, {**tags, "hostname": _hostname()})


def took(metric: Metric, seconds: float, **tags: str) -> None:
    """Add a time to a timer."""
    # The one form of a time that all versions of Airflow read alike.
    _emit("timing", metric, datetime.timedelta(seconds=max(0.0, seconds)), tags)


def count_attempt(attempt: Attempt) -> None:
    """Count an attempt at a request to a vendor."""
    endpoint = _endpoint_class(attempt.endpoint)
    status = "none" if attempt.status is None else str(attempt.status)
    count(REQUESTS, vendor=attempt.vendor, endpoint=endpoint, status=status)
    took(REQUEST_TIME, attempt.seconds, vendor=attempt.vendor, endpoint=endpoint)
    if attempt.waited >= LEAST_WAIT_SECONDS:
        took(LIMITER_TIME, attempt.waited, vendor=attempt.vendor, kind="look" if attempt.is_look else "act")


@functools.lru_cache(maxsize=1024)
def _endpoint_class(endpoint: Endpoint) -> str:
    """Return the endpoint without the ids that its path has room for, such as ``GET/campaigns/id``."""
    return endpoint.method + re.sub(r"\{\w+\}", "id", endpoint.path)


def _emit(method: str, metric: Metric, value: Any, tags: dict[str, str]) -> None:
    try:
        plain = {name: _plain(tags[name]) for name in metric.tags}
        getattr(_stats(), method)(metric.name, value, tags=plain)
    except Exception as error:
        # Neither a launch nor a wait may break because nobody can count it.
        _tell_once(error)


@functools.cache
def _stats() -> Any:
    # Here, since Airflow's stats take their time to import, and parsing a DAG file needs none.
    from airflow.providers.common.compat.sdk import Stats

    return Stats


@functools.lru_cache(maxsize=1024)
def _plain(value: str) -> str:
    return _NOT_IN_TAGS.sub("_", value)


@functools.cache
def _hostname() -> str:
    return socket.gethostname()


_told: set[type[Exception]] = set()


def _tell_once(error: Exception) -> None:
    if type(error) not in _told:
        _told.add(type(error))
        logger.warning("A metric could not be sent, which changes nothing else: %s: %s", type(error).__name__, error)
