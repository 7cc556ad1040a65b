"""An answer is lost, late or spoiled on a real wire, with or without the effect, as ordered."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from post_office import create, created, eventually, last


@pytest.mark.parametrize("effect", [True, False])
def test_a_reset_loses_the_answer_and_keeps_or_drops_the_effect_as_ordered(sandbox, session, effect):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="reset", effect=effect)
    with pytest.raises(requests.ConnectionError):
        create(sandbox, session)
    assert created(sandbox) == int(effect)
    assert (last(sandbox)["fault"], last(sandbox)["status"], last(sandbox)["effect"]) == ("reset", None, effect)


def test_a_reset_is_a_reset_on_the_wire(sandbox):
    sandbox.order_fault(kind="reset")
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /post/v1/campaigns HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer t\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


@pytest.mark.parametrize("effect", [True, False])
def test_a_timeout_gives_no_answer_in_time(sandbox, session, effect):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="timeout", effect=effect)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.3)
    assert (created(sandbox), last(sandbox)["status"]) == (int(effect), None)


def test_a_client_that_is_gone_before_it_is_hung_up_on_is_no_error_of_the_sandbox(sandbox, session, caplog):
    sandbox.order_fault(kind="slow", endpoint="create_campaign", effect=False, seconds=0.4)
    with pytest.raises(requests.Timeout):
        create(sandbox, session, timeout=0.1)
    # What is still delayed is hung up on when its time has come.
    sandbox.reset()
    time.sleep(0.6)
    assert [record.getMessage() for record in caplog.records] == []


def test_a_timeout_ends_in_a_broken_connection_for_a_client_that_waits(sandbox, session):
    sandbox.order_fault(kind="timeout", seconds=0.2)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        create(sandbox, session)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("effect", [True, False])
def test_a_cut_off_answer_promises_more_than_it_holds(sandbox, session, effect):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="cut_off", effect=effect)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        create(sandbox, session)
    assert created(sandbox) == int(effect)


def test_a_cut_off_answer_has_the_real_status_headers_and_half_of_the_body(sandbox, session):
    whole = create(sandbox, session)
    sandbox.order_fault(kind="cut_off")
    with create(sandbox, session, stream=True) as half:
        assert (half.status_code, half.headers["content-type"]) == (201, "application/json")
        assert half.headers["content-length"] == whole.headers["content-length"]
        assert half.raw.read(len(whole.content) // 2, decode_content=False) == half_of(whole.content)


def half_of(body):
    return body.replace(b'"id":"1"', b'"id":"2"')[: len(body) // 2]


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_hides_the_effect_behind_its_status(sandbox, session, status, effect):
    sandbox.order_fault(kind="error", status=status, effect=effect)
    answer = create(sandbox, session)
    assert (answer.status_code, "<" in answer.text, created(sandbox)) == (status, False, int(effect))


@pytest.mark.parametrize("effect", [True, False])
def test_html_comes_with_200_in_the_place_of_json(sandbox, session, effect):
    sandbox.order_fault(kind="html", effect=effect)
    answer = create(sandbox, session)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert created(sandbox) == int(effect)


@pytest.mark.parametrize("effect", [True, False])
def test_a_slow_answer_is_late_but_right(sandbox, session, effect):
    sandbox.order_fault(kind="slow", seconds=0.3, effect=effect)
    began = time.monotonic()
    assert create(sandbox, session).json()["id"] == "1"
    assert time.monotonic() - began >= 0.3


def test_a_slow_request_without_effect_takes_effect_after_the_client_gave_up(sandbox, session):
    sandbox.order_fault(kind="slow", seconds=2, effect=False)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.2)
    assert created(sandbox) == 0
    assert eventually(lambda: created(sandbox) == 1)
    assert (last(sandbox)["status"], last(sandbox)["effect"]) == (None, True)


@pytest.mark.parametrize("effect", [True, False])
def test_what_is_held_back_goes_on_at_once_when_it_is_released(sandbox, session, effect):
    sandbox.order_fault(kind="slow", seconds=3600, effect=effect)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(create, sandbox, session)
        # Its request may not have arrived at the first look.
        assert eventually(lambda: [one["fault"] for one in sandbox.journal()["requests"]] == ["slow"], 10)
        assert eventually(lambda: created(sandbox) == int(effect))
        sandbox.release()
        assert answer.result(60).json()["id"] == "1"
    assert created(sandbox) == 1


def test_a_request_that_comes_after_a_release_is_held_back_again(sandbox, session):
    sandbox.release()
    sandbox.order_fault(kind="slow", seconds=3600)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.2)


def test_a_slow_request_from_before_a_reset_creates_nothing_after_it(sandbox, session):
    sandbox.order_fault(kind="slow", seconds=1.5, effect=False)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.1)
    sandbox.reset()
    time.sleep(1.7)
    assert created(sandbox) == 0


def test_a_429_never_has_an_effect_and_has_the_vendors_body_and_the_header(sandbox, session):
    sandbox.order_fault(kind="rate_limited", retry_after=7, effect=True)
    answer = create(sandbox, session)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"detail": "Wait 7 seconds"}
    assert (created(sandbox), last(sandbox)["effect"]) == (0, False)


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", None])
def test_a_429_has_the_retry_after_that_was_ordered(sandbox, session, retry_after):
    sandbox.order_fault(kind="rate_limited", retry_after=retry_after)
    assert create(sandbox, session).headers.get("retry-after") == retry_after
