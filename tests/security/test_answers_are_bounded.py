"""Whatever a vendor answers costs a bounded amount of memory and time, and ends in an error that says what it was."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from wire import Received, says, trickles

from airflow_provider_campaigns.api import errors, transport
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.repeating import MAX_ATTEMPTS

pytestmark = pytest.mark.usefixtures("no_proxies")

MIB = 2**20
CALLS: Mapping[str, Callable[[CampaignClient], object]] = {
    "a read": lambda client: client.check(),
    "a create": lambda client: client.create_campaign(name="Winter"),
}


@pytest.fixture
def kinbox() -> Callable[..., KinboxClient]:
    """A client for what is the same for all vendors: how an answer comes in is the transport's affair."""
    return lambda base_url, **options: KinboxClient("token", base_url=base_url, sleep=lambda _: None, **options)


def failure_of(call: str, client: CampaignClient) -> errors.CampaignAPIError:
    with pytest.raises(errors.CampaignAPIError) as caught:
        CALLS[call](client)
    return caught.value


def peak_of(act: Callable[[], Any]) -> tuple[Any, int]:
    """Return what comes of an act, and the most memory that Python had at a time for it."""
    tracemalloc.start()
    try:
        return act(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Bodies without end


def packed(window: int) -> Iterator[bytes]:
    """Yield packed blanks without end: each MiB of them comes as one KiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    yield packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    yield from itertools.repeat(packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH))


def chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def blanks() -> Iterator[bytes]:
    return itertools.repeat(b" " * 65536)


TOO_LARGE, OTHERWISE_PACKED = "larger than 2 MiB", "packed in another way than was asked for"
#: Status and headers, the body that follows, and what is said of it.
ENDLESS: Mapping[str, tuple[str, Callable[[], Iterator[bytes]], str]] = {
    "with a length": ("200 OK\r\nContent-Length: 1000000000000", blanks, TOO_LARGE),
    "without a length": ("200 OK", blanks, TOO_LARGE),
    "in chunks": ("200 OK\r\nTransfer-Encoding: chunked", lambda: chunks(blanks()), TOO_LARGE),
    "of an error": ("500 Trouble\r\nTransfer-Encoding: chunked", lambda: chunks(blanks()), TOO_LARGE),
    "of a redirect": ("302 Found\r\nLocation: /x", blanks, TOO_LARGE),
    "packed": ("200 OK\r\nContent-Encoding: gzip", lambda: packed(31), TOO_LARGE),
    "packed in chunks": (
        "200 OK\r\nContent-Encoding: GZIP\r\nTransfer-Encoding: chunked",
        lambda: chunks(packed(31)),
        TOO_LARGE,
    ),
    "packed with deflate": ("200 OK\r\nContent-Encoding: deflate", lambda: packed(15), OTHERWISE_PACKED),
    "packed twice": ("200 OK\r\nContent-Encoding: gzip, gzip", lambda: packed(31), OTHERWISE_PACKED),
    "packed by nobody knows what": ("200 OK\r\nContent-Encoding: snow", blanks, OTHERWISE_PACKED),
}


class Endless:
    """An answer without end, and how often its reader hung up."""

    def __init__(self, kind: str) -> None:
        self._head, self._body, self.said = ENDLESS[kind]
        self.hung_up = threading.Semaphore(0)

    def __call__(self, connection: socket.socket, request: Received) -> None:
        connection.settimeout(10)
        try:
            connection.sendall(f"HTTP/1.1 {self._head}\r\n\r\n".encode())
            for piece in self._body():
                connection.sendall(piece)
        except ConnectionError:
            self.hung_up.release()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_body_without_end_is_refused_at_the_limit_and_its_connection_closed(
    kinbox: Any, serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str, call: str
) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 2 * MIB)
    answer = Endless(kind)
    server = serve(*[answer] * MAX_ATTEMPTS)
    client = kinbox(server.url, timeout=10)
    error, peak = peak_of(lambda: failure_of(call, client))
    assert answer.said in str(error)
    assert isinstance(error, (errors.UnreadableAnswer, errors.OutcomeUnknown))
    # The server's part, in the same process, holds some of it too.
    assert peak < 12 * MIB
    assert all(answer.hung_up.acquire(timeout=5) for _ in server.requests)


def test_the_limit_keeps_the_memory_bounded_over_all_attempts(serve: Any) -> None:
    answer = Endless("packed")
    # Altur's create has a key and is sent again, and what became of each attempt is remembered to the end.
    client = AlturClient("key", base_url=serve(*[answer] * MAX_ATTEMPTS).url, sleep=lambda _: None)
    fields = {"name": "Winter", "agent_id": "agent", "integration_id": "line", "integration_type": "phone_call"}

    def create() -> errors.CampaignAPIError:
        with pytest.raises(errors.OutcomeUnknown, match="larger than 64 MiB") as caught:
            client.create_campaign(**fields)
        return caught.value

    _, peak = peak_of(create)
    assert peak < 100 * MIB


def test_a_list_that_is_kept_in_a_file_has_a_limit_too(
    kinbox: Any, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_KEPT_BYTES", 2 * MIB)
    for kind in ("in chunks", "packed"):
        answer = Endless(kind)
        with pytest.raises(errors.UnreadableAnswer, match=TOO_LARGE):
            list(kinbox(serve(*[answer] * MAX_ATTEMPTS).url, timeout=10).list_lead_results("7"))
        assert answer.hung_up.acquire(timeout=5)


def test_an_answer_that_is_packed_well_is_read(kinbox: Any, serve: Any) -> None:
    body = json.dumps({"id": "7", "note": "x" * MIB}).encode()
    server = serve(says(200, gzip.compress(body), Content_Encoding="gzip"), says(200, body))
    client = kinbox(server.url, timeout=5)
    assert [client.create_campaign(name="Winter").id for _ in range(2)] == ["7", "7"]
    assert server.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("spoil", [lambda body: body[:-20], lambda body: body[:50] + b"xx" + body[52:], lambda _: b"x"])
def test_what_cannot_be_unpacked_is_unreadable(kinbox: Any, serve: Any, spoil: Any) -> None:
    body = gzip.compress(json.dumps([str(number) for number in range(1000)]).encode())
    answer = says(200, spoil(body), Content_Encoding="gzip")
    error = failure_of("a read", kinbox(serve(*[answer] * MAX_ATTEMPTS).url))
    assert isinstance(error, errors.UnreadableAnswer)
    assert "unpacked" in str(error)


def test_an_answer_that_trickles_in_is_given_up_in_the_end(kinbox: Any, serve: Any) -> None:
    began = time.monotonic()
    error = failure_of("a create", kinbox(serve(trickles).url, timeout=0.1))
    assert "did not come to its end in time" in str(error)
    assert time.monotonic() - began < 5


# Heads

HEADS = {
    "many headers": [b"HTTP/1.1 200 OK", *[b"X-%d: y" % number for number in range(5000)]],
    "a huge header": [b"HTTP/1.1 200 OK", b"X: " + b"y" * 3_000_000],
    "a huge reason": [b"HTTP/1.1 200 " + b"y" * 3_000_000],
    "no status": [b"HTTP/1.1 99999 OK"],
    "no head": [b"y" * 3_000_000],
    "null bytes": [b"\x00" * 3_000_000],
    "empty lines": [b""] * 100_000,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("head", HEADS)
def test_a_head_that_is_none_ends_in_an_error_and_bounded_memory(kinbox: Any, serve: Any, head: str, call: str) -> None:
    answer = b"\r\n".join([*HEADS[head], b"Content-Length: 2", b"", b"{}"])

    def send(connection: socket.socket, request: Received) -> None:
        connection.sendall(answer)

    client = kinbox(serve(*[send] * MAX_ATTEMPTS).url, timeout=2)
    error, peak = peak_of(lambda: failure_of(call, client))
    assert isinstance(error, errors.Unavailable) or isinstance(error.__cause__, errors.Unavailable)
    assert peak < 12 * MIB


# JSON


def nested(depth: int, closed: bool = True) -> dict[str, bytes]:
    """Return JSON of a depth, in the places that a reader looks into."""
    return {
        "arrays": b"[" * depth + b"]" * depth * closed,
        "objects": b'{"message":' * depth + b"1" + b"}" * depth * closed,
        "arrays in a message": b'{"message":' + b"[" * depth + b'"x"' + b"]" * depth + b"}" * closed,
        "objects in a message": b'{"message":' + b'{"a":' * depth + b'"x"' + b"}" * depth + b"}" * closed,
        "objects in an error": b'{"errors":[{"msg":' + b'{"a":' * depth + b'"x"' + b"}" * depth + b"}]}" * closed,
        "arrays in an error": b'{"errors":[{"msg":' + b"[" * depth + b'"x"' + b"]" * depth + b"}]}" * closed,
        "objects in a status": b'{"data":{"status":' + b'{"a":' * depth + b'"x"' + b"}" * depth + b"}}" * closed,
    }


@pytest.mark.parametrize("kind", nested(1))
def test_json_of_any_depth_is_read_or_refused_and_no_crash(vendor: Any, connect: Any, serve: Any, kind: str) -> None:
    for depth in (50, 300, 450, 700, 950, 3000, 100_000):
        for status in (200, 400, 429, 500):
            answers = [says(status, nested(depth)[kind], Retry_After="0")] * MAX_ATTEMPTS
            with contextlib.suppress(errors.CampaignAPIError):
                connect(serve(*answers).url, timeout=5).check()


def test_json_that_never_closes_what_it_opens_is_unreadable(vendor: Any, connect: Any, serve: Any) -> None:
    for body in nested(100_000, closed=False).values():
        with pytest.raises(errors.UnreadableAnswer):
            connect(serve(*[says(200, body)] * MAX_ATTEMPTS).url, timeout=5).check()


NO_JSON = {
    "bytes": b"\xff\xfe\xff",
    "half UTF-8": b'{"a": "\xff"}',
    "a huge number": b"9" * 10_000,
    "Python": b"{'a': 1}",
    "a word": b"OK",
    "XML": b"<x/>",
    "a null byte": b"\x00",
    "a null byte in a text": b'{"a": "\x00"}',
}


@pytest.mark.parametrize("body", NO_JSON)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_what_is_no_json_is_unreadable_whatever_it_is_called(
    vendor: Any, connect: Any, serve: Any, body: str, kind: str
) -> None:
    answers = [says(200, NO_JSON[body], Content_Type=kind)] * MAX_ATTEMPTS
    with pytest.raises(errors.UnreadableAnswer, match="the body is not JSON") as caught:
        connect(serve(*answers).url).check()
    assert caught.value.endpoint in str(caught.value)


NUMBERS = ("1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1e308", "9" * 4000, "9" * 5000, "-1", "1.5", "1e18")
#: The fields in which some vendor gives a number, or should not give one.
NUMBERED = (
    *("progress", "leadsCount", "messagesProcessed", "totalMessagesSent", "totalCallsCompleted", "total_count"),
    *("totalResults", "totalCount", "skip", "limit", "createdAt", "name", "contactLists"),
)
COUNTED = ("contacts", "contactsProcessed", "contactsProcessedRate", "sent", "delivered", "received")


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:9])
def test_figures_that_are_none_are_left_out_and_no_crash(
    vendor: Any, connect: Any, serve: Any, number: str, quoted: bool
) -> None:
    figure = f'"{number}"' if quoted else number
    counts = "{" + ",".join(f'"{name}":{figure}' for name in COUNTED) + "}"
    figures = ",".join(f'"{name}":{figure}' for name in NUMBERED)
    item = f'"id":"7","_id":"7","status":"active",{figures},"resultCounts":{counts},"analytics":{counts}'
    body = f'{{{item},"campaigns":[{{{item}}}],"data":{{{item},"results":[{{{item}}}]}}}}'.encode()
    client = connect(serve(*[says(200, body)] * 100).url, timeout=5)
    with contextlib.suppress(errors.CampaignAPIError):
        seen = client.get_campaign("7").as_dict()
        assert all(count < 2**63 for count in seen["counts"].values())
        assert seen["progress"] is None or 0 <= seen["progress"] <= 100
        json.dumps(seen, allow_nan=False)


def test_of_a_field_that_comes_twice_the_last_counts(kinbox: Any, serve: Any) -> None:
    server = serve(says(200, b'{"id": "6", "id": "7", "status": "done", "status": "paused"}'))
    campaign = kinbox(server.url).get_campaign("7")
    assert (campaign.id, campaign.vendor_status) == ("7", "paused")


@pytest.mark.thorough
@pytest.mark.parametrize("entry", [b"1", b"{}", b"[]"])
@pytest.mark.parametrize(("status", "field"), [(200, "data"), (200, "campaigns"), (400, "message"), (400, "errors")])
def test_hundreds_of_thousands_of_entries_where_a_page_belongs_are_refused_in_seconds(
    vendor: Any, connect: Any, serve: Any, status: int, field: str, entry: bytes
) -> None:
    answer = b'{"%b":[%b]}' % (field.encode(), b",".join([entry] * 300_000))
    client = connect(serve(*[says(status, answer)] * MAX_ATTEMPTS).url, timeout=10)
    began = time.monotonic()
    with pytest.raises(errors.CampaignAPIError) as caught:
        next(client.list_campaigns())
    assert len(str(caught.value)) < 2000
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "word", ["9", "eyJ", "AA_", "A", "<", "<style", "+1 ", "http://", " ", "rate limit ", "\n\x1b[31m", "(55", "%25"]
)
def test_a_refusal_of_very_many_words_is_told_in_few_and_at_once(
    vendor: Any, connect: Any, serve: Any, word: str
) -> None:
    words = word * (200_000 // len(word))
    said = {"success": False, "status": "failed", "message": words, "code": words, "errors": [{"msg": words}]}
    for status in (400, 429):
        server = serve(*[says(status, said, Retry_After="0", X_Request_Id="r" * 60_000)] * MAX_ATTEMPTS)
        began = time.monotonic()
        with pytest.raises(errors.CampaignAPIError) as caught:
            next(connect(server.url, timeout=10).list_campaigns())
        assert time.monotonic() - began < 5
        assert len(f"{caught.value} {vars(caught.value)}") < 2000
        assert str(caught.value).isprintable()
