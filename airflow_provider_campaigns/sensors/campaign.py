"""The sensor that waits for a campaign of any vendor."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
)

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import (
    CAMPAIGN_ID,
    DURATION,
    MAPPING,
    NAME,
    ArgumentKind,
    choice,
    strictly,
)
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.links import CampaignLink, leave_link, push_link
from airflow_provider_campaigns.wait.answerable import unanswerable
from airflow_provider_campaigns.wait.arguments import WaitingTask, check_on_kill
from airflow_provider_campaigns.wait.decisions import UNTIL
from airflow_provider_campaigns.wait.live import LiveFigures, announce_wait, conclude
from airflow_provider_campaigns.wait.outcome import Outcome
from airflow_provider_campaigns.wait.runner import (
    keep_figures,
    look,
    pause_or_stop_if_ended,
    result_of,
    result_of_event,
    settle,
    timeout_error,
)
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import DEFAULT_POLL_INTERVAL_SECONDS

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook

#: Where a wait in reschedule mode, which begins anew in another process at each look, keeps what it must not forget.
CARRIED_KEY = "campaign_wait"
#: Where there is no such store: how many seconds after a refusal the campaign is looked at again, at most.
SECOND_LOOK_SECONDS = 10.0


class CampaignSensor(WaitingTask, BaseSensorOperator):
    """
    Waits until a campaign has finished, is sent, or has reached a percentage; returns the campaign as a plain dict.

    A campaign that is canceled or failed at the vendor fails the task at once, without retries. Unless told to with
    ``brake`` or ``on_kill``, the sensor only reads: it never starts, stops or changes a campaign. Poke,
    reschedule and deferrable mode give the same result and the same exceptions.

    :param campaign_id: The campaign's id, often ``create.output``. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param until: ``finished`` (the default) or ``sent``: all messages are out. (templated)
    :param progress_threshold: Percent, above 0 up to 100 (80 for 80 %); the wait ends as soon as the progress is at or
        above it, or the campaign is sent or finished. Not together with ``until="sent"``. (templated, like the nine
        arguments of waiting below; times are seconds or a timedelta, shares 0 to 1 or a text such as ``"5%"``)
    :param poll_interval: Time between two looks, by default 60 seconds. ``poke_interval`` is the same thing here, also
        from ``default_args``; giving both is refused.
    :param patience: Time without a good answer of the vendor before the campaign counts as out of reach, by default
        30 minutes. In reschedule mode it needs Airflow 3.3, whose task state store carries it from look to look; below,
        transient errors are tolerated until the sensor's timeout.
    :param stall_timeout: Time that a running campaign may go without any change of its figures; by default for ever.
    :param min_delivered_ratio: The least share delivered of a campaign that has finished: delivered (Kinbox: received)
        of sent, or at calls answered of contacts. Without these figures the task fails.
    :param max_failed_ratio: The largest share failed of a campaign that has finished: of those processed, of the
        contacts, or of those sent, whichever the vendor tells first. Without these figures the task fails.
    :param brake: The share failed above which a running campaign is paused, or stopped where there is no pause, and the
        task fails. It is judged on evidence: once the share is above it with 95 % confidence (the lower bound of the
        Wilson interval). Only this and ``on_kill`` let a sensor change a campaign.
    :param min_sample: The fewest recipients that the brake judges by, by default 50, or all of a smaller campaign.
    :param finish_by: When the goal is to be reached: a time with its offset from UTC, or a time from the beginning of
        the wait on. It is judged by the forecast, once the campaign was seen to move three times.
    :param on_late: What to do once the forecast passes ``finish_by``: ``warn`` (the default) says so once in the log,
        ``fail`` fails the task and lets the campaign go on, ``pause`` pauses the campaign (stops it where there is no
        pause) and fails the task.
    :param on_kill: What to do to the campaign when somebody ends the task for good (marks it failed, not as a success,
        and does not clear it; deferred: Airflow 3.3 and newer) or its time is up: ``leave`` (the default), ``pause`` or
        ``stop``; best effort.
    :param deferrable: Wait in the triggerer instead of a worker slot; by default as ``[operators] default_deferrable``.
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}`` at Kore.ai. (templated)
    :raises CampaignFailed: The campaign ended otherwise; not retried.
    :raises CampaignGateFailed: It finished with figures that the gates do not allow; not retried.
    :raises CampaignBraked: Too many failures while it was running; not retried.
    :raises CampaignStalled: It is running, but nothing moved for the stall timeout; not retried.
    :raises CampaignLate: It will not reach the goal by ``finish_by``, and ``on_late`` is not ``warn``; not retried.
    :raises AirflowSensorTimeout: The sensor's ``timeout`` passed; the message says whether the campaign goes on.
    :raises AirflowTaskTimeout: The task's ``execution_timeout`` passed first.
    :raises CampaignUnreachable: No good answer for longer than the patience; the campaign goes on.
    :raises CampaignRequestFailed: The vendor refused to show the campaign, twice in a row.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **WaitingTask.arguments,
        "conn_id": NAME,
        "campaign_id": CAMPAIGN_ID,
        "hook_params": MAPPING.or_none(),
        "until": choice(UNTIL),
    }
    template_fields: Sequence[str] = (
        *("conn_id", "campaign_id", "until", "hook_params"),
        *WaitingTask.template_fields,
    )
    operator_extra_links = (CampaignLink(),)
    ui_color = "#e4f4ec"

    def __init__(
        self,
        *,
        campaign_id: str,
        conn_id: str,
        until: str = "finished",
        poll_interval: Any = None,
        poke_interval: Any = None,
        hook_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        given = next((each for each in (poll_interval, poke_interval) if each is not None), None)
        super().__init__(poll_interval=DEFAULT_POLL_INTERVAL_SECONDS if given is None else given, **kwargs)
        self.campaign_id = campaign_id
        self.conn_id = conn_id
        self.until = until
        self.hook_params = hook_params
        with self.checking():
            self.check_given({**self.given_arguments(), "poll_interval": poll_interval, "poke_interval": poke_interval})
        self._wait: WaitState | None = None
        self._client: CampaignClient | None = None
        self._live: LiveFigures | None = None
        self._ti: Any = None

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return ("conn_id", "campaign_id", "until")

    @classmethod
    def counted_kind(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the hook's further arguments, as far as they can be seen."""
        hook_params = given.get("hook_params")
        return {} if is_template(hook_params) else _mapping(hook_params)

    @classmethod
    def check_given(cls, given: Mapping[str, Any]) -> None:
        """Refuse arguments that can be seen to be wrong, with ``poke_interval`` read as the other name that it is."""
        intervals = {name: given[name] for name in ("poll_interval", "poke_interval") if given.get(name) is not None}
        if len(intervals) == 2:
            both = " and ".join(f"{name}={value}" for name, value in intervals.items())
            raise InvalidRequest(f"{both} are the same thing here, also from default_args: give one of them.")
        for name, value in intervals.items():
            if not is_template(value):
                strictly(DURATION, name, value)
        super().check_given({name: value for name, value in given.items() if name != "poll_interval"} | intervals)

    def execute(self, context: Context) -> Any:
        """Wait in this process or defer; return the campaign."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook

        with airflow_errors():
            self.read_all_arguments()
            campaign_id = self.argument("campaign_id")
            deadline = self._deadline(context)
            # In reschedule mode, where each look is a process of its own, the wait began with the first.
            terms = self.terms(deadline, None if deadline is None or self.deferrable else deadline - self.timeout)
            hook = CampaignHook.of_connection(self.conn_id, self.hook_params)
            self._check_vendor(hook)
            self._client = hook.get_conn()
            check_on_kill(self.kill_policy, type(self._client))
            for sentence in unanswerable(terms.gates, self._client.answers(**_mapping(self.hook_params))):
                self.log.warning("Task %r at %s: %s", self.task_id, self._client.vendor, sentence)
            push_link(context, hook, campaign_id)
        self.poke_interval = terms.poll_interval
        self._wait = WaitState(campaign_id, terms, time.time())
        self._ti = context["ti"]
        self._live = LiveFigures(self._wait, hook.conn_id, self._ti)
        if not self.deferrable:
            return super().execute(context)
        announce_wait(self._ti, self._client.vendor, hook.conn_id, campaign_id)
        # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
        from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

        # Without a look: a thousand sensors that begin together would make a thousand requests, the poller makes a few.
        self.defer(
            trigger=CampaignTrigger.of(
                hook,
                self._wait.campaign_id,
                terms,
                hook_params=self.hook_params,
                on_kill=self.kill_policy,
            ),
            method_name="execute_complete",
            # The trigger keeps the deadline itself; this is for a triggerer that is gone.
            timeout=timedelta(seconds=self.timeout + 2 * terms.poll_interval + 60),
        )
        return None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        outcome = self._look_anew(context) if self.reschedule else self._look()
        keep_figures(context, self._wait.seen if self._wait else None)
        if self._live and self._client:
            self._live.push(self._client.vendor)
        if outcome is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._settled(outcome))

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Return the campaign that the trigger saw reach the goal, or raise what its event means."""
        leave_link(context)
        campaign = event.get("campaign") if isinstance(event, Mapping) else None
        keep_figures(context, campaign)
        conclude(context["ti"], campaign)
        overdue = timeout_error(AirflowSensorTimeout, self.timeout, self.execution_timeout)
        result = self._soft(lambda: result_of_event(event, overdue))
        self.log.info("%s", event["message"])
        return result

    def on_kill(self) -> None:
        """Do to the campaign what the policy says, if the task was ended for good while it ran in a worker."""
        if self._client and self._wait:
            pause_or_stop_if_ended(self._client, self._wait.campaign_id, self.kill_policy, self._ti, self.log)

    def _check_vendor(self, hook: CampaignHook) -> None:
        """Refuse another vendor's connection: the id may be that of quite another campaign there."""
        wanted = self.client_class()
        if wanted is not None and not isinstance(hook.get_conn(), wanted):
            raise InvalidRequest(
                f"{type(self).__name__} waits for campaigns at {wanted.vendor}, and connection {self.conn_id!r} is of "
                f"type {hook.conn_type!r}. Nothing was asked. Choose another connection, or use CampaignSensor."
            )

    def _deadline(self, context: Context) -> float | None:
        if self.deferrable:
            # Airflow keeps to execution_timeout in a worker only, and a deferred task is in none.
            limits = [self.timeout, *([self.execution_timeout.total_seconds()] if self.execution_timeout else [])]
            return time.time() + min(limits)
        if not self.reschedule:
            return time.time() + self.timeout
        ti: Any = context["ti"]
        # Airflow 2 keeps to the timeout by itself in this mode, and does not tell when the first look was.
        first = ti.get_first_reschedule_date(context) if hasattr(ti, "get_first_reschedule_date") else None
        return None if first is None else first.timestamp() + self.timeout

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        if self.exponential_backoff or self._wait is None:
            return float(super()._get_next_poke_interval(*args, **kwargs))
        return self._wait.pause(time.time(), random.random())

    def _look_anew(self, context: Context) -> Outcome | None:
        """Look once in reschedule mode, where each look is a process of its own."""
        if self._wait is None:
            raise RuntimeError("poke was called before execute.")
        store = context.get("task_state_store")
        if store is None:
            outcome = self._look()
            if outcome is None and self._wait.refusals:
                # Nothing takes the refusal along to the next look, so whether it is an answer is found out now.
                time.sleep(min(self._wait.terms.poll_interval, SECOND_LOOK_SECONDS))
                outcome = self._look()
            return outcome
        # The store outlives a try and a clear, but a new try is a new wait.
        try_number = context["ti"].try_number
        carried = _mapping(store.get(CARRIED_KEY))
        if carried.get("try_number") == try_number:
            self._wait.go_on(carried)
        outcome = self._look()
        if outcome is None:
            store.set(CARRIED_KEY, {**self._wait.carried(), "try_number": try_number})
        return outcome

    def _look(self) -> Outcome | None:
        if self._wait is None or self._client is None:
            raise RuntimeError("poke was called before execute.")
        with airflow_errors():
            return look(self._wait, self._client, self.log)

    def _settled(self, outcome: Outcome) -> dict[str, Any]:
        if self._client and self._wait:
            outcome = settle(outcome, self._client, self._wait.campaign_id, self.kill_policy, self.log)
        return self._soft(lambda: result_of(outcome, AirflowSensorTimeout))

    def _soft(self, result: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        # Airflow itself applies soft_fail to some exceptions in one mode and to others in another.
        try:
            return dict(result())
        except AirflowException as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipped instead of failed: {error}") from error
            raise


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
