"""What a failed exchange is called: an error by its meaning, in words that hold no credential and no recipient."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.answers import Answer, Refusal, request_id, retry_after_seconds
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.redaction import MAX_WORD_CHARACTERS, redacted, without, written_forms

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.limits import Account

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


class Failures:
    """
    The errors of one account's exchanges.

    :param account: The account that was called.
    :param base_url: Where it was called.
    :param secrets: What must never be seen in a message.
    :param advice: What to check for each kind of refusal, in the vendor's terms, where the general advice is too vague.
    """

    def __init__(
        self,
        account: Account,
        base_url: str,
        secrets: tuple[str, ...],
        advice: Mapping[type[errors.CampaignAPIError], str] | None,
    ) -> None:
        self._account = account
        self._place = base_url.partition("://")[2]
        self._secrets = written_forms(secrets)
        self._advice = {**ADVICE, **(advice or {})}

    def redacted(self, words: str) -> str:
        """Return a vendor's words fit for a message: without credential and phone numbers, and not long."""
        return redacted(words, self._secrets)

    def without_secrets(self, text: str) -> str:
        """Return a text of any length in which no credential is left."""
        return without(self._secrets, text)

    def held_back(self, endpoint: Endpoint) -> errors.HeldBack:
        """Return the error for a request that a dry run must not send."""
        return errors.HeldBack(
            f"Dry run: {endpoint} was not sent to {self._account.vendor}, since {self._account.label} says dry_run.",
            vendor=self._account.vendor,
            endpoint=str(endpoint),
        )

    def broken(self, endpoint: Endpoint, what: str, status: int, headers: Mapping[str, str]) -> errors.UnreadableAnswer:
        """
        Return the error for an answer that cannot be read.

        :param what: The flaw, as the end of a sentence.
        """
        return errors.UnreadableAnswer(
            f"{self._account.vendor} answered {endpoint} of {self._account.label} with {status}, but {what}.",
            vendor=self._account.vendor,
            endpoint=str(endpoint),
            status=status,
            request_id=request_id(headers),
        )

    def unreached(
        self, endpoint: Endpoint, error: Exception, timeout: float, in_all: float | None
    ) -> errors.Unavailable:
        """
        Return the error for a request that got no answer.

        :param error: What ``requests`` or urllib3 says.
        :param timeout: Seconds that were waited for a piece of the answer.
        :param in_all: Seconds that were waited for all of it, if it is these that passed.
        """
        never_sent = _never_sent(error)
        return errors.Unavailable(
            f"{self._account.vendor} could not be asked {endpoint} with {self._account.label}: "
            f"{_what_broke(error, never_sent, self._place, timeout, in_all)}.",
            vendor=self._account.vendor,
            endpoint=str(endpoint),
            never_sent=never_sent,
        )

    def redirected(self, endpoint: Endpoint, status: int, headers: Mapping[str, str]) -> errors.Rejected:
        """Return the error for a redirect, which is not followed."""
        try:
            target = urlsplit(headers.get("location", "")).hostname
        except ValueError:
            target = "an invalid address"
        return errors.Rejected(
            f"{self._account.vendor} redirected {endpoint} to {(target or 'another path')[:100]}. Redirects are "
            "not followed, since they would take the credential along: set the right host in "
            f"{self._account.label}.",
            vendor=self._account.vendor,
            endpoint=str(endpoint),
            status=status,
            request_id=request_id(headers),
        )

    def refused(self, answer: Answer, refusal: Refusal) -> errors.CampaignAPIError:
        """Return the error for what a vendor's answer refuses."""
        said = self.redacted(refusal.message)
        if answer.endpoint.recipients:
            said = "the reason is left out here, since it may name recipients."
        code = redacted(refusal.code, self._secrets, MAX_WORD_CHARACTERS) if refusal.code else None
        numbers = f"{answer.status} {code}" if code else f"{answer.status}"
        verb = "could not answer" if refusal.error is errors.Unavailable else "refused"
        message = f"{self._account.vendor} {verb} {answer.endpoint} of {self._account.label} ({numbers})"
        now = datetime.datetime.now(datetime.UTC)
        waits = (refusal.retry_after, retry_after_seconds(answer.headers.get("retry-after"), now))
        advice = self._advice.get(refusal.error, "")
        if answer.status == 404:
            # A wrong host has nothing at all, and mostly no words for it.
            advice += f" If all requests end so, the host may be wrong: this one went to {self._place}."
        return refusal.error(
            f"{message}: {said or 'no reason given'}{'' if said.endswith(('.', '!', '…')) else '.'} {advice}".rstrip(),
            vendor=self._account.vendor,
            endpoint=str(answer.endpoint),
            status=answer.status,
            code=code,
            request_id=request_id(answer.headers),
            retry_after=max((wait for wait in waits if wait is not None), default=None),
        )


def unknown_outcome(endpoint: Endpoint, error: errors.CampaignAPIError) -> errors.OutcomeUnknown:
    """Return the error for a call that may have taken effect, for all that is known."""
    return errors.OutcomeUnknown(
        f"{error} {endpoint} may have taken effect all the same: look before repeating it.",
        vendor=error.vendor,
        endpoint=error.endpoint,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        retry_after=error.retry_after,
    )


def _reason(error: Exception) -> BaseException | None:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return getattr(reason, "original_error", reason)  # of a proxy that could not be reached


def _never_sent(error: Exception) -> bool:
    """Whether the request provably never reached the vendor."""
    import ssl

    import requests
    from urllib3.exceptions import NewConnectionError

    reason = _reason(error)
    # TLS can also break after the request has gone out: only a certificate that was refused proves that it has not.
    cause = reason.args[0] if isinstance(error, requests.exceptions.SSLError) and reason and reason.args else reason
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        cause, (NewConnectionError, ssl.SSLCertVerificationError)
    )


def _what_broke(error: Exception, never_sent: bool, place: str, timeout: float, in_all: float | None) -> str:
    import requests
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    if isinstance(error, requests.ConnectTimeout):
        return f"no connection to {place} in time"
    if isinstance(error, (requests.ReadTimeout, ReadTimeoutError)):
        return f"no answer within {timeout:g} s" if in_all is None else f"no whole answer within {in_all:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return f"no trusted TLS connection to {place}{_cause(error)}"
    if isinstance(error, ProtocolError):
        return "an answer that was cut off"
    if not never_sent:
        return f"a connection to {place} that broke"
    way = " through the configured proxy" if isinstance(error, requests.exceptions.ProxyError) else ""
    return f"no connection to {place}{way}{_cause(error)}"


def _cause(error: Exception) -> str:
    """Return the operating system's or TLS's own word for what is wrong, such as a refused connection."""
    reason = _reason(error)
    cause = reason.__cause__ or (reason.args[0] if reason.args else None) if reason else None
    word = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None)
    return f" ({word})" if isinstance(word, str) and word else ""
