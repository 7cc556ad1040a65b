"""What the transport promises: over a real wire to a server of the test's own, and as pure decisions."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import itertools
import json
import logging
import socket
import ssl
import struct
import threading
import time
import traceback
import tracemalloc
import uuid
from dataclasses import dataclass
from email.utils import format_datetime

import pytest

from airflow_provider_campaigns.api import errors, transport
from airflow_provider_campaigns.api.answers import Answer, Refusal, meaning_of, retry_after_seconds
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety, path_segment
from airflow_provider_campaigns.api.hosts import is_loopback, normalised_base_url
from airflow_provider_campaigns.api.limits import Account, Rate
from airflow_provider_campaigns.api.redaction import redacted
from airflow_provider_campaigns.api.transport import (
    MAX_ATTEMPTS,
    MAX_PAUSE_SECONDS,
    Transport,
    may_repeat,
    pause_before,
)

TOKEN = "tok-3f9a+secret/value=="
LABEL = "connection 'post_default'"
READ = Endpoint("GET", "/campaigns")
ONE = Endpoint("GET", "/campaigns/{campaign_id}")
KEYED = Endpoint("POST", "/campaigns", Safety.KEYED)
ONCE = Endpoint("POST", "/campaigns", Safety.ONCE)
NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)


# A server that answers as it is told, in order, and then always 200 with {"ok": true}


@dataclass
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def says(status=200, body=b'{"ok": true}', **headers):
    """An answer as bytes; header names with underscores for dashes."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs(connection):
    connection.settimeout(5)
    connection.recv(1)  # until the client hangs up


def closes(connection):
    pass


def cuts_off(connection):
    connection.sendall(says(200, {"data": "x" * 100})[:-50])


def breaks_tls(connection):
    socket.socket.sendall(connection, b"not a TLS record, but the answer of a broken proxy")
    time.sleep(0.1)


def trickles(connection):
    connection.sendall(says(200, b"[" + b" " * 400)[:-400])
    for _ in range(400):
        connection.sendall(b" ")
        time.sleep(0.03)


def sends_without_end(connection):
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


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


class Server:
    """Answers each request with the next of ``answers``: bytes to send, or what to do with the connection."""

    def __init__(self, *answers, tls=None):
        self.answers = list(answers)
        self.requests = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while request := self._read(stream):
                    self.requests.append(request)
                    answer = self.answers.pop(0) if self.answers else says()
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        answer(connection)
                        return
        except OSError:
            pass

    @staticmethod
    def _read(stream):
        first = stream.readline().decode().split()
        if not first:
            return None
        lines = itertools.takewhile(bool, iter(lambda: stream.readline().decode().strip(), None))
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Received(first[0], first[1], headers, stream.read(int(headers.get("content-length", 0))))

    def close(self):
        # Without shutdown the waiting accept would keep the listener alive.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def serve():
    servers = []

    def start(*answers, **arguments):
        servers.append(Server(*answers, **arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def bearer(request):
    request.headers["Authorization"] = f"Bearer {TOKEN}"
    return request


def by_status(answer):
    """The plainest vendor: statuses mean what they mean everywhere, the body may say more."""
    if answer.status < 300:
        return None
    body = answer.data if isinstance(answer.data, dict) else {}
    return Refusal(
        meaning_of(answer.status), body.get("message") or answer.text, body.get("code"), body.get("wait_seconds")
    )


class Client(Transport):
    """A transport that notes its pauses instead of sleeping."""

    def __init__(self, base_url, key=None, **changes):
        self.pauses = []
        arguments = {"auth": bearer, "diagnose": by_status, "timeout": 0.3, "secrets": (TOKEN,)} | changes
        super().__init__(
            account=Account("Post", key or str(uuid.uuid4()), LABEL),
            base_url=base_url,
            sleep=self.pauses.append,
            **arguments,
        )


def failure(client, endpoint=READ, **arguments):
    with pytest.raises(errors.CampaignAPIError) as caught:
        client.call(endpoint, **arguments)
    return caught.value


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


def test_a_call_that_must_happen_once_is_repeated_when_the_proxy_is_not_there(environment, closed_port):
    environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(serve, tls):
    server = serve(tls=tls)
    error = failure(Client(server.url), ONCE)
    assert (type(error), error.never_sent) == (errors.Unavailable, True)
    assert "no trusted TLS connection" in str(error)
    assert server.requests == []


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
    assert pause_before(attempt, retry_after, chance) == pytest.approx(pause)


# Where the credential goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("endpoint", [READ, ONCE])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_to_another_host_is_not_followed_and_the_credential_never_gets_there(serve, status, endpoint, host):
    other = serve()
    server = serve(says(status, Location=f"http://{host}:{other.port}/campaigns", X_Request_Id="r-1"))
    error = failure(Client(server.url), endpoint)
    assert isinstance(error, errors.Rejected)
    assert host in str(error)
    assert error.request_id == "r-1"
    assert (len(server.requests), other.requests) == (1, [])


@pytest.mark.parametrize("target", ["", "/elsewhere", "http://[", "//", "http://host:port/", f"https://{TOKEN}/"])
def test_a_redirect_to_no_address_is_an_error_like_any_other(serve, target):
    server = serve(says(302, Location=target))
    error = failure(Client(server.url), ONCE)
    assert isinstance(error, errors.Rejected)
    assert TOKEN not in str(error)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "https://api.example.com/v1"),
        ("", "https://api.example.com/v1"),
        ("  ", "https://api.example.com/v1"),
        ("other.example.com", "https://other.example.com"),
        ("other.example.com:8443/base/", "https://other.example.com:8443/base"),
        (" https://other.example.com/ ", "https://other.example.com"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:8700/kinbox", "http://localhost:8700/kinbox"),
        ("http://LOCALHOST:8700", "http://LOCALHOST:8700"),
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:8700", "http://[::1]:8700"),
    ],
)
def test_a_base_url_is_https_or_on_this_machine(given, url):
    assert normalised_base_url(given, "https://api.example.com/v1") == url


@pytest.mark.parametrize(
    "given",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://example.com#localhost",
        "http://127.0.0.1\\.example.com",
        "http://127.0.0.1%2eexample.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://[::2]",
        "http://[::]",
        "http://2130706434",
        "http://127.0.0.1@example.com",
        "http://example.com\\@127.0.0.1",
        "http://example.com@127.0.0.1",
        "http://user:pw@localhost",
        "https://user:pw@api.example.com",
        "https://@api.example.com",
        "user:pw@api.example.com",
        "https://api.example.com?a=b",
        "https://api.example.com/?",
        "https://api.example.com/#",
        "https://api.example.com/#part",
        "https://api. example.com",
        "https://api.example.com/a\nb",
        "http://local\thost",
        "http://127.0.0.1\x00.example.com",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https:/api.example.com",
        "https://",
        "https://[::1",
        "ftp://localhost",
        "file:///etc/passwd",
    ],
)
def test_anything_else_is_refused_as_a_base_url_without_repeating_a_password(given):
    with pytest.raises(errors.InvalidRequest, match="host must") as caught:
        normalised_base_url(given, "https://api.example.com")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.1", True),
        ("::1", True),
        ("localhost.localdomain", False),
        ("127.0.0.1.example.com", False),
        ("0.0.0.0", False),  # noqa: S104
        ("192.168.0.1", False),
        ("", False),
    ],
)
def test_only_names_that_can_mean_no_other_machine_are_loopback(host, loopback):
    assert is_loopback(host) is loopback


def test_a_netrc_file_is_not_used(serve, environment, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text(
        "machine 127.0.0.1 login stranger password other\nmachine campaigns.invalid login stranger password other\n"
    )
    environment.setenv("NETRC", str(netrc))
    server = serve()

    def header(request):
        request.headers["auth"] = TOKEN
        return request

    # Loopback, and a host for which the environment counts, whose requests come here by way of a proxy.
    Client(server.url, auth=header).call(READ)
    environment.setenv("HTTP_PROXY", server.url)
    Client("http://campaigns.invalid", auth=header).call(READ)
    assert [request.headers["auth"] for request in server.requests] == [TOKEN, TOKEN]
    assert not any("authorization" in request.headers for request in server.requests)


def test_a_proxy_of_the_environment_does_not_matter_on_loopback(serve, environment, closed_port):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        environment.setenv(name, f"http://127.0.0.1:{closed_port}")
    server = serve()
    assert Client(server.url).call(READ).data == {"ok": True}
    assert Client(f"http://localhost:{server.port}", timeout=5).call(READ).data == {"ok": True}


# Ids in paths


@pytest.mark.parametrize(
    "campaign_id",
    [
        "a/b", "../x", "a/../../b", "a?b=c", "a#b", "%2e%2e", "%2E%2E", "%2f", "..%2f", "...", "a b", "a;b", "a\\b",
        "ü", "a:b@c", "//evil.example.com", "{x}",
    ],
)  # fmt: skip
def test_an_id_stays_one_segment_of_the_path(serve, campaign_id):
    server = serve()
    Client(f"{server.url}/v1").call(ONE, path={"campaign_id": campaign_id})
    segment = server.requests[0].target.removeprefix("/v1/campaigns/")
    assert server.requests[0].target == f"/v1/campaigns/{segment}"
    assert not set(segment) & set("/?#\\ ")
    assert segment not in (".", "..")
    from urllib.parse import unquote

    assert unquote(segment) == campaign_id


@pytest.mark.parametrize("campaign_id", ["", " ", ".", "..", "a\nb", "a\r\nX: y", "\x00", "\x7f", "\ud800", None, 5])
def test_an_id_that_could_climb_or_cut_the_path_is_refused_before_anything_is_sent(serve, campaign_id):
    server = serve()
    with pytest.raises(errors.InvalidRequest, match="campaign_id"):
        Client(server.url).call(ONE, path={"campaign_id": campaign_id})
    assert server.requests == []


def test_a_number_in_the_place_of_an_id_is_not_repeated_in_the_message():
    with pytest.raises(errors.InvalidRequest) as caught:
        path_segment("contact_id", 5511987654321)
    assert "5511987654321" not in str(caught.value)


# What is never seen


def everything_of(error):
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + repr(error.__cause__)


@pytest.mark.parametrize("endpoint", [READ, ONCE])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(401, {"message": f"Bearer {TOKEN} is not valid", "code": TOKEN}), id="401"),
        pytest.param(says(500, {"message": f"token={TOKEN}"}), id="500"),
        pytest.param(says(400, f"<html>{TOKEN}</html>".encode()), id="a page"),
        pytest.param(says(429, {"message": TOKEN}, Retry_After="1"), id="429"),
        pytest.param(says(200, f"<html>{TOKEN}</html>".encode()), id="a page as success"),
        pytest.param(says(302, Location=f"https://{TOKEN}.example.com/"), id="a redirect"),
        resets,
        hangs,
    ],
)
def test_the_token_is_in_no_message_log_record_or_repr_even_when_the_vendor_echoes_it(serve, caplog, endpoint, answer):
    caplog.set_level(logging.DEBUG)
    client = Client(serve(*[answer] * MAX_ATTEMPTS).url, rate=Rate(100, 1.0))
    error = failure(client, endpoint, body={"name": "a"})
    Client(serve().url).call(READ)
    logged = "".join(record.getMessage() + repr(record.args) for record in caplog.records)
    assert {"urllib3.connectionpool", transport.__name__} <= {record.name for record in caplog.records}
    assert TOKEN not in everything_of(error) + logged + repr(client) + repr(client.account)


def test_an_answer_and_a_refusal_show_nothing_of_what_the_vendor_said():
    answer = Answer("Post", READ, 200, {"x": TOKEN}, {"phone": "5511987654321"}, TOKEN)
    shown = repr(answer) + repr(Refusal(errors.Rejected, TOKEN, TOKEN)) + repr(Account("Post", TOKEN, LABEL))
    assert TOKEN not in shown
    assert "5511987654321" not in shown


@pytest.mark.parametrize("token", ["abc\ndef", "abc\r\nX-Other: 1", "ключ", "abc\x00", "“quoted”"])
@pytest.mark.parametrize("endpoint", [READ, ONCE])
def test_a_token_that_no_header_can_carry_is_refused_unsent_and_unseen(serve, caplog, token, endpoint):
    caplog.set_level(logging.DEBUG)

    def auth(request):
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    server = serve()
    with pytest.raises(errors.InvalidRequest, match="credential") as caught:
        Client(server.url, auth=auth).call(endpoint)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert token not in shown
    assert repr(token)[1:-1] not in shown
    assert server.requests == []


PHONES = [
    "5511987654321",
    "+5511987654321",
    "+55 11 98765-4321",
    "+55 (11) 98765-4321",
    "11987654321",
    "(11) 98765-4321",
    "11 98765-4321",
    "555-123-4567",
    "(555) 123-4567",
]


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("sentence", ["{} is no number", "no number: {}.", '{{"phone":"{}"}}', "<{}>, blocked", "-{}-"])
def test_a_phone_number_that_the_vendor_echoes_is_redacted(phone, sentence):
    said = redacted(sentence.format(phone), ())
    assert "[number]" in said
    assert phone[-4:] not in said


def test_a_phone_number_is_not_in_the_error_either(serve):
    error = failure(Client(serve(says(422, {"message": "5511987654321 is no number", "code": "+5511987654321"})).url))
    assert "5511987654321" not in everything_of(error)
    assert "[number] is no number" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        "scheduled for 2026-11-21T12:00:00Z",
        "date 2026-11-21 12:30",
        "limit is 12.3456789012",
        "campaign 550e8400-e29b-41d4-a716-446655440000",
        "campaign 6650f1c2a4b3d2e1f0a9b8c7",
        "at most 100000 contacts",
        "error 40012 on 10.0.0.1",
    ],
)
def test_what_helps_the_reader_and_is_no_phone_number_is_kept(said):
    assert redacted(said, ()) == said


def test_what_a_vendor_says_is_one_short_printable_line():
    said = redacted("a\n\x1b[31mb\ud800" + "x" * 100_000, ())
    assert said.isprintable()
    assert len(said) <= 301
    said.encode()


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


BOMB = says(200, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")


@pytest.mark.parametrize(
    "answer", [says(200, b" " * 20_000_000), BOMB, sends_without_end], ids=["long", "packed", "endless redirect"]
)
def test_an_answer_larger_than_the_maximum_is_refused_with_bounded_memory(serve, monkeypatch, answer):
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 2**20)
    server = serve(*[answer] * MAX_ATTEMPTS)
    client = Client(server.url, timeout=2)
    tracemalloc.start()
    try:
        error = failure(client)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(error, errors.UnreadableAnswer)
    assert "larger than 1 MiB" in str(error)
    assert peak < 8 * 2**20


def test_an_answer_that_trickles_in_is_given_up_in_the_end(serve):
    began = time.monotonic()
    error = failure(Client(serve(trickles).url, timeout=0.1), ONCE)
    assert "did not come to its end in time" in str(error)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000],
    ids=["open arrays", "open objects", "closed arrays"],
)
def test_deeply_nested_json_is_unreadable_and_no_crash(serve, body):
    error = failure(Client(serve(*[says(200, body)] * MAX_ATTEMPTS).url, timeout=2))
    assert isinstance(error, errors.UnreadableAnswer)
    assert isinstance(failure(Client(serve(says(400, body)).url, timeout=2)), errors.Rejected)


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\xff", b"9" * 10_000, b"{'a': 1}", b"OK", b"\x00"],
    ids=["bytes", "a huge number", "Python", "a word", "a null byte"],
)
def test_what_is_no_json_is_unreadable(serve, body):
    error = failure(Client(serve(*[says(200, body)] * MAX_ATTEMPTS).url))
    assert isinstance(error, errors.UnreadableAnswer)
    assert "GET /campaigns" in str(error)


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


# The account's rate


def seconds_for(calls):
    began = time.monotonic()
    for call in calls:
        call()
    return time.monotonic() - began


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
    Client(serve().url, key, rate=Rate(3, 0.5))
    Client(serve().url, key, rate=Rate(100, 0.5))
    assert seconds_for([lambda: first.call(READ)] * 4) >= 0.5


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
