"""Guards of one vendor's own; those of every vendor are in the conformance kit."""

from __future__ import annotations

from typing import Any

import pendulum
import pytest
from under_test import ALTUR, KINBOX, KOREAI_SMS, KOREAI_VOICE

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import Task, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.guards import send_window


@pytest.mark.parametrize("launched", [KOREAI_SMS, KOREAI_VOICE])
def test_a_contact_list_that_the_vendor_does_not_count_is_sent_nothing(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    task = Task(vendors, launched, contact_lists=["Nobody knows"], max_recipients=1000)
    ended = task.run()
    assert "How many recipients the campaign has is not known" in ended.error
    assert "create_campaign" not in task.requests


@pytest.mark.parametrize("limit", ["min_recipients", "max_recipients"])
def test_where_the_vendor_does_not_count_before_the_launch_a_limit_is_refused_when_the_dag_is_parsed(
    limit: str,
) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'create': {limit} cannot be kept: Kinbox counts the leads"):
        KINBOX.build(**{limit: 100})


@pytest.mark.parametrize("launched", [KOREAI_SMS, KOREAI_VOICE])
def test_a_schedule_of_the_vendor_s_and_a_send_window_do_not_go_together(launched: VendorUnderTest) -> None:
    with pytest.raises(InvalidRequest, match="send_window cannot be kept along with schedule"):
        launched.build(schedule={"isSchedulingEnabled": True}, send_window=send_window(is_open=True))


@pytest.mark.parametrize(("planned", "outcome"), [(1, "success"), (2, "failed")])
def test_kinbox_s_scheduled_to_is_what_the_send_window_is_about(vendors: Sandbox, planned: int, outcome: str) -> None:
    noon = pendulum.now("UTC").add(days=planned).replace(hour=12)
    ended = Task(vendors, KINBOX, scheduled_to=noon.isoformat(), send_window=send_window(is_open=False)).run()
    assert ended.outcome == outcome


def test_a_guard_costs_a_launch_no_request_but_the_count_of_kore_ai_s_lists(vendors: Sandbox) -> None:
    guards: dict[str, Any] = {"max_lateness": 3600, "max_recipients": 5000, "send_window": send_window(is_open=True)}
    altur = Task(vendors, ALTUR, **guards)
    assert altur.run().outcome == "success"
    assert altur.requests == {"create_campaign": 1, "add_contacts": 2, "activate_campaign": 1}
    koreai = Task(vendors, KOREAI_SMS, **guards)
    assert koreai.run().outcome == "success"
    assert sum(koreai.requests.values()) == 3
