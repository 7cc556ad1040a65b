"""What every vendor's answer becomes, the errors that cross processes, and what a client says that it cannot do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.client import ACTIONS, CampaignClient
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus, normalised, percent

RUNNING, FINISHED = CampaignStatus.RUNNING, CampaignStatus.FINISHED
KNOWN = {"executing": RUNNING, "done": FINISHED, "done-sent": CampaignStatus.SENT}


def test_there_are_the_nine_statuses_of_the_design():
    words = {"draft", "scheduled", "running", "paused", "sent", "finished", "canceled", "failed", "unknown"}
    assert {str(status) for status in CampaignStatus} == words


def test_a_campaign_is_over_when_the_vendor_will_neither_send_nor_count_more():
    assert {status.value for status in CampaignStatus if status.is_over} == {"finished", "canceled", "failed"}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("executing", "running"),
        ("Executing", "running"),
        ("DONE", "finished"),
        ("done-sent", "sent"),
        ("hibernating", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_word_that_is_not_known_becomes_unknown_and_never_an_error(word, status):
    assert normalised(word, KNOWN) == status


@pytest.mark.parametrize(
    ("part", "whole", "status", "progress"),
    [
        (0, 120, RUNNING, 0.0),
        (60, 120, RUNNING, 50.0),
        (1, 3, RUNNING, 33.33),
        (120, 120, RUNNING, 99.0),
        (130, 120, RUNNING, 99.0),
        (-1, 120, RUNNING, 0.0),
        (120, 120, CampaignStatus.SENT, 99.0),
        (60, 120, CampaignStatus.CANCELED, 50.0),
        (60, 120, FINISHED, 100.0),
        (0, 0, FINISHED, 100.0),
        (None, None, FINISHED, 100.0),
        (0, 0, RUNNING, None),
        (5, None, RUNNING, None),
        (None, 120, RUNNING, None),
        (5, -1, RUNNING, None),
        (0.57, 1, RUNNING, 57.0),
    ],
)
def test_progress_is_percent_and_100_only_when_finished(part, whole, status, progress):
    assert percent(part, whole, status) == progress


def campaign(**changes):
    return Campaign(**{"id": "1", "name": "a", "status": RUNNING, "raw": {"message": "Hi Maria"}} | changes)


def test_a_campaign_as_a_dict_is_plain_json_without_the_raw_answer():
    as_dict = campaign(vendor_status="executing", progress=12.5, counts={"sent": 3}).as_dict()
    expected = {
        "id": "1",
        "name": "a",
        "status": "running",
        "vendor_status": "executing",
        "progress": 12.5,
        "counts": {"sent": 3},
        "details": {},
    }
    assert as_dict == expected
    assert json.loads(json.dumps(as_dict)) == expected
    assert type(as_dict["status"]) is str


def test_a_campaign_shows_nothing_of_the_raw_answer_and_is_compared_without_it():
    assert "Maria" not in repr(campaign())
    assert campaign() == campaign(raw={})


def test_a_campaign_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        campaign().status = FINISHED


# Errors

KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.CampaignAPIError)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])  # noqa: S301
def test_an_error_can_leave_its_process_with_all_that_it_says(kind, again):
    error = kind("words", vendor="Post", endpoint="GET /x", status=503, code="E", request_id="r", retry_after=1.0)
    error.add_note("a note")
    copied = again(error)
    assert type(copied) is kind
    assert str(copied) == "words"
    assert vars(copied) == vars(error)


def test_transient_are_those_errors_after_which_the_same_read_may_well_succeed():
    transient = {kind.__name__ for kind in KINDS if kind.transient}
    assert transient == {"RateLimited", "Unavailable", "UnreadableAnswer", "ListingIncomplete"}


def test_a_refused_request_is_a_value_error_and_no_answer_of_a_vendor():
    assert issubclass(errors.InvalidRequest, ValueError)
    assert issubclass(errors.UnsupportedAction, errors.InvalidRequest)
    assert not issubclass(errors.InvalidRequest, errors.CampaignAPIError)


# The client's contract


class Transport:
    closed = False

    def close(self):
        self.closed = True


class PostClient(CampaignClient):
    """A vendor that can start, and knows campaigns 1 to 3."""

    vendor = "Post"
    instead = {"stop": "use archive", "pause": "use archive", "resume": "create it anew"}

    def __init__(self):
        self.transport = Transport()
        self.asked = []

    def start_campaign(self, campaign_id):
        return campaign(id=campaign_id)

    def get_campaign(self, campaign_id, *, progress=True):
        self.asked.append((campaign_id, progress))
        if campaign_id == "down":
            raise errors.Unavailable("x", vendor="Post", endpoint="x")
        if campaign_id not in ("1", "2", "3"):
            raise errors.NotFound("x", vendor="Post", endpoint="x", status=404)
        return campaign(id=campaign_id)


# What each vendor must bring of its own is no matter here.
PostClient.__abstractmethods__ = frozenset()


def test_a_client_tells_which_actions_it_has():
    assert {action for action in ACTIONS if PostClient.supports(action)} == {"start"}
    assert not PostClient.supports("explode")


@pytest.mark.parametrize("action", ["stop", "pause", "resume"])
def test_an_action_that_a_vendor_lacks_is_refused_with_what_to_use_instead(action):
    with pytest.raises(errors.UnsupportedAction) as caught:
        getattr(PostClient(), f"{action}_campaign")("1")
    assert str(caught.value) == f"Post has no {action}; {PostClient.instead[action]}."


def test_an_action_without_a_replacement_is_refused_too():
    class Bare(PostClient):
        instead = {}

    with pytest.raises(errors.UnsupportedAction, match="Post has no stop"):
        Bare().stop_campaign("1")


def test_campaigns_are_found_by_id_each_asked_once_and_the_unknown_left_out():
    client = PostClient()
    found = client.get_campaigns(iter(["2", "9", "1", "2"]), progress=False)
    assert {key: found[key].id for key in found} == {"1": "1", "2": "2"}
    assert client.asked == [("2", False), ("9", False), ("1", False)]


def test_a_campaign_that_cannot_be_asked_for_is_not_taken_for_one_that_is_not_there():
    with pytest.raises(errors.Unavailable):
        PostClient().get_campaigns(["1", "down"])


def test_a_client_gives_its_connections_back():
    with PostClient() as client:
        pass
    assert client.transport.closed
