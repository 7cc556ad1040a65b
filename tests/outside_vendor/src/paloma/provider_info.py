"""What Airflow reads about this provider. Data only: Airflow imports it at every start."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.hooks.connection_form import declare_connection


# --8<-- [start:info]
def get_provider_info() -> dict[str, Any]:
    """Return the provider's description."""
    return {
        "package-name": "airflow-provider-paloma",
        "name": "Paloma",
        "description": "SMS campaigns at Paloma, an invented vendor.",
        "connection-types": [
            declare_connection(
                "paloma",
                "paloma.hook.PalomaHook",
                "Paloma",
                hidden=["login", "schema"],
                relabeling={"password": "API key"},
                placeholders={"host": "https://api.paloma.example", "password": "required"},
            )
        ],
        "task-decorators": [{"name": "paloma_campaign", "class-name": "paloma.operators.paloma_campaign_task"}],
    }


# --8<-- [end:info]
