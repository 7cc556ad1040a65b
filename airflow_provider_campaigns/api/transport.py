"""HTTP to a vendor: one session, timeouts, retries by declared safety, rate limit, redaction, errors by meaning."""

from __future__ import annotations

import datetime
import json
import logging
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_campaigns import __version__
from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.answers import Answer, Refusal, request_id, retry_after_seconds
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.hosts import is_loopback
from airflow_provider_campaigns.api.limits import Account, Rate, limiter_of
from airflow_provider_campaigns.api.redaction import redacted, without, written_forms

if TYPE_CHECKING:
    import requests
    from requests.auth import AuthBase

# requests, tenacity and pyrate-limiter are imported where they are used: this module is on the way of every operator,
# and parsing a DAG file must not pay for an HTTP library.

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
#: A vendor that asks for a longer pause gets it from the caller's schedule, not from a sleeping worker.
MAX_PAUSE_SECONDS = 60.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
#: For what goes to a file: a vendor's answer without end must not fill the worker's disk.
MAX_KEPT_BYTES = 4 * 1024 * 1024 * 1024
PIECE_BYTES = 256 * 1024
CONNECT_TIMEOUT_SECONDS = 10.0


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


#: The refusals that are about what was sent, rather than about the account.
MAY_NAME_RECIPIENTS = (errors.Rejected, errors.Conflict, errors.NotFound, errors.Unavailable)


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
        self._secrets = written_forms(secrets)
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
        # What is unpacked here, in bounded pieces: urllib3 before 2.6 unpacks all that it has read at once.
        self._session.headers["Accept-Encoding"] = "gzip"
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

    def redacted(self, words: str) -> str:
        """Return a vendor's words fit for a message: without credential and phone numbers, and not long."""
        return redacted(words, self._secrets)

    def call(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        into: IO[bytes] | None = None,
    ) -> Answer:
        """
        Call an endpoint and return its successful answer.

        :param endpoint: What to call.
        :param path: Values for the places in its path.
        :param query: Query parameters; those that are None are left out.
        :param body: What to send as JSON, or None for no body.
        :param idempotency_key: Sent as ``Idempotency-Key``; the same one on every attempt.
        :param into: A file for the body of a success, which may then be of any size and is not read here: the answer
            has no data. It holds the last attempt's body alone, and one that is whole, as far as JSON's ends tell.
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

        def log_failed_attempt(state: RetryCallState) -> None:
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
            before_sleep=log_failed_attempt,
            sleep=self._sleep,
        )
        try:
            return attempts(self._attempt, endpoint, url, query, body, idempotency_key, into)
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
        into: IO[bytes] | None,
    ) -> Answer:
        if self._rate:
            # Looked up each time: another connection to the account may have brought a lower rate meanwhile.
            limiter_of(self.account, self._rate).try_acquire(self.account.digest)
        began = time.monotonic()
        try:
            answer = self._send(endpoint, url, query, body, idempotency_key, into)
            refusal = self._diagnosed(answer)
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
        into: IO[bytes] | None,
    ) -> Answer:
        import requests
        from urllib3.exceptions import HTTPError

        prepared = self._written(endpoint, url, query, body, idempotency_key)
        settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)
        bundle = settings["verify"]
        if isinstance(bundle, str) and not os.path.exists(bundle):
            raise errors.InvalidRequest(
                f"{endpoint} cannot be sent: there are no certificates at {bundle!r}, which REQUESTS_CA_BUNDLE or "
                "CURL_CA_BUNDLE names in the environment."
            )
        try:
            with self._session.send(
                prepared,
                timeout=(min(self.timeout, CONNECT_TIMEOUT_SECONDS), self.timeout),
                allow_redirects=False,
                **settings,
            ) as response:
                kept = into is not None and 200 <= response.status_code < 300
                content = self._keep(endpoint, response, into) if into and kept else self._read(endpoint, response)
        except (requests.RequestException, HTTPError) as error:
            raise self._unreached(endpoint, error) from None
        answer_headers = self._headers_of(response)
        if 300 <= response.status_code < 400:
            try:
                target = urlsplit(answer_headers.get("location", "")).hostname
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
        if kept or not content.strip():
            return Answer(self.account.vendor, endpoint, response.status_code, answer_headers, None)
        try:
            flaw, parsed = None, json.loads(content)
        except (ValueError, RecursionError):
            flaw, parsed = "the body is not JSON", None
        if flaw is None:
            return Answer(self.account.vendor, endpoint, response.status_code, answer_headers, parsed)
        # Out here and without the body: Python's own error has it as a field, and any in the frames it came through.
        text = without(self._secrets, content.decode("utf-8", "replace"))[:2000]
        del content
        if response.status_code < 300:
            raise self._broken(endpoint, flaw, response)
        return Answer(self.account.vendor, endpoint, response.status_code, answer_headers, None, text)

    def _written(
        self,
        endpoint: Endpoint,
        url: str,
        query: Mapping[str, Any] | None,
        body: Any,
        idempotency_key: str | None,
    ) -> requests.PreparedRequest:
        """Return the signed request, or refuse what HTTP or JSON cannot carry; no error may hold a header or a body."""
        import requests

        headers = {"Accept": "application/json"}
        data, flaw = None, None
        if body is not None:
            try:
                data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            except UnicodeEncodeError:
                flaw = "cannot send text that UTF-8 cannot write"
            except (TypeError, ValueError, RecursionError) as error:
                flaw = f"cannot send a value as JSON: {error}"
            if flaw:
                raise errors.InvalidRequest(f"{endpoint} {flaw}.")
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            prepared = self._session.prepare_request(
                requests.Request(endpoint.method, url, params=params, data=data, headers=headers)
            )
        except (requests.RequestException, UnicodeError):
            prepared = None
        if prepared is None:
            raise errors.InvalidRequest(
                f"{endpoint} of {self.account.label} cannot be written as an HTTP request: check host and credential."
            )
        for name, value in prepared.headers.items():
            if isinstance(value, str) and not (value.isascii() and value.isprintable()):
                raise errors.InvalidRequest(
                    f"{endpoint} of {self.account.label} cannot be sent: the header {name} would hold a line break or "
                    "another character that no header can carry. Was a credential copied with something around it?"
                )
        return prepared

    def _pieces(self, endpoint: Endpoint, response: requests.Response, limit: int) -> Iterator[bytes]:
        """Yield a body as it comes, unpacked but never more at a time than a piece, and refuse one beyond a limit."""
        packing = response.headers.get("Content-Encoding", "").strip().lower()
        if packing not in ("", "identity", "gzip"):
            raise self._broken(endpoint, "the body is packed in another way than was asked for", response)
        unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
        size, came = 0, False
        # read1 returns what has come; iter_content would wait for a whole piece, however slowly it trickles in.
        while piece := response.raw.read1(PIECE_BYTES, decode_content=False):
            came = True
            while piece:
                try:
                    unpacked = unpacker.decompress(piece, PIECE_BYTES) if unpacker else piece
                except zlib.error:
                    raise self._broken(endpoint, "the body cannot be unpacked", response) from None
                piece = unpacker.unconsumed_tail if unpacker else b""
                size += len(unpacked)
                if size > limit:
                    raise self._broken(endpoint, f"the body is larger than {limit // 2**20} MiB", response)
                yield unpacked
        if unpacker and came:
            yield unpacker.flush()
            if not unpacker.eof:
                raise self._broken(endpoint, "the body cannot be unpacked to its end", response)

    def _read(self, endpoint: Endpoint, response: requests.Response) -> bytes:
        give_up = time.monotonic() + 5 * self.timeout
        body = bytearray()
        try:
            for piece in self._pieces(endpoint, response, MAX_ANSWER_BYTES):
                body += piece
                if time.monotonic() > give_up:
                    raise self._broken(endpoint, "the body did not come to its end in time", response)
        except errors.UnreadableAnswer:
            # An error holds the frames that it came through, and those of earlier attempts are kept.
            body.clear()
            raise
        return bytes(body)

    def _keep(self, endpoint: Endpoint, response: requests.Response, into: IO[bytes]) -> bytes:
        """Write a body to a file, in the place of what an attempt before left there; return nothing of it."""
        into.seek(0)
        into.truncate()
        first = last = b""
        for piece in self._pieces(endpoint, response, MAX_KEPT_BYTES):
            into.write(piece)
            first, last = first or piece.lstrip()[:1], piece.rstrip()[-1:] or last
        into.seek(0)
        if (first, last) not in ((b"[", b"]"), (b"{", b"}")):
            raise self._broken(endpoint, "the body is not JSON, or not all of it", response)
        return b""

    def _headers_of(self, response: requests.Response) -> dict[str, str]:
        """Return an answer's headers, names in lower case; some repeat what they were sent."""
        return {name.lower(): without(self._secrets, value) for name, value in response.headers.items()}

    def _broken(self, endpoint: Endpoint, what: str, response: requests.Response) -> errors.UnreadableAnswer:
        status = response.status_code
        return errors.UnreadableAnswer(
            f"{self.account.vendor} answered {endpoint} of {self.account.label} with {status}, but {what}.",
            vendor=self.account.vendor,
            endpoint=str(endpoint),
            status=status,
            request_id=request_id(self._headers_of(response)),
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

    def _diagnosed(self, answer: Answer) -> Refusal | None:
        try:
            return self._diagnose(answer)
        except RecursionError:
            pass
        raise answer.unreadable("with JSON that is nested too deeply")

    def _refused(self, answer: Answer, refusal: Refusal) -> errors.CampaignAPIError:
        said = self.redacted(refusal.message)
        if answer.endpoint.recipients and issubclass(refusal.error, MAY_NAME_RECIPIENTS):
            said = "the reason is left out here, since it may name recipients."
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
