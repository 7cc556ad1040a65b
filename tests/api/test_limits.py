"""The limit of an account: shared by its clients, as low as the lowest of them wants it, and gone with them."""

from __future__ import annotations

import gc
import logging
import threading
import time
import uuid

import pytest
from post import READ, Client, seconds_for
from wire import says

from airflow_provider_campaigns.api import errors, limits
from airflow_provider_campaigns.api.limits import Rate
from airflow_provider_campaigns.api.options import ClientOptions

pytestmark = pytest.mark.usefixtures("no_proxies")


def test_one_request_more_than_a_window_holds_takes_at_least_the_window(serve):
    client = Client(serve().url, rate=Rate(5, 0.5))
    assert seconds_for([lambda: client.call(READ)] * 6) >= 0.5


def test_repeated_attempts_count_against_the_rate(serve):
    client = Client(serve(*[says(500)] * 3).url, rate=Rate(3, 0.5))
    assert seconds_for([lambda: client.call(READ)]) >= 0.5


def test_two_transports_of_one_account_share_its_rate(serve):
    clients = [Client(serve().url, key := str(uuid.uuid4()), rate=Rate(4, 0.5))]
    clients.append(Client(serve().url, key, rate=Rate(4, 0.5)))
    assert seconds_for([lambda client=client: client.call(READ) for client in clients * 2]) < 0.5
    assert seconds_for([lambda: clients[1].call(READ)]) > 0.1


def test_a_lower_rate_that_a_second_transport_brings_holds_for_the_first_too(serve):
    first = Client(serve().url, key := str(uuid.uuid4()), rate=Rate(100, 0.5))
    others = [Client(serve().url, key, rate=Rate(requests, 0.5)) for requests in (3, 100)]
    assert seconds_for([lambda: first.call(READ)] * 4) >= 0.5
    del others


@pytest.mark.parametrize("leaves", [lambda clients: clients.pop().close(), lambda clients: clients.clear()])
def test_a_lower_rate_holds_as_long_as_its_client_and_what_was_asked_before_still_counts(serve, leaves):
    first = Client(serve().url, key := str(uuid.uuid4()), rate=Rate(10, 2.0))
    slow = [Client(serve().url, key, rate=Rate(3, 2.0))]
    began = time.monotonic()
    slow[0].call(READ)
    leaves(slow)
    gc.collect()
    # At the lower rate nine calls would take four seconds; the tenth waits until the slow client's call is forgotten.
    assert seconds_for([lambda: first.call(READ)] * 9) < 3.5
    seconds_for([lambda: first.call(READ)] * 1)
    assert time.monotonic() - began >= 1.9


def test_a_client_that_is_closed_and_used_again_counts_again(serve):
    first = Client(serve().url, key := str(uuid.uuid4()), rate=Rate(100, 0.5))
    slow = Client(serve().url, key, rate=Rate(3, 0.5))
    slow.close()
    slow.call(READ)
    assert seconds_for([lambda: first.call(READ)] * 3) > 0.3


def test_hundreds_of_accounts_take_no_thread_each_and_are_forgotten_with_their_clients(serve):
    server = serve()
    before = threading.active_count()
    clients = [Client(server.url, rate=Rate(100, 0.2)) for _ in range(300)]
    for client in clients[:20]:
        client.call(READ)
    assert threading.active_count() - before <= 20  # those of the server's connections
    assert len(limits._limits) >= 300
    del client
    clients.clear()
    gc.collect()
    time.sleep(0.3)
    Client(server.url, rate=Rate(100, 0.2))
    assert len(limits._limits) < 300


def test_the_limiter_logs_nothing_of_its_own(serve, caplog):
    caplog.set_level(0)
    client = Client(serve().url, rate=Rate(1, 0.2))
    for _ in range(2):
        client.call(READ)
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


def test_other_accounts_do_not_share_a_rate(serve):
    server = serve()
    clients = [Client(server.url, rate=Rate(1, 30.0)) for _ in range(5)]
    assert seconds_for([lambda client=client: client.call(READ) for client in clients]) < 5


@pytest.mark.parametrize(
    ("rate", "window"),
    [(12, (12, 1)), (2.9, (2, 1)), (1, (1, 1)), (0.5, (30, 60)), (1 / 60, (1, 60)), (0.01, (1, 100))],
)
def test_a_rate_is_a_window_that_never_allows_more(rate, window):
    asked = Rate.per_second(rate)
    assert (asked.requests, asked.seconds) == window
    assert asked.requests / asked.seconds <= rate + 1e-9


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(errors.InvalidRequest, match="rate_limit"):
        Rate.per_second(rate)


def looks(client: Client) -> None:
    with limits.looking():
        client.call(READ)


def test_looks_are_spread_over_the_window_and_take_their_share(serve):
    client = Client(serve().url, rate=Rate(10, 2.0), look_share=0.5)
    # Five in two seconds, a distance of 0.4 seconds from each other.
    assert seconds_for([lambda: looks(client)] * 4) >= 1.2


def test_two_thirds_are_for_looks_unless_a_client_says_otherwise(serve):
    client = Client(serve().url, rate=Rate(3, 1.5))
    assert seconds_for([lambda: looks(client)] * 3) >= 1.5


def test_a_look_that_waits_for_its_turn_steps_aside_for_a_start(serve):
    client = Client(serve().url, rate=Rate(2, 1.0), look_share=1.0)
    for _ in range(2):
        client.call(READ)
    came: list[str] = []

    def ask(kind: str) -> None:
        (looks if kind == "look" else Client.call)(client, *([] if kind == "look" else [READ]))
        came.append(kind)

    threads = [threading.Thread(target=ask, args=(kind,)) for kind in ("start", "start", "look", "look")]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join(10)
    assert came == ["start", "start", "look", "look"]


def test_a_look_steps_aside_for_one_window_at_most_however_many_starts_there_are(serve):
    client = Client(serve().url, rate=Rate(5, 0.5))
    client.call(READ)
    limit = limits._limits[client.account.digest]
    # As if there was always one more that waits.
    limit.first = 1
    look = threading.Thread(target=looks, args=(client,), daemon=True)
    look.start()
    look.join(30)
    assert not look.is_alive()


@pytest.mark.parametrize("share", [0, -0.5, 1.1, float("nan")])
def test_a_share_of_looks_that_cannot_be_is_refused(share):
    with pytest.raises(errors.InvalidRequest, match="look_share"):
        ClientOptions(look_share=share)
