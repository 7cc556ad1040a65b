"""A credential goes to the host that it was given for, over TLS, and is replaced by no other: over real HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from wire import Received, Server, says

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.hosts import is_loopback, normalised_base_url
from airflow_provider_campaigns.api.repeating import MAX_ATTEMPTS

pytestmark = pytest.mark.usefixtures("no_proxies")

Connect = Callable[..., CampaignClient]
Serve = Callable[..., Server]
CALLS: Mapping[str, Callable[[CampaignClient, Mapping[str, Any]], object]] = {
    "a read": lambda client, fields: client.check(),
    "a create": lambda client, fields: client.create_campaign(**fields),
}


def refusal(call: str, client: CampaignClient, vendor: Any) -> errors.Rejected:
    with pytest.raises(errors.Rejected) as caught:
        CALLS[call](client, vendor.fields)
    return caught.value


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_to_another_host_or_port_is_not_followed_and_nothing_gets_there(
    vendor: Any, connect: Connect, serve: Serve, status: int, call: str, host: str
) -> None:
    other = serve()
    server = serve(says(status, Location=f"http://{host}:{other.port}/v1/campaigns"))
    error = refusal(call, connect(server.url), vendor)
    assert host in str(error)
    assert "set the right host in connection 'tried'" in str(error)
    assert (len(server.requests), other.requests) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
def test_a_redirect_within_the_host_is_not_followed_either(
    vendor: Any, connect: Connect, serve: Serve, status: int, call: str
) -> None:
    server = serve(says(status, Location="/v1/elsewhere"))
    refusal(call, connect(server.url), vendor)
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", CALLS)
def test_a_redirect_from_https_to_http_is_not_followed(
    vendor: Any, connect: Connect, serve: Serve, tls: ssl.SSLContext, certificate: Path, call: str
) -> None:
    plain = serve()
    server = serve(says(307, Location=f"http://127.0.0.1:{plain.port}/"), tls=tls)
    client = connect(server.url, timeout=5)
    client.transport._session.verify = str(certificate)  # the environment's bundle does not count on loopback
    refusal(call, client, vendor)
    assert (len(server.requests), plain.requests) == (1, [])


@pytest.mark.parametrize("target", ["", "http://[", "//", "http://host:port/", "\\\\evil", "javascript:alert(1)"])
def test_a_redirect_to_no_address_is_an_error_like_any_other(
    vendor: Any, connect: Connect, serve: Serve, target: str
) -> None:
    refusal("a create", connect(serve(says(302, Location=target)).url), vendor)


# Hosts


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "https://api.example.com/v1"),
        ("", "https://api.example.com/v1"),
        ("  ", "https://api.example.com/v1"),
        ("other.example.com", "https://other.example.com"),
        ("other.example.com:8443/base/", "https://other.example.com:8443/base"),
        (" https://other.example.com/ ", "https://other.example.com"),
        ("https://bücher.example.com", "https://bücher.example.com"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:8700/kinbox", "http://localhost:8700/kinbox"),
        ("http://LOCALHOST:8700", "http://LOCALHOST:8700"),
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:8700", "http://[::1]:8700"),
        ("https://[2001:db8::1]:8700/v1", "https://[2001:db8::1]:8700/v1"),
    ],
)
def test_a_base_url_is_https_or_on_this_machine(given: str | None, url: str) -> None:
    assert normalised_base_url(given, "https://api.example.com/v1") == url


@pytest.mark.parametrize(
    "given",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://localhost.",
        "http://example.com#localhost",
        "http://127.0.0.1\\.example.com",
        "http://127.0.0.1%2eexample.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://[::2]",
        "http://[::]",
        "http://[::1].example.com",
        "http://[::1]example.com",
        "http://[::1]:80.example.com",
        "http://example.com[::1]",
        "http://2130706433",
        "http://0x7f000001",
        "http://0177.0.0.1",
        "http://127.1",
        "http://127。0。0。1",
        "http://ⓛocalhost",
        "http://localhost;.example.com",
        "http://localhost,example.com",
        "http://127.0.0.1@example.com",
        "http://example.com\\@127.0.0.1",
        "http://example.com@127.0.0.1",
        "http://user:pw@localhost",
        "https://user:pw@api.example.com",
        "https://@api.example.com",
        "user:pw@api.example.com",
        "https://pw'<>\"@api.example.com",
        "https://pw'\"{}",
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
        "https://api.example.com:",
        "https:/api.example.com",
        "https://",
        "https://[::1",
        "ftp://localhost",
        "file:///etc/passwd",
    ],
)
def test_anything_else_is_refused_as_a_base_url_without_repeating_a_password(given: str) -> None:
    with pytest.raises(errors.InvalidRequest, match="host must") as caught:
        normalised_base_url(given, "https://api.example.com")
    assert "pw" not in str(caught.value)


def test_no_vendor_takes_plain_http_to_another_machine(vendor: Any, connect: Connect) -> None:
    for host in ("http://api.example.com", "http://localhost.example.com", "http://[::1].example.com"):
        with pytest.raises(errors.InvalidRequest, match="host must"):
            connect(host)


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
def test_only_names_that_can_mean_no_other_machine_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# TLS


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    vendor: Any, connect: Connect, serve: Serve, tls: ssl.SSLContext
) -> None:
    server = serve(tls=tls)
    for call in CALLS:
        with pytest.raises(errors.Unavailable, match="no trusted TLS connection") as caught:
            CALLS[call](connect(server.url, timeout=5), vendor.fields)
        assert caught.value.never_sent
    assert server.requests == []


class Tunnel:
    """A proxy that leads every CONNECT to one server, whatever host was asked for."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked: list[str] = []

    def __call__(self, connection: Any, request: Received) -> None:
        import socket
        import threading

        self.asked.append(request.target)
        with socket.create_connection(("127.0.0.1", self.server.port)) as beyond:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

            def pump(source: Any, sink: Any) -> None:
                try:
                    while piece := source.recv(65536):
                        sink.sendall(piece)
                except OSError:
                    pass

            back = threading.Thread(target=pump, args=[beyond, connection], daemon=True)
            back.start()
            pump(connection, beyond)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("value", ["", "0", "false", "/nowhere/bundle.pem"])
def test_no_word_for_a_bundle_of_authorities_turns_the_check_of_certificates_off(
    vendor: Any,
    connect: Connect,
    serve: Serve,
    tls: ssl.SSLContext,
    no_proxies: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    server = serve(tls=tls)
    tunnel = Tunnel(server)
    no_proxies.setenv("HTTPS_PROXY", serve(*[tunnel] * 10).url)
    no_proxies.setenv(name, value)
    with pytest.raises((errors.Unavailable, errors.InvalidRequest), match=r"no trusted TLS|certificates"):
        CALLS["a create"](connect("https://campaigns.invalid", timeout=5), vendor.fields)
    assert server.requests == []
    assert set(tunnel.asked) <= {"campaigns.invalid:443"}


def test_a_bundle_that_vouches_for_others_does_not_make_a_name_right(
    vendor: Any,
    connect: Connect,
    serve: Serve,
    tls: ssl.SSLContext,
    certificate: Path,
    no_proxies: pytest.MonkeyPatch,
) -> None:
    server = serve(tls=tls)
    tunnel = Tunnel(server)
    no_proxies.setenv("HTTPS_PROXY", serve(*[tunnel] * 10).url)
    no_proxies.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with pytest.raises(errors.Unavailable, match="no trusted TLS"):
        CALLS["a create"](connect("https://campaigns.invalid", timeout=5), vendor.fields)
    assert tunnel.asked == ["campaigns.invalid:443"] * MAX_ATTEMPTS
    assert server.requests == []


# The environment


@pytest.mark.parametrize("where", ["NETRC", "HOME"])
def test_an_entry_of_a_netrc_file_does_not_take_the_credential_s_place(
    vendor: Any, connect: Connect, serve: Serve, no_proxies: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        "machine 127.0.0.1 login stranger password other\n"
        "machine campaigns.invalid login stranger password other\n"
        "default login stranger password other\n"
    )
    netrc.chmod(0o600)
    no_proxies.delenv("NETRC", raising=False)
    no_proxies.setenv(where, str(netrc if where == "NETRC" else tmp_path))
    server = serve(*[says(404)] * 2)
    clients = [connect(server.url), connect(server.url)]
    # The environment does not count on loopback; what if it did?
    clients[1].transport._session.trust_env = True
    for client in clients:
        with pytest.raises(errors.CampaignAPIError):
            client.check()
    for request in server.requests:
        assert vendor.secret in request.headers[vendor.header] or vendor.name == "koreai"
        assert "Basic" not in repr(request)
    assert len(server.requests) == 2


def test_a_proxy_of_the_environment_gets_nothing_that_is_for_this_machine(
    vendor: Any, connect: Connect, serve: Serve, no_proxies: pytest.MonkeyPatch
) -> None:
    proxy = serve()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        no_proxies.setenv(name, proxy.url)
    server = serve(*[says(404)] * 2)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(errors.CampaignAPIError):
            connect(f"http://{host}:{server.port}", timeout=5).check()
    assert (len(server.requests), proxy.requests) == (2, [])


def test_a_proxy_sees_no_credential_of_an_https_request(
    vendor: Any, connect: Connect, serve: Serve, no_proxies: pytest.MonkeyPatch
) -> None:
    proxy = serve(*[says(502)] * 10)
    no_proxies.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(errors.Unavailable):
        connect("https://campaigns.invalid", timeout=5).check()
    assert {request.method for request in proxy.requests} == {"CONNECT"}
    assert not vendor.seen_in(repr(proxy.requests))
