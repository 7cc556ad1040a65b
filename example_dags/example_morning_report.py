"""The morning after: what the night's campaigns of all DAGs launched, delivered and failed, as a table and an asset."""

from __future__ import annotations

import json
import tempfile
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, ObjectStoragePath, Param, task

from airflow_provider_campaigns.operators.results import CampaignOutcomesToObjectStorageOperator

#: Who is scheduled on it gets the totals as the extra of its event.
REPORT = Asset("campaigns_morning_report")
COLUMNS = ("campaign", "launched", "delivered", "failed", "pending", "unexplained")
LAUNCHED = ("created", "adopted")
DELIVERED = ("delivered", "read", "answered", "converted")

with DAG(
    "example_morning_report",
    dag_display_name="Example: the morning report of all campaigns",
    tags=["campaigns", "results"],
    schedule="0 7 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "launches": Param(
            f"file://{tempfile.gettempdir()}/campaign-failover/launches",
            type="string",
            description="The folder that create operators are given as evidence=",
        ),
        "folder": Param(
            f"file://{tempfile.gettempdir()}/campaign-reports",
            type="string",
            description="Where outcomes and report go, such as s3://aws_default@bucket/reports",
        ),
        "hours": Param(24, type="number", minimum=1, description="How far back the report looks"),
    },
    doc_md=__doc__,
) as dag:

    @task
    def evidence_of_the_night(**context: Any) -> list[dict[str, Any]]:
        """Return the evidence that the night's launches left."""
        since = pendulum.now("UTC").subtract(hours=context["params"]["hours"])
        files = ObjectStoragePath(context["params"]["launches"]).iterdir()
        told = [json.loads(file.read_text()) for file in files if file.name.endswith(".json")]
        told = [one for one in told if pendulum.parse(one["times"]["written"]) >= since]  # type: ignore[operator]
        return sorted(told, key=lambda one: (one["times"]["written"], one["key"]))

    @task
    def campaigns_of(evidence: list[dict[str, Any]], **context: Any) -> list[dict[str, Any]]:
        """Return where the outcomes of each campaign are to be fetched, and where they go."""
        folder = f"{context['params']['folder']}/{context['run_id']}"
        return [
            {
                **{name: one[name] for name in ("conn_id", "campaign_id", "hook_params")},
                "path": f"{folder}/{one['key']}.jsonl",
            }
            for one in evidence
            if one["result"] in LAUNCHED
        ]

    evidence = evidence_of_the_night()
    outcomes = CampaignOutcomesToObjectStorageOperator.partial(
        task_id="outcomes", map_index_template="{{ task.campaign_id }}"
    ).expand_kwargs(campaigns_of(evidence))

    @task(outlets=[REPORT], trigger_rule="none_failed")
    def report(evidence: list[dict[str, Any]], **context: Any) -> str:
        """Write the table, and give its totals to whoever is scheduled on the asset."""
        told = context["ti"].xcom_pull(task_ids="outcomes", key="return_value") or []
        launches = [one for one in evidence if one["result"] in LAUNCHED]
        rows = []
        for launch, result in zip(launches, told, strict=True):
            counts = result["outcomes"]
            meant = launch["counts"].get("recipients") or result["count"]
            delivered = sum(counts[word] for word in DELIVERED)
            explained = delivered + counts["failed"] + counts["pending"]
            name = f"{launch['task']['dag_id']} / {launch['task']['task_id']}"
            rows.append((name, meant, delivered, counts["failed"], counts["pending"], meant - explained))
        totals = [sum(row[place] for row in rows) for place in range(1, len(COLUMNS))]
        lines = [COLUMNS, ("---",) * len(COLUMNS), *rows, ("all", *totals)]
        text = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
        for one in evidence:
            if one["result"] in LAUNCHED:
                continue
            text += f"\n\n{one['task']['dag_id']} / {one['task']['task_id']} was {one['result']}: {one['reason']}"
        print(text)
        path = ObjectStoragePath(f"{context['params']['folder']}/{context['run_id']}/report.md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        context["outlet_events"][REPORT].extra = {"path": str(path), **dict(zip(COLUMNS[1:], totals, strict=True))}
        return text

    outcomes >> report(evidence)
