"""A gate that a vendor's figures can never answer is told of before anybody waits for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.wait.answerable import FIGURES_OF, unanswerable
from airflow_provider_campaigns.wait.decisions import Gates

ALL = Gates(min_delivered_ratio=0.9, max_failed_ratio=0.1, brake=0.1)


@pytest.mark.parametrize(
    ("counted", "never"),
    [
        (KinboxClient.answers(), []),
        (AlturClient.answers(), []),
        (KoreAIClient.answers(campaign_type="sms"), ["min_delivered_ratio", "max_failed_ratio", "brake"]),
        (KoreAIClient.answers(campaign_type="voice"), ["min_delivered_ratio", "max_failed_ratio", "brake"]),
        ((), ["min_delivered_ratio", "max_failed_ratio", "brake"]),
    ],
)
def test_each_gate_that_can_never_be_judged_is_named_with_what_it_needs(
    counted: Collection[str], never: list[str]
) -> None:
    told = unanswerable(ALL, counted)
    assert [sentence.split()[0] for sentence in told] == never
    assert all(" of " in sentence for sentence in told)


def test_a_gate_that_is_not_set_is_nobody_s_concern() -> None:
    assert unanswerable(Gates(), ()) == []


def test_every_gate_says_which_figures_answer_it() -> None:
    assert set(FIGURES_OF) <= {field.name for field in fields(Gates)}
    assert {field.name for field in fields(Gates)} - set(FIGURES_OF) <= {"min_sample", "of_sample"}
