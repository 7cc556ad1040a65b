"""Recordings of Altur's calls: downloaded whole with the key, from the account's own host alone."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from at_altur import API_KEY, Connect, launched
from wire import cuts_off, says

from airflow_provider_campaigns.api import errors, transport
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.altur.recordings import recording_place
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.sandbox.altur.campaign import SENDING_SECONDS
from airflow_provider_campaigns.sandbox.clock import ManualClock

pytestmark = pytest.mark.usefixtures("no_proxies")

URL = "/api/v1.0/call/cll_7/recording"
SOUND = b"RIFF\x00\x01WAVE" + bytes(range(256)) * 4
BASE = "https://api.altur.io/api/v1.0"


def sound(**headers: str) -> bytes:
    return says(200, SOUND, **{"Content_Type": "audio/wav", **headers})


def test_each_answered_call_has_a_recording_and_no_other_has(client: AlturClient, clock: ManualClock) -> None:
    campaign = launched(client, number=20)
    clock.advance(SENDING_SECONDS)
    kinds = set()
    for call in client.list_calls(campaign.id):
        file = io.BytesIO()
        if call["status"] == "ended":
            kinds.add(client.download_recording(call["recording_url"], file))
            assert file.getvalue().startswith(b"RIFF")
        else:
            with pytest.raises(errors.NotFound):
                client.download_recording(call["recording_url"], file)
    assert kinds == {"audio/wav"}


def test_a_recording_is_asked_for_with_the_key_below_the_base_url(connect: Connect, serve: Any) -> None:
    server = serve(sound(Content_Type="Audio/MPEG; rate=8000"))
    file = io.BytesIO(b"what an earlier attempt left, longer than the recording" * 100)
    assert connect(base_url=f"{server.url}/base").download_recording(URL, file) == "audio/mpeg"
    assert file.read() == file.getvalue() == SOUND
    assert server.requests[0].target == "/base/call/cll_7/recording"
    assert server.requests[0].headers["authorization"] == f"api-key {API_KEY}"


def test_a_packed_recording_is_unpacked(connect: Connect, serve: Any) -> None:
    file = io.BytesIO()
    answer = says(200, gzip.compress(SOUND), Content_Encoding="gzip")
    assert connect(base_url=serve(answer).url).download_recording(URL, file) == ""
    assert file.getvalue() == SOUND


def test_a_recording_that_is_cut_off_is_asked_for_again(connect: Connect, serve: Any) -> None:
    def cut(connection: Any, request: Any) -> None:
        connection.sendall(sound()[:-500])

    file = io.BytesIO()
    server = serve(cut, cuts_off, sound())
    connect(base_url=server.url).download_recording(URL, file)
    assert (file.getvalue(), len(server.requests)) == (SOUND, 3)
    with pytest.raises(errors.Unavailable, match="cut off"):
        connect(base_url=serve(*[cut] * 10).url).download_recording(URL, file)


NONE = {
    "a page": says(200, b"<html>Sign in</html>", Content_Type="text/html"),
    "a page by another name": says(200, b"\n <!doctype html>", Content_Type="audio/wav"),
    "an error as JSON": says(200, {"error": "not yet"}, Content_Type="application/json"),
    "JSON by no name": says(200, {"success": False}),
    "a problem": says(200, SOUND, Content_Type="application/problem+json"),
    "nothing": says(200, b"", Content_Type="audio/wav"),
    "no content": says(204, b""),
    "a part": says(206, SOUND, Content_Type="audio/wav"),
}


@pytest.mark.parametrize("answer", NONE.values(), ids=NONE)
def test_what_is_no_recording_is_refused(connect: Connect, serve: Any, answer: bytes) -> None:
    with pytest.raises(errors.UnreadableAnswer, match="but the body is"):
        connect(base_url=serve(*[answer] * 10).url).download_recording(URL, io.BytesIO())


def test_a_recording_that_is_too_large_is_refused(
    connect: Connect, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_BINARY_BYTES", 2**20)
    big = says(200, b"R" * (2**20 + 1), Content_Type="audio/wav")
    with pytest.raises(errors.UnreadableAnswer, match="larger than 1 MiB"):
        connect(base_url=serve(*[big] * 10).url).download_recording(URL, io.BytesIO())


def test_a_redirect_to_where_a_recording_is_kept_is_not_followed(connect: Connect, serve: Any) -> None:
    other = serve(sound())
    server = serve(says(302, Location=f"http://localhost:{other.port}/cll_7.wav"))
    with pytest.raises(errors.Rejected, match="localhost"):
        connect(base_url=server.url).download_recording(URL, io.BytesIO())
    assert (len(server.requests), other.requests) == (1, [])


def test_the_key_goes_to_no_other_host(connect: Connect, serve: Any) -> None:
    other, server = serve(sound()), serve(sound())
    for url in (f"http://localhost:{other.port}{URL}", f"http://127.0.0.1:{other.port}{URL}", f"//other.example{URL}"):
        with pytest.raises(errors.InvalidRequest, match=r"leads to (localhost|127\.0\.0\.1|other\.example), which"):
            connect(base_url=server.url).download_recording(url, io.BytesIO())
    assert other.requests == server.requests == []
    connect(base_url=server.url).download_recording(server.url + URL, io.BytesIO())
    assert len(server.requests) == 1


def test_what_is_no_json_is_taken_from_a_binary_endpoint_alone(connect: Connect, serve: Any) -> None:
    client = connect(base_url=serve(*[sound()] * 10).url)
    with pytest.raises(errors.UnreadableAnswer, match="not JSON"):
        client.transport.call(Endpoint("GET", "/campaigns"), into=io.BytesIO())


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "/call/cll_7/recording",
        BASE + "/call/cll_7/recording",
        "https://API.altur.io:443" + URL,
        "/api/v1.0/call/cll%5F7/recording/",
    ],
)
def test_a_url_tells_the_call(url: str) -> None:
    assert recording_place(url, BASE) == {"call_id": "cll_7"}


@pytest.mark.parametrize(
    "url",
    [
        "http://api.altur.io" + URL,
        "https://api.altur.io:8443" + URL,
        "https://user@api.altur.io" + URL,
        "https://api.altur.io.example" + URL,
        "https://api.altur.io\\@other.example" + URL,
        "ftp:" + URL,
        "file://" + URL,
        "https://[" + URL,
        "https://api.altur.io:x" + URL,
        URL + "?to=https://other.example",
        "/api/v1.0/campaigns/7",
        "/api/v1.0/call//recording",
        "/api/v1.0/call/7/recording/x",
        "call/7",
        "",
        None,
        7,
        {"url": URL},
    ],
)
def test_any_other_url_is_refused(url: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match="recording_url"):
        recording_place(url, BASE)


@pytest.mark.parametrize("url", ["/call/../recording", "/call/%2e%2e/recording", "/call/%00/recording"])
def test_no_id_leads_elsewhere_below_the_base_url(connect: Connect, serve: Any, url: str) -> None:
    server = serve(sound())
    with pytest.raises(errors.InvalidRequest):
        connect(base_url=server.url).download_recording(url, io.BytesIO())
    assert server.requests == []
