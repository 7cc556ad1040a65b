"""Recordings of Altur's calls to a folder: one whole file for each, none twice, and counts alone in the result."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from wire import says

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.repeating import MAX_ATTEMPTS
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.operators.recordings import AlturRecordingsToObjectStorageOperator
from airflow_provider_campaigns.results.recordings import RecordingsFolder
from airflow_provider_campaigns.sandbox.altur.contact_routes import SILENCE
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

CONTACTS = 40
SOUND = b"RIFF\x00\x01WAVE" + bytes(range(256))


def run(folder: str | Path, campaign_id: str = "7", try_number: int = 1) -> dict[str, Any]:
    operator = AlturRecordingsToObjectStorageOperator(task_id="act", campaign_id=campaign_id, folder=str(folder))
    result: dict[str, Any] = operator.execute(context_of(TaskInstance(try_number=try_number), None))
    return result


@pytest.fixture
def campaign_id(campaign_sandbox: Sandbox) -> str:
    """A campaign whose calls are over."""
    client = AlturHook().get_conn()
    campaign = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    list(client.add_all_contacts(campaign.id, ({"contact": f"+52155{number:08d}"} for number in range(CONTACTS))))
    client.activate_campaign(campaign.id)
    campaign_sandbox.set_speed(1e7)
    campaign_sandbox.set_speed(0)
    return campaign.id


@pytest.fixture
def calls(campaign_id: str) -> dict[str, str]:
    """How each call went, by its id."""
    return {call["id"]: call["status"] for call in AlturHook().get_conn().list_calls(campaign_id)}


def altur_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"conn_type": "altur", "password": "key", "host": url}
    monkeypatch.setenv("AIRFLOW_CONN_ALTUR_DEFAULT", json.dumps(given))


def page(*rows: dict[str, Any]) -> bytes:
    found = [{"status": "ended", "recording_url": f"/api/v1.0/call/{row['id']}/recording", **row} for row in rows]
    return says(200, {"total_count": len(found), "calls": found, "pagination": {"has_next": False}})


def sound(kind: str = "audio/mpeg") -> bytes:
    return says(200, SOUND, Content_Type=kind)


def test_each_call_that_was_recorded_has_a_file(tmp_path: Path, campaign_id: str, calls: dict[str, str]) -> None:
    folder = tmp_path / "recordings" / "winter"
    told = run(f"{folder}/", campaign_id)
    ended = {call for call, status in calls.items() if status == "ended"}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {f"{one}.wav": SILENCE for one in ended}
    assert 0 < len(ended) < len(calls)
    nothing = {"existing": 0, "refused": 0}
    assert told == {
        "folder": str(folder),
        "written": len(ended),
        "without_recording": len(calls) - len(ended),
        **nothing,
    }


def test_a_retry_goes_on_and_downloads_nothing_twice(
    tmp_path: Path, campaign_id: str, calls: dict[str, str], campaign_sandbox: Sandbox
) -> None:
    campaign_sandbox.order_fault(kind="error", status=500, endpoint="get_recording", skip=10, times=None)
    with pytest.raises(CampaignRequestFailed):
        run(tmp_path, campaign_id)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept
    assert all(name.startswith("cll_") for name in kept)
    campaign_sandbox.clear_faults()
    before = Counter(campaign_sandbox.journal("altur")["counts"]["altur"])
    told = run(tmp_path, campaign_id, try_number=2)
    after = Counter(campaign_sandbox.journal("altur")["counts"]["altur"])
    assert told["existing"] == len(kept)
    assert told["existing"] + told["written"] + told["without_recording"] == len(calls)
    assert (after - before)["get_recording"] == len(calls) - len(kept)


def test_recordings_go_to_a_store_of_objects(bucket: dict[str, Any], campaign_id: str) -> None:
    folder = "bucket://results/recordings"
    first = run(folder, campaign_id)
    assert first["written"] == len(bucket) > 0
    # How a store names its objects differs between versions of universal-pathlib.
    assert {re.sub("[:/]+", "/", name.rpartition("/")[0]).strip("/") for name in bucket} == {
        "bucket/results/recordings"
    }
    assert run(folder, campaign_id)["existing"] == first["written"]


def test_what_is_refused_is_named_and_the_others_are_written(
    tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any, capsys: Any
) -> None:
    other = serve(sound())
    rows = [
        {"id": "foreign", "recording_url": f"http://localhost:{other.port}/api/v1.0/call/foreign/recording"},
        {"id": "moved"},
        {"id": "page"},
        {"id": "../climbs", "recording_url": "/api/v1.0/call/x/recording"},
        {"id": "talking", "status": "in-progress"},
        {"id": "silent", "recording_url": None},
        {"id": "good", "contact": {"phone_number": "+5215512345678"}},
        {"id": "odd.one"},
    ]
    html = says(200, b"<html>+5215512345678</html>", Content_Type="text/html")
    moved = says(302, Location=f"http://localhost:{other.port}/moved.mp3")
    altur_at(serve(page(*rows), moved, *[html] * MAX_ATTEMPTS, sound(), sound("x/y")).url, monkeypatch)
    with caplog.at_level(logging.DEBUG):
        told = run(tmp_path / "out")
    assert told == {
        "folder": str(tmp_path / "out"),
        "written": 2,
        "existing": 0,
        "without_recording": 2,
        "refused": 4,
    }
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good.mp3", "odd.one.bin"}
    assert other.requests == []
    # Airflow 3 writes a task's own lines by another way than the library's.
    log = caplog.text + capsys.readouterr().out
    for words in ("call foreign is left out: recording_url leads to localhost", "call moved", "call page", "climbs"):
        assert words in log
    assert "5512345678" not in log + str(told)


def test_a_recording_that_is_cut_off_leaves_no_file_and_is_retried(
    tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(connection: Any, request: Any) -> None:
        connection.sendall(sound()[:-9])

    altur_at(serve(page({"id": "c1"}, {"id": "c2"}), sound(), *[cut] * 5).url, monkeypatch)
    with pytest.raises(CampaignRequestFailed, match="cut off"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["c1.mp3"]


def test_a_key_that_is_refused_ends_the_task(tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    altur_at(serve(page({"id": "c1"}), says(403, {"detail": "no"})).url, monkeypatch)
    with pytest.raises(CampaignRequestFailed, match="403"):
        run(tmp_path)


@pytest.mark.parametrize("folder", ["", " ", "/", "file:///", "a/../b", "~/x", "x*", "s3://"])
def test_what_is_no_folder_is_refused_in_the_dag_file(folder: str) -> None:
    with pytest.raises(InvalidRequest, match="folder"):
        AlturRecordingsToObjectStorageOperator(task_id="act", campaign_id="7", folder=folder)


def test_a_file_in_the_place_of_the_folder_is_refused_before_anything_is_asked(
    tmp_path: Path, campaign_sandbox: Sandbox
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below"):
        with pytest.raises(CampaignRequestRefused, match="is a file"):
            run(folder)
    assert campaign_sandbox.journal("altur")["counts"].get("altur", {}) == {}


def test_hidden_files_of_a_killed_try_are_no_recordings(tmp_path: Path) -> None:
    (tmp_path / ".c1.wav.part-abc-1").write_bytes(b"half")
    (tmp_path / "c2.mp3").write_bytes(SOUND)
    folder = RecordingsFolder(str(tmp_path), writer="abc", try_number=2)
    assert ["c1" in folder, "c2" in folder, ".c1.wav" in folder] == [False, True, False]
