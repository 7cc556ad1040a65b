"""The sensor that waits for a campaign of any vendor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.triggers.campaign import CampaignTrigger
from airflow_provider_campaigns.wait import (
    DEFAULT_PATIENCE_SECONDS,
    DEFAULT_POLL_INTERVAL_SECONDS,
    Outcome,
    Watch,
)
from airflow_provider_campaigns.waiting import (
    as_number,
    check_wait_arguments,
    goal_of,
    look,
    new_watch,
    result_of,
    result_of_event,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.model import Campaign

#: How long a worker is held at most to find out whether a refusal was a hiccup.
SECOND_LOOK_SECONDS = 10.0


class CampaignSensor(BaseSensorOperator):
    """
    Waits until a campaign has finished, is sent, or has reached a percentage; returns the campaign as a plain dict.

    A campaign that is canceled or failed at the vendor fails the task at once, without retries. The sensor only reads:
    it never starts, stops or changes a campaign. Poke, reschedule and deferrable mode give the same result and the same
    exceptions.

    :param campaign_id: The campaign's id, often ``create.output``. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param until: ``finished`` (the default) or ``sent``: all messages are out. (templated)
    :param progress_threshold: Percent, above 0 up to 100; when given, the wait ends as soon as the progress is at or
        above it, or the campaign is sent or finished. (templated)
    :param poll_interval: Seconds between two looks, by default 60. (templated)
    :param deferrable: Wait in the triggerer instead of a worker slot; by default as ``[operators] default_deferrable``.
    :param patience: Seconds without a good answer of the vendor before the campaign counts as out of reach, by default
        30 minutes. In reschedule mode, where no process lives that long, the sensor's timeout takes its place.
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}`` at Kore.ai. (templated)
    :raises CampaignFailed: The campaign ended otherwise; not retried.
    :raises AirflowSensorTimeout: The sensor's ``timeout`` passed; the campaign goes on.
    :raises CampaignUnreachable: No good answer for longer than the patience; the campaign goes on.
    :raises CampaignRequestFailed: The vendor refused to show the campaign, twice in a row.
    """

    template_fields: Sequence[str] = (
        "conn_id",
        "campaign_id",
        "until",
        "progress_threshold",
        "poll_interval",
        "hook_params",
    )
    ui_color = "#e4f4ec"

    def __init__(
        self,
        *,
        campaign_id: str,
        conn_id: str,
        until: str = "finished",
        progress_threshold: float | str | None = None,
        poll_interval: float | str = DEFAULT_POLL_INTERVAL_SECONDS,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        patience: float = DEFAULT_PATIENCE_SECONDS,
        hook_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.conn_id = conn_id
        self.until = until
        self.progress_threshold = progress_threshold
        self.poll_interval = poll_interval
        self.deferrable = deferrable
        self.patience = patience
        self.hook_params = hook_params
        self._watch: Watch | None = None
        self._hook: CampaignHook | None = None
        check_wait_arguments(self.task_id, until, progress_threshold, poll_interval, patience)

    def execute(self, context: Context) -> Any:
        """Wait in this process or defer; return the campaign."""
        with airflow_errors():
            self.poke_interval = as_number("poll_interval", self.poll_interval)
            # The base class keeps the timeout of the other modes.
            timeout = self.timeout if self.deferrable else None
            goal = goal_of(self.until, self.progress_threshold)
            self._watch = new_watch(str(self.campaign_id), goal, self.poke_interval, timeout, self.patience)
            self._hook = CampaignHook.of_connection(self.conn_id, self.hook_params)
        if not self.deferrable:
            return super().execute(context)
        outcome = self._look()
        if outcome:
            return self._settled(lambda: result_of(outcome, sensor=True))
        terms = self._watch.terms
        self.defer(
            trigger=CampaignTrigger(
                conn_id=self.conn_id,
                hook_class=self._hook.class_path,
                campaign_id=str(self.campaign_id),
                until=goal.until,
                progress_threshold=goal.progress_threshold,
                poll_interval=terms.poll_interval,
                deadline=terms.deadline,
                patience=terms.patience,
                hook_params=dict(self.hook_params) if self.hook_params else None,
            ),
            method_name="execute_complete",
            # The trigger keeps the deadline itself; this is for a triggerer that is gone.
            timeout=timedelta(seconds=self.timeout + 2 * terms.poll_interval + 60),
        )
        return None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once, or twice if the first look is refused and the next one would know nothing of it."""
        outcome = self._look()
        # In reschedule mode each look is a process of its own: two refusals in a row are seen here or never.
        if outcome is None and self.reschedule and self._watch and self._watch.is_refused:
            time.sleep(min(self.poke_interval, SECOND_LOOK_SECONDS))
            outcome = self._look()
        if outcome is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._settled(lambda: result_of(outcome, sensor=True)))

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Return the campaign that the trigger saw reach the goal, or raise what its event means."""
        campaign = self._settled(lambda: result_of_event(event, sensor=True))
        self.log.info("%s", event["message"])
        return campaign

    def _look(self) -> Outcome | None:
        watch, hook = self._watch, self._hook
        if watch is None or hook is None:
            raise RuntimeError("poke was called before execute.")

        def fetch() -> Campaign:
            return hook.get_campaign(watch.campaign_id, progress=watch.terms.goal.needs_progress)

        with airflow_errors():
            return look(watch, fetch, self.log)

    def _settled(self, result: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        # Airflow itself applies soft_fail to some exceptions in one mode and to others in another.
        try:
            return dict(result())
        except AirflowException as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipped instead of failed: {error}") from error
            raise
