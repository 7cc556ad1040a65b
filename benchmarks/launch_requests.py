"""How many requests a launch without faults makes at each vendor, beside those of the vendor's own procedure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from server import running
from table import Row, as_markdown, verdict
from waits import prepare_process

#: The first batch at Altur is of 1,000: these fill two.
ALTUR_CONTACTS = 1_100
KOREAI = {"description": "Winter sale", "contact_lists": ["Sandbox contacts"]}
KOREAI_STRATEGY = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}
KOREAI_ATTEMPTS = {"dialingOrder": "FIFO", "maxAttemptsPerRecord": 1, "defaultRetryPeriod": 5, "maxRingTime": 30}


@dataclass(frozen=True)
class Launch:
    """
    A launch.

    :param operator: The class of the create operator.
    :param arguments: What the DAG's author gives it.
    :param procedure: The requests that the vendor's pages ask for, by the sandbox's names, and how many of each.
    """

    operator: str
    arguments: Mapping[str, Any]
    procedure: Mapping[str, int]


LAUNCHES = {
    "kinbox": Launch(
        "kinbox.KinboxCreateCampaignOperator",
        {"leads_asset_url": "https://files.example.com/leads.csv?leads=5", "message": "Sale"},
        {"create_campaign": 1},
    ),
    "altur": Launch(
        "altur.AlturCreateCampaignOperator",
        {
            "agent_id": "agent",
            "integration_id": "integration",
            "integration_type": "phone_call",
            "contacts": [{"contact": f"+52155{number:08d}"} for number in range(ALTUR_CONTACTS)],
        },
        {"create_campaign": 1, "add_contacts": 2, "activate_campaign": 1},
    ),
    # An SMS campaign is ready at once, by the answer to its creation.
    "koreai sms": Launch(
        "koreai.KoreAICreateCampaignOperator",
        {**KOREAI, "message": "Sale", "dialing_strategy": KOREAI_STRATEGY},
        {"create_campaign": 1, "start_campaign": 1},
    ),
    # A voice campaign is prepared first: whether it is ready has to be asked, here once.
    "koreai voice": Launch(
        "koreai.KoreAICreateCampaignOperator",
        {
            **KOREAI,
            "campaign_type": "voice",
            "dialing_mode": "Agentless",
            "experience_flow_name": "Welcome",
            "dialing_strategy": {**KOREAI_STRATEGY, **KOREAI_ATTEMPTS},
        },
        {"create_campaign": 1, "get_campaign": 1, "start_campaign": 1},
    ),
}


class TaskInstance:
    """What the operators use of Airflow's task instance."""

    try_number, max_tries, map_index = 1, 0, -1
    dag_id, run_id, task_id = "benchmark", "manual", "create"

    def xcom_push(self, key: str, value: Any) -> None:
        """Drop an XCom."""


class Store(dict[str, Any]):
    """What the operators use of Airflow's task state store."""

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a value."""
        self[key] = value


def launched(launch: Launch) -> None:
    """Launch a campaign as a worker does."""
    module, _, name = launch.operator.partition(".")
    operator = getattr(import_module(f"airflow_provider_campaigns.operators.{module}"), name)
    task = operator(task_id="create", name="Winter", **launch.arguments)
    task.execute({"ti": TaskInstance(), "task_state_store": Store()})


def rows() -> list[Row]:
    """Return the figure of each vendor."""
    found = []
    with running(speed=60) as server:
        prepare_process(server)
        for vendor, launch in LAUNCHES.items():
            before = len(server.requests())
            launched(launch)
            made = Counter(request["endpoint"] for request in server.requests()[before:])
            ours, needed = sum(made.values()), sum(launch.procedure.values())
            found.append(
                Row(
                    f"requests of a launch without faults: {vendor}",
                    f"{ours}: " + ", ".join(f"{number} {endpoint}" for endpoint, number in made.items()),
                    f"the vendor's procedure: {needed}",
                    f"{ours / needed:.2f}",
                    "no further request",
                    verdict(made == launch.procedure),
                )
            )
    return found


if __name__ == "__main__":
    print(as_markdown(rows()))
