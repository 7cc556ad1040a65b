"""The arguments of a wait, as a DAG author gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import as_number
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.wait.answerable import unanswerable
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.terms import ON_KILL, Terms

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient


def goal_of(until: str | None, progress_threshold: Any) -> Goal:
    """Return the goal that an operator's arguments ask for; a threshold may come as text from a template."""
    threshold = None
    if progress_threshold is not None and progress_threshold != "" and progress_threshold != "None":
        threshold = as_number("progress_threshold", progress_threshold)
    return Goal(until or "finished", threshold)


class WaitOptions:
    """
    The arguments that sensors and create operators share for waiting, as the DAG's author gave them.

    :param task_id: Named in errors.
    :param client_class: Returns the vendor's client class where it is known at parse time, to refuse what it lacks.
    :param kind: What is known of the kind of campaign, such as Kore.ai's ``campaign_type``.
    """

    def __init__(
        self,
        task_id: str,
        *,
        until: Any,
        progress_threshold: Any,
        poll_interval: Any,
        patience: float,
        stall_timeout: float | None,
        min_delivered_ratio: float | None,
        max_failed_ratio: float | None,
        brake: float | None,
        on_kill: str,
        client_class: Callable[[], type[CampaignClient] | None] = lambda: None,
        kind: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            self.patience = patience
            self.stall_timeout = stall_timeout
            self.gates = Gates(min_delivered_ratio, max_failed_ratio, brake)
            self.on_kill = on_kill
            if on_kill not in ON_KILL:
                raise InvalidRequest(f"on_kill must be one of {', '.join(ON_KILL)}; got {on_kill!r}.")
            client = client_class() if on_kill != "leave" or self.gates.any else None
            if client is not None:
                check_on_kill(on_kill, client)
                check_gates(self.gates, client, kind)
            self.terms(
                None if is_template(until) else until,
                None if is_template(progress_threshold) else progress_threshold,
                1.0 if is_template(poll_interval) else poll_interval,
                None,
            )
        except InvalidRequest as error:
            raise InvalidRequest(f"Task {task_id!r}: {error}") from None

    def terms(self, until: Any, progress_threshold: Any, poll_interval: Any, deadline: float | None) -> Terms:
        """Return the terms of the wait, templated arguments rendered."""
        return Terms(
            goal_of(until, progress_threshold),
            as_number("poll_interval", poll_interval),
            deadline,
            self.patience,
            self.stall_timeout,
            self.gates,
        )


def check_gates(gates: Gates, client_class: type[CampaignClient], kind: Mapping[str, Any] | None = None) -> None:
    """Refuse gates that the vendor's figures can never answer."""
    never = unanswerable(gates, client_class.counted(**(kind or {})))
    if never:
        raise InvalidRequest(f"{client_class.vendor}: {' '.join(never)} Leave it out.")


def check_on_kill(policy: str, client_class: type[CampaignClient]) -> None:
    """Refuse a policy that asks for an action which the vendor lacks."""
    if policy != "leave" and not client_class.supports(policy):
        raise InvalidRequest(
            f"on_kill={policy!r} does not work: {client_class.vendor} has no {policy}; {client_class.instead[policy]}."
        )
