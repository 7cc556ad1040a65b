"""What became of each contact, in words that all vendors share: over the sandbox, at each vendor and channel."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from airflow_provider_campaigns.api.altur import outcomes as altur
from airflow_provider_campaigns.api.altur.answers import CONTACT_STATUSES
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.kinbox import outcomes as kinbox
from airflow_provider_campaigns.api.koreai import outcomes as koreai
from airflow_provider_campaigns.api.outcomes import COLUMNS, OutcomeWord, with_plus
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators.results import CampaignOutcomesToObjectStorageOperator
from airflow_provider_campaigns.results.files import ResultFile
from airflow_provider_campaigns.sandbox.server import Sandbox

PEOPLE = [f"+5511{900_000_000 + place}" for place in range(230)]


def finish(sandbox: Sandbox) -> None:
    """Let everything that is under way at the vendors come to its end."""
    sandbox.set_speed(1e7)
    sandbox.set_speed(0)


def at_kinbox(sandbox: Sandbox) -> str:
    url = f"https://files.example.com/leads.csv?leads={len(PEOPLE)}"
    return KinboxHook().create_campaign(name="W", leads_asset_url=url, lead_type="file").id


def at_altur(sandbox: Sandbox, integration_type: str) -> str:
    client = AlturHook().get_conn()
    campaign = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type=integration_type)
    list(client.add_all_contacts(campaign.id, ({"contact": one} for one in PEOPLE)))
    client.activate_campaign(campaign.id)
    return campaign.id


def at_koreai(sandbox: Sandbox, campaign_type: str) -> str:
    client = KoreAIHook(campaign_type=campaign_type).get_conn()
    client.create_contact_list("Clinic")
    client.add_all_contacts("Clinic", ({"phoneNumber": one} for one in PEOPLE))
    finish(sandbox)
    hours = {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    }
    fields: dict[str, Any] = {"dialing_strategy": {"callerId": {"phoneNumber": "+14155550100"}, "callingHours": hours}}
    if campaign_type == "sms":
        fields |= {"message": "Hello"}
    else:
        fields["dialing_strategy"] |= {
            "dialingOrder": "FIFO",
            "maxAttemptsPerRecord": 1,
            "defaultRetryPeriod": 5,
            "maxRingTime": 30,
        }
        fields |= {"dialing_mode": "Agentless", "experience_flow_name": "Welcome"}
    campaign = client.create_campaign(name="W", description="d", contact_lists=["Clinic"], **fields)
    finish(sandbox)
    client.start_campaign(campaign.id)
    return campaign.id


def written(tmp_path: Path, vendor: str, campaign_id: str, **given: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what the task returns, and the rows of its file."""
    path = tmp_path / "outcomes.jsonl"
    operator = CampaignOutcomesToObjectStorageOperator(
        task_id="t", conn_id=f"{vendor}_default", campaign_id=campaign_id, path=str(path), **given
    )
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=1)
    done = operator.execute({"ti": ti})
    return done, [json.loads(line) for line in path.read_text("ascii").splitlines()]


def check(done: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    assert done["count"] == len(rows) == len({row["contact"] for row in rows}) == len(PEOPLE)
    assert list(done["outcomes"]) == [str(word) for word in OutcomeWord]
    assert {word: count for word, count in done["outcomes"].items() if count} == Counter(row["outcome"] for row in rows)
    assert all(set(row) == {"contact", "outcome", "vendor_status", "reason", "time"} for row in rows)


def test_at_kinbox_each_recipient_has_one_outcome(tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = at_kinbox(campaign_sandbox)
    finish(campaign_sandbox)
    done, rows = written(tmp_path, "kinbox", campaign_id)
    check(done, rows)
    assert done["outcomes"]["failed"]
    assert all(row["contact"].startswith("+") for row in rows)
    assert {row["outcome"] for row in rows if row["vendor_status"] == "received"} <= {"delivered", "answered"}
    assert all(row["time"] for row in rows if row["outcome"] == "read")


@pytest.mark.parametrize("channel", ["whatsapp", "phone_call"])
def test_at_altur_each_contact_has_one_outcome(channel: str, tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = at_altur(campaign_sandbox, channel)
    finish(campaign_sandbox)
    done, rows = written(tmp_path, "altur", campaign_id)
    check(done, rows)
    assert {row["contact"] for row in rows} == set(PEOPLE)
    assert done["outcomes"]["failed"]
    assert done["outcomes"]["converted"]
    assert {row["vendor_status"] for row in rows if row["outcome"] == "failed"} == {"failed"}


def test_before_a_campaign_sends_all_are_pending(tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0)
    done, _ = written(tmp_path, "altur", at_altur(campaign_sandbox, "whatsapp"))
    assert done["outcomes"]["pending"] == len(PEOPLE)


def test_at_kore_ai_each_contact_of_a_voice_campaign_has_one_outcome(tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = at_koreai(campaign_sandbox, "voice")
    finish(campaign_sandbox)
    done, rows = written(tmp_path, "koreai", campaign_id, hook_params={"campaign_type": "voice"})
    check(done, rows)
    assert done["outcomes"]["answered"]


def test_of_an_sms_campaign_at_kore_ai_all_are_unknown_and_the_reason_says_why(
    tmp_path: Path, campaign_sandbox: Sandbox
) -> None:
    campaign_id = at_koreai(campaign_sandbox, "sms")
    finish(campaign_sandbox)
    done, rows = written(tmp_path, "koreai", campaign_id)
    check(done, rows)
    assert done["outcomes"]["unknown"] == len(PEOPLE)
    assert {row["reason"] for row in rows} == {"Kore.ai tells nothing about the contacts of an SMS campaign"}


def test_a_list_that_breaks_off_leaves_no_file(tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = at_altur(campaign_sandbox, "whatsapp")
    finish(campaign_sandbox)
    campaign_sandbox.order_fault(kind="error", status=500, endpoint="list_contacts", skip=1, times=None)
    with pytest.raises(CampaignRequestFailed):
        written(tmp_path, "altur", campaign_id)
    assert not (tmp_path / "outcomes.jsonl").exists()


# Words


def test_every_word_that_altur_documents_has_an_outcome() -> None:
    assert set(altur.WORDS) == set(CONTACT_STATUSES)


def test_every_word_that_kinbox_documents_has_an_outcome() -> None:
    assert set(kinbox.WORDS) == {"awaiting", "sent", "received", "read", "answered", "processed", "failed"}


@pytest.mark.parametrize("read", [kinbox.read_outcome, altur.read_outcome, koreai.read_outcome])
def test_a_word_that_is_not_known_is_unknown_and_kept(read: Any) -> None:
    found = read({"status": "teleported", "dialerOutcome": "teleported"})
    assert (found.outcome, found.vendor_status) == (OutcomeWord.UNKNOWN, "teleported")
    assert read({}).outcome in (OutcomeWord.UNKNOWN, OutcomeWord.PENDING)


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"dialerOutcome": ""}, "pending"),
        ({"dialerOutcome": "completed", "botOutboundStatus": "userHangUp"}, "answered"),
        ({"dialerOutcome": "completed"}, "unknown"),
        ({"dialerOutcome": "No Answer"}, "failed"),
        ({"dialerOutcome": "no_answer"}, "failed"),
        ({"dialerOutcome": "DNC excluded"}, "failed"),
    ],
)
def test_what_kore_ai_s_dialer_says_is_read_with_the_conversation(row: dict[str, str], outcome: str) -> None:
    assert koreai.read_outcome(row).outcome == outcome


def test_who_was_sent_a_message_and_did_not_read_it_did_not_fail() -> None:
    for words in (kinbox.WORDS, altur.WORDS):
        assert words["sent"][0] is OutcomeWord.PENDING


def test_a_reply_counts_at_kinbox_whatever_the_status() -> None:
    assert kinbox.read_outcome({"status": "read", "answered": True}).outcome is OutcomeWord.ANSWERED
    assert kinbox.read_outcome({"status": "failed", "answered": True}).outcome is OutcomeWord.FAILED


@pytest.mark.parametrize(
    ("told", "written_"),
    [("5585984134352", "+5585984134352"), ("+5585984134352", "+5585984134352"), ("085", "085"), (None, None)],
)
def test_digits_with_the_country_code_get_their_plus(told: str | None, written_: str | None) -> None:
    assert with_plus(told) == written_


def test_what_became_of_a_contact_is_shown_without_its_number() -> None:
    assert "55859" not in repr(kinbox.read_outcome({"number": "5585984134352", "status": "read"}))


def test_a_campaign_whose_contact_list_has_another_name_by_now_is_told_as_that(
    tmp_path: Path, campaign_sandbox: Sandbox
) -> None:
    campaign_id = at_koreai(campaign_sandbox, "sms")
    finish(campaign_sandbox)
    client = KoreAIHook().get_conn()
    clinic = next(one.id for one in client.list_contact_lists() if one.name == "Clinic")
    client.update_contact_list(clinic, name="Clinic of last year")
    with pytest.raises(CampaignRequestFailed, match="it names 1 contact lists, and 0 of them are there"):
        written(tmp_path, "koreai", campaign_id)


# As Parquet


def as_parquet(path: Path, vendor: str, campaign_id: str, **given: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what the task returns, and the rows of its Parquet file."""
    operator = CampaignOutcomesToObjectStorageOperator(
        task_id="t", conn_id=f"{vendor}_default", campaign_id=campaign_id, path=str(path), **given
    )
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=1)
    done = operator.execute({"ti": ti})
    read = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(path)])
    names = [column[0] for column in read.description or ()]
    return done, [dict(zip(names, row, strict=True)) for row in read.fetchall()]


@pytest.mark.parametrize(("name", "given"), [("rows.parquet", {}), ("rows.pq", {"format": "parquet"})])
def test_as_parquet_the_rows_are_those_of_json_lines_in_the_same_order(
    name: str, given: dict[str, Any], tmp_path: Path, campaign_sandbox: Sandbox
) -> None:
    campaign_id = at_altur(campaign_sandbox, "whatsapp")
    finish(campaign_sandbox)
    told, rows = written(tmp_path, "altur", campaign_id)
    done, parquet = as_parquet(tmp_path / name, "altur", campaign_id, **given)
    assert parquet == rows
    assert done == {**told, "path": str(tmp_path / name)}
    assert list(parquet[0]) == list(COLUMNS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outcomes.jsonl", name]


def test_a_list_that_breaks_off_leaves_no_parquet_file(tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = at_altur(campaign_sandbox, "whatsapp")
    campaign_sandbox.order_fault(kind="error", status=500, endpoint="list_contacts", skip=1, times=None)
    with pytest.raises(CampaignRequestFailed):
        as_parquet(tmp_path / "rows.parquet", "altur", campaign_id)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"format": "csv"}, "format must be one of jsonl, parquet"),
        ({"format": "jsonl", "path": "o.parquet"}, "format is 'jsonl', and path ends with .parquet: 'o.parquet'"),
        ({"format": "parquet", "path": "o.parquet.gz"}, "path: a Parquet file is compressed within; leave .gz out"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused_when_the_dag_is_parsed(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 't': {told}"):
        CampaignOutcomesToObjectStorageOperator(
            **{"task_id": "t", "conn_id": "altur_default", "campaign_id": "7", "path": "o.jsonl", **given}
        )


def test_without_duckdb_it_is_said_before_anything_is_asked(
    tmp_path: Path, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(CampaignRequestRefused, match=r"needs DuckDB, which is not installed: pip install"):
        as_parquet(tmp_path / "rows.parquet", "altur", "7")
    assert "list_contacts" not in campaign_sandbox.journal("altur")["counts"].get("altur", {})


def test_half_a_character_costs_no_other_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows = [{"contact": "1", "reason": "half \ud83d"}, {"contact": "2", "reason": "two\nlines \x00 \x1f"}]
    assert ResultFile(str(path), writer="me", columns=["contact", "reason"]).write(rows) == 2
    read = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    assert read == [("1", "half ?"), ("2", "two\nlines \x00 \x1f")]


def test_no_rows_make_a_parquet_file_of_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    assert ResultFile(str(path), writer="me", columns=["contact", "reason"]).write([]) == 0
    assert duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall() == []
