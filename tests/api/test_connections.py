"""A connection: each request gets its own answer, each exchange comes to its end, each process has its own."""

from __future__ import annotations

import os
import select
import signal
import time

import pytest
from post import ONCE, ONE, READ, Client, failure, seconds_for
from wire import ENDLESS, says

from airflow_provider_campaigns.api import errors, limits
from airflow_provider_campaigns.api.limits import Rate
from airflow_provider_campaigns.api.repeating import MAX_ATTEMPTS
from airflow_provider_campaigns.api.transport import TIMEOUTS_FOR_EACH_ATTEMPT

pytestmark = pytest.mark.usefixtures("no_proxies")

# Interim answers, and answers to something else


INTERIM = {
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "102": b"HTTP/1.1 102 Processing\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("endpoint", [READ, ONCE])
@pytest.mark.parametrize("interim", [*([one] for one in INTERIM), ["100", "103", "102"]], ids=str)
def test_an_interim_answer_is_waited_past_and_the_real_one_answers_its_own_request(serve, endpoint, interim):
    before = b"".join(INTERIM[one] for one in interim)
    client = Client(serve(before + says(200, {"id": "a"}), says(200, {"id": "b"})).url)
    assert [client.call(endpoint).data["id"] for _ in range(2)] == ["a", "b"]


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_an_interim_answer_alone_leaves_the_outcome_open(serve, interim):
    def answers(connection, request):
        connection.sendall(interim)

    server = serve(answers)
    assert isinstance(failure(Client(server.url), ONCE), errors.OutcomeUnknown)
    assert len(server.requests) == 1


def test_another_protocol_that_nobody_asked_for_leaves_the_outcome_open_and_the_connection_closed(serve):
    server = serve(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + says(200, {"id": "a"}), says(200, {"id": "b"}))
    client = Client(server.url)
    assert isinstance(failure(client, ONCE), errors.OutcomeUnknown)
    assert client.call(ONCE).data == {"id": "b"}


# An end in time


@pytest.mark.parametrize("answer", ENDLESS)
def test_an_answer_that_never_ends_is_given_up_though_something_comes_all_the_time(serve, answer):
    error = failure(Client(serve(ENDLESS[answer]).url, timeout=0.2), ONCE)
    assert isinstance(error, errors.OutcomeUnknown)
    assert "within 1 s" in str(error) or "did not come to its end in time" in str(error)


def test_a_read_whose_answers_never_end_is_given_up_after_as_many_attempts_as_any(serve):
    server = serve(*[ENDLESS["a dripping header"]] * MAX_ATTEMPTS)
    failure(Client(server.url, timeout=0.2))
    assert len(server.requests) == MAX_ATTEMPTS


def test_a_connection_is_as_patient_after_a_late_answer_as_before(serve):
    def late(connection, request):
        for piece in (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"X: y\r\n", b"\r\n{", b"}"):
            time.sleep(0.23)
            connection.sendall(piece)
        connection.recv(65536)
        time.sleep(0.25)
        connection.sendall(says(200, {"id": "b"}))

    server = serve(late)
    client = Client(server.url, timeout=0.3)
    client.call(ONE, path={"campaign_id": "a"})
    assert client.call(ONE, path={"campaign_id": "b"}).data == {"id": "b"}
    assert len(server.requests) == 1  # the second came in over the same connection


def test_a_download_may_take_longer_than_an_answer_as_long_as_it_keeps_coming(serve, tmp_path):
    def comes(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 800002\r\n\r\n[")
        for _ in range(8):
            connection.sendall(b" " * 100_000)
            time.sleep(0.3)
        connection.sendall(b"]")

    with (tmp_path / "body").open("w+b") as file:
        client = Client(serve(comes).url, timeout=0.4)
        assert seconds_for([lambda: client.call(READ, into=file)]) > TIMEOUTS_FOR_EACH_ATTEMPT * 0.4
        assert len(file.read()) == 800_002


@pytest.mark.parametrize("answer", ["a dripping body", "dripping chunks", "a dripping header"])
def test_a_download_that_drips_is_given_up(serve, tmp_path, answer):
    with (tmp_path / "body").open("w+b") as file:
        client = Client(serve(*[ENDLESS[answer]] * MAX_ATTEMPTS).url, timeout=0.1)
        assert seconds_for([lambda: failure(client, into=file)]) < 10


# Forks


def in_a_fork(act):
    """Run something in a forked process and return what it said, or fail when it hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, repr(act()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], 10)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = os.read(reading, 1000).decode() if ready else "it hangs"
    os.close(reading)
    return said


def test_a_client_that_is_used_after_a_fork_has_connections_of_its_own(serve):
    server = serve()
    client = Client(server.url)
    ports = []
    serve_one = server._serve
    server._serve = lambda connection: ports.append(connection.getpeername()) or serve_one(connection)
    client.call(READ)
    assert in_a_fork(lambda: client.call(READ).data) == "{'ok': True}"
    client.call(READ)
    assert (len(server.requests), len(ports)) == (3, 2)


def test_a_fork_while_another_thread_waits_at_the_limit_does_not_hang_the_child(serve):
    client = Client(serve().url, rate=Rate(100, 30.0))
    client.call(READ)
    with limits._lock, limits._limits[client.account.digest].limiter().lock:
        assert in_a_fork(lambda: client.call(READ).data) == "{'ok': True}"
