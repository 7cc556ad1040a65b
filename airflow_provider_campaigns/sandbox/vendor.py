"""The contract that a vendor in the sandbox fulfils."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.clock import Clock
from airflow_provider_campaigns.sandbox.delivery import Spans
from airflow_provider_campaigns.sandbox.failures import OrderedFailures
from airflow_provider_campaigns.sandbox.faults import Faults
from airflow_provider_campaigns.sandbox.hosted_files import HostedFiles
from airflow_provider_campaigns.sandbox.pace import INSTANT, VENDOR, Pace


class RefusedRequest(Exception):
    """Raised anywhere below a handler to end the request with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with {response.status_code}")
        self.response = response


def accepts(credential: str | None) -> bool:
    """Return whether the sandbox takes a credential: any that is not empty, except ``invalid``."""
    return bool(credential and credential.strip()) and credential != "invalid"


def is_known(name: object) -> bool:
    """Return whether what a request names exists at the vendor: anything but what begins with ``unknown``."""
    return not str(name).lower().startswith("unknown")


def bearer_token(request: Request) -> str | None:
    """Return the token of ``Authorization: Bearer <token>``, None when the header is missing or of another kind."""
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


# Large on purpose: it is the whole contract, which an author reads in one place.
class Vendor(ABC):
    """
    One vendor's API: its routes, its answers, its campaigns.

    A subclass sets ``name``, ``title`` and ``prefix``, and defines the abstract methods. A distribution of its own
    registers it by entry point, group ``airflow_provider_campaigns.sandbox_vendors``, under the vendor's name; the
    sandbox then serves it beside the others. What surrounds it is the sandbox's work: faults, the journal, the limit,
    and a credential that is refused.

    Handlers are methods ``async def handler(self, request: Request) -> Response``: so they run on the event loop's
    thread, which alone may change the vendor's state. They never wait. Everything that happens with time (progress,
    status) is computed from ``self.clock.seconds()`` when somebody asks, for instance by a
    :class:`~airflow_provider_campaigns.sandbox.delivery.Delivery`; nothing runs in the background.

    State of its own is made in ``reset``; a subclass that overrides ``__init__`` calls it from there.

    :param clock: vendor time, for all times in the API's answers.
    :param faults: the orders; ask for state faults through the methods below or ``faults.state(self.name, kind)``.
    :param real_time: source of real seconds (monotonic), for what is measured in real time.
    """

    #: Name in faults, journal, command line, entry point and connection id ("kinbox"); also the connection's type.
    name: ClassVar[str]
    #: Name for readers ("Kinbox").
    title: ClassVar[str]
    #: Path of the base URL ("/altur/api/v1.0"): begins with a slash, does not end with one, and no vendor's lies in
    #: another's.
    prefix: ClassVar[str]
    #: The documented limit for one credential: requests, per seconds of real time; None when there is none.
    limit: ClassVar[tuple[int, float] | None] = None
    #: Whether the vendor has webhooks, whose events :meth:`events` returns.
    sends_events: ClassVar[bool] = False
    #: What the Airflow connection needs besides type, host and password (``login``, ``extra``), or has otherwise.
    connection: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, clock: Clock, faults: Faults, real_time: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.faults = faults
        self.real_time = real_time
        #: When this vendor stood still; every ``Delivery`` is made with it.
        self.stalls = Spans()
        #: The files that the sandbox serves, the same for all of its vendors.
        self.files = HostedFiles()
        #: How fast campaigns send: see :mod:`airflow_provider_campaigns.sandbox.pace`.
        self.pace: Pace = INSTANT
        faults.watch(self._note_stall)

    @classmethod
    def airflow_connection(cls, base_url: str) -> dict[str, Any]:
        """
        Return the Airflow connection to this vendor in the sandbox, as Airflow reads it from JSON.

        It has the type ``name``, any password that :meth:`authenticate` takes, and what ``connection`` adds.

        :param base_url: URL of the server with ``prefix``.
        """
        return {"conn_type": cls.name, "host": base_url, "password": "sandbox-token", **cls.connection}

    @abstractmethod
    def routes(self) -> list[Route]:
        """
        Return the routes, paths relative to ``prefix``, each with the endpoint's name (``create_campaign``).

        Orders of faults and the journal's counts use these names; two routes may share one (two versions of a path).
        The first route that fits a request takes it.
        """

    @abstractmethod
    def authenticate(self, request: Request) -> Response | None:
        """Return None when the credential is fine (see :func:`accepts`), the vendor's 401 otherwise."""

    @abstractmethod
    def rate_limited(self, seconds: float) -> Response:
        """
        Return the vendor's 429, with the body and the headers that its pages show.

        :param seconds: real seconds, a whole number, after which the limit lets the next request pass.
        """

    @abstractmethod
    def not_found(self, request: Request) -> Response:
        """Return the vendor's 404 for a path that it does not have."""

    @abstractmethod
    def inventory(self) -> list[dict[str, Any]]:
        """
        Return what exists, one dict for each campaign, oldest first; what was deleted is gone.

        Tests use it to count whether anything happened twice, so it is true whatever faults are ordered. Keys:

        * ``vendor``: ``self.name``
        * ``id``: the id in the API's answers, text or number
        * ``name``, ``description``: as they were given; a description that the vendor does not have is None
        * ``status``: the vendor's own word now, never that of an ``unknown_status``
        * ``created_at``: vendor time as ISO 8601 text
        * ``contacts``: how many different recipients are attached now
        * ``contact_rows``: how many rows were ever accepted, those too that were there already
        * ``messages``: how many messages or calls have gone out so far, over all runs
        * ``starts``: how often sending began; 0 for a draft; a pause and resume is no new start

        More keys may follow.
        """

    def recipients(self, campaign_id: str) -> list[str] | None:
        """
        Return the phone numbers of those whom a campaign is for, None where this vendor does not tell.

        :param campaign_id: an id of :meth:`inventory`, as text.
        """
        return None

    @abstractmethod
    def reset(self) -> None:
        """Forget every campaign, contact and remembered key, as if the server had just started."""

    def events(self) -> list[dict[str, Any]]:
        """Return what has happened since the last call, as the vendor's webhooks tell it; of a vendor that has them."""
        return []

    def sign_event(self, body: bytes, secret: str, scheme: str) -> dict[str, str]:
        """
        Return the headers that sign an event.

        :param scheme: ``newer`` or ``older``, where the vendor's pages tell two.
        """
        return {}

    def bad_request(self, text: str) -> Response:
        """Return the vendor's 400 saying ``text``."""
        return JSONResponse({"message": text}, status_code=400)

    def method_not_allowed(self, request: Request) -> Response:
        """Return the answer for a path that exists with another method."""
        return self.not_found(request)

    def server_error(self, request: Request, error: Exception) -> Response:
        """Return the answer for a bug in a handler."""
        return PlainTextResponse(f"The sandbox's handler failed: {type(error).__name__}: {error}", status_code=500)

    def credential(self, request: Request) -> str:
        """Return what the limit is counted by: the ``Authorization`` header, unless the vendor says otherwise."""
        return request.headers.get("authorization", "")

    async def read_object(self, request: Request, *, may_be_empty: bool = False) -> dict[str, Any]:
        """Return the body as a JSON object; anything else ends the request with :meth:`bad_request`."""
        body = await request.body()
        if may_be_empty and not body.strip():
            return {}
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedRequest(self.bad_request("The body is not valid JSON")) from None
        if not isinstance(value, dict):
            raise RefusedRequest(self.bad_request("The body must be a JSON object"))
        return value

    def is_listed(self, created_at: float) -> bool:
        """
        Return whether lists show a campaign yet (fault ``list_lag``).

        :param created_at: ``self.real_time()`` when it was created.
        """
        lag = self.faults.state(self.name, "list_lag")
        return lag is None or self.real_time() - created_at >= (lag.seconds or 0.0)

    def status_word(self, word: str) -> str:
        """Return the status to answer with: the real word, or that of the fault ``unknown_status``."""
        fault = self.faults.state(self.name, "unknown_status")
        return word if fault is None or fault.value is None else fault.value

    def ordered_failures(self) -> OrderedFailures | None:
        """Return which recipients of a campaign that is created now shall fail (fault ``failed_recipients``)."""
        fault = self.faults.state(self.name, "failed_recipients")
        if fault is None:
            return None
        return OrderedFailures(fault.share, frozenset(number.lstrip("+") for number in fault.recipients))

    @property
    def keeps_pace(self) -> bool:
        """Whether hours, limits a day and messages a minute hold, as at the vendor."""
        return self.pace == VENDOR

    def repeats_cursor(self, endpoint: str) -> bool:
        """Return whether this list shall hand out the same cursor and page again (fault ``repeated_cursor``)."""
        return self.faults.state(self.name, "repeated_cursor", endpoint) is not None

    def _note_stall(self) -> None:
        if self.faults.state(self.name, "stall"):
            self.stalls.begin(self.clock.seconds())
        else:
            self.stalls.end(self.clock.seconds())
