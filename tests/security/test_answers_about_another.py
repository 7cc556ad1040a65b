"""An answer about another object than the one asked for is unreadable, and never taken for that one's end."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from wire import says

from airflow_provider_campaigns.api import errors

pytestmark = pytest.mark.usefixtures("no_proxies")

#: What asks for one object by its id, or changes it and is told what became of it.
CALLS: Mapping[str, Mapping[str, Callable[[Any], object]]] = {
    "kinbox": {
        "campaign_by_id": lambda client: client.campaign_by_id("7", progress=False),
        "get_campaign": lambda client: client.get_campaign("7"),
        "get_campaigns": lambda client: client.get_campaigns(["7"]),
        "update_campaign": lambda client: client.update_campaign("7", name="Winter"),
        "pause_campaign": lambda client: client.pause_campaign("7"),
        "resume_campaign": lambda client: client.resume_campaign("7"),
    },
    "altur": {
        "campaign_by_id": lambda client: client.campaign_by_id("7", progress=False),
        "get_campaign": lambda client: client.get_campaign("7"),
        "get_campaigns": lambda client: client.get_campaigns(["7"]),
        "update_campaign": lambda client: client.update_campaign("7", name="Winter"),
        "start_campaign": lambda client: client.start_campaign("7"),
        "activate_campaign": lambda client: client.activate_campaign("7"),
        "pause_campaign": lambda client: client.pause_campaign("7"),
        "resume_campaign": lambda client: client.resume_campaign("7"),
        "archive_campaign": lambda client: client.archive_campaign("7"),
        "get_contact": lambda client: client.get_contact("1", "7"),
    },
    "koreai": {
        "campaign_by_id": lambda client: client.campaign_by_id("7", progress=False),
        "get_campaign": lambda client: client.get_campaign("7", progress=False),
        "get_campaigns": lambda client: client.get_campaigns(["7"], progress=False),
        "get_status": lambda client: client.get_status("7"),
        "update_campaign": lambda client: client.update_campaign("7", **FIELDS),
        "start_campaign": lambda client: client.start_campaign("7"),
        "stop_campaign": lambda client: client.stop_campaign("7"),
        "get_contact_list": lambda client: client.get_contact_list("7"),
    },
}
FIELDS: dict[str, Any] = {
    "name": "Winter",
    "description": "Sale",
    "contact_lists": ["Renewals"],
    "message": "Hello",
    "dialing_strategy": {
        "callerId": {"phoneNumber": "+14155550100"},
        "callingHours": {
            "frequency": "WEEKLY",
            "timezone": "America/Chicago",
            "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
        },
    },
}
#: What needs no answer about the object: it is gone, or the vendor's answer is about the call alone.
WITHOUT_OBJECT = {
    "delete_campaign",
    "delete_contact",
    "delete_contact_list",
    "update_contact_list",
    "checked_id",
    "is_gone",
}
#: What yields or counts what belongs to the object, and has ids of its own.
PARTS = {
    *(
        "list_sessions",
        "list_lead_results",
        "lead_result_rows",
        "add_contacts",
        "add_all_contacts",
        "add_checked_contacts",
    ),
    *(
        "list_contacts",
        "list_outcomes",
        "count_contacts",
        "list_calls",
        "list_contact_results",
        "contact_result_rows",
        "voice_figures",
    ),
}


def about(another: str) -> dict[str, Any]:
    item = {"id": another, "_id": another, "name": "Winter", "status": "finished"}
    return {**item, "success": True, "campaign": item, "contact": item, "data": {**item, "campaign": item}}


@pytest.mark.parametrize("another", ["8", 8, "77", "07"])
def test_an_answer_about_another_one_is_unreadable_in_every_call(
    vendor: Any, connect: Any, serve: Any, another: Any
) -> None:
    for name, call in CALLS[vendor.name].items():
        client = connect(serve(*[says(200, about(another))] * 20).url)
        with pytest.raises((errors.UnreadableAnswer, errors.OutcomeUnknown), match="about another one than") as caught:
            call(client)
        assert "'7'" in str(caught.value), name


def test_an_answer_about_the_one_that_was_asked_for_is_taken(vendor: Any, connect: Any, serve: Any) -> None:
    for own in ("7", 7):
        for name, call in CALLS[vendor.name].items():
            client = connect(serve(*[says(200, about(own))] * 20).url)
            finished = name == "start_campaign"  # it is too late for this one
            with contextlib.suppress(errors.Conflict) if finished else contextlib.nullcontext():
                call(client)


def test_every_call_that_is_given_an_id_is_looked_at(vendor: Any, connect: Any) -> None:
    client = connect("http://127.0.0.1:1")
    given_an_id = {
        name
        for name, method in inspect.getmembers(client, inspect.ismethod)
        if not name.startswith("_")
        and {"campaign_id", "campaign_ids", "contact_id", "list_id"} & set(inspect.signature(method).parameters)
        and name.removesuffix("_campaign") not in client.instead
    }
    assert given_an_id - WITHOUT_OBJECT - PARTS == set(CALLS[vendor.name])
