"""The vendors of this package as the conformance kit has to know them; Kore.ai has two ways to launch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.testing.conformance import Step, VendorUnderTest

KINBOX_LEADS = 5
#: The first batch at Altur is of 1,000: these fill two.
ALTUR_CONTACTS = 1100
KOREAI_CONTACTS = 120

KINBOX = VendorUnderTest(
    name="kinbox",
    vendor="kinbox",
    operator=KinboxCreateCampaignOperator,
    arguments={
        "name": "Winter",
        "leads_asset_url": f"https://files.example.com/leads.csv?leads={KINBOX_LEADS}",
        "text_raw": "Call +5215512345678",
    },
    recipients=KINBOX_LEADS,
    steps=[Step("create", "create_campaign")],
    sending_words=frozenset({"processing", "scheduled", "executing"}),
)

ALTUR = VendorUnderTest(
    name="altur",
    vendor="altur",
    operator=AlturCreateCampaignOperator,
    arguments={
        "name": "Winter",
        "agent_id": "agent",
        "integration_id": "integration",
        "integration_type": "phone_call",
        "contacts": [{"contact": f"+52155{number:08d}"} for number in range(ALTUR_CONTACTS)],
    },
    recipients=ALTUR_CONTACTS,
    steps=[
        Step("create", "create_campaign", repeats=True),
        Step("first contacts", "add_contacts", repeats=True),
        Step("last contacts", "add_contacts", repeats=True),
        Step("activate", "activate_campaign", repeats=True),
    ],
    sending_words=frozenset({"active"}),
    forget_keys=lambda vendor: vendor.keys.forget(),  # type: ignore[attr-defined]
)

_HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
}
_CALLER = {"phoneNumber": "+14155550100"}
_ATTEMPTS = {"dialingOrder": "FIFO", "maxAttemptsPerRecord": 1, "defaultRetryPeriod": 5, "maxRingTime": 30}
_KOREAI: dict[str, Any] = {
    "vendor": "koreai",
    "operator": KoreAICreateCampaignOperator,
    "recipients": KOREAI_CONTACTS,
    "sending_words": frozenset({"Active"}),
    "hurried": {"airflow_provider_campaigns.operators.koreai.READY_POLL_SECONDS": 0.02},
}
_WINTER = {"name": "Winter", "description": "Winter sale", "contact_lists": ["Sandbox contacts"]}

KOREAI_SMS = VendorUnderTest(
    name="koreai sms",
    arguments={
        **_WINTER,
        "message": "Sale",
        "dialing_strategy": {"callerId": _CALLER, "callingHours": _HOURS},
    },
    steps=[Step("create", "create_campaign"), Step("start", "start_campaign")],
    **_KOREAI,
)

KOREAI_VOICE = VendorUnderTest(
    name="koreai voice",
    arguments={
        **_WINTER,
        "campaign_type": "voice",
        "dialing_mode": "Agentless",
        "experience_flow_name": "Welcome",
        "dialing_strategy": {"callerId": _CALLER, "callingHours": _HOURS, **_ATTEMPTS},
    },
    steps=[
        Step("create", "create_campaign"),
        Step("see it ready", "get_campaign", reads=True, repeats=True),
        Step("start", "start_campaign"),
    ],
    **_KOREAI,
)

VENDORS: Sequence[VendorUnderTest] = (KINBOX, ALTUR, KOREAI_SMS, KOREAI_VOICE)
