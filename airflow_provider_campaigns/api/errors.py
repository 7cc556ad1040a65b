"""What can go wrong between this package and a vendor's API, by meaning."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.api.redaction import printable


class InvalidRequest(ValueError):
    """Refused before anything was sent: the message names the field, its value's fault and what is allowed."""


class UnsupportedAction(InvalidRequest):
    """The vendor has no such action; the message names what it has instead."""


class CampaignAPIError(Exception):
    """
    A call to a vendor's API that did not succeed.

    :param message: What was attempted, what came back and what the reader can do. Holds no credential and no recipient.
    :param vendor: The vendor's name, such as ``Kinbox``.
    :param endpoint: Method and path pattern, such as ``GET /v1/campaigns/{campaign_id}``.
    :param status: HTTP status, or None where there was no answer.
    :param code: The vendor's own error code, or None.
    :param request_id: The vendor's id of the request, or None.
    :param retry_after: Seconds the vendor asks to wait, or None.
    """

    #: Whether the same read may well succeed a little later.
    transient = False

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        endpoint: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        # The one gate to logs: whatever a message repeats of a vendor's, it is one line and does nothing to a terminal.
        super().__init__(printable(message))
        self.vendor = vendor
        self.endpoint = endpoint
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        # Python's own way calls the class with the message alone, so that such an error could not leave its process.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[CampaignAPIError], arguments: tuple[Any, ...], state: dict[str, Any]) -> CampaignAPIError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class HeldBack(CampaignAPIError):
    """The client is in a dry run, and the request would have changed something: it was not sent."""


class AuthenticationFailed(CampaignAPIError):
    """The vendor does not accept the credential (401)."""


class PermissionDenied(CampaignAPIError):
    """The credential is valid but may not do this (403, or a missing scope)."""


class NotFound(CampaignAPIError):
    """The vendor knows no such object (404)."""


class Conflict(CampaignAPIError):
    """The object's state does not allow this (409)."""


class BillingLimitReached(CampaignAPIError):
    """The account's plan allows no more (402)."""


class Rejected(CampaignAPIError):
    """The vendor read the request and refused it (400, 412, 422 and the like)."""


class RateLimited(CampaignAPIError):
    """Refused unprocessed because of too many requests (429)."""

    transient = True


class Unavailable(CampaignAPIError):
    """
    The vendor gave no usable answer: timeout, reset, 5xx, or it could not be reached.

    :param never_sent: True when the request provably never reached the vendor.
    """

    transient = True

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        endpoint: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        never_sent: bool = False,
    ) -> None:
        super().__init__(
            message,
            vendor=vendor,
            endpoint=endpoint,
            status=status,
            code=code,
            request_id=request_id,
            retry_after=retry_after,
        )
        self.never_sent = never_sent


class UnreadableAnswer(CampaignAPIError):
    """The vendor answered, but not in a form that can be relied on (cut off, HTML, a field missing)."""

    transient = True


class ListingIncomplete(UnreadableAnswer):
    """A list did not come to its end: the vendor handed out a cursor again, or more pages than there can be."""


class OutcomeUnknown(CampaignAPIError):
    """
    A call that changes something got no conclusive answer: it may or may not have taken effect.

    It must not be repeated blindly. ``__cause__`` is the error that left it open.
    """
