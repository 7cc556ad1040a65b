"""A launch finds what an earlier try left at the vendor: by its mark, however late, and never another's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest
from airflow_provider_campaigns.testing.conformance.store import Death
from airflow_provider_campaigns.testing.conformance.suite import Suite, only
from airflow_provider_campaigns.testing.conformance.task import Task

MARK = re.compile(r"\[airflow [0-9a-f]{12}-[0-9a-f]{6}\]")
#: What makes the answer to a create get lost.
CREATE_LOST = {"endpoint": "create_campaign", "kind": "reset"}


class LookUps(Suite):
    """What an earlier try left is found by its mark, and nothing else is taken for it."""

    def test_the_mark_is_at_the_end_of_a_field_that_people_see_and_in_the_receipt(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched)
        receipt = task.run().receipt
        assert receipt is not None
        assert launched.shown_mark_of(task.campaigns[0]).endswith(receipt["mark"])
        assert MARK.fullmatch(receipt["mark"])

    def test_another_run_s_campaign_is_never_taken_for_this_one_s(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        other = Task(sandbox, launched)
        other.ti.run_id = "another"
        sandbox.set_speed(3000)  # A contact list may serve one campaign at a time.
        assert other.run().outcome == "success"
        task = Task(sandbox, launched)
        task.lose(**CREATE_LOST, effect=False, times=None)
        assert task.run().outcome == "retry"
        sandbox.clear_faults()
        assert task.run().outcome == "success"
        assert len(task.campaigns) == 2

    def test_a_name_copied_from_a_launched_campaign_does_no_harm(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        copied: dict[str, Any] = {launched.client_class.marked_field: "W [airflow 0123456789ab-012345]"}
        task = Task(sandbox, launched, **copied)
        task.run(death=Death(2, done=False))
        task.forget_keys()
        assert task.run().outcome == "success"
        assert len(task.campaigns) == 1

    def test_a_campaign_that_the_list_shows_late_is_waited_for(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched, lookup_timeout=3)
        # No key helps here: the look-up alone has to find it.
        task.lose(kind="list_lag", seconds=0.4)
        task.lose(**CREATE_LOST, times=None)
        ended = task.run()
        assert ended.outcome == "success", ended
        assert len(task.campaigns) == 1
        assert ended.receipt is not None
        assert ended.receipt["id"] == str(task.campaigns[0]["id"])
        assert ended.receipt["adopted"] is True

    def test_a_campaign_that_the_list_shows_later_than_the_look_up_lasts_is_named_by_its_mark_and_found_by_the_next_try(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched, lookup_timeout=0.1)
        task.lose(kind="list_lag", seconds=30)
        task.lose(**CREATE_LOST, times=None)
        ended = task.run()
        assert ended.outcome == "retry"
        assert ended.error.startswith("LaunchOutcomeUnknown")
        mark = MARK.search(ended.error)
        assert mark is not None
        assert mark.group() in json.dumps(task.campaigns)
        sandbox.clear_faults()
        assert task.run().outcome == "success"
        assert len(task.campaigns) == 1

    @only(lambda vendor: not vendor.creates_once_a_key)
    def test_a_second_create_looks_until_the_list_shows_it_for_what_the_first_one_made(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        """The list lags longer than the first look: only the look after the second create can see what happened."""
        task = Task(sandbox, launched, lookup_timeout=1.0)
        task.lose(kind="list_lag", seconds=1.2)
        assert task.run(death=Death(2, done=False)).outcome == "killed"
        ended = task.run()
        assert ended.error.startswith("LaunchConflict")
        assert len(task.campaigns) == 2
        assert all(str(one["id"]) in ended.error for one in task.campaigns)
        if not launched.starts_by_itself:
            assert [one["starts"] for one in task.campaigns] == [0, 0]
        # A person has looked, and a clear goes on with the oldest.
        task.clear()
        assert task.run().value == str(task.campaigns[0]["id"])
        assert len(task.campaigns) == 2
        if not launched.starts_by_itself:
            assert [one["starts"] for one in task.campaigns] == [1, 0]

    @only(lambda vendor: not vendor.creates_once_a_key)
    def test_a_death_between_the_second_create_and_the_look_after_it_does_not_spare_the_look(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        sandbox.set_speed(1)  # A campaign that starts by itself begins to send soon after the create.
        task = Task(sandbox, launched, lookup_timeout=0.1)
        task.lose(kind="list_lag", seconds=60)
        assert task.run(death=Death(2, done=False)).outcome == "killed"
        assert task.run(death=Death(2, done=True)).outcome == "killed"
        sandbox.clear_faults()
        ended = task.run()
        assert len(task.campaigns) == 2
        assert ended.error.startswith("LaunchConflict")
        assert sum(one["starts"] for one in task.campaigns) <= 1

    def test_without_a_store_the_mark_tells_that_the_payload_changed(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched, stored=False)
        task.run()
        ended = task.run(name="Spring")
        assert ended.outcome == "failed"
        assert ended.error.startswith("LaunchConflict")
        assert len(task.campaigns) == 1

    def test_adopted_means_found_rather_than_created_by_this_try(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched)
        task.run(death=Death(1, done=True))
        created = task.run().receipt or {}
        again = task.run().receipt or {}
        assert (created["adopted"], again["adopted"]) == (False, True)
        assert created["id"] == again["id"]

    def test_what_could_not_be_remembered_is_still_in_the_receipt(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched)
        assert task.values is not None
        values = task.values

        class Gone(dict[str, Any]):
            def __setitem__(self, key: str, value: Any) -> None:
                if key != "try" and key in self:
                    raise RuntimeError("Airflow cannot be reached")
                super().__setitem__(key, value)

        # Airflow's API is gone after the first write.
        task.values = Gone(values)
        ended = task.run()
        assert ended.outcome == "retry"
        assert ended.receipt is not None
        assert ended.receipt["id"] == str(task.campaigns[0]["id"])
        task.values = dict(task.values)
        assert task.run().value == ended.receipt["id"]
        assert len(task.campaigns) == 1


class Clears(Suite):
    """A clear goes on with what was launched; only ``relaunch`` launches anew."""

    @pytest.mark.parametrize("stored", [True, False])
    def test_a_cleared_task_goes_on_with_its_campaign_and_changes_nothing(
        self, sandbox: Sandbox, launched: VendorUnderTest, stored: bool
    ) -> None:
        sandbox.set_speed(3000)
        task = Task(sandbox, launched, stored=stored)
        first = task.run()
        before = task.requests
        task.clear()
        again = task.run()
        assert (again.outcome, again.value) == ("success", first.value)
        acting = {step.endpoint for step in launched.steps if not step.reads}
        assert {name: task.requests[name] for name in acting} == {name: before[name] for name in acting}
        assert len(task.campaigns) == 1

    @pytest.mark.parametrize("stored", [True, False])
    def test_relaunch_launches_anew_after_a_clear_and_never_on_a_retry(
        self, sandbox: Sandbox, launched: VendorUnderTest, stored: bool
    ) -> None:
        sandbox.set_speed(3000)
        task = Task(sandbox, launched, stored=stored, relaunch=True)
        task.lose(**CREATE_LOST)
        first = task.run()
        assert task.run().value == first.value
        for number in (2, 3):
            task.clear()
            task.lose(**CREATE_LOST)
            anew = task.run()
            assert anew.outcome == "success"
            assert task.run().value == anew.value
            assert len(task.campaigns) == number

    def test_a_create_that_the_vendor_refused_leaves_nothing_behind_so_the_mended_payload_is_launched(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched)
        task.lose(endpoint="create_campaign", kind="error", status=422, effect=False)
        ended = task.run(name="Misspelt")
        assert ended.error.startswith("CampaignRequestRefused")
        task.clear()
        assert task.run().outcome == "success"
        assert [one["name"].split(" [")[0] for one in task.campaigns] == ["Winter"]
