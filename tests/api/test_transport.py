"""What the transport promises: over a real wire to a server of the test's own, and as pure decisions."""

from __future__ import annotations

import datetime
import gzip
import itertools
import json
import re
from email.utils import format_datetime

import pytest
from post import KEYED, LABEL, ONCE, READ, TOKEN, Client, by_status, failure
from wire import breaks_tls, closes, cuts_off, hangs, resets, says

from airflow_provider_campaigns.api import attempts, errors, transport
from airflow_provider_campaigns.api.answers import Answer, Refusal, meaning_of, retry_after_seconds
from airflow_provider_campaigns.api.endpoints import Safety
from airflow_provider_campaigns.api.limits import Rate
from airflow_provider_campaigns.api.repeating import MAX_ATTEMPTS, MAX_PAUSE_SECONDS, may_repeat, pause_before

NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)

pytestmark = pytest.mark.usefixtures("no_proxies")

HTML = says(200, b"<html>Sign in to the hotel's network</html>", Content_Type="text/html")
LOST = {
    "a 500": says(500, {"message": "boom"}),
    "a 503 page": says(503, b"<html>Bad gateway</html>"),
    "a 408": says(408, b""),
    "a timeout": hangs,
    "a reset": resets,
    "a closed connection": closes,
    "a cut-off answer": cuts_off,
    "half of the JSON": says(200, b'{"data": ['),
    "an HTML page": HTML,
}


@pytest.fixture(autouse=True)
def patient(patience, monkeypatch):
    monkeypatch.setattr(Client, "patience", patience)


# Repeating


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_a_read_is_repeated_after_a_lost_answer_and_succeeds(serve, answer):
    server = serve(answer, answer)
    assert Client(server.url).call(READ).data == {"ok": True}
    assert len(server.requests) == 3


def test_a_read_is_given_up_after_a_few_attempts(serve):
    server = serve(*[says(503)] * 20)
    assert isinstance(failure(Client(server.url)), errors.Unavailable)
    assert len(server.requests) == MAX_ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 412, 422])
def test_a_refused_read_is_not_repeated(serve, status):
    server = serve(says(status))
    failure(Client(server.url))
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_a_call_that_must_happen_once_is_sent_once_and_its_lost_answer_is_an_unknown_outcome(serve, answer):
    server = serve(answer)
    error = failure(Client(server.url), ONCE, body={"name": "a"})
    assert isinstance(error, errors.OutcomeUnknown)
    assert isinstance(error.__cause__, (errors.Unavailable, errors.UnreadableAnswer))
    assert "look before repeating" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_of_a_call_that_must_happen_once_is_told_by_its_meaning(serve, status):
    server = serve(says(status))
    assert type(failure(Client(server.url), ONCE)) is meaning_of(status)
    assert len(server.requests) == 1


def test_a_call_that_must_happen_once_is_repeated_after_a_429(serve):
    server = serve(says(429), says(429, Retry_After="1"))
    assert Client(server.url).call(ONCE, body={}).data == {"ok": True}
    assert len(server.requests) == 3


def limited_by_words(answer):
    """A vendor whose refusal for too many requests is a sentence."""
    if isinstance(answer.data, dict) and "rate limit" in str(answer.data.get("message")):
        return Refusal(errors.RateLimited, answer.data["message"])
    return by_status(answer)


SENTENCE = {"message": "You've exceeded the per-minute rate limit."}


def test_a_changing_call_is_never_repeated_on_words_alone(serve):
    for status in (200, 201, 299):
        server = serve(says(status, SENTENCE))
        error = failure(Client(server.url, diagnose=limited_by_words), ONCE, body={"name": "rate limit"})
        assert isinstance(error, errors.OutcomeUnknown)
        assert "words are those of a rate limit" in str(error)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("endpoint", "key"), [(READ, None), (KEYED, "k-1")])
def test_what_does_no_harm_twice_is_repeated_on_words_alone(serve, endpoint, key):
    server = serve(says(200, SENTENCE))
    client = Client(server.url, diagnose=limited_by_words, limit_window=60.0)
    assert client.call(endpoint, idempotency_key=key).data == {"ok": True}
    assert len(server.requests) == 2
    assert client.pauses[0] >= 60


@pytest.mark.parametrize("status", [400, 403, 429])
def test_the_words_of_a_limit_with_a_refusing_status_say_that_nothing_was_processed(serve, status):
    server = serve(says(status, SENTENCE))
    assert Client(server.url, diagnose=limited_by_words).call(ONCE).data == {"ok": True}
    assert len(server.requests) == 2


def test_a_lost_answer_after_a_429_ends_the_repeating(serve):
    server = serve(says(429), resets)
    assert isinstance(failure(Client(server.url), ONCE), errors.OutcomeUnknown)
    assert len(server.requests) == 2


def test_a_call_that_must_happen_once_is_repeated_when_the_connection_is_refused(closed_port):
    client = Client(f"http://127.0.0.1:{closed_port}")
    error = failure(client, ONCE)
    assert (type(error), error.never_sent) == (errors.Unavailable, True)
    assert len(client.pauses) == MAX_ATTEMPTS - 1


def test_a_call_that_must_happen_once_is_repeated_when_the_name_does_not_resolve():
    client = Client("https://campaigns.invalid", timeout=5)
    error = failure(client, ONCE)
    assert (type(error), error.never_sent) == (errors.Unavailable, True)
    assert len(client.pauses) == MAX_ATTEMPTS - 1


def test_a_call_that_must_happen_once_is_repeated_when_the_proxy_is_not_there(no_proxies, closed_port):
    no_proxies.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
    client = Client("https://campaigns.invalid")
    error = failure(client, ONCE)
    assert (type(error), error.never_sent) == (errors.Unavailable, True)
    assert len(client.pauses) == MAX_ATTEMPTS - 1


def test_a_keyed_call_is_repeated_with_the_same_key_each_time(serve):
    server = serve(resets, says(500), HTML)
    assert Client(server.url).call(KEYED, body={"name": "a"}, idempotency_key="k-1").data == {"ok": True}
    assert [request.headers["idempotency-key"] for request in server.requests] == ["k-1"] * 4
    assert len({request.body for request in server.requests}) == 1


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_a_keyed_call_without_a_key_is_sent_once(serve, answer):
    server = serve(answer)
    assert isinstance(failure(Client(server.url), KEYED), errors.OutcomeUnknown)
    assert len(server.requests) == 1


def test_an_empty_key_is_no_key_and_refused(serve):
    server = serve()
    with pytest.raises(errors.InvalidRequest, match="idempotency_key"):
        Client(server.url).call(KEYED, idempotency_key=" ")
    assert server.requests == []


@pytest.mark.parametrize("later", [409, 422, 401, 429])
def test_a_refusal_of_a_later_attempt_does_not_hide_that_the_first_may_have_taken_effect(serve, later):
    server = serve(resets, *[says(later)] * MAX_ATTEMPTS)
    error = failure(Client(server.url), KEYED, idempotency_key="k-1")
    assert isinstance(error, errors.OutcomeUnknown)
    assert any("later attempt" in note for note in error.__notes__)


def test_each_attempt_is_signed_anew(serve):
    server = serve(says(500), says(500))
    numbers = itertools.count()

    def sign(request):
        request.headers["Authorization"] = f"Bearer {next(numbers)}"
        return request

    Client(server.url, auth=sign).call(READ)
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer 0", "Bearer 1", "Bearer 2"]


CAUSES = {
    "5xx or timeout": (errors.Unavailable, {}),
    "never sent": (errors.Unavailable, {"never_sent": True}),
    "not readable": (errors.UnreadableAnswer, {}),
    "429": (errors.RateLimited, {}),
    "429, much later": (errors.RateLimited, {"retry_after": MAX_PAUSE_SECONDS + 1}),
    "503, much later": (errors.Unavailable, {"retry_after": MAX_PAUSE_SECONDS + 1}),
    "4xx": (errors.Rejected, {}),
    "401": (errors.AuthenticationFailed, {}),
    "404": (errors.NotFound, {}),
    "409": (errors.Conflict, {}),
}
REPEATED = {
    (Safety.REPEATABLE, False): {"5xx or timeout", "never sent", "not readable", "429"},
    (Safety.KEYED, True): {"5xx or timeout", "never sent", "not readable", "429"},
    (Safety.KEYED, False): {"never sent", "429"},
    (Safety.ONCE, False): {"never sent", "429"},
    (Safety.ONCE, True): {"never sent", "429"},
}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize(("safety", "keyed"), REPEATED)
def test_what_may_be_repeated_is_decided_by_declared_safety_and_cause(safety, keyed, cause):
    kind, more = CAUSES[cause]
    error = kind("x", vendor="Post", endpoint="x", **more)
    assert may_repeat(safety, keyed, error) is (cause in REPEATED[safety, keyed])


def test_an_unknown_outcome_is_repeated_as_what_left_it_open():
    open_outcome = errors.OutcomeUnknown("x", vendor="Post", endpoint="x")
    assert not may_repeat(Safety.KEYED, True, open_outcome)
    open_outcome.__cause__ = errors.Unavailable("x", vendor="Post", endpoint="x")
    assert may_repeat(Safety.KEYED, True, open_outcome)
    assert not may_repeat(Safety.ONCE, True, open_outcome)


def test_what_is_no_error_of_the_api_is_not_repeated():
    assert not may_repeat(Safety.REPEATABLE, False, KeyError("a bug"))


# TLS


def test_tls_that_breaks_after_the_request_leaves_the_outcome_open_and_nothing_is_sent_again(serve, tls, certificate):
    server = serve(breaks_tls, tls=tls)
    client = Client(server.url)
    client._session.verify = str(certificate)  # the environment's bundle does not count on loopback
    assert isinstance(failure(client, ONCE), errors.OutcomeUnknown)
    assert len(server.requests) == 1


# Pausing


def test_a_vendor_that_asks_for_a_pause_in_seconds_gets_it(serve):
    client = Client(serve(says(429, Retry_After="7")).url)
    client.call(READ)
    assert 7 <= client.pauses[0] <= 7.25


def test_a_vendor_that_asks_for_a_pause_until_a_date_gets_it(serve):
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=20)
    client = Client(serve(says(503, Retry_After=format_datetime(until, usegmt=True))).url)
    client.call(READ)
    assert 17 < client.pauses[0] <= 20.25


def test_a_pause_that_only_the_body_asks_for_is_kept(serve):
    client = Client(serve(says(429, {"message": "slow down", "wait_seconds": 12})).url)
    client.call(READ)
    assert 12 <= client.pauses[0] <= 12.25


def test_of_two_pauses_that_a_vendor_asks_for_the_longer_one_is_kept(serve):
    client = Client(serve(says(429, {"wait_seconds": 12}, Retry_After="30")).url)
    client.call(READ)
    assert 30 <= client.pauses[0] <= 30.25


@pytest.mark.parametrize("endpoint", [READ, ONCE])
@pytest.mark.parametrize("status", [429, 503])
def test_a_longer_pause_than_a_minute_is_not_slept_but_told(serve, endpoint, status):
    server = serve(says(status, Retry_After="3600"))
    client = Client(server.url)
    error = failure(client, endpoint)
    assert error.retry_after == 3600
    assert (client.pauses, len(server.requests)) == ([], 1)


@pytest.mark.parametrize("endpoint", [READ, ONCE])
def test_a_pause_of_a_minute_that_the_vendor_asks_for_is_slept_and_not_a_moment_more(serve, endpoint):
    server = serve(says(429, Retry_After="60"), says(429, Retry_After="60.5"))
    client = Client(server.url)
    assert failure(client, endpoint).retry_after == 60.5
    assert (client.pauses, len(server.requests)) == ([MAX_PAUSE_SECONDS], 2)


@pytest.mark.parametrize("endpoint", [READ, ONCE])
def test_a_limit_that_says_nothing_of_its_end_is_waited_out_for_the_whole_window(serve, endpoint):
    client = Client(serve(says(429), says(429)).url, limit_window=60.0)
    client.call(endpoint)
    assert len(client.pauses) == 2
    assert all(60 <= pause <= 66 for pause in client.pauses)


def test_those_who_wait_for_a_window_come_back_spread(serve):
    limited = errors.RateLimited("x", vendor="Post", endpoint="x")
    assert [pause_before(1, limited, chance, 60.0) for chance in (0, 0.5, 1)] == pytest.approx([60, 63, 66])


def test_a_vendor_that_says_how_long_its_limit_holds_is_believed_whatever_the_window(serve):
    client = Client(serve(says(429, Retry_After="7")).url, limit_window=60.0)
    client.call(READ)
    assert 7 <= client.pauses[0] <= 7.25


def test_what_is_no_limit_is_not_waited_out_for_a_window(serve):
    client = Client(serve(says(503), resets).url, limit_window=60.0)
    client.call(READ)
    assert all(pause < 2 for pause in client.pauses)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("-5", 0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 09:00:30 -0300", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 12:00:30 -0000", 30),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
        ("Sat, 21 Nov 2026 12:00:30 +99999999999999", None),
        ("Sat, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


@pytest.mark.parametrize(
    ("attempt", "retry_after", "chance", "pause"),
    [
        (1, None, 0.0, 0.25),
        (1, None, 1.0, 0.75),
        (2, None, 0.5, 1.0),
        (3, None, 0.5, 2.0),
        (30, None, 1.0, MAX_PAUSE_SECONDS),
        (1, 0.0, 0.0, 0.0),
        (3, 7.0, 0.0, 7.0),
        (1, 7.0, 1.0, 7.25),
        (1, MAX_PAUSE_SECONDS, 1.0, MAX_PAUSE_SECONDS),
    ],
)
def test_pauses_double_and_spread_unless_the_vendor_says_how_long(attempt, retry_after, chance, pause):
    error = errors.RateLimited("x", vendor="Post", endpoint="x", retry_after=retry_after)
    assert pause_before(attempt, error, chance) == pytest.approx(pause)


def test_an_error_names_what_was_attempted_what_came_back_and_what_to_do(serve):
    error = failure(Client(serve(says(401, {"message": "Unauthorized", "code": "E7"})).url))
    for part in ("Post", "GET /campaigns", LABEL, "401 E7", "Unauthorized", "Check that the credential"):
        assert part in str(error)
    assert (error.vendor, error.endpoint, error.status, error.code) == ("Post", "GET /campaigns", 401, "E7")


@pytest.mark.parametrize("endpoint", [READ, ONCE])
@pytest.mark.parametrize("answer", [(404,), (500, {"message": "x"}), (200, b"<html>"), (302,), (200, b"x" * 5000)])
def test_the_vendors_id_of_the_request_is_in_the_error(serve, monkeypatch, endpoint, answer):
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 4000)
    server = serve(*[says(*answer, X_Request_Id="req-7")] * MAX_ATTEMPTS)
    assert failure(Client(server.url), endpoint).request_id == "req-7"


# Answers


def test_an_empty_success_has_no_data(serve):
    client = Client(serve(says(200, b""), b"HTTP/1.1 204 No Content\r\n\r\n", says(201, b" \r\n")).url)
    assert [client.call(ONCE).data for _ in range(3)] == [None, None, None]


def test_compressed_and_chunked_answers_are_read(serve):
    packed = gzip.compress(b'{"a": 1}')
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1, \r\n2\r\n2]\r\n0\r\n\r\n"
    client = Client(serve(says(200, packed, Content_Encoding="gzip"), chunked).url)
    assert (client.call(READ).data, client.call(READ).data) == ({"a": 1}, [1, 2])


def test_a_connection_is_kept_between_calls(serve):
    connections = []
    server = serve()
    accept = server._serve
    server._serve = lambda connection: connections.append(connection) or accept(connection)
    client = Client(server.url)
    for _ in range(5):
        client.call(READ)
    assert (len(server.requests), len(connections)) == (5, 1)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda answer: answer.object(), "without a JSON object"),
        (lambda answer: answer.object("campaign"), "in 'campaign'"),
        (lambda answer: answer.array(), "without an array of objects"),
        (lambda answer: answer.array("data"), "in 'data'"),
        (lambda answer: answer.id_of({}, "id", "_id"), "without an id (looked in id, _id)"),
    ],
)
@pytest.mark.parametrize("data", [None, "text", 5, [1], {"campaign": [], "data": [1]}])
def test_what_is_missing_in_an_answer_is_told_with_endpoint_and_field(read, words, data):
    if isinstance(data, dict) and words == "without a JSON object":
        assert read(Answer("Post", READ, 200, {}, data)) == data
        return
    with pytest.raises(errors.UnreadableAnswer) as caught:
        read(Answer("Post", READ, 200, {}, data))
    assert words in str(caught.value)
    assert "GET /campaigns" in str(caught.value)
    with pytest.raises(errors.OutcomeUnknown) as open_outcome:
        read(Answer("Post", ONCE, 201, {}, data))
    assert isinstance(open_outcome.value.__cause__, errors.UnreadableAnswer)


@pytest.mark.parametrize(("item", "read"), [({"_id": 7}, "7"), ({"id": None, "_id": "a"}, "a"), ({"id": "b"}, "b")])
def test_an_id_is_text_whatever_its_field_and_type(item, read):
    assert Answer("Post", READ, 200, {}, item).id_of(item, "id", "_id") == read


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, errors.Rejected),
        (401, errors.AuthenticationFailed),
        (402, errors.BillingLimitReached),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (408, errors.Unavailable),
        (409, errors.Conflict),
        (410, errors.NotFound),
        (422, errors.Rejected),
        (429, errors.RateLimited),
        (500, errors.Unavailable),
        (502, errors.Unavailable),
        (599, errors.Unavailable),
    ],
)
def test_statuses_mean_what_they_mean_everywhere(status, meaning):
    assert meaning_of(status) is meaning


# Requests


def test_a_request_goes_out_as_asked(serve):
    server = serve()
    Client(server.url).call(ONCE, query={"limit": 5, "after": None}, body={"name": "Olá"}, idempotency_key="k")
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/campaigns?limit=5")
    assert json.loads(request.body) == {"name": "Olá"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"].startswith("airflow-provider-campaigns/")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), NOW, {1, 2}, "\ud800", b"bytes"])
def test_a_body_that_json_cannot_carry_is_refused_before_anything_is_sent(serve, value):
    server = serve()
    with pytest.raises(errors.InvalidRequest, match="POST /campaigns"):
        Client(server.url).call(ONCE, body={"name": value})
    assert server.requests == []


# Telling of attempts


def test_each_attempt_is_told_with_its_status_and_none_where_there_was_no_answer(serve):
    told = []
    client = Client(serve(says(503), closes, says(200)).url, on_attempt=told.append)
    client.call(READ)
    assert [attempt.status for attempt in told] == [503, None, 200]
    assert {(attempt.vendor, attempt.endpoint, attempt.is_look) for attempt in told} == {("Post", READ, False)}
    assert all(attempt.seconds > 0 for attempt in told)


def test_a_refusal_is_told_with_its_status(serve):
    told = []
    failure(Client(serve(says(404)).url, on_attempt=told.append))
    assert [attempt.status for attempt in told] == [404]


def test_a_listener_that_fails_hides_nothing_that_an_answer_says(serve, caplog):
    def broken(attempt):
        raise OSError("no StatsD")

    assert Client(serve().url, on_attempt=broken).call(ONCE).data == {"ok": True}
    assert "What listens to the requests to Post failed" in caplog.text


def test_the_time_until_it_was_its_turn_is_told_and_logged_when_it_was_long(serve, caplog, monkeypatch):
    monkeypatch.setattr(attempts, "NOTABLE_WAIT_SECONDS", 0.2)
    caplog.set_level("INFO")
    told = []
    client = Client(serve().url, rate=Rate(1, 0.5), on_attempt=told.append)
    client.call(READ)
    assert "waited" not in caplog.text
    client.call(READ)
    assert "Post GET /campaigns waited 0." in caplog.text
    assert [attempt.waited > 0.2 for attempt in told] == [False, True]


# What a wrong host looks like


def test_a_404_without_words_names_the_host_that_was_asked(serve):
    server = serve(says(404))
    place = server.url.partition("://")[2]
    assert str(failure(Client(server.url))).endswith(f"may be wrong: this one went to {place}.")


def test_no_connection_names_the_host_and_the_cause(closed_port, no_proxies):
    refused = str(failure(Client(f"http://127.0.0.1:{closed_port}")))
    assert refused.endswith(f"no connection to 127.0.0.1:{closed_port} (Connection refused).")
    assert re.search(
        r"no connection to no-such-host\.invalid \(.*\w.*\)\.$", str(failure(Client("https://no-such-host.invalid")))
    )
