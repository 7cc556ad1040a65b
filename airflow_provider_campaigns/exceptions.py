"""How the provider's failures look to Airflow: which are retried, which never, and what each means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from airflow_provider_campaigns.api import errors


class CampaignRequestFailed(AirflowException):
    """A call to the vendor did not succeed; it may another time, so Airflow's retries apply."""


class CampaignRequestRefused(AirflowFailException):
    """The request as it stands can never succeed (bad input, refused by the vendor); not retried."""


class CampaignOutcomeUnknown(AirflowFailException):
    """A change was asked for and no conclusive answer came; not retried, since repeating could do it twice."""


class LaunchOutcomeUnknown(AirflowException):
    """An answer was lost, so that a campaign may exist; Airflow's retry looks for it before it creates one."""


class LaunchNotRecorded(AirflowException):
    """Airflow could not be told what this try did; Airflow's retry looks for it at the vendor and goes on with it."""


class LaunchConflict(AirflowFailException):
    """This run already launched different content, launched twice, or someone changed the campaign; not retried."""


class LaunchRefused(AirflowFailException):
    """
    A rule that the DAG's author set forbids the launch; not retried.

    :param message: What forbids it, and what was sent.
    :param guard: The argument that sets the rule.
    """

    def __init__(self, message: str = "", *, guard: str = "other") -> None:
        super().__init__(message)
        self.guard = guard


class CampaignFailed(AirflowFailException):
    """The campaign ended without reaching the goal: canceled, stopped or failed at the vendor; not retried."""


class CampaignGateFailed(AirflowFailException):
    """The campaign finished, but its figures are not what the gates ask for; not retried."""


class CampaignBraked(AirflowFailException):
    """Too many failures while the campaign ran, which was paused, or stopped if it has no pause; not retried."""


class RampStopped(AirflowFailException):
    """A stage of a ramp does not let the next one go out, by its figures or by a person's decision; not retried."""


class CampaignStalled(AirflowFailException):
    """The campaign is running but did not progress for the stall timeout; not retried, the campaign goes on."""


class CampaignLate(AirflowFailException):
    """By its forecast the campaign will not reach the goal by ``finish_by``; not retried. Says if it was paused."""


class CampaignUnreachable(AirflowException):
    """The vendor gave no good answer for longer than the patience; the campaign itself goes on untouched."""


class CampaignWaitTimeout(AirflowFailException):
    """The campaign was launched but did not reach the goal in time; not retried. Says what was done to it."""


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Translate API errors into Airflow exceptions; the API error stays as the cause. A dry run skips the task."""
    try:
        yield
    except errors.HeldBack as error:
        raise AirflowSkipException(str(error)) from error
    except errors.InvalidRequest as error:
        raise CampaignRequestRefused(str(error)) from error
    except errors.OutcomeUnknown as error:
        raise CampaignOutcomeUnknown(str(error)) from error
    except (errors.Rejected, errors.BillingLimitReached) as error:
        raise CampaignRequestRefused(str(error)) from error
    except errors.CampaignAPIError as error:
        raise CampaignRequestFailed(str(error)) from error
