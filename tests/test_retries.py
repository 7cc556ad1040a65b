"""The ready-made retry rules."""

from datetime import timedelta

import pytest

from airflow_provider_campaigns.testing.airflow_since import need

need("retry policies")

from airflow.sdk import ExceptionRetryPolicy, RetryAction

from airflow_provider_campaigns.exceptions import (
    CampaignRequestFailed,
    CampaignUnreachable,
    LaunchNotRecorded,
    LaunchOutcomeUnknown,
)
from airflow_provider_campaigns.retries import campaign_retry_rules


@pytest.mark.parametrize(
    ("error", "minutes"),
    [(LaunchOutcomeUnknown, 7), (LaunchNotRecorded, 10), (CampaignUnreachable, 10), (CampaignRequestFailed, 10)],
)
def test_each_error_that_may_pass_is_retried_after_its_own_delay(error: type[Exception], minutes: int) -> None:
    policy = ExceptionRetryPolicy(rules=campaign_retry_rules(lookup_delay=timedelta(minutes=7)))
    decision = policy.evaluate(error("x"), 1, 3)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == timedelta(minutes=minutes)


def test_an_error_of_the_author_s_own_code_is_left_to_the_task() -> None:
    policy = ExceptionRetryPolicy(rules=campaign_retry_rules())
    assert policy.evaluate(KeyError("x"), 1, 3).action is RetryAction.DEFAULT
