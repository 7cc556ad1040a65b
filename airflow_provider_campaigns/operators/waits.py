"""Waiting for a campaign after it was launched: in the worker or in the triggerer, and what follows."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.arguments.kinds import DURATION, ArgumentKind, choice
from airflow_provider_campaigns.exceptions import CampaignWaitTimeout, airflow_errors
from airflow_provider_campaigns.links import leave_link
from airflow_provider_campaigns.wait.arguments import WaitingTask
from airflow_provider_campaigns.wait.decisions import UNTIL

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.launch.task_run import TaskRun
    from airflow_provider_campaigns.wait.terms import Terms

_TWO_WEEKS = 14 * 24 * 3600.0


class WaitsForCampaign(WaitingTask):
    """
    Waits for the campaign that an operator has launched, if asked to.

    :param wait_until: ``sent`` or ``finished``: wait for it before the task succeeds. By default the task does not
        wait. (templated)
    :param progress_threshold: Percent: wait until it is reached. (templated)
    :param poll_interval: Seconds between two looks while waiting, by default 60. (templated)
    :param wait_timeout: Seconds to wait at most, by default 14 days.
    :param deferrable: Wait in the triggerer instead of a worker slot; by default as ``[operators] default_deferrable``.
    :param patience: Seconds without a good answer before the campaign counts as out of reach, by default 30 minutes.
    :param stall_timeout: While waiting: as for the sensor, like the four below.
    :param min_delivered_ratio: See :class:`~airflow_provider_campaigns.sensors.campaign.CampaignSensor`.
    :param max_failed_ratio: See there.
    :param brake: See there.
    :param finish_by: See there.
    :param on_late: See there.
    :param on_kill: What to do to the campaign when the task is killed after the launch, or its wait times out:
        ``leave`` (the default), ``pause`` or ``stop``; best effort.
    :raises CampaignWaitTimeout: The time is up; the campaign goes on; not retried.
    """

    until_argument = "wait_until"
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **WaitingTask.arguments,
        "wait_until": choice(UNTIL).or_none(),
        "wait_timeout": DURATION,
    }
    template_fields: Sequence[str] = ("wait_until", *WaitingTask.template_fields, "wait_timeout")

    def __init__(
        self, *, wait_until: str | None = None, wait_timeout: float | timedelta | str = _TWO_WEEKS, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.wait_until = wait_until
        self.wait_timeout = wait_timeout
        self._client: CampaignClient | None = None
        self._run: TaskRun | None = None
        #: What a kill does, imported before there is a campaign: while a task is killed is no time to import.
        self._end_campaign: Callable[..., object] | None = None

    @classmethod
    @abstractmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return the vendor's client class, to refuse what it lacks at parse time."""

    @property
    @abstractmethod
    def launched_id(self) -> str | None:
        """The id of the campaign that this try launched or found, or None if there is none yet."""

    def hook_params(self) -> dict[str, Any] | None:
        """Return the arguments of the hook besides the connection, as a trigger needs them."""
        return None

    def wait(self, context: Context, hook: CampaignHook, campaign_id: str, terms: Terms) -> Mapping[str, Any] | None:
        """
        Wait here and return the campaign that reached the goal, or defer; return None at once if no wait is asked for.

        :param context: Airflow's context.
        :param hook: The hook of the connection.
        :param campaign_id: The campaign.
        :param terms: What :meth:`terms` returned; the deadline is set here.
        """
        if not self.wait_until and not terms.goal.needs_progress:
            return None
        from airflow_provider_campaigns.wait.live import LiveFigures, announce_wait
        from airflow_provider_campaigns.wait.runner import keep_figures, result_of, settle, wait_here
        from airflow_provider_campaigns.wait.state import WaitState

        limits: list[float] = [self.argument("wait_timeout")]
        if self.deferrable and self.execution_timeout:
            # Airflow keeps to it in a worker only, and a deferred task is in none.
            limits.append(self.execution_timeout.total_seconds())
        terms = replace(terms, deadline=time.time() + min(limits))
        if self.deferrable:
            # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
            from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

            announce_wait(context["ti"], hook.get_conn().vendor, hook.conn_id, campaign_id)
            self.defer(
                trigger=CampaignTrigger.of(
                    hook, campaign_id, terms, hook_params=self.hook_params(), on_kill=self.kill_policy
                ),
                method_name="execute_complete",
                # The trigger keeps the deadline itself; this is for a triggerer that is gone.
                timeout=timedelta(seconds=limits[0] + 2 * terms.poll_interval + 60),
            )
        client = hook.get_conn()
        with airflow_errors():
            state = WaitState(campaign_id, terms, time.time())
            outcome = wait_here(state, client, self.log, LiveFigures(state, hook.conn_id, context["ti"]))
        outcome = settle(outcome, client, campaign_id, self.kill_policy, self.log)
        keep_figures(context, outcome.campaign)
        return result_of(outcome, CampaignWaitTimeout)

    def execute_complete(self, context: Context, event: Any = None) -> str:
        """Return the id of the campaign that the trigger saw reach the goal, or raise what its event means."""
        from airflow_provider_campaigns.launch.receipt import RECEIPT_KEY
        from airflow_provider_campaigns.launch.task_run import TaskRun
        from airflow_provider_campaigns.wait.live import conclude
        from airflow_provider_campaigns.wait.runner import keep_figures, result_of_event, timeout_error

        leave_link(context)
        overdue = timeout_error(CampaignWaitTimeout, self.argument("wait_timeout"), self.execution_timeout)
        conclude(context["ti"], event.get("campaign") if isinstance(event, Mapping) else None)
        campaign = result_of_event(event, overdue)
        self.log.info("%s", event["message"])
        keep_figures(context, campaign)
        run = TaskRun.of(context)
        self.hand_out(run, {**run.xcom(RECEIPT_KEY), **campaign})
        return str(campaign["id"])

    def hand_out(self, run: TaskRun, receipt: Mapping[str, Any]) -> None:
        """Give the receipt to the tasks downstream: as XCom, and with the asset events of the outlets."""
        from airflow_provider_campaigns.launch.receipt import RECEIPT_KEY

        run.ti.xcom_push(key=RECEIPT_KEY, value=dict(receipt))
        run.tell_outlets(self.outlets, receipt)

    def on_kill(self) -> None:
        """Do to the campaign what the policy says, if the task was ended for good after the launch, in its worker."""
        campaign_id = self.launched_id
        if self._end_campaign and self._client and self._run and campaign_id:
            self._end_campaign(self._client, campaign_id, self.kill_policy, self._run.ti, self.log)
