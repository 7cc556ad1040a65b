"""The sandbox as a running server, in a background thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote

import requests
import uvicorn

from airflow_provider_campaigns.sandbox.app import create_app
from airflow_provider_campaigns.sandbox.clock import Clock
from airflow_provider_campaigns.sandbox.pace import INSTANT
from airflow_provider_campaigns.sandbox.vendor import Vendor

#: The only address that the sandbox binds to: it takes any credential and must not be seen from outside.
HOST = "127.0.0.1"


# Large on purpose: one object is all that a test needs of a sandbox.
class Sandbox:
    """
    A sandbox server, running between :meth:`start` and :meth:`close` or inside a ``with``.

    :param speed: vendor seconds per real second.
    :param port: TCP port on 127.0.0.1; 0 takes a free one.
    :param vendors: names of installed vendors (``["kinbox"]``), or vendors' classes; all that are installed by default.
    :param enforce_limits: whether the vendors' documented request limits hold.
    :param clock: vendor time, instead of one made with ``speed``.
    :param pace: ``instant`` (the default): a campaign takes minutes of vendor time; ``vendor``: hours, limits a day and
        messages a minute hold as the vendors' pages say.
    """

    def __init__(
        self,
        speed: float = 60,
        *,
        port: int = 0,
        vendors: Sequence[str | type[Vendor]] | None = None,
        enforce_limits: bool = True,
        clock: Clock | None = None,
        pace: str = INSTANT,
    ) -> None:
        self.app = create_app(speed, vendors, enforce_limits, clock, pace)
        self._wanted_port = port
        self._port: int | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Sandbox:
        """Start serving; raises ``OSError`` when the port is taken. Return the sandbox."""
        if self._thread is not None:
            raise RuntimeError("This sandbox runs already")
        # asyncio turns Nagle's algorithm off only where the protocol is spelt out; with it every answer takes 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._wanted_port))
            # Listening from here on, the kernel keeps early requests until the loop runs: no waiting, no race.
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                http="h11",
                loop="asyncio",
                ws="none",
                lifespan="off",
                proxy_headers=False,
                access_log=False,
                log_config=None,
                log_level="warning",
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="campaign-sandbox", daemon=True
        )
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving and wait until the port is free."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=10)
        self._server = self._thread = self._port = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The server's URL, without a slash at the end."""
        if self._port is None:
            raise RuntimeError("This sandbox does not run; use it in a 'with' or call start()")
        return f"http://{HOST}:{self._port}"

    def base_url(self, vendor_name: str) -> str:
        """Return the base URL of a vendor's API."""
        for vendor in self.app.vendors:
            if vendor.name == vendor_name:
                return self.url + vendor.prefix
        raise ValueError(
            f"There is no vendor {vendor_name!r}; known are {[vendor.name for vendor in self.app.vendors]}"
        )

    def order_fault(self, **order: Any) -> int:
        """Order a fault (the fields of :class:`~airflow_provider_campaigns.sandbox.faults.Fault`); return its id."""
        ids: list[int] = self._control("POST", "faults", json=order)["ids"]
        return ids[0]

    def clear_faults(self) -> None:
        """Take back all orders."""
        self._control("DELETE", "faults")

    def release(self) -> None:
        """Let all requests go on that a fault (``slow``, ``timeout``) is holding back now."""
        self._control("POST", "release")

    def journal(self, vendor: str | None = None) -> dict[str, Any]:
        """Return ``requests``, ``counts`` (by vendor and endpoint) and ``campaigns``, of one vendor or all."""
        return self._control("GET", "journal", params={} if vendor is None else {"vendor": vendor})

    def recipients(self, vendor: str, campaign_id: str | int) -> list[str]:
        """
        Return the phone numbers of those whom a campaign is for, as ``+`` and digits.

        :raises ValueError: There is no such campaign, or the vendor's part of the sandbox does not tell.
        """
        answer = self._control("GET", "recipients", params={"vendor": vendor, "campaign": str(campaign_id)})
        numbers: list[str] = answer["recipients"]
        return numbers

    def reset(self) -> None:
        """Begin anew: no campaigns, no faults, an empty journal, vendor time at the real now."""
        self._control("POST", "reset")

    def set_speed(self, speed: float) -> None:
        """Let vendor time pass faster or slower from now on."""
        self._control("POST", "clock", json={"speed": speed})

    def serve_file(self, name: str, content: str | bytes) -> str:
        """
        Serve a file until the next reset, such as Kinbox's file of recipients, and return its address.

        :param name: what its address ends with.
        :param content: what it holds; text is written in UTF-8.
        """
        data = content.encode() if isinstance(content, str) else content
        url: str = self._control("PUT", f"files/{quote(name)}", data=data)["url"]
        return url

    def send_webhooks(self, vendor: str, url: str, secret: str, scheme: str = "newer") -> None:
        """
        Have a vendor send its events somewhere on this machine, until the next reset.

        :param vendor: the vendor's name; ``altur`` has webhooks.
        :param url: the receiver, such as ``http://127.0.0.1:8080/campaigns-webhooks/altur/altur_default``.
        :param secret: what the events are signed with.
        :param scheme: how, by the vendor's ``newer`` or ``older`` page.
        """
        self._control("POST", "webhooks", json={"vendor": vendor, "url": url, "secret": secret, "scheme": scheme})

    def webhook_events(self) -> list[dict[str, Any]]:
        """Return what became of each event: ``event_id``, ``campaign_id``, ``attempts``, ``status``, ``fault`` ..."""
        events: list[dict[str, Any]] = self._control("GET", "webhooks")["events"]
        return events

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return an Airflow connection for each vendor, as Airflow reads it from JSON, by connection id."""
        return {
            f"{vendor.name}_default": vendor.airflow_connection(self.base_url(vendor.name))
            for vendor in self.app.vendors
        }

    def _control(self, method: str, what: str, **arguments: Any) -> dict[str, Any]:
        with requests.Session() as session:
            # A proxy from the environment would not know this loopback port.
            session.trust_env = False
            response = session.request(method, f"{self.url}/_sandbox/{what}", timeout=30, **arguments)
        if response.status_code == 400:
            raise ValueError(response.text)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer
