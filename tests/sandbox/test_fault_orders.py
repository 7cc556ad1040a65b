"""Which requests an order of a fault hits, which orders are refused, and how long a changed behaviour lasts."""

from __future__ import annotations

import pytest
from post_office import create, eventually, get

from airflow_provider_campaigns.sandbox.faults import Fault, Faults


def test_an_order_hits_as_often_as_ordered_after_those_that_it_lets_pass(sandbox, session):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="error", skip=1, times=2)
    assert [create(sandbox, session).status_code for _ in range(4)] == [201, 502, 502, 201]


def test_an_order_without_times_hits_until_it_is_cleared(sandbox, session):
    sandbox.order_fault(kind="error", times=None)
    assert {create(sandbox, session).status_code for _ in range(5)} == {502}
    sandbox.clear_faults()
    assert create(sandbox, session).status_code == 201


def test_an_order_for_one_endpoint_leaves_the_others_alone(sandbox, session):
    sandbox.order_fault(endpoint="get_campaign", kind="error")
    assert create(sandbox, session).status_code == 201
    assert get(sandbox, session, "/campaigns/1").status_code == 502


def test_orders_are_served_in_turn_and_each_counts_every_request(sandbox, session):
    sandbox.order_fault(kind="error", status=500)
    sandbox.order_fault(kind="error", status=503, skip=1)
    assert [create(sandbox, session).status_code for _ in range(3)] == [500, 503, 201]


def test_chance_is_the_same_in_every_run():
    def hits():
        faults = Faults(seed=3)
        faults.order(Fault("error", times=None, probability=0.3))
        return [faults.take("post", "x") is not None for _ in range(1000)]

    assert hits() == hits()
    assert 250 < sum(hits()) < 350


def test_orders_can_be_seen_and_taken_back_one_by_one(sandbox, session):
    first, second = sandbox.order_fault(kind="error"), sandbox.order_fault(kind="html", times=3)
    create(sandbox, session)
    url = sandbox.url + "/_sandbox/faults"
    seen = session.get(url, timeout=5).json()["faults"]
    assert [(order["id"], order["applied"], order["times_left"]) for order in seen] == [(first, 1, 0), (second, 0, 3)]
    assert session.delete(url, params={"id": second}, timeout=5).json() == {"cleared": 1}
    assert session.delete(url, params={"id": second}, timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({}, "kind: missing"),
        ({"kind": "explode"}, "kind: must be one of"),
        ({"kind": ["reset"]}, "kind: must be one of"),
        ({"kind": "reset", "vendor": "psot"}, "vendor: must be one of post"),
        ({"kind": "reset", "endpoint": "creat"}, "endpoint: must be one of broken, create_campaign"),
        ({"kind": "reset", "times": 0}, "times: "),
        ({"kind": "reset", "times": True}, "times: "),
        ({"kind": "reset", "skip": -1}, "skip: "),
        ({"kind": "reset", "probability": 1.5}, "probability: "),
        ({"kind": "reset", "effect": "no"}, "effect: "),
        ({"kind": "slow", "seconds": -1}, "seconds: "),
        ({"kind": "error", "status": 200}, "status: "),
        ({"kind": "rate_limited", "retry_after": 1.5}, "retry_after: "),
        ({"kind": "rate_limited", "retry_after": "1\r\nX: y"}, "retry_after: "),
        ({"kind": "unknown_status", "value": 5}, "value: "),
        ({"kind": "stall", "times": 1}, "times: stall lasts until it is cleared"),
        ({"kind": "reset", "tmies": 1}, "tmies: unknown field"),
        ("reset", "an order is an object"),
    ],
)
def test_a_wrong_order_is_refused_and_the_field_is_named(sandbox, session, order, field):
    answer = session.post(sandbox.url + "/_sandbox/faults", json=[{"kind": "error"}, order], timeout=5)
    assert answer.status_code == 400
    assert answer.text.startswith(field)
    assert create(sandbox, session).status_code == 201, "one wrong order in a list refuses the whole list"


def test_a_body_that_is_no_json_is_refused(sandbox, session):
    assert session.post(sandbox.url + "/_sandbox/faults", data="{", timeout=5).status_code == 400


def test_an_unknown_status_lasts_until_it_is_cleared(sandbox, session):
    create(sandbox, session)
    sandbox.order_fault(kind="unknown_status", value="sleeping")
    assert {get(sandbox, session, "/campaigns/1").json()["status"] for _ in range(3)} == {"sleeping"}
    sandbox.clear_faults()
    assert get(sandbox, session, "/campaigns/1").json()["status"] == "on"


def test_a_stall_holds_progress_from_the_order_on_until_it_is_cleared(sandbox, session, clock):
    def done():
        return get(sandbox, session, "/campaigns/1").json()["done"]

    create(sandbox, session)
    clock.advance(10)
    sandbox.order_fault(kind="stall", vendor="post")
    clock.advance(50)
    assert done() == 10
    sandbox.clear_faults()
    clock.advance(5)
    assert done() == 15


def test_a_reset_ends_a_stall_without_a_trace(sandbox, session, clock):
    sandbox.order_fault(kind="stall")
    clock.advance(50)
    sandbox.reset()
    create(sandbox, session)
    clock.advance(10)
    assert get(sandbox, session, "/campaigns/1").json()["done"] == 10


def test_with_a_list_lag_a_campaign_is_listed_only_later(sandbox, session):
    sandbox.order_fault(kind="list_lag", seconds=0.4)
    create(sandbox, session)
    assert get(sandbox, session, "/campaigns").json()["data"] == []
    assert get(sandbox, session, "/campaigns/1").status_code == 200
    assert eventually(lambda: len(get(sandbox, session, "/campaigns").json()["data"]) == 1)


def test_a_repeated_cursor_can_be_ordered_for_one_list(sandbox, session):
    assert get(sandbox, session, "/campaigns").json()["again"] is False
    sandbox.order_fault(kind="repeated_cursor", endpoint="get_campaign")
    assert get(sandbox, session, "/campaigns").json()["again"] is False
    sandbox.order_fault(kind="repeated_cursor", endpoint="list_campaigns")
    assert get(sandbox, session, "/campaigns").json()["again"] is True
