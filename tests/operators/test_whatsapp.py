"""Who of a file is on WhatsApp, asked of Kinbox over the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.operators.whatsapp import KinboxCheckWhatsAppOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

# The sandbox has nobody on WhatsApp whose number ends with 0.
ON, OFF = "+5511999990001", "+5511999990000"


def check(path: Path, contacts: Any, channel_id: str = "103", **given: Any) -> Any:
    operator = KinboxCheckWhatsAppOperator(
        task_id="check", contacts=contacts, path=str(path), channel_id=channel_id, **given
    )
    return operator.execute(context_of(TaskInstance(), None))


def test_each_number_of_a_file_is_written_with_whether_it_is_on_whatsapp(
    campaign_sandbox: Sandbox, tmp_path: Path
) -> None:
    source, path = tmp_path / "people.csv", tmp_path / "whatsapp.jsonl"
    source.write_text(f"telefone,name\n{OFF},Ana\n{ON},Zoraida\n{ON},Twice\nno number,Bad\n")
    result = check(path, str(source), columns={"telefone": "number"}, max_broken_rows=1)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"number": OFF, "on_whatsapp": False},
        {"number": ON, "on_whatsapp": True},
    ]
    broken = result.pop("broken_rows")
    assert [index for index, _ in broken] == [3]
    assert result == {
        "path": str(path),
        "count": 2,
        "on_whatsapp": 1,
        "not_on_whatsapp": 1,
        "duplicates": 1,
        "broken": 1,
    }
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"] == {"check_whatsapp": 2}


def test_numbers_keep_their_order_however_many_requests_are_under_way(
    campaign_sandbox: Sandbox, tmp_path: Path
) -> None:
    numbers = [f"+55119999900{number:02}" for number in range(25)]
    result = check(tmp_path / "whatsapp.jsonl", [{"number": number} for number in numbers])
    written = [json.loads(line) for line in (tmp_path / "whatsapp.jsonl").read_text().splitlines()]
    assert [row["number"] for row in written] == numbers
    assert (result["on_whatsapp"], result["not_on_whatsapp"]) == (22, 3)


def test_no_number_is_in_the_log_or_the_result_even_where_everything_is_logged(
    campaign_sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    result = check(tmp_path / "whatsapp.jsonl", [{"number": ON}, {"number": OFF}])
    assert caplog.records
    seen = " ".join([json.dumps(result), *(f"{record.getMessage()} {record.args!r}" for record in caplog.records)])
    assert ON[1:] not in seen
    assert OFF[1:] not in seen


def test_a_broken_number_is_refused_by_its_row_before_anything_is_asked(
    campaign_sandbox: Sandbox, tmp_path: Path
) -> None:
    with pytest.raises(CampaignRequestRefused, match="row 1"):
        check(tmp_path / "whatsapp.jsonl", [{"number": "11 4002-8922 ext"}])
    assert "kinbox" not in campaign_sandbox.journal("kinbox")["counts"]


def test_an_unknown_channel_leaves_no_file_and_names_no_number(campaign_sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "whatsapp.jsonl"
    with pytest.raises((CampaignRequestRefused, CampaignRequestFailed)) as caught:
        check(path, [{"number": ON}], channel_id="999")
    assert ON[1:] not in str(caught.value)
    assert not path.exists()
