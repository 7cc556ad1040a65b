"""Ready-made retry rules for authors who write a retry policy of their own (Airflow 3.3 and newer)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_campaigns.exceptions import (
    CampaignRequestFailed,
    CampaignUnreachable,
    LaunchNotRecorded,
    LaunchOutcomeUnknown,
)

if TYPE_CHECKING:
    from airflow.sdk import RetryRule


def campaign_retry_rules(
    lookup_delay: timedelta = timedelta(minutes=5), outage_delay: timedelta = timedelta(minutes=10)
) -> list[RetryRule]:
    """
    Return rules for ``ExceptionRetryPolicy(rules=[*campaign_retry_rules(), ...])``.

    What must never be retried (``LaunchConflict``, ``LaunchRefused``, ``CampaignFailed`` and the like) needs no rule:
    Airflow asks no policy about those.

    :param lookup_delay: Before a try that looks for a campaign whose create was not answered; give the vendor's list
        time to show it.
    :param outage_delay: Before a try after a vendor that did not answer or refused for now, or after Airflow could not
        be told what was launched.
    :raises ImportError: On Airflow below 3.3, which has no retry policies.
    """
    from airflow.sdk import RetryAction, RetryRule

    return [
        RetryRule(
            exception=LaunchOutcomeUnknown,
            action=RetryAction.RETRY,
            retry_delay=lookup_delay,
            reason="The create was not answered; the next try looks for the campaign before it creates one",
        ),
        RetryRule(
            exception=[CampaignUnreachable, CampaignRequestFailed],
            action=RetryAction.RETRY,
            retry_delay=outage_delay,
            reason="The vendor did not answer as it should; the campaign itself is untouched",
        ),
        RetryRule(
            exception=LaunchNotRecorded,
            action=RetryAction.RETRY,
            retry_delay=outage_delay,
            reason="Airflow could not be told what was launched; the next try looks for it and goes on with it",
        ),
    ]
