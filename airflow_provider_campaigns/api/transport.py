"""HTTP to a vendor: one attempt after another, by declared safety, below the account's limit, each with its end."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any

from airflow_provider_campaigns.api import bodies, errors
from airflow_provider_campaigns.api.answers import Answer, Refusal
from airflow_provider_campaigns.api.attempts import Attempt, tell
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.failures import Failures, unknown_outcome
from airflow_provider_campaigns.api.limits import Account, Rate, is_looking, join
from airflow_provider_campaigns.api.options import ClientOptions
from airflow_provider_campaigns.api.repeating import MAX_ATTEMPTS, may_repeat, pause_before
from airflow_provider_campaigns.api.writing import Call, signed

if TYPE_CHECKING:
    import requests
    from requests.auth import AuthBase

# requests, tenacity and pyrate-limiter are imported where they are used: this module is on the way of every operator,
# and parsing a DAG file must not pay for an HTTP library.

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024 * 1024
#: For what goes to a file: a vendor's answer without end must not fill the worker's disk.
MAX_KEPT_BYTES = 4 * 1024 * 1024 * 1024
#: For a file of a binary endpoint: some hours of a call without compression.
MAX_BINARY_BYTES = 1024 * 1024 * 1024
CONNECT_TIMEOUT_SECONDS = 10.0
#: An attempt (connecting, waiting and reading together) ends after so many of its timeouts.
TIMEOUTS_FOR_EACH_ATTEMPT = 5
#: A download may take longer for as long as it comes at this speed, on the whole.
DOWNLOADED_BYTES_PER_SECOND = 16 * 1024


class Transport:
    """
    What calls one vendor's account.

    :param account: The account that is called.
    :param base_url: Where the API is.
    :param auth: Adds the credential's header to each attempt; called anew each time: a token may serve once.
    :param diagnose: Returns what is wrong with an answer in the vendor's terms, or None for a success.
    :param rate: The account's limit, or None.
    :param limit_window: Seconds after which the vendor's own limit counts anew, for a vendor that refuses without
        saying how long to wait; None for one that says so each time.
    :param options: The client's options. All of an answer must have come after five times their ``timeout``, unless it
        goes to a file and keeps coming.
    :param secrets: What must never be seen in a message.
    :param credential_advice: What to check when the vendor refuses the credential, in the vendor's terms.
    """

    def __init__(
        self,
        *,
        account: Account,
        base_url: str,
        auth: AuthBase,
        diagnose: Callable[[Answer], Refusal | None],
        rate: Rate | None = None,
        limit_window: float | None = None,
        options: ClientOptions,
        secrets: tuple[str, ...] = (),
        credential_advice: Mapping[type[errors.CampaignAPIError], str] | None = None,
    ) -> None:
        from airflow_provider_campaigns.api.connections import Connections

        self.account = account
        self.base_url = base_url
        self.timeout = options.timeout
        self._diagnose = diagnose
        self._failures = Failures(account, base_url, secrets, credential_advice)
        self._sleep = options.sleep
        self._dry_run = options.dry_run
        self._on_attempt = options.on_attempt
        self._limit_window = limit_window
        self._membership = join(account, rate, options.look_share) if rate else None
        self._connections = Connections(base_url, auth)

    def __repr__(self) -> str:
        return f"Transport({self.account.vendor!r}, {self.base_url!r})"

    @property
    def _session(self) -> requests.Session:
        return self._connections.session

    def close(self) -> None:
        """Close the connections, and leave the account's limit to its other clients."""
        if self._membership:
            self._membership.leave()
        self._connections.close()

    def redacted(self, words: str) -> str:
        """Return a vendor's words fit for a message: without credential and phone numbers, and not long."""
        return self._failures.redacted(words)

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
        :param body: What to send as JSON, or JSON as bytes, or None for no body.
        :param idempotency_key: Sent as ``Idempotency-Key``; the same one on every attempt.
        :param into: A file for the body of a success, which may then be of any size and is not read here: the answer
            has no data. It holds the last attempt's body alone, and one that is whole, as far as its length and JSON's
            ends tell. A body that is no JSON is taken from a binary endpoint only.
        :raises CampaignAPIError: By meaning; ``OutcomeUnknown`` when a change may have taken effect, ``HeldBack`` when
            a dry run did not send it.
        """
        import random

        from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

        if self._dry_run and endpoint.changes_something:
            raise self._failures.held_back(endpoint)
        asked = Call(endpoint, path, query, body, idempotency_key)
        unclear: list[errors.OutcomeUnknown] = []

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            return pause_before(state.attempt_number, failure, random.random(), self._limit_window)

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
            return attempts(self._attempt, asked, into)
        except errors.CampaignAPIError as error:
            if not unclear or isinstance(error, errors.OutcomeUnknown):
                raise
            # What the last attempt says, it says of itself: an earlier one may have taken effect all the same.
            unclear[-1].add_note(f"A later attempt failed for another reason: {error}")
            raise unclear[-1] from unclear[-1].__cause__

    def _attempt(self, call: Call, into: IO[bytes] | None) -> Answer:
        try:
            answer = self._told_exchange(call, into)
            refusal = self._diagnosed(answer)
            if refusal:
                raise self._refused(answer, refusal)
        except (errors.Unavailable, errors.UnreadableAnswer) as error:
            never_sent = isinstance(error, errors.Unavailable) and error.never_sent
            if call.endpoint.safety is Safety.REPEATABLE or never_sent:
                raise
            raise unknown_outcome(call.endpoint, error) from error
        return answer

    def _told_exchange(self, call: Call, into: IO[bytes] | None) -> Answer:
        """Send a request once, when it is its turn, and tell what came of it."""
        asked = time.monotonic()
        if self._membership:
            self._membership.wait_for_turn()
        began = time.monotonic()
        status = None
        try:
            answer = self._exchange(call, into)
            status = answer.status
        except errors.CampaignAPIError as error:
            status = error.status
            raise
        finally:
            attempt = Attempt(
                vendor=self.account.vendor,
                endpoint=call.endpoint,
                status=status,
                seconds=time.monotonic() - began,
                waited=began - asked,
                is_look=is_looking(),
            )
            log.debug("%s %s: %s in %.0f ms", attempt.vendor, call.endpoint, status, 1000 * attempt.seconds)
            tell(self._on_attempt, attempt)
        return answer

    def _exchange(self, call: Call, into: IO[bytes] | None) -> Answer:
        """Send a request once and return what came of it, whatever its status."""
        import requests
        from urllib3.exceptions import HTTPError

        from airflow_provider_campaigns.api.connections import Deadline, ending_by

        endpoint = call.endpoint
        prepared = signed(call, self._session, self.base_url, self.account.label)
        in_all = TIMEOUTS_FOR_EACH_ATTEMPT * self.timeout
        deadline = Deadline(in_all, DOWNLOADED_BYTES_PER_SECOND if into else None)
        timeouts = (min(self.timeout, CONNECT_TIMEOUT_SECONDS), self.timeout)
        content = b""
        try:
            with ending_by(deadline), self._connections.send(endpoint, prepared, timeouts) as response:
                status, headers = response.status_code, self._headers_of(response)
                kept = into is not None and 200 <= status < 300
                if into is not None and kept:
                    limit = MAX_BINARY_BYTES if endpoint.binary else MAX_KEPT_BYTES
                    bodies.keep(response, into, limit, deadline, binary=endpoint.binary)
                else:
                    content = bodies.read(response, MAX_ANSWER_BYTES, deadline)
        except bodies.BodyFlaw as error:
            raise self._failures.broken(endpoint, str(error), status, headers) from None
        except (requests.RequestException, HTTPError) as error:
            late = None if deadline.left() else in_all
            raise self._failures.unreached(endpoint, error, self.timeout, late) from None
        if 300 <= status < 400:
            raise self._failures.redirected(endpoint, status, headers)
        if kept or not content.strip():
            return Answer(self.account.vendor, endpoint, status, headers, None)
        try:
            flaw, parsed = None, json.loads(content)
        except (ValueError, RecursionError):
            flaw, parsed = "the body is not JSON", None
        if flaw is None:
            return Answer(self.account.vendor, endpoint, status, headers, parsed)
        # Out here and without the body: Python's own error has it as a field, and any in the frames it came through.
        text = self._failures.without_secrets(content.decode("utf-8", "replace"))[:2000]
        del content
        if status < 300:
            raise self._failures.broken(endpoint, flaw, status, headers)
        return Answer(self.account.vendor, endpoint, status, headers, None, text)

    def _headers_of(self, response: requests.Response) -> dict[str, str]:
        """Return an answer's headers, names in lower case; some repeat what they were sent."""
        return {name.lower(): self._failures.without_secrets(value) for name, value in response.headers.items()}

    def _diagnosed(self, answer: Answer) -> Refusal | None:
        try:
            return self._diagnose(answer)
        except RecursionError:
            pass
        raise answer.unreadable("with JSON that is nested too deeply")

    def _refused(self, answer: Answer, refusal: Refusal) -> errors.CampaignAPIError:
        words_alone = refusal.error is errors.RateLimited and answer.status < 300
        if not words_alone or answer.endpoint.safety is Safety.REPEATABLE:
            return self._failures.refused(answer, refusal)
        # Only a status says that a request was not processed. Words may be an echo of what was sent.
        unclear = self._failures.broken(
            answer.endpoint, "its words are those of a rate limit", answer.status, answer.headers
        )
        unclear.retry_after = self._limit_window
        return unclear
