"""What takes effect late, or cannot be told to Airflow, is waited for: nothing is created or started a second time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from under_test import ALTUR, KINBOX, KOREAI_SMS, KOREAI_VOICE

from airflow_provider_campaigns.api.errors import Rejected
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.launch import persistence
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import Task, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, connections

#: Those that are created first and started then.
STARTED = (ALTUR, KOREAI_SMS, KOREAI_VOICE)


# A start that takes effect late


def _start_slowly(
    vendors: Sandbox, launched: VendorUnderTest, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> Task:
    """Run a try whose start reaches the vendor after the try has given up."""
    for name, value in connections(vendors, timeout=1).items():
        monkeypatch.setenv(name, value)
    task = Task(vendors, launched, stored=stored, lookup_timeout=5)
    task.lose(endpoint=launched.start_endpoint, kind="slow", effect=False, seconds=1.8)
    ended = task.run()
    assert ended.outcome == "retry", ended
    assert [one["starts"] for one in task.campaigns] == [0]
    for name, value in connections(vendors).items():
        monkeypatch.setenv(name, value)
    return task


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("launched", STARTED)
def test_a_start_that_takes_effect_late_is_not_asked_for_again(
    vendors: Sandbox, launched: VendorUnderTest, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = _start_slowly(vendors, launched, monkeypatch, stored=stored)
    ended = task.run()
    assert ended.outcome == "success", ended
    assert [one["starts"] for one in task.campaigns] == [1]
    assert task.requests[launched.start_endpoint] == 1


@pytest.mark.parametrize("launched", STARTED)
def test_a_start_that_never_took_effect_is_asked_for_again_once_the_look_up_is_over(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    task = Task(vendors, launched)
    task.lose(endpoint=launched.start_endpoint, kind="reset", effect=False, times=6)
    assert task.run().outcome == "retry"
    vendors.clear_faults()
    ended = task.run()
    assert ended.outcome == "success", ended
    assert [one["starts"] for one in task.campaigns] == [1]


# A create whose answer proves nothing


def test_a_create_that_the_vendor_calls_a_conflict_is_still_looked_for_by_the_next_try(vendors: Sandbox) -> None:
    task = Task(vendors, KINBOX, lookup_timeout=5)
    task.lose(kind="list_lag", seconds=0.5)
    task.lose(endpoint="create_campaign", kind="error", status=409, effect=True)
    assert task.run().outcome == "retry"
    ended = task.run()
    assert ended.outcome == "success", ended
    assert len(task.campaigns) == 1


@pytest.mark.parametrize("created", [True, False])
def test_whatever_an_answer_of_success_says_a_create_is_looked_for_before_it_is_repeated(
    vendors: Sandbox, monkeypatch: pytest.MonkeyPatch, created: bool
) -> None:
    create = KinboxClient.create

    def refused_in_words(client: KinboxClient, request: Any, **given: Any) -> Any:
        if created:
            create(client, request, **given)
        raise Rejected("Kinbox refused it (200): in words.", vendor="Kinbox", endpoint="POST /campaigns", status=200)

    task = Task(vendors, KINBOX)
    with monkeypatch.context() as patch:
        patch.setattr(KinboxClient, "create", refused_in_words)
        ended = task.run()
    if created:
        assert ended.outcome == "success", ended
    else:
        assert ended.error.startswith("CampaignRequestRefused: Kinbox refused it (200)")
        task.clear()
        task.lose(kind="list_lag", seconds=0.5)
        assert task.run().outcome == "success"
    assert len(task.campaigns) == 1
    assert task.requests["find_campaigns"] >= 1


# Airflow that cannot be told


class _Away(dict[str, Any]):
    """
    A task's values while Airflow's API server is away: after so many writes it takes nothing for a while.

    :param writes: How many writes it takes before.
    :param refusals: How many it refuses then.
    """

    def __init__(self, values: Mapping[str, Any], writes: int, refusals: float, status: int | None = None) -> None:
        super().__init__(values)
        self.writes = writes
        self.refusals = refusals
        self.status = status

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "try":
            self.writes -= 1
            if self.writes < 0 and self.refusals > 0:
                self.refusals -= 1
                raise _AirflowRuntimeError(self.status)
        super().__setitem__(key, value)


class _AirflowRuntimeError(Exception):
    """What Airflow's SDK raises for an answer of its API server, or none."""

    def __init__(self, status: int | None) -> None:
        self.error = SimpleNamespace(detail={"status_code": status, "message": "connection refused"})
        super().__init__("API_SERVER_ERROR: connection refused")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries to tell Airflow that follow each other at once."""
    monkeypatch.setattr(persistence, "PAUSES_SECONDS", (0.01,))


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("launched", [KINBOX, ALTUR, KOREAI_SMS])
@pytest.mark.parametrize("writes", [0, 1, 2])
@pytest.mark.parametrize("status", [None, 503])
def test_a_try_goes_on_telling_airflow_until_it_is_there_again(
    vendors: Sandbox, launched: VendorUnderTest, writes: int, status: int | None
) -> None:
    task = Task(vendors, launched)
    assert task.values is not None
    task.values = _Away(task.values, writes, refusals=5, status=status)
    ended = task.run()
    assert ended.outcome == "success", ended
    assert len(task.campaigns) == 1


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("launched", [KINBOX, ALTUR, KOREAI_SMS])
def test_a_try_that_gives_up_says_what_it_did_in_one_line_and_the_next_one_goes_on_with_it(
    vendors: Sandbox, launched: VendorUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    task = Task(vendors, launched, record_timeout=0.2)
    assert task.values is not None
    task.values = _Away(task.values, writes=1, refusals=float("inf"))
    ended = task.run()
    campaign_id = str(task.campaigns[0]["id"])
    assert ended.outcome == "retry"
    assert ended.error == (
        f"LaunchNotRecorded: Campaign {campaign_id} was created; Airflow could not be told; the next try goes on with "
        "it. The reason: API_SERVER_ERROR: connection refused"
    )
    assert "trying for another" in caplog.text
    task.values = dict(task.values)
    assert task.run().value == campaign_id
    assert len(task.campaigns) == 1


@pytest.mark.usefixtures("hurried")
def test_what_could_not_be_recorded_before_the_create_sent_nothing(vendors: Sandbox) -> None:
    task = Task(vendors, KINBOX, record_timeout=0.1)
    assert task.values is not None
    task.values = _Away(task.values, writes=0, refusals=float("inf"))
    ended = task.run()
    assert ended.error.startswith("LaunchNotRecorded: Nothing was sent; Airflow could not be told")
    assert task.requests == {}


def test_a_try_that_airflow_has_given_up_does_not_go_on_telling_it(vendors: Sandbox) -> None:
    task = Task(vendors, KINBOX)
    assert task.values is not None
    task.values = _Away(task.values, writes=1, refusals=float("inf"), status=404)
    assert task.run().error.startswith("LaunchNotRecorded: Campaign")
    assert task.values.refusals == float("inf")


@pytest.mark.usefixtures("hurried")
def test_an_error_of_airflow_s_does_not_hide_what_it_came_after(
    vendors: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def gone(ti: TaskInstance, key: str, value: Any) -> None:
        raise _AirflowRuntimeError(None)

    task = Task(vendors, ALTUR, record_timeout=0.1)
    task.lose(endpoint="add_contacts", kind="error", status=422, effect=False)
    with monkeypatch.context() as patch:
        patch.setattr(TaskInstance, "xcom_push", gone)
        ended = task.run()
    assert ended.error.startswith("CampaignRequestRefused")
    assert "The receipt could not be pushed" in f"{caplog.text}{capfd.readouterr().out}"


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("stored", [True, False])
def test_a_launch_whose_receipt_cannot_be_pushed_is_gone_on_with(
    vendors: Sandbox, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    def gone(ti: TaskInstance, key: str, value: Any) -> None:
        raise _AirflowRuntimeError(None)

    task = Task(vendors, KINBOX, stored=stored, record_timeout=0.1)
    with monkeypatch.context() as patch:
        patch.setattr(TaskInstance, "xcom_push", gone)
        ended = task.run()
    assert ended.error.startswith("LaunchNotRecorded: Campaign")
    assert "was launched; Airflow could not be told" in ended.error
    assert task.run().value == str(task.campaigns[0]["id"])
    assert len(task.campaigns) == 1


# What the log says meanwhile


def test_the_log_says_that_a_create_is_under_way_and_goes_on_saying_that_a_campaign_is_looked_for(
    vendors: Sandbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    task = Task(vendors, KINBOX, lookup_timeout=3)
    task.lose(kind="list_lag", seconds=0.4)
    task.lose(endpoint="create_campaign", kind="reset")
    ended = task.run()
    assert ended.outcome == "success", ended
    mark = (ended.receipt or {})["mark"]
    said = f"{caplog.text}{capfd.readouterr().out}"
    assert f"Creating a campaign at Kinbox, marked {mark}" in said
    assert f"Looking at Kinbox for a campaign marked {mark}" in said
    assert f"Kinbox does not show a campaign marked {mark} yet; looking for another" in said
