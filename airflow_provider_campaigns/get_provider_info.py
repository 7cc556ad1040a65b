"""What Airflow reads about this provider: connection types and their forms, modules, extra links. Data only."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.hooks.connection_form import declare_connection

_CONNECTION_TYPES = [
    declare_connection(
        "kinbox",
        "airflow_provider_campaigns.hooks.kinbox.KinboxHook",
        "Kinbox",
        hidden=["login", "schema"],
        relabeling={"password": "API token"},
        placeholders={
            "host": "https://api4.kinbox.com.br, or the newer https://platform.kinbox.com.br",
            "password": "required; with the scopes read, write and send",
        },
        fields={
            "create_api_version": {
                "label": "API version for creating",
                "description": "v3 posts to /v3/campaigns, v1 to the newer /v1/campaigns. A host without v3 gets v1.",
                "schema": {"type": ["string", "null"], "enum": ["v3", "v1"], "default": "v3"},
            },
        },
    ),
    declare_connection(
        "altur",
        "airflow_provider_campaigns.hooks.altur.AlturHook",
        "Altur",
        hidden=["login", "schema"],
        relabeling={"password": "API key"},
        placeholders={"host": "https://api.altur.io/api/v1.0", "password": "required"},
        fields={},
    ),
    declare_connection(
        "koreai",
        "airflow_provider_campaigns.hooks.koreai.KoreAIHook",
        "Kore.ai",
        hidden=["schema"],
        relabeling={"login": "Client ID", "password": "Client secret"},
        placeholders={"host": "https://platform.kore.ai", "login": "required; cs-...", "password": "required"},
        fields={
            "app_id": {
                "label": "App ID",
                "description": "The id of the application (st-...); the vendor also calls it IID, stream id or bot id.",
                "schema": {"type": "string", "minLength": 1},
            },
            "account_id": {
                "label": "Account ID",
                "description": "The id of the account, 24 characters.",
                "schema": {"type": "string", "minLength": 1},
            },
            "api_version": {
                "label": "API version",
                "description": "v1 is documented for every call. v2 alone can name a do-not-call list for a campaign.",
                "schema": {"type": ["string", "null"], "enum": ["v1", "v2"], "default": "v1"},
            },
            "use_jti": {
                "label": "One-time tokens",
                "description": "Give each request a token with an id of its own (jti); apps that enforce JTI need it.",
                "schema": {"type": ["boolean", "null"], "default": True},
            },
            "message_encoding": {
                "label": "Encoding of SMS texts",
                "description": "base64, as Kore.ai's pages say, or plain: for people who receive 'SGksIFRo...'.",
                "schema": {"type": ["string", "null"], "enum": ["base64", "plain"], "default": "base64"},
            },
            "account_id_in_query": {
                "label": "Account ID in v1 addresses",
                "description": "Older pages of v1 ask for ?accountId= in the address.",
                "schema": {"type": ["boolean", "null"], "default": False},
            },
        },
    ),
]


_CONFIG = {
    "campaigns": {
        "description": "Settings of messaging campaigns.",
        "options": {
            "altur_webhooks": {
                "description": "Which of Altur's webhooks the API server receives: a JSON object with, for each "
                "connection to Altur, the connection whose password is the webhook's secret. Empty: none, and no "
                "route. The API server and the triggerer read it.",
                "version_added": None,
                "type": "string",
                "example": '{"altur_default": "altur_webhook"}',
                "default": "",
            },
        },
    },
}


def _modules(kind: str, vendors_common: list[str]) -> list[dict[str, Any]]:
    own = {"Kinbox": ["kinbox"], "Altur": ["altur"], "Kore.ai": ["koreai"], "Messaging campaigns": vendors_common}
    return [
        {
            "integration-name": name,
            "python-modules": [f"airflow_provider_campaigns.{kind}.{module}" for module in modules],
        }
        for name, modules in own.items()
        if modules
    ]


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description; Airflow calls this through the entry point ``apache_airflow_provider``."""
    return {
        "package-name": "airflow-provider-campaigns",
        "name": "Messaging campaigns",
        "description": "Launch messaging campaigns (WhatsApp, SMS, voice) at Kinbox, Altur and Kore.ai, "
        "and gate tasks on their progress.",
        "integrations": [
            {
                "integration-name": "Kinbox",
                "external-doc-url": "https://developer.kinbox.com.br/api-reference",
                "tags": ["service"],
            },
            {"integration-name": "Altur", "external-doc-url": "https://docs.altur.io", "tags": ["service"]},
            {"integration-name": "Kore.ai", "external-doc-url": "https://docs.kore.ai", "tags": ["service"]},
            {"integration-name": "Messaging campaigns", "tags": ["service"]},
        ],
        "hooks": _modules("hooks", ["campaign"]),
        "operators": _modules(
            "operators",
            [
                "approval",
                "audience",
                "campaign",
                "channels",
                "contact_lists",
                "contacts",
                "create",
                "evidenced",
                "guarded",
                "lineage",
                "opt_outs",
                "planned",
                "ramp",
                "recipients",
                "reconcile",
                "recordings",
                "results",
                "schedules",
                "staged",
                "storing",
                "updates",
                "waits",
                "whatsapp",
            ],
        ),
        "sensors": _modules("sensors", ["campaign", "named", "several", "waiting"]),
        "triggers": [
            {
                "integration-name": "Messaging campaigns",
                "python-modules": [
                    "airflow_provider_campaigns.triggers.campaign",
                    "airflow_provider_campaigns.triggers.campaign_event",
                    "airflow_provider_campaigns.triggers.campaign_group",
                    "airflow_provider_campaigns.triggers.campaign_name",
                ],
            }
        ],
        "connection-types": _CONNECTION_TYPES,
        "config": _CONFIG,
        "cli": ["airflow_provider_campaigns.observe.commands.campaign_commands"],
        "extra-links": ["airflow_provider_campaigns.links.CampaignLink"],
        "task-decorators": [
            {
                "name": f"{vendor}_campaign",
                "class-name": f"airflow_provider_campaigns.decorators.{vendor}.{vendor}_campaign_task",
            }
            for vendor in ("kinbox", "altur", "koreai")
        ],
    }
