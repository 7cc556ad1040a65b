"""Asking a person before a launch: what is shown, what is refused before anybody is asked, and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.launch.guards import Guards
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need

need("ApprovalOperator")

from airflow.providers.standard.operators import hitl

from airflow_provider_campaigns.operators.approval import ApproveCampaignOperator

ALTUR: dict[str, Any] = {
    "name": "Winter | [x](y) {{ ds }}",
    "agent_id": "agent",
    "integration_id": "integration",
    "integration_type": "phone_call",
    "first_message": "Good morning ``` to you",
    "contacts": [{"contact": f"+52155{number:08d}", "name": "Ana Maria"} for number in range(1200)],
}
KINBOX: dict[str, Any] = {
    "name": "Winter",
    "message": "x" * 600,
    "leads_asset_url": "https://files.example.com/winter.csv",
    "scheduled_to": "2099-01-01T12:00:00+00:00",
}
KOREAI: dict[str, Any] = {
    "name": "Winter",
    "description": "Winter sale",
    "contact_lists": ["Sandbox contacts"],
    "message": "Sale",
    "dialing_strategy": {
        "callerId": {"phoneNumber": "+14155550100"},
        "callingHours": {
            "frequency": "WEEKLY",
            "timezone": "America/Chicago",
            "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
        },
    },
}


class Asked:
    """An approval that waits for its answer, and what was shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: dict[str, Any] = {}
        self.xcoms: dict[str, Any] = {}
        monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **details: self.shown.update(details))

    def about(self, operator: type[CreateCampaignOperator], approval: Any = None, **fields: Any) -> str:
        """Ask about a campaign and return what is shown."""
        with DAG("campaigns", schedule=None) as dag:
            create = operator(task_id="create", **fields)
            ApproveCampaignOperator(task_id="approve", create=create, **(approval or {}))
        ti = SimpleNamespace(
            id="some",
            dag_id="campaigns",
            run_id="run",
            task_id="approve",
            try_number=1,
            xcom_push=lambda key, value: self.xcoms.update({key: value}),
        )
        context: Any = {"ti": ti, "task_instance": ti, "ds": "2026-11-24"}
        waits = getattr(hitl, "TaskAwaitingInput", TaskDeferred)
        with pytest.raises(waits):
            dag.get_task("approve").prepare_for_execution().execute(context)
        return str(self.shown["body"])


@pytest.fixture
def asked(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Approvals at the sandbox."""
    return Asked(monkeypatch)


def test_connection_audience_text_and_hours_are_shown(asked: Asked) -> None:
    window = {"timezone": "America/Mexico_City", "hours": ["00:00", "24:00"]}
    body = asked.about(AlturCreateCampaignOperator, {"body": "Please look."}, **ALTUR, send_window=window)
    assert body.startswith("Please look.\n\n| | |")
    for row in (
        "| Campaign | Winter \\| \\[x\\](y) 2026-11-24 |",
        "| Vendor | Altur |",
        "| Connection | altur_default |",
        "| Audience | 1,200 recipients |",
        "| Sending begins | with the launch |",
        "| Send window | every day 00:00 to 24:00 America/Mexico_City |",
        "````\nGood morning ``` to you\n````",
    ):
        assert row in body


def test_recipients_are_not_shown(asked: Asked) -> None:
    body = asked.about(AlturCreateCampaignOperator, **ALTUR)
    for known in (body, repr(asked.xcoms), repr(asked.shown)):
        assert "Ana" not in known
        assert "52155" not in known


def test_a_long_text_is_shown_by_its_beginning_and_an_hour_to_send_and_an_unknown_audience_as_such(
    asked: Asked,
) -> None:
    body = asked.about(KinboxCreateCampaignOperator, **KINBOX)
    assert f"\n{'x' * 500}…\n" in body
    assert "| Sending begins | Thu 2099-01-01 12:00 UTC |" in body
    assert "| Audience | not known before the launch (Kinbox counts the leads" in body


def test_what_the_guards_would_do_now_is_shown(asked: Asked) -> None:
    assert "| As things stand | the launch would refuse: The campaign has 120 recipients, more than" in asked.about(
        KoreAICreateCampaignOperator, **KOREAI, max_recipients=10
    )


def test_an_approval_before_the_send_window_opens_tells_when_sending_begins_in_the_window_s_zone(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    wednesday_evening = datetime(2026, 11, 25, 23, tzinfo=UTC)
    judge = Guards.judge
    monkeypatch.setattr(Guards, "judge", lambda guards, facts: judge(guards, replace(facts, now=wednesday_evening)))
    window = {"timezone": "America/Mexico_City", "hours": ["09:00", "16:00"]}
    body = asked.about(AlturCreateCampaignOperator, **ALTUR, send_window=window, outside_send_window="defer")
    assert "| Sending begins | when the send window opens, Thu 2026-11-26 09:00 America/Mexico_City |" in body
    assert "the launch would defer: Wed 2026-11-25 17:00 America/Mexico_City is outside of the send window" in body
    body = asked.about(AlturCreateCampaignOperator, **ALTUR, send_window=window)
    assert "| Sending begins | not at all, as things stand |" in body


def test_the_list_of_approvals_names_the_campaign(asked: Asked) -> None:
    asked.about(KinboxCreateCampaignOperator, **{**KINBOX, "name": "Winter\n offer"})
    assert asked.shown["subject"] == "Launch Winter offer? (task create)"
    asked.about(KinboxCreateCampaignOperator, {"subject": "Please look"}, **KINBOX)
    assert asked.shown["subject"] == "Please look"


def test_a_campaign_that_cannot_be_launched_is_shown_to_nobody(asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("contact,name\n+5215500000000,Ana\n,Luis\n")
    with pytest.raises(CampaignRequestRefused, match="contact"):
        asked.about(AlturCreateCampaignOperator, **{**ALTUR, "contacts": str(file)})
    assert asked.shown == {}


def test_asking_changes_nothing_at_the_vendor(asked: Asked, campaign_sandbox: Sandbox) -> None:
    for operator, fields in (
        (AlturCreateCampaignOperator, ALTUR),
        (KinboxCreateCampaignOperator, KINBOX),
        (KoreAICreateCampaignOperator, KOREAI),
    ):
        asked.about(operator, **fields)
    assert campaign_sandbox.journal()["campaigns"] == []


def test_the_launch_waits_for_the_approval_and_needs_it() -> None:
    with DAG("campaigns", schedule=None):
        create = AlturCreateCampaignOperator(task_id="create", **ALTUR)
        approve = ApproveCampaignOperator(task_id="approve", create=create)
    assert create.approval_task_id == "approve"
    assert create.upstream_task_ids == {"approve"}
    assert approve.subject == "Launch the campaign of task create?"


def test_a_default_in_a_person_s_stead_is_refused() -> None:
    create = AlturCreateCampaignOperator(task_id="create", **ALTUR)
    with pytest.raises(InvalidRequest, match="defaults would approve or reject in a person's stead"):
        ApproveCampaignOperator(task_id="approve", create=create, defaults="Approve")


def test_what_is_no_create_operator_is_refused_with_what_to_do() -> None:
    with DAG("campaigns", schedule=None):
        mapped: Any = AlturCreateCampaignOperator.partial(
            task_id="create", **{name: value for name, value in ALTUR.items() if name != "name"}
        ).expand(name=["a", "b"])
    with pytest.raises(InvalidRequest, match="approval_task_id"):
        ApproveCampaignOperator(task_id="approve", create=mapped)
