"""A server of the test's own that answers as it is told, byte by byte; and the fixtures that start it."""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Callable[[socket.socket, Received], None]


def says(status: int = 200, body: Any = b'{"ok": true}', **headers: str) -> bytes:
    """Return an answer as bytes; a body that is none is written as JSON, header names have underscores for dashes."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def resets(connection: socket.socket, request: Received) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs(connection: socket.socket, request: Received) -> None:
    """Say nothing until the client hangs up."""
    connection.settimeout(5)
    connection.recv(1)


def closes(connection: socket.socket, request: Received) -> None:
    """End the connection without an answer."""


def cuts_off(connection: socket.socket, request: Received) -> None:
    """Promise more than comes."""
    connection.sendall(says(200, {"data": "x" * 100})[:-50])


def breaks_tls(connection: socket.socket, request: Received) -> None:
    """Send what is no TLS over a TLS connection."""
    socket.socket.sendall(connection, b"not a TLS record, but the answer of a broken proxy")
    time.sleep(0.1)


def drips(head: bytes, drop: bytes, *, every: float = 0.02) -> Callable[[socket.socket, Received], None]:
    """Return an answer that begins, and then goes on with the same few bytes until the client hangs up."""

    def answer(connection: socket.socket, request: Received) -> None:
        connection.sendall(head)
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            connection.sendall(drop)
            time.sleep(every)

    return answer


#: Answers that never come to their end, though something comes all the time.
ENDLESS: dict[str, Callable[[socket.socket, Received], None]] = {
    "100 Continue for ever": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints for ever": drips(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "a dripping status line": drips(b"HTTP/1.1 ", b"2"),
    "a dripping header": drips(b"HTTP/1.1 200 OK\r\nX-Y: ", b"z"),
    "headers for ever": drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", every=0.05),
    "a dripping chunk size": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "dripping chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a dripping trailer": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x"),
    "a dripping body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a dripping body of an error": drips(b"HTTP/1.1 500 Trouble\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a dripping body without a length": drips(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
}


def trickles(connection: socket.socket, request: Received) -> None:
    """Send a body so slowly that it never ends."""
    connection.sendall(says(200, b"[" + b" " * 400)[:-400])
    for _ in range(400):
        connection.sendall(b" ")
        time.sleep(0.03)


class Server:
    """
    Answers each request with the next of ``answers``: bytes to send, or what to do with the connection.

    :param answers: In their order; after the last one it is always 200 with ``{"ok": true}``.
    :param tls: For an https server.
    """

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.requests: list[Received] = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
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
                        answer(connection, request)
                        return
        except OSError:
            pass

    @staticmethod
    def _read(stream: Any) -> Received | None:
        first = stream.readline().decode().split()
        if not first:
            return None
        lines = itertools.takewhile(bool, iter(lambda: stream.readline().decode().strip(), None))
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Received(first[0], first[1], headers, stream.read(int(headers.get("content-length", 0))))

    def close(self) -> None:
        """Take no more connections."""
        # Without shutdown the waiting accept would keep the listener alive.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """A function that starts a server with the answers it is given."""
    servers: list[Server] = []

    def start(*answers: Answer, **arguments: Any) -> Server:
        servers.append(Server(*answers, **arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies and their certificates, to be changed by the test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that nobody vouches for but itself."""
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
def tls(certificate: Path) -> ssl.SSLContext:
    """What a server needs to speak https with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
