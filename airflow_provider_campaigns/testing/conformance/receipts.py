"""What a launch costs in requests, what it tells Airflow, and what a dry run shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import HeldBack
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest
from airflow_provider_campaigns.testing.conformance.suite import Suite
from airflow_provider_campaigns.testing.conformance.task import Task


class Receipts(Suite):
    """A launch makes no request too many, and leaves a receipt where Airflow shows it."""

    @pytest.mark.parametrize("form", [{}, {"wait_until": "finished", "deferrable": True}])
    @pytest.mark.parametrize("stored", [True, False])
    def test_a_fault_free_launch_makes_the_requests_of_the_vendor_s_procedure_and_no_other(
        self, sandbox: Sandbox, launched: VendorUnderTest, stored: bool, form: Mapping[str, Any]
    ) -> None:
        sandbox.set_speed(3000)
        task = Task(sandbox, launched, stored=stored, **form)
        assert task.run().outcome == ("deferred" if form else "success")
        assert task.requests == launched.requests

    def test_the_receipt_is_the_extra_of_the_outlet_s_asset_event(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        from airflow.providers.common.compat.sdk import Asset

        asset = Asset("campaign")
        task = Task(sandbox, launched, outlets=[asset])
        ended = task.run()
        assert task.context["outlet_events"][asset].extra == ended.receipt
        assert ended.receipt is not None
        told = {"key", "mark", "vendor", "conn_id", "id", "name", "status", "meant_at", "launched_at"}
        assert told <= set(ended.receipt)
        assert ended.receipt["name"] is not None

    def test_a_deferred_launch_ends_with_the_receipt_and_what_the_trigger_saw(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched, wait_until="finished", deferrable=True)
        ended = task.run()
        assert ended.trigger is not None
        assert ended.trigger[0] == "airflow_provider_campaigns.triggers.campaign.CampaignTrigger"
        campaign_id = str(task.campaigns[0]["id"])
        assert ended.trigger[1]["campaign_id"] == campaign_id
        seen = {"id": campaign_id, "name": "Winter", "status": "finished", "progress": 100.0, "counts": {}}
        event = {"reason": "met", "message": "It has finished", "campaign": seen}
        assert task.resume(ended, event=event).value == campaign_id
        receipt = task.ti.xcoms["campaign"]
        assert receipt["status"] == "finished"
        assert receipt["mark"] == (ended.receipt or {})["mark"]

    @pytest.mark.parametrize("where", ["operator", "connection"])
    def test_a_dry_run_sends_nothing_and_says_so_with_numbers_redacted(
        self,
        sandbox: Sandbox,
        launched: VendorUnderTest,
        where: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.INFO)
        task = Task(sandbox, launched)
        if where == "connection":
            conn_id = f"{task.vendor}_default"
            connection = sandbox.connections()[conn_id]
            connection["extra"] = {**connection.get("extra", {}), "dry_run": True}
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        changes: dict[str, Any] = {"dry_run": True} if where == "operator" else {}
        ended = task.run(**changes)
        assert ended.outcome == "skipped"
        assert sandbox.journal()["requests"] == []
        assert ended.receipt is not None
        assert ended.receipt["dry_run"] is True
        assert ended.receipt["id"] is None
        assert "campaign_launch" not in (task.values or {})
        if where == "connection":
            # Not the operator alone: whoever uses the hook is held back.
            operator = launched.build()
            operator.read_all_arguments()
            hook = operator.hook()
            with pytest.raises(HeldBack, match="dry_run"):
                hook.get_conn().create(operator.plan(hook).request, idempotency_key="key")
            assert sandbox.journal()["requests"] == []
        printed = capfd.readouterr()
        said = f"{caplog.text}{printed.out}"
        assert "Dry run: nothing is sent" in said
        assert "Winter" in said
        assert [number for number in launched.numbers if number in f"{said}{ended}"] == []
