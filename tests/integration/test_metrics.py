"""The metrics of a whole run, as Airflow sends them to a StatsD on this machine."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dag_process import run_dag
from environment import REPOSITORY
from handing_over import connections

from airflow_provider_campaigns.launch.counted import OUTCOMES
from airflow_provider_campaigns.metrics import METRICS, MetricKind
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.wait.outcome import Reason

pytestmark = pytest.mark.xdist_group("airflow_db")

#: How StatsD writes each kind.
KINDS = {"c": MetricKind.COUNTER, "g": MetricKind.GAUGE, "ms": MetricKind.TIMER}
#: What the value of each tag may be. Nothing in here tells campaigns, runs, connections or people apart.
ALLOWED = {
    "vendor": r"Kinbox|Altur|Kore\.ai",
    "outcome": "|".join(["created", "adopted", *(word for _, word in OUTCOMES), *(str(reason) for reason in Reason)]),
    "guard": "allow_backfill|max_lateness|recipients|send_window|approval|max_failed_contacts",
    "action": "refuse|skip|defer",
    "result": "created|updated|skipped|refused|taken|seen|missed",
    "kind": "single|status|figures|look|act",
    "endpoint": r"(GET|POST|PATCH|PUT|DELETE)(/(api|public|agentassist|campaigns?|v\d|\d\.\d|id|[a-zA-Z]+))+",
    "status": r"\d{3}|none",
    "hostname": re.escape(socket.gethostname()),
}


@dataclass
class StatsD:
    """What came in at a StatsD: names with their kinds, and the values of each tag."""

    port: int = 0
    kinds: dict[str, MetricKind] = field(default_factory=dict)
    tags: dict[str, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    totals: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def take(self, line: str) -> None:
        """Take in a line of its protocol."""
        key, _, rest = line.partition(":")
        value, kind, *_ = rest.split("|")
        name, *tags = key.split(",")
        if not name.startswith("airflow.campaigns."):
            return
        name = name.removeprefix("airflow.")
        self.kinds[name] = KINDS[kind]
        named = dict(tag.split("=") for tag in tags)
        self.tags[name].add(tuple(named))
        self.totals[",".join([name, *(f"{tag}={text}" for tag, text in named.items())])] += float(value)
        for tag, text in named.items():
            self.values[tag].add(text)


@contextmanager
def listening() -> Iterator[StatsD]:
    """Listen as StatsD does, on loopback."""
    found = StatsD()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        found.port = server.getsockname()[1]
        over = threading.Event()

        def listen() -> None:
            while True:
                try:
                    packet = server.recv(65535)
                except TimeoutError:
                    if over.is_set():
                        return
                    continue
                for line in packet.decode().splitlines():
                    found.take(line)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()


@pytest.fixture(scope="module")
def statsd(dags_folder: Path) -> StatsD:
    """Return what a run of the DAG sent, in a process of its own with Airflow's own settings."""
    with Sandbox(speed=600) as sandbox, listening() as found:
        environment = {
            **os.environ,
            **connections(sandbox, rate_limit=8),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(found.port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }
        printed = run_dag(dags_folder / "measured.py", "measured", environment)
    assert found.kinds, printed
    return found


def test_a_run_sends_every_metric_that_there_is_and_no_other(statsd: StatsD) -> None:
    assert statsd.kinds == {metric.name: metric.kind for metric in METRICS}


def test_each_metric_has_its_tags_always(statsd: StatsD) -> None:
    assert statsd.tags == {metric.name: {metric.tags} for metric in METRICS}


def test_no_tag_tells_campaigns_runs_connections_or_people_apart(statsd: StatsD) -> None:
    assert statsd.values.keys() == ALLOWED.keys()
    pairs = [(tag, value) for tag, values in statsd.values.items() for value in values]
    assert [(tag, value) for tag, value in pairs if not re.fullmatch(ALLOWED[tag], value)] == []
    assert [(tag, value) for tag, value in pairs if re.search(r"\d{4,}|[Ss]ecret|measured", value)] == []


def test_launches_contacts_waits_and_refusals_are_counted_as_they_were(statsd: StatsD) -> None:
    totals = statsd.totals
    assert totals["campaigns.launches,vendor=Altur,outcome=created"] == 1
    assert totals["campaigns.launches,vendor=Kinbox,outcome=created"] == 1
    assert totals["campaigns.launches,vendor=Kinbox,outcome=refused"] == 1
    assert totals["campaigns.refusals,vendor=Kinbox,guard=max_lateness,action=refuse"] == 1
    assert totals["campaigns.contacts,vendor=Altur,result=created"] == 40
    assert totals["campaigns.contacts,vendor=Altur,result=refused"] == 1
    assert totals["campaigns.contacts,vendor=Kore.ai,result=taken"] == 5
    assert totals["campaigns.waits.ended,vendor=Altur,outcome=met"] == 1
    assert totals["campaigns.waits.ended,vendor=Kinbox,outcome=met"] >= 1
    assert totals["campaigns.requests,vendor=Altur,endpoint=POST/campaigns/id/activate,status=200"] == 1


def test_the_page_lists_every_metric_with_its_kind_and_its_tags_and_no_other() -> None:
    page = (REPOSITORY / "docs/guides/monitoring.md").read_text()
    rows = re.findall(r"^\| `(campaigns\.[\w.]+)` \| (\w+) \| ([^|]*) \|", page, re.MULTILINE)
    assert {name: (kind, tuple(re.findall(r"`(\w+)`", tags))) for name, kind, tags in rows} == {
        metric.name: (str(metric.kind), metric.tags) for metric in METRICS
    }
