"""Paloma is launched exactly once, and waited for alike in every mode."""

from __future__ import annotations

from paloma.operators import PalomaCreateCampaignOperator

from airflow_provider_campaigns.testing.conformance import Conformance, Step, VendorUnderTest

NUMBERS = [f"+52155{number:08d}" for number in range(20)]

# --8<-- [start:kit]
PALOMA = VendorUnderTest(
    name="paloma",
    vendor="paloma",
    operator=PalomaCreateCampaignOperator,
    arguments={"name": "Winter", "text": "Sale", "phone_numbers": NUMBERS},
    recipients=len(NUMBERS),
    steps=[Step("create", "create_campaign"), Step("start", "start_campaign")],
    sending_words=frozenset({"sending"}),
)


class TestPaloma(Conformance):
    vendors = [PALOMA]


# --8<-- [end:kit]
