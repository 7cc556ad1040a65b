"""The operators that write results to object storage: over the sandbox, to files and to a store of objects."""

from __future__ import annotations

import gzip
import json
import logging
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wire import says

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators.results import (
    AlturCallsToObjectStorageOperator,
    KinboxLeadResultsToObjectStorageOperator,
    KoreAIContactListsToObjectStorageOperator,
    KoreAIContactResultsToObjectStorageOperator,
)
from airflow_provider_campaigns.results.files import ResultFile
from airflow_provider_campaigns.sandbox.server import Sandbox

DIALING = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
    "dialingOrder": "FIFO",
    "maxAttemptsPerRecord": 1,
    "defaultRetryPeriod": 5,
    "maxRingTime": 30,
}
CONTACTS = 250


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is still to be made."""
    return tmp_path / "results" / "today"


def context(try_number: int = 1, **changes: Any) -> dict[str, Any]:
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=try_number)
    return {"ti": ti, **changes}


def written(operator: Any, try_number: int = 1) -> dict[str, Any]:
    result: dict[str, Any] = operator.execute(context(try_number))
    return result


def rows_in(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("ascii").splitlines()]


def kinbox_campaign(leads: int = CONTACTS, **fields: Any) -> str:
    url = f"https://files.example.com/leads.csv?leads={leads}"
    return KinboxHook().create_campaign(name="W", leads_asset_url=url, lead_type="file", **fields).id


def altur_campaign(sandbox: Sandbox, contacts: int = CONTACTS) -> str:
    client = AlturHook().get_conn()
    campaign = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    if contacts:
        list(client.add_all_contacts(campaign.id, ({"contact": f"+52155{number:08d}"} for number in range(contacts))))
    client.activate_campaign(campaign.id)
    finish(sandbox)
    return campaign.id


def koreai_campaign(sandbox: Sandbox, contacts: int = CONTACTS) -> str:
    client = KoreAIHook(campaign_type="voice").get_conn()
    client.create_contact_list("Clinic")
    client.add_all_contacts("Clinic", ({"phoneNumber": f"+1415{number:07d}"} for number in range(contacts)))
    finish(sandbox)
    campaign = client.create_campaign(
        name="W",
        description="d",
        contact_lists=["Clinic"],
        dialing_mode="Agentless",
        experience_flow_name="Welcome",
        dialing_strategy=DIALING,
    )
    finish(sandbox)
    client.start_campaign(campaign.id)
    finish(sandbox)
    return campaign.id


def finish(sandbox: Sandbox) -> None:
    """Let everything that is under way at the vendors come to its end."""
    sandbox.set_speed(1e7)
    sandbox.set_speed(0)


def kinbox(path: str | Path, campaign_id: str, **arguments: Any) -> Any:
    return KinboxLeadResultsToObjectStorageOperator(task_id="t", path=str(path), campaign_id=campaign_id, **arguments)


def altur(path: str | Path, campaign_id: str, **arguments: Any) -> Any:
    return AlturCallsToObjectStorageOperator(task_id="t", path=str(path), campaign_id=campaign_id, **arguments)


def koreai(path: str | Path, campaign_id: str, **arguments: Any) -> Any:
    return KoreAIContactResultsToObjectStorageOperator(
        task_id="t", path=str(path), campaign_id=campaign_id, **arguments
    )


def test_lead_results_are_written_as_kinbox_tells_them(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = kinbox_campaign()
    finish(campaign_sandbox)
    path = f"file://{folder}/leads.jsonl"
    assert written(kinbox(path, campaign_id)) == {"path": path, "count": CONTACTS}
    rows = rows_in(folder / "leads.jsonl")
    assert len({row["number"] for row in rows}) == CONTACTS
    assert set(rows[0]) == {"number", "placeholders", "status", "sentAt"}
    assert "failed" in {row["status"] for row in rows}


def test_calls_are_written_as_altur_tells_them(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    result = written(altur(folder / "calls.jsonl", campaign_id))
    rows = rows_in(folder / "calls.jsonl")
    assert rows == list(AlturHook().get_conn().list_calls(campaign_id))
    assert result["count"] == len(rows) == len({row["id"] for row in rows}) > 200


def test_calls_are_those_that_pass_the_filters(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    day = {"from_date": "2020-01-01T00:00:00Z", "to_date": "2090-01-01T00:00:00Z"}
    all_of_them = written(altur(folder / "all", campaign_id, **day))["count"]
    parts = {}
    for word in ("human", "machine", "unknown"):
        parts[word] = written(altur(folder / word, campaign_id, answered_by=word))["count"]
        assert {row["answered_by"] for row in rows_in(folder / word)} <= {word}
    assert sum(parts.values()) == all_of_them > parts["human"] > 0
    assert written(altur(folder / "past", campaign_id, to_date="2020-01-01T00:00:00Z"))["count"] == 0


def test_contact_results_are_written_as_koreai_tells_them(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = koreai_campaign(campaign_sandbox)
    assert written(koreai(folder / "results.jsonl", campaign_id))["count"] == CONTACTS
    rows = rows_in(folder / "results.jsonl")
    assert len({row["phoneNumber"] for row in rows}) == CONTACTS
    assert {"dialerOutcome", "numberOfAttemptsSoFar", "botSessionId"} <= set(rows[0])


def test_contact_lists_are_written_as_koreai_tells_them(folder: Path, campaign_sandbox: Sandbox) -> None:
    KoreAIHook().get_conn().create_contact_list("North")
    operator = KoreAIContactListsToObjectStorageOperator(task_id="t", path=str(folder / "lists.jsonl"))
    result = written(operator)
    rows = rows_in(folder / "lists.jsonl")
    assert {"North", "Sandbox contacts"} <= {row["name"] for row in rows}
    assert result["count"] == len(rows)


def test_no_results_make_an_empty_file_and_the_count_0(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0)
    result = written(kinbox(folder / "leads.jsonl", kinbox_campaign()))
    assert result["count"] == 0
    assert (folder / "leads.jsonl").read_bytes() == b""


def test_a_name_that_ends_with_gz_compresses_and_the_same_rows_make_the_same_file(
    folder: Path, campaign_sandbox: Sandbox
) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    operator = altur(folder / "calls.jsonl.gz", campaign_id)
    result = written(operator)
    first = (folder / "calls.jsonl.gz").read_bytes()
    assert len(gzip.decompress(first).splitlines()) == result["count"]
    written(operator, try_number=2)
    assert (folder / "calls.jsonl.gz").read_bytes() == first


def test_xcom_log_and_asset_events_tell_path_and_count_and_no_recipient(
    folder: Path,
    campaign_sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("airflow_provider_campaigns.results.files.ROWS_FOR_EACH_LOG_LINE", 100)
    campaign_id = altur_campaign(campaign_sandbox)
    outlet, event = object(), SimpleNamespace(extra=None)
    operator = altur(folder / "calls.jsonl", campaign_id)
    operator.outlets = [outlet]
    with caplog.at_level(logging.DEBUG):
        result = operator.execute(context(outlet_events={outlet: event}))
    assert event.extra == result == {"path": str(folder / "calls.jsonl"), "count": result["count"]}
    # Airflow 3 logs its own way.
    said = caplog.text + "".join(capfd.readouterr())
    assert "200 rows so far" in said
    assert "52155" not in said


# What is there under the file's name is whole


def in_folder(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []


FAULTS = {
    "an error in the middle": {"kind": "error", "status": 500, "skip": 1, "times": None},
    "an answer cut off": {"kind": "cut_off", "skip": 1, "times": None},
    "a page instead of JSON": {"kind": "html", "skip": 1, "times": None},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_list_that_breaks_off_fails_the_task_and_leaves_nothing(
    fault: str, folder: Path, campaign_sandbox: Sandbox
) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    campaign_sandbox.order_fault(endpoint="list_calls", **FAULTS[fault])
    with pytest.raises(CampaignRequestFailed, match="Altur"):
        written(altur(folder / "calls.jsonl", campaign_id))
    assert in_folder(folder) == []


def test_a_list_that_goes_in_circles_fails_the_task_and_leaves_nothing(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    campaign_sandbox.order_fault(kind="repeated_cursor", endpoint="list_calls")
    with pytest.raises(CampaignRequestFailed, match="same cursor"):
        written(altur(folder / "calls.jsonl", campaign_id))
    assert in_folder(folder) == []


@pytest.mark.parametrize("kind", ["cut_off", "html", "reset", "error"])
def test_kinbox_s_one_answer_is_asked_for_again_when_it_breaks_off(
    kind: str, folder: Path, campaign_sandbox: Sandbox
) -> None:
    campaign_id = kinbox_campaign()
    finish(campaign_sandbox)
    campaign_sandbox.order_fault(kind=kind, endpoint="list_lead_results", times=2)
    assert written(kinbox(folder / "leads.jsonl", campaign_id))["count"] == CONTACTS
    assert len({row["number"] for row in rows_in(folder / "leads.jsonl")}) == CONTACTS
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"]["list_lead_results"] == 3


def test_fewer_rows_than_the_vendor_tells_of_fail_the_task_and_leave_nothing(
    folder: Path, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = koreai_campaign(campaign_sandbox)
    phone = altur_campaign(campaign_sandbox)
    from airflow_provider_campaigns.api.altur import contacts
    from airflow_provider_campaigns.api.koreai import results

    second = results.KoreAIResults._results_page
    monkeypatch.setattr(
        results.KoreAIResults,
        "_results_page",
        lambda self, campaign, page, size: (
            ([], *second(self, campaign, page, size)[1:]) if page == 2 else second(self, campaign, page, size)
        ),
    )
    monkeypatch.setattr(contacts, "next_page", lambda answer, at: None)
    for operator in (koreai(folder / "results", voice), altur(folder / "calls", phone)):
        with pytest.raises(CampaignRequestFailed, match=r"tells of .* but handed out 100"):
            written(operator)
    assert in_folder(folder) == []


def koreai_prints(total: int, rows: int) -> Any:
    """Return what Kore.ai answers about contacts: a single page, with a total of its own."""
    results = [{"phoneNumber": f"1202555{number:04d}", "dialerOutcome": "completed"} for number in range(rows)]
    data = {"results": results, "page": 1, "limit": 100, "totalPages": 1, "totalResults": total}
    return says(200, {"status": "success", "data": data})


def altur_prints(total: int, rows: int) -> Any:
    """Return what Altur answers about calls: a single page, with a total of its own."""
    calls = [{"id": f"cll_{number}", "status": "ended"} for number in range(rows)]
    return says(200, {"total_count": total, "calls": calls, "pagination": {"has_next": False}})


@pytest.mark.parametrize(
    ("operator", "campaign_id", "prints"),
    [(koreai, "cd-1", koreai_prints), (altur, "1", altur_prints)],
    ids=["koreai", "altur"],
)
class TestATotalOfItsOwn:
    """The page of Kore.ai's contact results prints three rows on the only page, and a total of four."""

    @pytest.fixture
    def point(self, serve: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that lets both vendors give that answer."""

        def to(answer: Any) -> None:
            for conn_id in ("KOREAI_DEFAULT", "ALTUR_DEFAULT"):
                connection = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id}"])
                connection["host"] = serve(answer).url
                monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id}", json.dumps(connection))

        return to

    def test_the_rows_are_kept_and_the_difference_is_told(
        self,
        operator: Any,
        campaign_id: str,
        prints: Any,
        folder: Path,
        point: Any,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        point(prints(4, 3))
        with caplog.at_level(logging.WARNING):
            told = written(operator(folder / "rows", campaign_id))
        assert told == {"path": str(folder / "rows"), "count": 3, "missing": 1}
        assert len(rows_in(folder / "rows")) == 3
        assert "reports 4 rows but returned 3" in caplog.text + "".join(capfd.readouterr())

    def test_the_task_fails_for_those_who_want_it(
        self, operator: Any, campaign_id: str, prints: Any, folder: Path, point: Any
    ) -> None:
        point(prints(4, 3))
        with pytest.raises(CampaignRequestFailed, match="tells of 4 entries but handed out 3"):
            written(operator(folder / "rows", campaign_id, on_incomplete="fail"))
        assert in_folder(folder) == []

    @pytest.mark.parametrize(("total", "rows"), [(4, 0), (101, 1)])
    def test_a_last_page_that_was_not_reached_fails_the_task_whatever_is_wanted(
        self, operator: Any, campaign_id: str, prints: Any, folder: Path, point: Any, total: int, rows: int
    ) -> None:
        point(prints(total, rows))
        with pytest.raises(CampaignRequestFailed, match=f"tells of {total} entries but handed out {rows}"):
            written(operator(folder / "rows", campaign_id))

    def test_nothing_is_said_of_a_total_that_is_right(
        self, operator: Any, campaign_id: str, prints: Any, folder: Path, point: Any
    ) -> None:
        point(prints(3, 3))
        assert written(operator(folder / "rows", campaign_id, on_incomplete="fail"))["count"] == 3

    def test_another_word_is_refused_when_the_dag_is_parsed(
        self, operator: Any, campaign_id: str, prints: Any, folder: Path
    ) -> None:
        with pytest.raises(InvalidRequest, match="on_incomplete must be one of keep, fail"):
            operator(folder / "rows", campaign_id, on_incomplete="warn")


def test_a_failed_task_leaves_the_file_of_before_as_it_was(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    operator = altur(folder / "calls.jsonl", campaign_id)
    written(operator)
    before = (folder / "calls.jsonl").read_bytes()
    campaign_sandbox.order_fault(kind="error", status=500, endpoint="list_calls", skip=1, times=None)
    with pytest.raises(CampaignRequestFailed):
        written(operator)
    assert (folder / "calls.jsonl").read_bytes() == before
    campaign_sandbox.clear_faults()
    written(operator, try_number=2)
    assert in_folder(folder) == ["calls.jsonl"]


def interrupted(rows: Iterator[Any], at: int) -> Iterator[Any]:
    for place, row in enumerate(rows):
        if place == at:
            raise KeyboardInterrupt
        yield row


def test_a_killed_try_leaves_nothing_under_the_name_and_the_next_clears_up_after_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"row": number} for number in range(5000)]
    killed = ResultFile(str(folder / "rows.jsonl"), writer="me")
    # Killed without notice, it cannot clear up.
    monkeypatch.setattr(killed, "_remove", lambda place: None)
    with pytest.raises(KeyboardInterrupt):
        killed.write(interrupted(iter(rows), 4000))
    assert in_folder(folder) == [".rows.jsonl.part-me-1"]
    assert ResultFile(str(folder / "rows.jsonl"), writer="me", try_number=2).write(rows) == 5000
    assert in_folder(folder) == ["rows.jsonl"]
    assert rows_in(folder / "rows.jsonl") == rows


def test_two_tries_at_once_each_write_a_whole_file(folder: Path) -> None:
    path = str(folder / "rows.jsonl")
    second = ResultFile(path, writer="me", try_number=2)

    def rows() -> Iterator[dict[str, int]]:
        yield {"try": 1}
        second.write([{"try": 2}, {"try": 2}])
        yield {"try": 1}

    with pytest.raises(FileNotFoundError):
        ResultFile(path, writer="me", try_number=1).write(rows())
    assert rows_in(path) == [{"try": 2}, {"try": 2}]
    assert in_folder(folder) == ["rows.jsonl"]


def test_a_row_is_written_before_the_last_page_is_fetched(folder: Path, campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    folder.mkdir(parents=True)
    taken = []
    calls = AlturHook().get_conn().list_calls(campaign_id)

    def watched() -> Iterator[Any]:
        for row in calls:
            taken.append(campaign_sandbox.journal("altur")["counts"]["altur"]["list_calls"])
            yield row

    count = ResultFile(str(folder / "rows.jsonl"), writer="me").write(watched())
    assert taken[:100] == [1] * 100
    assert taken[-1] == -(-count // 100) > 2


@pytest.mark.thorough
@pytest.mark.parametrize("vendor", ["kinbox", "altur", "koreai"])
def test_memory_does_not_grow_with_the_rows(vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "benchmarks")
    import result_rows

    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            assert result_rows.written(vendor, url, rows, str(tmp_path / "rows.jsonl"))["count"] == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with result_rows.running() as url:
        # What is loaded and kept for good is so after this.
        peak(100)
        many = peak(20_000)
    # In a list, the same rows take from 10 to 23 MB.
    assert many < 4_000_000


# What is there already


def test_fail_refuses_a_file_that_is_there_before_anything_is_asked(folder: Path, campaign_sandbox: Sandbox) -> None:
    folder.mkdir(parents=True)
    (folder / "leads.jsonl").write_text("precious")
    with pytest.raises(CampaignRequestRefused, match="already"):
        written(kinbox(folder / "leads.jsonl", "674c1a2be4b0a1c2d3e4f501", if_exists="fail"))
    assert (folder / "leads.jsonl").read_text() == "precious"
    assert campaign_sandbox.journal()["requests"] == []


def test_fail_refuses_a_file_that_came_meanwhile(folder: Path) -> None:
    def rows() -> Iterator[dict[str, int]]:
        yield {"row": 1}
        (folder / "rows.jsonl").write_text("precious")

    with pytest.raises(InvalidRequest, match="already"):
        ResultFile(str(folder / "rows.jsonl"), writer="me", if_exists="fail").write(rows())
    assert (folder / "rows.jsonl").read_text() == "precious"
    assert in_folder(folder) == ["rows.jsonl"]


def test_a_folder_is_refused_before_anything_is_asked(folder: Path, campaign_sandbox: Sandbox) -> None:
    folder.mkdir(parents=True)
    with pytest.raises(CampaignRequestRefused, match="is a folder"):
        written(kinbox(folder, "674c1a2be4b0a1c2d3e4f501"))
    assert campaign_sandbox.journal()["requests"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "s3://bucket/folder/"}, "ends with a slash"),
        ({"path": "s3://bucket/*.jsonl"}, "patterns"),
        ({"path": ""}, "path must be"),
        ({"path": "/tmp/x", "if_exists": "append"}, "if_exists must be one of overwrite, fail"),  # noqa: S108
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        AlturCallsToObjectStorageOperator(task_id="t", campaign_id="1001", **arguments)


def test_a_campaign_that_is_not_there_is_told_and_leaves_nothing(folder: Path) -> None:
    with pytest.raises(CampaignRequestFailed, match="404"):
        written(altur(folder / "calls.jsonl", "9999"))
    assert in_folder(folder) == []


@pytest.mark.parametrize(
    "operator",
    [
        KinboxLeadResultsToObjectStorageOperator,
        AlturCallsToObjectStorageOperator,
        KoreAIContactResultsToObjectStorageOperator,
        KoreAIContactListsToObjectStorageOperator,
    ],
)
def test_path_and_connection_are_templated(operator: Any) -> None:
    arguments = {} if "Lists" in operator.__name__ else {"campaign_id": "{{ campaign }}"}
    task = operator(task_id="t", path="s3://b/{{ ds }}.jsonl", conn_id="{{ where }}", **arguments)
    task.render_template_fields({"ds": "2026-11-21", "where": "here", "campaign": "7"})
    assert (task.path, task.conn_id) == ("s3://b/2026-11-21.jsonl", "here")
    assert getattr(task, "campaign_id", "7") == "7"


# A store of objects: no folders to make, an object is there when its writer is closed, no rename


def test_at_a_store_of_objects_the_file_is_whole_or_not_there(
    bucket: dict[str, Any], campaign_sandbox: Sandbox
) -> None:
    campaign_id = altur_campaign(campaign_sandbox)
    operator = altur("bucket://results/calls.jsonl", campaign_id)
    campaign_sandbox.order_fault(kind="error", status=500, endpoint="list_calls", skip=1, times=None)
    with pytest.raises(CampaignRequestFailed):
        written(operator)
    assert bucket == {}
    campaign_sandbox.clear_faults()
    result = written(operator, try_number=2)
    assert result["path"] == "bucket://results/calls.jsonl"
    ((name, kept),) = bucket.items()
    assert name.endswith("results/calls.jsonl")
    assert len(kept.getvalue().splitlines()) == result["count"]
    assert written(operator, try_number=3) == result
    assert list(bucket) == [name]
