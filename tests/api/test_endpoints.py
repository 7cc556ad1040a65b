"""Which requests a dry run sends: of all endpoints, those that are known to message nobody and change nothing."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import airflow_provider_campaigns.api as api
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint

#: Every endpoint that is sent in a dry run though it is no GET: a new one belongs here only if its page says that it
#: changes nothing (read), or that nobody gets a message because of it (hold).
NOT_HELD_BACK = {
    Effect.READ: {
        "POST /contactList/getAllListDetails",
        "POST /getAllCampaignDetails",
        "POST /{campaign_id}/status",
    },
    Effect.HOLD: {
        "POST /campaigns/{campaign_id}/pause",
        "POST /v1/campaigns/{campaign_id}/pause",
        "POST /campaign/api/v1/public/{app_id}/campaign/{campaign_id}",
        "POST /campaign/api/v2/public/{app_id}/campaign/schedule",
    },
}


def endpoints() -> Iterator[Endpoint]:
    """Yield every endpoint that a module of the API layer declares, of each API version."""
    for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        for value in vars(importlib.import_module(found.name)).values():
            yield from (one for one in (value.values() if isinstance(value, Mapping) else [value]) if _is_endpoint(one))


def _is_endpoint(value: Any) -> bool:
    return isinstance(value, Endpoint)


def test_only_what_is_known_to_be_harmless_is_sent() -> None:
    let_through: dict[Effect | None, set[str]] = {}
    for endpoint in endpoints():
        if endpoint.method != "GET" and not endpoint.changes_something:
            short = str(endpoint)
            for prefix in ("/agentassist/api/v1/public/{app_id}/campaign", "/campaign/api/v2/public/{app_id}/campaign"):
                short = short.replace(f"{prefix}/", "/") if endpoint.effect is Effect.READ else short
            let_through.setdefault(endpoint.effect, set()).add(short)
    assert let_through == NOT_HELD_BACK
    assert {str(one) for one in endpoints() if one.method == "GET" and one.changes_something} == set()
