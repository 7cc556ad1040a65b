"""HTTP to a vendor: one session, timeouts, retries by declared safety, rate limit, redaction, errors by meaning."""

from __future__ import annotations

import datetime
import email.utils
import enum
import hashlib
import ipaddress
import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow_provider_campaigns import __version__
from airflow_provider_campaigns.api import errors, reading

if TYPE_CHECKING:
    import requests
    from pyrate_limiter import Limiter
    from requests.auth import AuthBase

# requests, tenacity and pyrate-limiter are imported where they are used: this module is on the way of every operator,
# and parsing a DAG file must not pay for an HTTP library.

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
#: A vendor that asks for a longer pause gets it from the caller's schedule, not from a sleeping worker.
MAX_PAUSE_SECONDS = 60.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
CONNECT_TIMEOUT_SECONDS = 10.0
REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid")


class Safety(enum.Enum):
    """What a second sending of the same request could do."""

    #: It only reads, or repeating it changes nothing more.
    REPEATABLE = "repeatable"
    #: It changes something each time, unless it carries an ``Idempotency-Key`` that the vendor honours.
    KEYED = "keyed"
    #: It changes something each time.
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One endpoint of a vendor.

    :param method: The HTTP verb.
    :param path: The path below the base URL, with ``{campaign_id}``-like places.
    :param safety: What repeating it could do; declared, since the verb does not tell (Kore.ai reads with POST).
    """

    method: str
    path: str
    safety: Safety = Safety.REPEATABLE

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def path_with(self, values: Mapping[str, str]) -> str:
        """Return the path with each value quoted so that it stays one segment."""
        return self.path.format(**{name: path_segment(name, value) for name, value in values.items()})


def path_segment(name: str, value: str) -> str:
    """
    Return a value quoted as one path segment.

    :raises InvalidRequest: For an empty value, and for ``.`` and ``..``, which no quoting keeps from climbing.
    """
    if not isinstance(value, str) or not value.strip() or value in (".", ".."):
        given = repr(value) if isinstance(value, str) else f"a value of type {type(value).__name__}"
        raise errors.InvalidRequest(f"{name} must be a non-empty id, given as text; got {given}.")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise errors.InvalidRequest(f"{name} must not hold control characters.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise errors.InvalidRequest(f"{name} must hold characters that UTF-8 can write.") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A vendor's answer, read.

    :param vendor: The vendor's name.
    :param endpoint: What was asked.
    :param status: The HTTP status.
    :param headers: The headers, names in lower case.
    :param data: The parsed JSON, or None for an empty body.
    :param text: The body's beginning as text when it was not JSON, else empty.
    """

    vendor: str
    endpoint: Endpoint
    status: int
    # The vendor's own words may repeat the credential or a recipient: no repr shows them.
    headers: Mapping[str, str] = field(repr=False)
    data: Any = field(repr=False)
    text: str = field(default="", repr=False)

    def unreadable(self, what: str) -> errors.CampaignAPIError:
        """Return the error for an answer with a flaw; an open outcome if the call may have changed something."""
        message = f"{self.vendor} answered {self.endpoint} with {self.status}, but {what}."
        unreadable = errors.UnreadableAnswer(
            message,
            vendor=self.vendor,
            endpoint=str(self.endpoint),
            status=self.status,
            request_id=request_id(self.headers),
        )
        if self.endpoint.safety is Safety.REPEATABLE:
            return unreadable
        open_outcome = errors.OutcomeUnknown(
            f"{message} It may have taken effect: look before repeating it.",
            vendor=self.vendor,
            endpoint=str(self.endpoint),
            status=self.status,
            request_id=request_id(self.headers),
        )
        open_outcome.__cause__ = unreadable
        return open_outcome

    def object(self, field: str | None = None) -> dict[str, Any]:
        """Return the answer, or one of its fields, as an object, or raise an error that names what is missing."""
        value = self.data if field is None else reading.mapping(self.data).get(field)
        if not isinstance(value, dict):
            raise self.unreadable("without a JSON object" + (f" in {field!r}" if field else ""))
        return value

    def array(self, field: str | None = None) -> list[dict[str, Any]]:
        """Return the answer, or one of its fields, as an array of objects, or raise an error that says so."""
        value = self.data if field is None else reading.mapping(self.data).get(field)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.unreadable("without an array of objects" + (f" in {field!r}" if field else ""))
        return value

    def id_of(self, item: Mapping[str, Any], *names: str) -> str:
        """Return an object's id as text, from the first of the named fields that has one, or raise an error."""
        read = reading.text(reading.first(item, *names))
        if read is None:
            raise self.unreadable(f"without an id (looked in {', '.join(names)})")
        return read


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    What a vendor's answer says when it is not a success.

    :param error: The meaning.
    :param message: The vendor's own words, not yet redacted.
    :param code: The vendor's error code, or None.
    :param retry_after: Seconds the vendor asks to wait, where its body tells, or None.
    """

    error: type[errors.CampaignAPIError]
    message: str = field(default="", repr=False)
    code: str | None = field(default=None, repr=False)
    retry_after: float | None = None


def meaning_of(status: int) -> type[errors.CampaignAPIError]:
    """Return the error class that an HTTP status stands for, for vendors that use statuses as everyone does."""
    known = {
        401: errors.AuthenticationFailed,
        402: errors.BillingLimitReached,
        403: errors.PermissionDenied,
        404: errors.NotFound,
        408: errors.Unavailable,
        409: errors.Conflict,
        410: errors.NotFound,
        429: errors.RateLimited,
    }
    return known.get(status) or (errors.Unavailable if status >= 500 else errors.Rejected)


#: What to do about each kind of refusal; the first sentence of the error says who refused what.
ADVICE: Mapping[type[errors.CampaignAPIError], str] = {
    errors.AuthenticationFailed: "Check that the credential in its password field is complete and active.",
    errors.PermissionDenied: "Check what the credential is allowed to do.",
    errors.NotFound: "Check the id, and that it belongs to this account.",
    errors.Conflict: "Look at the campaign's state at the vendor.",
    errors.BillingLimitReached: "The account's plan allows no more; nothing was sent.",
    errors.RateLimited: "Lower the rate_limit of the connection, or poll less often.",
    errors.Unavailable: "The vendor has trouble; try again later.",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """
    How many requests an account may make.

    :param requests: How many.
    :param seconds: In how long a sliding window.
    """

    requests: int
    seconds: float

    @classmethod
    def per_second(cls, rate: float) -> Rate:
        """
        Return the window that keeps to so many requests a second; below one a second it is a minute long, or longer.

        :raises InvalidRequest: For a rate that is not above 0.
        """
        if not (rate > 0 and math.isfinite(rate)):
            raise errors.InvalidRequest(f"rate_limit must be above 0 requests per second; got {rate:g}.")
        if rate >= 1:
            return cls(int(rate), 1.0)
        return cls(int(rate * 60), 60.0) if rate * 60 >= 1 else cls(1, 1 / rate)


@dataclass(frozen=True, slots=True)
class Account:
    """
    Whose requests they are, for the limiter and for messages.

    :param vendor: The vendor's name.
    :param key: Something that tells accounts apart; only its hash is kept.
    :param label: How messages call it, such as ``connection 'kinbox_default'``.
    """

    vendor: str
    key: str
    label: str

    @property
    def digest(self) -> str:
        """The account's name in the registry of limiters."""
        return f"{self.vendor}:{hashlib.sha256(self.key.encode()).hexdigest()}"

    def __repr__(self) -> str:
        return f"Account({self.vendor!r}, {self.label!r})"


_limiters: dict[str, tuple[Rate, Limiter]] = {}
_limiters_lock = threading.Lock()


def limiter_of(account: Account, rate: Rate) -> Limiter:
    """Return the process's one limiter of an account; where two connections ask for different rates, the lower one."""
    from pyrate_limiter import Limiter
    from pyrate_limiter import Rate as Window

    with _limiters_lock:
        known = _limiters.get(account.digest)
        if known and known[0].requests / known[0].seconds <= rate.requests / rate.seconds:
            return known[1]
        limiter = Limiter(Window(rate.requests, round(rate.seconds * 1000)))
        _limiters[account.digest] = (rate, limiter)
        return limiter


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normalised_base_url(given: str | None, default: str) -> str:
    """
    Return the base URL to use, without a trailing slash.

    :param given: What the user configured: with or without a scheme (``https`` is assumed), or nothing.
    :param default: The vendor's own.
    :raises InvalidRequest: For plain ``http`` to anything but this machine, and for what is no base URL.
    """
    url = (given or "").strip() or default
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if (
        not host
        or parts.scheme not in ("http", "https")
        or "@" in parts.netloc
        or parts.netloc.endswith(":")
        or not url.isprintable()
        or " " in url
    ):
        raise errors.InvalidRequest(
            "host must be a base URL such as https://api.example.com, without credentials in it."
        )
    if "?" in url or "#" in url:
        raise errors.InvalidRequest("host must be a base URL without '?' or '#'.")
    if parts.scheme == "http" and not is_loopback(host):
        raise errors.InvalidRequest(
            f"host must begin with https:// (got http://{host}): plain http would send the credential unencrypted. "
            "It is accepted for this machine (127.0.0.1, localhost) only."
        )
    return url.rstrip("/")


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the vendor's id of a request, where a header tells it."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), None)


def retry_after_seconds(value: str | None, now: datetime.datetime) -> float | None:
    """Return what a ``Retry-After`` header asks for, given as seconds or as a date, or None."""
    if not value:
        return None
    seconds = reading.number(value.strip())
    if seconds is None:
        try:
            until = email.utils.parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=datetime.UTC)
        seconds = (until - now).total_seconds()
    return max(0.0, seconds)


# With a plus, as one run of digits, or grouped as people write it; a UUID, a date and a decimal are none of these.
_PHONE = re.compile(
    r"\+\d[\d ().-]{6,18}\d"
    r"|(?<!\w)(?<!\w[.-])(?:\d{9,15}|\(?\d{2,4}\)?[ -]?\d{3,5}[ -]\d{4})(?!\w|[.-]\w)"
)


def redacted(text: str, secrets: tuple[str, ...], limit: int = 300) -> str:
    """Return a vendor's words fit for a log: no credential, nothing that looks like a phone number, not long."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = "".join(letter if letter.isprintable() else " " for letter in text[: 20 * limit])
    text = _PHONE.sub("[number]", " ".join(text.split()))
    return text if len(text) <= limit else f"{text[:limit]}…"


def may_repeat(safety: Safety, keyed: bool, error: BaseException) -> bool:
    """
    Whether a failed request may be sent again by itself.

    :param safety: What repeating the endpoint could do.
    :param keyed: Whether the request carries an ``Idempotency-Key``.
    :param error: How it failed.
    """
    if isinstance(error, errors.OutcomeUnknown):
        error = error.__cause__ or error
    if not isinstance(error, (errors.Unavailable, errors.RateLimited, errors.UnreadableAnswer)):
        return False
    if error.retry_after is not None and error.retry_after > MAX_PAUSE_SECONDS:
        return False
    if isinstance(error, errors.RateLimited) or (isinstance(error, errors.Unavailable) and error.never_sent):
        return True
    return safety is Safety.REPEATABLE or (safety is Safety.KEYED and keyed)


def pause_before(attempt: int, retry_after: float | None, chance: float) -> float:
    """
    Return the seconds to wait before the next attempt.

    :param attempt: How many attempts have failed, from 1.
    :param retry_after: What the vendor asks for, or None; kept, plus a little so that waiters spread.
    :param chance: A random number from 0 to 1.
    """
    backoff = min(MAX_PAUSE_SECONDS, 0.5 * 2 ** (attempt - 1)) * (0.5 + chance)
    return min(MAX_PAUSE_SECONDS, backoff if retry_after is None else retry_after + 0.25 * chance)


class Transport:
    """
    One session with one vendor's account.

    :param account: Whose requests they are.
    :param base_url: Where the API is.
    :param auth: Adds the credential's header to each attempt; called anew each time: a token may serve once.
    :param diagnose: Returns what is wrong with an answer in the vendor's terms, or None for a success.
    :param rate: The account's limit, or None.
    :param timeout: Seconds to wait for each piece of an answer.
    :param secrets: What must never be seen in a message.
    :param credential_advice: What to check when the vendor refuses the credential, in the vendor's terms.
    :param sleep: How to wait between attempts.
    """

    def __init__(
        self,
        *,
        account: Account,
        base_url: str,
        auth: AuthBase,
        diagnose: Callable[[Answer], Refusal | None],
        rate: Rate | None = None,
        timeout: float = 30.0,
        secrets: tuple[str, ...] = (),
        credential_advice: Mapping[type[errors.CampaignAPIError], str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self.account = account
        self.base_url = base_url
        self.timeout = timeout
        self._diagnose = diagnose
        self._secrets = secrets
        self._advice = {**ADVICE, **(credential_advice or {})}
        self._sleep = sleep
        self._rate = rate
        if rate:
            limiter_of(account, rate)
        self._session = requests.Session()
        # Following is refused below; without this requests would still read the whole body of a redirect, unbounded,
        # and fail on a target that is no address.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        # An auth object of our own also keeps requests from putting a .netrc entry in the credential's place.
        self._session.auth = auth
        self._session.headers["User-Agent"] = f"airflow-provider-campaigns/{__version__}"
        # A proxy from the environment cannot reach this machine's own loopback.
        self._session.trust_env = not is_loopback(urlsplit(base_url).hostname or "")
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=8, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"Transport({self.account.vendor!r}, {self.base_url!r})"

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()

    def call(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """
        Call an endpoint and return its successful answer.

        :param endpoint: What to call.
        :param path: Values for the places in its path.
        :param query: Query parameters; those that are None are left out.
        :param body: What to send as JSON, or None for no body.
        :param idempotency_key: Sent as ``Idempotency-Key``; the same one on every attempt.
        :raises CampaignAPIError: By meaning; ``OutcomeUnknown`` when a change may have taken effect.
        """
        import random

        from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

        if idempotency_key is not None and not idempotency_key.strip():
            raise errors.InvalidRequest(
                "idempotency_key must not be empty: a vendor could not tell two requests apart."
            )
        url = self.base_url + endpoint.path_with(path or {})
        unclear: list[errors.OutcomeUnknown] = []

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            return pause_before(state.attempt_number, getattr(failure, "retry_after", None), random.random())

        def tell(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            pause = state.next_action.sleep if state.next_action else 0.0
            if isinstance(failure, errors.OutcomeUnknown):
                unclear.append(failure)
            log.info("Attempt %d of %s failed, next in %.1f s: %s", state.attempt_number, endpoint, pause, failure)

        attempts = Retrying(
            reraise=True,
            stop=stop_after_attempt(MAX_ATTEMPTS),
            wait=wait,
            retry=retry_if_exception(lambda error: may_repeat(endpoint.safety, bool(idempotency_key), error)),
            before_sleep=tell,
            sleep=self._sleep,
        )
        try:
            return attempts(self._attempt, endpoint, url, query, body, idempotency_key)
        except errors.CampaignAPIError as error:
            if not unclear or isinstance(error, errors.OutcomeUnknown):
                raise
            # What the last attempt says, it says of itself: an earlier one may have taken effect all the same.
            unclear[-1].add_note(f"A later attempt failed for another reason: {error}")
            raise unclear[-1] from unclear[-1].__cause__

    def _attempt(
        self,
        endpoint: Endpoint,
        url: str,
        query: Mapping[str, Any] | None,
        body: Any,
        idempotency_key: str | None,
    ) -> Answer:
        if self._rate:
            # Looked up each time: another connection to the account may have brought a lower rate meanwhile.
            limiter_of(self.account, self._rate).try_acquire(self.account.digest)
        began = time.monotonic()
        try:
            answer = self._send(endpoint, url, query, body, idempotency_key)
            refusal = self._diagnose(answer)
            if refusal:
                raise self._refused(answer, refusal)
        except (errors.Unavailable, errors.UnreadableAnswer) as error:
            if endpoint.safety is Safety.REPEATABLE or (isinstance(error, errors.Unavailable) and error.never_sent):
                raise
            raise errors.OutcomeUnknown(
                f"{error} {endpoint} may have taken effect all the same: look before repeating it.",
                vendor=error.vendor,
                endpoint=error.endpoint,
                status=error.status,
                code=error.code,
                request_id=error.request_id,
                retry_after=error.retry_after,
            ) from error
        log.debug(
            "%s %s: %d in %.0f ms", self.account.vendor, endpoint, answer.status, 1000 * (time.monotonic() - began)
        )
        return answer

    def _send(
        self,
        endpoint: Endpoint,
        url: str,
        query: Mapping[str, Any] | None,
        body: Any,
        idempotency_key: str | None,
    ) -> Answer:
        import requests
        from urllib3.exceptions import HTTPError

        prepared = self._written(endpoint, url, query, body, idempotency_key)
        try:
            settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)
            with self._session.send(
                prepared,
                timeout=(min(self.timeout, CONNECT_TIMEOUT_SECONDS), self.timeout),
                allow_redirects=False,
                **settings,
            ) as response:
                content = self._read(endpoint, response)
        except (requests.RequestException, HTTPError) as error:
            raise self._unreached(endpoint, error) from None
        answer_headers = {name.lower(): value for name, value in response.headers.items()}
        if 300 <= response.status_code < 400:
            try:
                target = urlsplit(redacted(answer_headers.get("location", ""), self._secrets)).hostname
            except ValueError:
                target = "what is no address"
            raise errors.Rejected(
                f"{self.account.vendor} redirected {endpoint} to {target or 'another path'}. Redirects are not "
                f"followed, since they would take the credential along: set the right host in {self.account.label}.",
                vendor=self.account.vendor,
                endpoint=str(endpoint),
                status=response.status_code,
                request_id=request_id(answer_headers),
            )
        if not content.strip():
            return Answer(self.account.vendor, endpoint, response.status_code, answer_headers, None)
        try:
            parsed = json.loads(content)
        except (ValueError, RecursionError):
            answer = Answer(
                self.account.vendor,
                endpoint,
                response.status_code,
                answer_headers,
                None,
                content[:2000].decode("utf-8", "replace"),
            )
            if response.status_code < 300:
                raise self._broken(endpoint, "the body is not JSON", response.status_code, answer_headers) from None
            return answer
        return Answer(self.account.vendor, endpoint, response.status_code, answer_headers, parsed)

    def _written(
        self,
        endpoint: Endpoint,
        url: str,
        query: Mapping[str, Any] | None,
        body: Any,
        idempotency_key: str | None,
    ) -> requests.PreparedRequest:
        """Return the signed request, or refuse what HTTP or JSON cannot carry; no message may repeat a header."""
        import requests

        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            try:
                data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            except UnicodeEncodeError:
                raise errors.InvalidRequest(f"{endpoint} cannot send text that UTF-8 cannot write.") from None
            except (TypeError, ValueError, RecursionError) as error:
                raise errors.InvalidRequest(f"{endpoint} cannot send a value as JSON: {error}.") from None
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            prepared = self._session.prepare_request(
                requests.Request(endpoint.method, url, params=params, data=data, headers=headers)
            )
        except (requests.RequestException, UnicodeError):
            raise errors.InvalidRequest(
                f"{endpoint} of {self.account.label} cannot be written as an HTTP request: check host and credential."
            ) from None
        for name, value in prepared.headers.items():
            if isinstance(value, str) and not (value.isascii() and value.isprintable()):
                raise errors.InvalidRequest(
                    f"{endpoint} of {self.account.label} cannot be sent: the header {name} would hold a line break or "
                    "another character that no header can carry. Was a credential copied with something around it?"
                )
        return prepared

    def _read(self, endpoint: Endpoint, response: requests.Response) -> bytes:
        give_up = time.monotonic() + 5 * self.timeout
        pieces: list[bytes] = []
        size = 0
        headers = {name.lower(): value for name, value in response.headers.items()}
        # read1 returns what has come; iter_content would wait for a whole piece, however slowly it trickles in.
        while piece := response.raw.read1(256 * 1024, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise self._broken(
                    endpoint, f"the body is larger than {MAX_ANSWER_BYTES // 2**20} MiB", response.status_code, headers
                )
            if time.monotonic() > give_up:
                raise self._broken(endpoint, "the body did not come to its end in time", response.status_code, headers)
        return b"".join(pieces)

    def _broken(
        self, endpoint: Endpoint, what: str, status: int, headers: Mapping[str, str]
    ) -> errors.UnreadableAnswer:
        return errors.UnreadableAnswer(
            f"{self.account.vendor} answered {endpoint} of {self.account.label} with {status}, but {what}.",
            vendor=self.account.vendor,
            endpoint=str(endpoint),
            status=status,
            request_id=request_id(headers),
        )

    def _unreached(self, endpoint: Endpoint, error: Exception) -> errors.CampaignAPIError:
        import ssl

        import requests
        from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

        reason = getattr(error.args[0] if error.args else None, "reason", None)
        reason = getattr(reason, "original_error", reason)  # a proxy that could not be reached
        # TLS can also break after the request has gone out: only a certificate that was refused proves that it has not.
        cause = reason.args[0] if isinstance(error, requests.exceptions.SSLError) and reason and reason.args else None
        never_sent = isinstance(error, requests.ConnectTimeout) or isinstance(
            cause if cause is not None else reason, (NewConnectionError, ssl.SSLCertVerificationError)
        )
        if isinstance(error, requests.ConnectTimeout):
            what = "no connection in time"
        elif isinstance(error, (requests.ReadTimeout, ReadTimeoutError)):
            what = f"no answer within {self.timeout:g} s"
        elif isinstance(error, requests.exceptions.SSLError):
            what = "no trusted TLS connection"
        elif isinstance(error, ProtocolError):
            what = "an answer that was cut off"
        else:
            what = "no connection" if never_sent else "a connection that broke"
        return errors.Unavailable(
            f"{self.account.vendor} could not be asked {endpoint} with {self.account.label}: {what}.",
            vendor=self.account.vendor,
            endpoint=str(endpoint),
            never_sent=never_sent,
        )

    def _refused(self, answer: Answer, refusal: Refusal) -> errors.CampaignAPIError:
        said = redacted(refusal.message, self._secrets)
        code = redacted(refusal.code, self._secrets, 80) if refusal.code else None
        numbers = f"{answer.status} {code}" if code else f"{answer.status}"
        advice = self._advice.get(refusal.error, "")
        verb = "could not answer" if refusal.error is errors.Unavailable else "refused"
        message = f"{self.account.vendor} {verb} {answer.endpoint} of {self.account.label} ({numbers})"
        now = datetime.datetime.now(datetime.UTC)
        waits = (refusal.retry_after, retry_after_seconds(answer.headers.get("retry-after"), now))
        return refusal.error(
            f"{message}: {said or 'no reason given'}{'' if said.endswith(('.', '!', '…')) else '.'} {advice}".rstrip(),
            vendor=self.account.vendor,
            endpoint=str(answer.endpoint),
            status=answer.status,
            code=code,
            request_id=request_id(answer.headers),
            retry_after=max((wait for wait in waits if wait is not None), default=None),
        )
