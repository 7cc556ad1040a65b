"""The trigger of a watch as Airflow stores it, and what is refused when the DAG is parsed."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from event_watch import watch

from airflow_provider_campaigns.testing.airflow_since import need, needs

need("asset watchers")

from airflow.triggers.base import BaseEventTrigger

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger

pytestmark = needs("asset watchers")


class TestSerialization:
    FULL: dict[str, Any] = {
        "conn_id": "koreai_default",
        "until": "sent",
        "progress_threshold": 50,
        "name_pattern": "Winter*",
        "campaign_ids": {"b", "a"},
        "statuses": ("sent", "running"),
        "announce_existing": True,
        "poll_interval": 30,
        "event_interval": 5,
        "patience": 60,
        "hook_params": {"campaign_type": "voice"},
    }

    def test_the_arguments_are_json_and_make_the_same_trigger_again(self) -> None:
        _, kwargs = CampaignEventTrigger(**self.FULL).serialize()
        stored = json.loads(json.dumps(kwargs))
        assert stored == kwargs
        assert CampaignEventTrigger(**stored).serialize() == CampaignEventTrigger(**self.FULL).serialize()
        assert set(kwargs) == set(self.FULL)

    def test_airflow_takes_the_same_watch_for_the_same_however_it_is_written(self) -> None:
        other = {
            **self.FULL,
            "campaign_ids": ["a", "b", "a"],
            "statuses": ["running", "sent"],
            "poll_interval": 30.0,
            "progress_threshold": 50.0,
        }
        hashes = {BaseEventTrigger.hash(*CampaignEventTrigger(**one).serialize()) for one in (self.FULL, other)}
        assert len(hashes) == 1

    def test_airflow_takes_a_stored_watch_for_the_same(self) -> None:
        need("encoders of triggers")
        from airflow.models.trigger import Trigger
        from airflow.serialization.decoders import smart_decode_trigger_kwargs
        from airflow.serialization.encoders import encode_trigger

        trigger = CampaignEventTrigger(**self.FULL)
        encoded = encode_trigger(trigger)
        row = Trigger(classpath=encoded["classpath"], kwargs=encoded["kwargs"])
        assert BaseEventTrigger.hash(row.classpath, row.kwargs) == BaseEventTrigger.hash(**encoded)
        started = CampaignEventTrigger(**{name: smart_decode_trigger_kwargs(one) for name, one in row.kwargs.items()})
        assert started.serialize() == trigger.serialize()

    def test_the_class_path_leads_to_the_class(self) -> None:
        path, _ = watch().serialize()
        module, _, name = path.rpartition(".")
        assert path == "airflow_provider_campaigns.triggers.campaign.CampaignEventTrigger"
        assert getattr(importlib.import_module(module), name) is CampaignEventTrigger

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"conn_id": ""}, "conn_id"),
            ({"until": "done"}, "until"),
            ({"progress_threshold": 0}, "progress_threshold"),
            ({"progress_threshold": "half"}, "progress_threshold"),
            ({"poll_interval": 0}, "poll_interval"),
            ({"patience": -1}, "patience"),
            ({"event_interval": -1}, "event_interval"),
            ({"campaign_ids": []}, "campaign_ids"),
            ({"statuses": ["done"]}, "statuses"),
            ({"statuses": ["sent"]}, "statuses"),
            ({"statuses": ["canceled"], "progress_threshold": 50}, "statuses"),
        ],
    )
    def test_what_cannot_work_is_refused_when_the_dag_is_parsed(self, arguments: dict[str, Any], named: str) -> None:
        with pytest.raises(InvalidRequest, match=named) as caught:
            watch(**arguments)
        # The one exception of a trigger's constructor that does not end the whole triggerer.
        assert isinstance(caught.value, TypeError)
