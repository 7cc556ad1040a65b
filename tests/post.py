"""Post: the plainest of vendors, invented for the tests of the transport, and a client that notes its pauses."""

from __future__ import annotations

import time
import uuid

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.answers import Refusal, meaning_of
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.limits import Account
from airflow_provider_campaigns.api.options import ClientOptions
from airflow_provider_campaigns.api.transport import Transport

TOKEN = "tok-3f9a+secret/value=="
LABEL = "connection 'post_default'"
READ = Endpoint("GET", "/campaigns")
ONE = Endpoint("GET", "/campaigns/{campaign_id}")
KEYED = Endpoint("POST", "/campaigns", Safety.KEYED)
ONCE = Endpoint("POST", "/campaigns", Safety.ONCE)


def bearer(request):
    """Sign a request."""
    request.headers["Authorization"] = f"Bearer {TOKEN}"
    return request


def by_status(answer):
    """The plainest vendor: statuses mean what they mean everywhere, the body may say more."""
    if answer.status < 300:
        return None
    body = answer.data if isinstance(answer.data, dict) else {}
    return Refusal(
        meaning_of(answer.status), body.get("message") or answer.text, body.get("code"), body.get("wait_seconds")
    )


class Client(Transport):
    """A transport that notes its pauses instead of sleeping."""

    patience = 30.0

    def __init__(self, base_url, key=None, **changes):
        self.pauses = []
        chosen = {name: changes.pop(name) for name in ("look_share", "on_attempt") if name in changes}
        options = ClientOptions(timeout=changes.pop("timeout", self.patience), sleep=self.pauses.append, **chosen)
        arguments = {"auth": bearer, "diagnose": by_status, "secrets": (TOKEN,)} | changes
        super().__init__(
            account=Account("Post", key or str(uuid.uuid4()), LABEL),
            base_url=base_url,
            options=options,
            **arguments,
        )


def failure(client, endpoint=READ, **arguments):
    """Return the error that a call ends with."""
    with pytest.raises(errors.CampaignAPIError) as caught:
        client.call(endpoint, **arguments)
    return caught.value


def seconds_for(calls):
    """Return how long a few calls take, one after the other."""
    began = time.monotonic()
    for call in calls:
        call()
    return time.monotonic() - began
