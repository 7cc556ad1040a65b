"""Nobody is messaged more often than a cap allows: over all audiences, in a retry, and with two prepared at once."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listed import left_out, number, people, prepare, spelled, write

from airflow_provider_campaigns.audience import ledger as ledger_room
from airflow_provider_campaigns.audience.folder import StoredFolder
from airflow_provider_campaigns.audience.ledger import Ledger
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused

SECRET = "a key of many characters"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CAMPAIGN_LEDGER", json.dumps({"conn_type": "generic", "password": SECRET}))


@pytest.fixture(autouse=True)
def source(tmp_path: Path) -> str:
    return write(tmp_path / "people.csv", "contact", [number(place) for place in range(100)])


def capped(tmp_path: Path, run_id: str, messages: int = 1, days: Any = 7, **more: Any) -> dict[str, Any]:
    cap = {"ledger": str(tmp_path / "ledger"), "messages": messages, "days": days}
    return prepare(tmp_path, run_id=run_id, output=str(tmp_path / run_id), **{"cap": cap, **more})


def reached(done: dict[str, Any]) -> set[str]:
    return {one for part in people(done) for one in part}


def records(tmp_path: Path) -> list[tuple[Any, ...]]:
    query = f"SELECT person, reserved_at, vendor FROM '{tmp_path}/ledger/*.parquet' ORDER BY reserved_at, person"  # noqa: S608
    return duckdb.connect().execute(query).fetchall()


def test_who_was_messaged_as_often_as_the_cap_allows_is_left_out_with_the_reason(tmp_path: Path) -> None:
    few = write(tmp_path / "few.csv", "contact", [spelled(place) for place in range(10)])
    for run_id in ("monday", "tuesday"):
        assert capped(tmp_path, run_id, messages=2, source=few)["counts"]["sliced"] == 10
    third = capped(tmp_path, "wednesday", messages=2)
    assert (third["counts"]["capped"], third["counts"]["sliced"]) == (10, 90)
    assert {row[1:] for row in left_out(third)} == {
        (number(place), "capped", "2 messages within 7 days") for place in range(10)
    }


def test_it_counts_over_all_vendors(tmp_path: Path) -> None:
    numbers = write(tmp_path / "numbers.csv", "number", [number(place) for place in range(5)])
    capped(tmp_path, "monday", vendor="kinbox", source=numbers)
    assert capped(tmp_path, "tuesday")["counts"]["capped"] == 5


def test_old_messages_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    class LongAgo(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.datetime.now(tz) - datetime.timedelta(days=8)

    monkeypatch.setattr(ledger_room, "datetime", LongAgo)
    capped(tmp_path, "last week")
    monkeypatch.undo()
    monkeypatch.setenv("AIRFLOW_CONN_CAMPAIGN_LEDGER", json.dumps({"conn_type": "generic", "password": SECRET}))
    assert capped(tmp_path, "monday")["counts"]["capped"] == 0
    assert capped(tmp_path, "tuesday", messages=2, days=datetime.timedelta(days=9))["counts"]["capped"] == 100


def test_the_control_group_and_those_who_are_left_out_are_not_counted_as_messaged(tmp_path: Path) -> None:
    gone = write(tmp_path / "gone.csv", "phone", [number(1)])
    first = capped(tmp_path, "monday", holdout=0.5, exclude=gone)
    second = capped(tmp_path, "tuesday")
    assert reached(first) & reached(second) == set()
    assert reached(first) | reached(second) == {number(place) for place in range(100)}


def test_the_ledger_holds_keyed_hashes_and_no_number(tmp_path: Path) -> None:
    capped(tmp_path, "monday")
    wanted = {
        hmac.new(SECRET.encode(), number(place)[1:].encode(), hashlib.sha256).hexdigest()[:32] for place in range(100)
    }
    assert {person for person, _, _ in records(tmp_path)} == wanted
    assert {vendor for _, _, vendor in records(tmp_path)} == {"altur"}
    (file,) = (tmp_path / "ledger").iterdir()
    assert b"5511900" not in file.read_bytes()


def test_a_key_longer_than_a_block_hashes_as_python_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "k" * 100
    monkeypatch.setenv("AIRFLOW_CONN_CAMPAIGN_LEDGER", json.dumps({"conn_type": "generic", "password": long}))
    capped(tmp_path, "monday")
    first = hmac.new(long.encode(), number(0)[1:].encode(), hashlib.sha256).hexdigest()[:32]
    assert first in {person for person, _, _ in records(tmp_path)}


def test_a_retry_writes_the_same_file_and_does_not_count_itself(tmp_path: Path) -> None:
    done = capped(tmp_path, "monday", shares=[10, 100])
    (tmp_path / "monday/manifest.json").unlink()
    assert capped(tmp_path, "monday", shares=[10, 100]) == done
    assert len(list((tmp_path / "ledger").iterdir())) == 1
    assert len(records(tmp_path)) == 100


def test_what_fails_after_the_reservation_takes_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = StoredFolder.put

    def full(self: Any, file: Path) -> Any:
        if file.name == "left_out.parquet":
            raise OSError(28, "the disk is full")
        return put(self, file)

    monkeypatch.setattr(StoredFolder, "put", full)
    with pytest.raises(CampaignRequestFailed, match="the disk is full"):
        capped(tmp_path, "monday")
    assert list((tmp_path / "ledger").iterdir()) == []
    monkeypatch.undo()


def two_at_once(tmp_path: Path, before: Callable[[], None], **more: Any) -> list[dict[str, Any]]:
    """Prepare two audiences in two threads; each calls a function when it has reserved and before it looks."""
    done: dict[str, dict[str, Any]] = {}
    look = Ledger._cap_people

    def held(self: Ledger) -> None:
        before()
        look(self)

    def one(run_id: str) -> None:
        with contextlib.suppress(ImportError):
            # Airflow 2 keeps who calls ``execute`` for each thread, and knows of none but the first.
            from airflow.models.baseoperator import ExecutorSafeguard

            ExecutorSafeguard._sentinel.callers = {}
        done[run_id] = capped(tmp_path, run_id, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "_cap_people", held)
        threads = [threading.Thread(target=one, args=(run_id,)) for run_id in ("monday", "tuesday")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    return [done["monday"], done["tuesday"]]


def test_two_audiences_at_once_do_not_both_reach_anybody(tmp_path: Path) -> None:
    both_reserved = threading.Barrier(2)
    one, two = two_at_once(tmp_path, lambda: both_reserved.wait(30) and None)
    assert reached(one) & reached(two) == set()


@pytest.mark.parametrize("_", range(5))
def test_nor_do_they_in_whatever_order_they_come(_: int, tmp_path: Path) -> None:
    one, two = two_at_once(tmp_path, lambda: None)
    assert reached(one) & reached(two) == set()


def test_one_after_the_other_as_a_pool_has_them_the_first_reaches_everybody(tmp_path: Path) -> None:
    assert reached(capped(tmp_path, "monday")) == {number(place) for place in range(100)}
    assert reached(capped(tmp_path, "tuesday")) == set()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    audiences=st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=1, max_size=6),
    messages=st.integers(1, 3),
)
def test_nobody_is_in_more_audiences_than_messages_allowed(
    audiences: list[set[int]], messages: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("capped")
    times = dict.fromkeys(map(number, range(13)), 0)
    for place, members in enumerate(audiences):
        list_ = write(folder / f"{place}.csv", "contact", [number(one) for one in members])
        done = capped(folder, f"run{place}", messages=messages, source=list_)
        assert done["counts"]["capped"] + done["counts"]["sliced"] == len(members)
        for one in reached(done):
            times[one] += 1
    wanted = {number(one): min(messages, sum(one in members for members in audiences)) for one in range(13)}
    assert times == wanted


# Bad input


def test_a_ledger_that_cannot_be_written_is_named_and_nothing_is_prepared(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file in the place of the folder")
    with pytest.raises(CampaignRequestFailed, match=r"cap: the ledger '.*/ledger' cannot be written.*was prepared"):
        capped(tmp_path, "monday")
    assert not (tmp_path / "monday").exists()


def test_a_ledger_within_a_file_is_named_as_well(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        CampaignRequestFailed, match=r"cap: the ledger '.*/file/ledger' cannot be read: Not a directory"
    ):
        prepare(tmp_path, cap={"ledger": str(tmp_path / "file" / "ledger"), "messages": 1, "days": 7})
    assert not (tmp_path / "audience").exists()


@pytest.mark.parametrize("pool", ["default_pool", "campaign_ledger"])
def test_a_cap_without_a_pool_of_its_own_is_warned_of(
    pool: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path, pool=pool, cap={"ledger": str(tmp_path / "ledger"), "messages": 1, "days": 7})
    logged = f"{caplog.text}{capfd.readouterr().out}"
    assert ("Give all such tasks one pool of one slot" in logged) is (pool == "default_pool")


def test_a_broken_file_of_the_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger/abc.parquet").write_text("PAR1")
    with pytest.raises(CampaignRequestRefused, match=r"ledger/abc.parquet' is no file of a ledger, or a broken one"):
        capped(tmp_path, "monday")
    assert [path.name for path in (tmp_path / "ledger").iterdir()] == ["abc.parquet"]
    assert not (tmp_path / "monday").exists()


def test_another_key_is_refused_since_nobody_would_be_known_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capped(tmp_path, "monday")
    other = json.dumps({"conn_type": "generic", "password": "another key of many characters"})
    monkeypatch.setenv("AIRFLOW_CONN_CAMPAIGN_LEDGER", other)
    with pytest.raises(CampaignRequestRefused, match="was written with another key than the password of"):
        capped(tmp_path, "tuesday")


@pytest.mark.parametrize("password", [None, "", "short"])
def test_a_key_must_be_long(password: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CAMPAIGN_LEDGER", json.dumps({"conn_type": "generic", "password": password}))
    with pytest.raises(CampaignRequestRefused, match="must have at least 16 characters") as refused:
        capped(tmp_path, "monday")
    assert "short" not in str(refused.value)


def test_a_missing_connection_is_named(tmp_path: Path) -> None:
    cap = {"ledger": str(tmp_path / "ledger"), "messages": 1, "days": 7, "conn_id": "nowhere"}
    with pytest.raises(CampaignRequestRefused, match="cap: there is no connection 'nowhere'"):
        prepare(tmp_path, cap=cap)


def test_a_ledger_may_be_at_a_store_of_objects(tmp_path: Path, bucket: dict[str, Any]) -> None:
    cap = {"ledger": "bucket://capped/ledger", "messages": 1, "days": 7}
    assert prepare(tmp_path, cap=cap)["counts"]["sliced"] == 100
    again = prepare(tmp_path, run_id="tuesday", output=str(tmp_path / "tuesday"), cap=cap)
    assert again["counts"]["capped"] == 100
