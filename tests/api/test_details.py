"""What a campaign has besides status and figures: one vocabulary for all vendors, typed, without text or people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from altur_samples import DETAIL, NEW_ROW, OLD_ROW

from airflow_provider_campaigns.api.altur.answers import read_campaign as read_altur
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.details import DETAILS, MAX_BATCHES, CampaignDetails, places, read_details
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.kinbox.answers import read_campaign as read_kinbox
from airflow_provider_campaigns.api.koreai.answers import read_campaign as read_koreai
from airflow_provider_campaigns.api.model import COUNTS

KINBOX: dict[str, Any] = {
    "id": "674c1a2be4b0a1c2d3e4f501",
    "name": "Natal",
    "message": "Olá Maria",
    "status": "awaiting-chunk",
    "scheduledTo": "2026-12-01T12:00:00.000Z",
    "nextScheduledTo": "2026-12-01T09:20:00-03:00",
    "lastMessageProcessedAt": "2026-12-01T12:15:03.000Z",
    "active": True,
    "chunksCount": 4,
    "leadsCount": 180,
    "resultCounts": {"sent": 50, "chunksExecuted": 1, "byChunkId": {"c1": {"sent": 50, "read": "21"}}},
}


def kinbox(**changes: Any) -> Any:
    return read_kinbox(Answer("Kinbox", Endpoint("GET", "/"), 200, {}, None), {**KINBOX, **changes})


def test_kinbox_tells_the_plan_of_sending_and_the_figures_of_each_batch() -> None:
    campaign = kinbox()
    assert campaign.details == {
        "scheduled_to": "2026-12-01T12:00:00+00:00",
        "next_scheduled_to": "2026-12-01T12:20:00+00:00",
        "last_message_at": "2026-12-01T12:15:03+00:00",
        "active": True,
        "counts_by_chunk": {"c1": {"sent": 50, "read": 21}},
    }
    assert (campaign.counts["chunks"], campaign.counts["chunks_executed"]) == (4, 1)


@pytest.mark.parametrize(
    "batches",
    [
        *(None, {}, [], "c1", {"c1": None}, {"c1": 5}, {"c1": {"to": "+5585984134352"}}, {"": {"sent": 1}}),
        {f"c{number}": {"sent": 1} for number in range(MAX_BATCHES + 1)},
    ],
)
def test_figures_of_batches_that_cannot_be_told_are_left_out(batches: Any) -> None:
    campaign = kinbox(resultCounts={"byChunkId": batches})
    assert "counts_by_chunk" not in campaign.details


def test_altur_tells_rounds_channel_and_conversions() -> None:
    campaign = read_altur("1", DETAIL)
    assert campaign.details == {"channel": "phone_call", "max_cycles": 7, "converted_rate": 0.156}
    assert (campaign.counts["answered_by_machine"], campaign.counts["answered_by_unknown"]) == (612, 263)
    row = read_altur("1", {**NEW_ROW, "cycle_current_iteration": 2, "cycle_max_iterations": 7})
    assert row.details == {"cycle": 2, "max_cycles": 7, "last_cycle_at": "2026-06-08T18:00:00+00:00"}


def test_altur_s_older_names_are_read_too() -> None:
    row = read_altur(
        "1",
        {
            **OLD_ROW,
            "cycle_current_iteration": 1,
            "cycle_max_iterations": 3,
            "last_iteration_at": "2025-08-02 10:00:00",
        },
    )
    assert row.details == {"cycle": 1, "max_cycles": 3, "last_cycle_at": "2025-08-02T10:00:00"}
    assert read_altur("1", {"analytics": {"convertedRate": 5}}).details == {"converted_rate": 0.05}


def test_kore_ai_tells_the_run_which_a_call_back_needs() -> None:
    row = {
        "status": "Active",
        "campaignInstanceId": "cid-91f5be0c",
        "campaignInstanceUpdatedAt": "2026-03-02T16:05:12.001Z",
        "dialingMode": "Progressive",
    }
    assert read_koreai(row, "cd-1").details == {
        "instance_id": "cid-91f5be0c",
        "instance_updated_at": "2026-03-02T16:05:12.001000+00:00",
        "dialing_mode": "Progressive",
    }


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"analytics": None, "cycles": [], "integration": "x"},
        {"cycles": {"max_iterations": "many"}},
        {"cycle_last_iteration_at": "0001-01-01T00:00:00+23:59"},
    ],
)
def test_what_is_missing_or_of_another_kind_is_left_out(item: dict[str, Any]) -> None:
    assert read_altur("1", item).details == {}


def test_details_are_plain_json_without_the_message() -> None:
    told = kinbox().as_dict()
    assert told["details"]["active"] is True
    assert "Maria" not in json.dumps(told)


def test_a_trimmed_campaign_keeps_its_details_and_nothing_else_of_the_answer() -> None:
    trimmed = kinbox().trimmed()
    assert trimmed == kinbox()
    assert trimmed.details == kinbox().details
    assert "message" not in trimmed.raw


def test_the_reference_lists_every_name_with_its_meaning_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "model.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    meanings = {name: detail.meaning for name, detail in DETAILS.items()}
    assert told == [*COUNTS.items(), *meanings.items()]


def test_every_name_has_a_type_and_a_meaning() -> None:
    assert set(get_type_hints(CampaignDetails)) == set(DETAILS)
    assert all(detail.meaning for detail in DETAILS.values())


@pytest.mark.parametrize("name", DETAILS)
def test_a_value_has_the_type_that_is_declared(name: str) -> None:
    declared = get_type_hints(CampaignDetails)[name]
    given = ("2026-12-01T12:00:00Z", True, 1, 0.5, "Preview", {"c1": {"sent": 1}})
    read = [read_details({"x": value}, places(**{name: "x"})).get(name) for value in given]
    assert any(value is not None for value in read)
    kind = getattr(declared, "__origin__", declared)
    assert all(type(value) is kind for value in read if value is not None)
