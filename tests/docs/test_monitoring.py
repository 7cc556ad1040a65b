"""The dashboard and the alerts of the page "Monitoring": all that they ask for exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_provider_campaigns.launch.counted import OUTCOMES
from airflow_provider_campaigns.metrics import METRICS, MetricKind
from airflow_provider_campaigns.wait.outcome import Reason

GUIDES = Path(__file__).resolve().parents[2] / "docs/guides"
DASHBOARD = json.loads((GUIDES / "grafana_campaigns.json").read_text())
ALERTS = yaml.safe_load((GUIDES / "prometheus_campaigns.yml").read_text())["groups"][0]["rules"]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*QUERIES, *(rule["expr"] for rule in ALERTS)]

#: How statsd_exporter calls each of Airflow's metrics, with its labels.
SERIES: dict[str, set[str]] = {}
for metric in METRICS:
    series = "airflow_" + metric.name.replace(".", "_")
    if metric.kind is MetricKind.TIMER:
        SERIES |= {f"{series}{end}": set(metric.tags) for end in ("_sum", "_count")}
    SERIES[series] = {*metric.tags, *(["quantile"] if metric.kind is MetricKind.TIMER else [])}


def series_in(expression: str) -> Iterator[tuple[str, str]]:
    """Yield the series that an expression asks for, each with what is in its braces."""
    yield from re.findall(r"(airflow_\w+)(?:\{([^}]*)\})?", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_metrics_that_exist_by_tags_that_they_have(expression: str) -> None:
    found = list(series_in(expression))
    assert found
    for name, braces in found:
        assert name in SERIES
        assert set(re.findall(r"(\w+)=", braces)) <= SERIES[name]
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            assert set(labels.split(", ")) <= SERIES[name]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_outcome_that_is_asked_for_is_one_that_there_is(expression: str) -> None:
    for name, braces in series_in(expression):
        launched = {"created", "adopted", *(word for _, word in OUTCOMES)}
        known = launched if name == "airflow_campaigns_launches" else {str(reason) for reason in Reason}
        for words in re.findall(r'outcome=~?"([^"]*)"', braces):
            assert set(words.split("|")) <= known


def test_the_dashboard_shows_every_metric() -> None:
    shown = {re.sub(r"_(sum|count)$", "", name) for query in QUERIES for name, _ in series_in(query)}
    assert shown == {"airflow_" + metric.name.replace(".", "_") for metric in METRICS}


def test_the_dashboard_s_panels_lie_beside_each_other() -> None:
    def cells(place: dict[str, Any]) -> set[tuple[int, int]]:
        columns = range(place["x"], place["x"] + place["w"])
        return {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}

    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        here = cells(panel["gridPos"])
        assert not taken & here
        assert max(x for x, _ in here) < 24
        taken |= here


def test_each_panel_s_legend_names_labels_that_its_query_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            kept = {label for labels in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in labels.split(", ")}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept
