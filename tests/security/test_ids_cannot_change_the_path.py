"""An id or a name stays one segment of the path it is put into, in every method of every client there is."""

from __future__ import annotations

import datetime
import inspect
import io
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from good_answers import ANSWERS
from wire import Received, says

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.contacts import on_the_wire
from airflow_provider_campaigns.api.endpoints import Endpoint, path_segment
from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient

pytestmark = pytest.mark.usefixtures("no_proxies")

CLIENTS: Mapping[str, type[CampaignClient]] = {"kinbox": KinboxClient, "altur": AlturClient, "koreai": KoreAIClient}
#: A harmless value, unlike anything else in a request: where it turns up, that is the place. Altur's ids are numbers.
PROBES = {"kinbox": "probe-7", "altur": "7070707", "koreai": "probe-7"}
#: What methods need besides, by the parameter's name.
NEEDED: Mapping[str, Any] = {
    "start": datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC),
    "end": datetime.datetime(2030, 2, 1, tzinfo=datetime.UTC),
    "every_days": 1,
}
CONTACTS = {"altur": [{"contact": "+5215512345678"}], "koreai": [{"phoneNumber": "+5215512345678"}]}

HOSTILE = [
    "a/b", "a//b", "/", "../x", "a/../../b", "..", ".", "...", "%2e%2e", "%2E%2E", "%2e", "..%2f", "a%2Fb", "%252e",
    "%", "a?b=c", "?", "a#b", "#", "a;b", "a\\b", "..\\..", "a b", " ", " ..", "", "a\nb", "a\r\nX-Other: y", "a\tb",
    "\x00", "a\x00b", "\x7f", "\x85", "\u2028", "\ud800", "ü", "\uff0e\uff0e", "\uff0f", "a:b@c", "//evil.example.com",
    "http://evil.example.com/", "{x}", "{campaign_id}", "&a=b", "=", "+", "x" * 20_000, None, 5.5, True, b"a",
]  # fmt: skip


#: What takes its id out of an address, and is tried by itself.
BY_ADDRESS = {"GET /call/{call_id}/recording"}


def takes_a_place(parameter: str) -> bool:
    return parameter == "name" or parameter.endswith(("_id", "_ids", "_name"))


class Caller:
    """
    A client's methods, called with one argument that matters, and the requests that they make.

    :param client: The client.
    :param received: The requests that came in at its vendor so far.
    """

    def __init__(self, vendor: Any, client: CampaignClient, received: list[Received]) -> None:
        self.probe = PROBES[vendor.name]
        self._vendor = vendor
        self._client = client
        self._received = received

    def candidates(self) -> Iterator[tuple[str, str]]:
        """Yield each public method with each of its parameters that could go into a path."""
        for method, function in inspect.getmembers(type(self._client), inspect.isfunction):
            for parameter in inspect.signature(function).parameters:
                if not method.startswith("_") and takes_a_place(parameter):
                    yield method, parameter

    def requests_of(self, method: str, parameter: str, value: Any) -> tuple[list[Received], Exception | None]:
        """Return the requests that a call makes, and how it failed."""
        before = len(self._received)
        try:
            result = getattr(self._client, method)(**{**self._arguments(method), parameter: value})
            if isinstance(result, Iterator):
                list(result)
        except (CampaignAPIError, InvalidRequest) as error:
            return self._received[before:], error
        return self._received[before:], None

    def _arguments(self, method: str) -> dict[str, Any]:
        known = {**self._vendor.fields, **NEEDED, "contacts": CONTACTS.get(self._vendor.name)}
        declared = inspect.signature(getattr(self._client, method)).parameters
        if method == "add_checked_contacts":
            known["contacts"] = [on_the_wire(contact) for contact in known["contacts"]]
        required = [name for name, one in declared.items() if one.default is one.empty and name != "values"]
        given = {name: known.get(name, "1") for name in [*required, *({"every_days"} & set(declared))]}
        if method.startswith("update"):
            # Kore.ai's update replaces all fields; Altur's refuses some of those that a create needs.
            given |= self._vendor.fields if self._vendor.name == "koreai" else {"name": "Another"}
        return {name: value for name, value in given.items() if name in declared or "values" in declared}


def is_allowed(request: Received, harmless: Received, probe: str, value: str) -> bool:
    """Whether a request is the harmless one with nothing changed but the value, which is one segment."""
    here, there = urlsplit(request.target), urlsplit(harmless.target)
    pairs = list(zip(here.path.split("/"), there.path.split("/"), strict=False))
    same_query = [name for name, _ in parse_qsl(here.query)] == [name for name, _ in parse_qsl(there.query)]
    return (
        (request.method, here.path.count("/"), here.fragment) == (harmless.method, there.path.count("/"), "")
        and same_query
        and all(new == old or (old == probe and unquote(new) == value and new not in (".", "..")) for new, old in pairs)
    )


@pytest.fixture
def caller(request: pytest.FixtureRequest, vendor: Any, connect: Any, serve: Any) -> Caller:
    """The methods of a vendor's client, in a version of its API."""
    server = serve(*[says(200, ANSWERS[vendor.name])] * 10_000)
    options = {"api_version": request.param} if vendor.name == "koreai" else {}
    return Caller(vendor, connect(f"{server.url}/base", timeout=10, rate_limit=100_000, **options), server.requests)


def endpoints_of(client: type[CampaignClient], version: str) -> set[Endpoint]:
    """Return all endpoints with places in their paths that a client's modules declare."""
    declared = [value for base in client.__mro__ for value in vars(sys.modules[base.__module__]).values()]
    chosen = [value[version] if isinstance(value, dict) and version in value else value for value in declared]
    return {one for one in chosen if isinstance(one, Endpoint) and "{" in one.path.replace("{app_id}", "")}


@pytest.mark.parametrize(
    ("vendor", "caller"), [("kinbox", "v1"), ("altur", "v1"), ("koreai", "v1"), ("koreai", "v2")], indirect=True
)
def test_a_value_that_is_put_into_a_path_stays_one_segment_of_it(
    vendor: Any, caller: Caller, request: pytest.FixtureRequest
) -> None:
    used: set[str] = set()
    for method, parameter in caller.candidates():
        several = parameter.endswith("_ids")
        harmless, _ = caller.requests_of(method, parameter, [caller.probe] if several else caller.probe)
        paths = [
            one.method + urlsplit(one.target).path for one in harmless if caller.probe in urlsplit(one.target).path
        ]
        used.update(paths)
        for value in HOSTILE if paths else ():
            requests, error = caller.requests_of(method, parameter, [value] if several else value)
            for one in requests:
                assert one.target.isascii()
                assert "x-other" not in one.headers
                assert any(is_allowed(one, other, caller.probe, str(value)) for other in harmless), one.target[:200]
            sent = any(
                is_allowed(one, other, caller.probe, str(value)) and caller.probe in other.target
                for one in requests
                for other in harmless
            )
            assert sent or isinstance(error, InvalidRequest), (
                f"{method}({parameter}={value!r}) was neither sent nor refused"
            )
            if not isinstance(value, str) or not value.strip() or value in (".", "..") or "\n" in value:
                assert isinstance(error, InvalidRequest), f"{method}({parameter}={value!r}) was not refused"
    for endpoint in endpoints_of(CLIENTS[vendor.name], request.node.callspec.params["caller"]):
        if str(endpoint) in BY_ADDRESS:
            continue
        pattern = endpoint.method + "/base" + re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(endpoint.path))
        assert any(re.fullmatch(pattern, path) for path in used), f"no method was tried that calls {endpoint}"


@pytest.mark.parametrize("vendor", ["altur"], indirect=True)
@pytest.mark.parametrize("value", [value for value in HOSTILE if isinstance(value, str) and value.isascii()])
def test_an_id_out_of_an_address_stays_one_segment_of_the_path(
    vendor: Any, connect: Any, serve: Any, value: str
) -> None:
    server = serve(says(200, b"ID3", Content_Type="audio/mpeg"))
    client = connect(f"{server.url}/base", timeout=10)
    try:
        client.download_recording(f"/call/{quote(value, safe='')}/recording", io.BytesIO())
    except InvalidRequest:
        assert server.requests == []
    else:
        segments = server.requests[0].target.split("/")
        assert [unquote(segment) for segment in segments] == ["", "base", "call", value, "recording"]


def test_a_number_in_the_place_of_an_id_is_not_repeated_in_the_message() -> None:
    with pytest.raises(InvalidRequest) as caught:
        path_segment("contact_id", 5511987654321)  # type: ignore[arg-type]
    assert "5511987654321" not in str(caught.value)
