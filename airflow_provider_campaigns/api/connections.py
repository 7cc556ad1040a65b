"""Connections to a vendor: one session per process, and a deadline for every exchange."""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import io
import logging
import math
import os
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from airflow_provider_campaigns import __version__
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.hosts import is_loopback

if TYPE_CHECKING:
    from requests.auth import AuthBase
    from urllib3.poolmanager import PoolManager

# Imported where a client is made, and not before: parsing a DAG file must not pay for an HTTP library.

_BUFFER_BYTES = 64 * 1024


class Deadline:
    """
    The moment by which an exchange must be complete.

    :param seconds: How long it may take in all.
    :param bytes_per_second: For a download, which may be long: what comes at this speed or above moves the end on.
    """

    def __init__(self, seconds: float, bytes_per_second: float | None = None) -> None:
        self._at = time.monotonic() + seconds
        self._bytes_per_second = bytes_per_second or math.inf

    def left(self) -> float:
        """Return the seconds left, or 0."""
        return max(0.0, self._at - time.monotonic())

    def came(self, size: int) -> None:
        """Record that bytes were received."""
        self._at += size / self._bytes_per_second


_deadline: contextvars.ContextVar[Deadline | None] = contextvars.ContextVar("deadline", default=None)


@contextlib.contextmanager
def ending_by(deadline: Deadline) -> Iterator[None]:
    """Apply a deadline to everything that this thread reads from a vendor inside the block."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


_about_recipients: contextvars.ContextVar[bool] = contextvars.ContextVar("about_recipients", default=False)


class _WithoutRecipients(logging.Filter):
    """Drops lines about requests whose address may name a recipient: urllib3 logs addresses at debug level."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _about_recipients.get()


_WITHOUT_RECIPIENTS = _WithoutRecipients()
for _logger in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
    logging.getLogger(_logger).addFilter(_WITHOUT_RECIPIENTS)


class _TimedStream(io.RawIOBase):
    """A socket's bytes until a deadline; the socket's own timeout starts again with each byte received."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._stream: Any = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left()
        if not left:
            raise TimeoutError("the answer did not come to its end in time")
        usual = self._sock.gettimeout()
        if usual is not None and usual <= left:
            size: int | None = self._stream.readinto(buffer)
        else:
            self._sock.settimeout(left)
            try:
                size = self._stream.readinto(buffer)
            finally:
                with contextlib.suppress(OSError):
                    self._sock.settimeout(usual)
        self._deadline.came(size or 0)
        return size

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class _TimedSocket:
    """Stands in for a socket when a response is made: a response only asks it for a stream."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedStream(self._sock, self._deadline), _BUFFER_BYTES)


class _FinalResponse(http.client.HTTPResponse):
    """
    The answer to a request, read by its deadline and past all interim ones.

    Python's own takes every 1xx but 100 for the answer, and the real one would then answer the next request.
    """

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        deadline = _deadline.get()
        super().__init__(_TimedSocket(sock, deadline) if deadline else sock, *arguments, **options)  # type: ignore[arg-type]

    def begin(self) -> None:
        super().begin()
        while self.status < 200:
            if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.BadStatusLine("101 Switching Protocols, without having been asked to")
            self.headers = self.msg = None  # type: ignore[assignment]  # how begin() knows that there is more to read
            super().begin()


class _Connection(HTTPConnection):
    response_class = _FinalResponse


class _TLSConnection(HTTPSConnection):
    response_class = _FinalResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _use_our_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        _use_our_pools(manager)
        return manager


def _use_our_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class Connections:
    """
    The sessions with one vendor's account, one for each process.

    A forked process must not write into its parent's connections: each would read the other's answers.

    :param base_url: Where the API is.
    :param auth: Adds the credential's header to each attempt.
    """

    def __init__(self, base_url: str, auth: AuthBase) -> None:
        self._base_url = base_url
        self._auth = auth
        self._process, self._session = os.getpid(), self._new_session()

    @property
    def session(self) -> requests.Session:
        """This process's session."""
        if self._process != os.getpid():
            # The parent's is left as it is: its locks may be held by a thread that exists in the parent alone.
            self._process, self._session = os.getpid(), self._new_session()
        return self._session

    def close(self) -> None:
        """Close this process's connections."""
        if self._process == os.getpid():
            self._session.close()

    def send(
        self, endpoint: Endpoint, request: requests.PreparedRequest, timeouts: tuple[float, float]
    ) -> requests.Response:
        """
        Send a request, and return the answer with its body still to be read.

        :param endpoint: What it asks, for messages.
        :param request: The request, signed.
        :param timeouts: Seconds to connect, and to wait for each piece of the answer.
        :raises InvalidRequest: The environment names certificates that are not there; nothing was sent.
        :raises RequestException: As ``requests`` does.
        """
        settings = self.session.merge_environment_settings(request.url, {}, True, None, None)
        bundle = settings["verify"]
        if isinstance(bundle, str) and not os.path.exists(bundle):
            raise InvalidRequest(
                f"{endpoint} cannot be sent: there are no certificates at {bundle!r}, which REQUESTS_CA_BUNDLE or "
                "CURL_CA_BUNDLE names in the environment."
            )
        token = _about_recipients.set(endpoint.recipients)
        try:
            return self.session.send(request, timeout=timeouts, allow_redirects=False, **settings)
        finally:
            _about_recipients.reset(token)

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        # Following is refused elsewhere; without this requests would still read the whole body of a redirect,
        # unbounded, and fail on an invalid target.
        session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        # With an auth object set, requests does not use a .netrc entry instead of the credential.
        session.auth = self._auth
        session.headers["User-Agent"] = f"airflow-provider-campaigns/{__version__}"
        # What is unpacked here, in bounded pieces: urllib3 before 2.6 unpacks all that it has read at once.
        session.headers["Accept-Encoding"] = "gzip"
        # A proxy from the environment cannot reach this machine's own loopback.
        session.trust_env = not is_loopback(urlsplit(self._base_url).hostname or "")
        adapter = _Adapter(pool_connections=1, pool_maxsize=8, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session
