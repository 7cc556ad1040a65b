"""The sensor that waits for a campaign of any vendor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, PokeReturnValue

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, MAPPING, NAME, ArgumentKind, choice
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.links import CampaignLink, leave_link, push_link
from airflow_provider_campaigns.sensors.named import FindsByName
from airflow_provider_campaigns.sensors.several import WaitsForSeveral
from airflow_provider_campaigns.sensors.waiting import SECOND_LOOK_SECONDS, WaitingSensor, mapping_of
from airflow_provider_campaigns.wait.answerable import unanswerable
from airflow_provider_campaigns.wait.arguments import check_on_kill
from airflow_provider_campaigns.wait.decisions import UNTIL
from airflow_provider_campaigns.wait.terms import DEFAULT_POLL_INTERVAL_SECONDS, Terms

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.wait.live import LiveFigures
    from airflow_provider_campaigns.wait.outcome import Outcome
    from airflow_provider_campaigns.wait.state import WaitState

# What only a run needs is imported in the methods of one: parsing a DAG file needs none of it.

#: The arguments of which one says what is waited for, and what else goes with a name, with its default.
_WHICH = ("campaign_id", "campaign_ids", "campaign_name")
_BESIDES_NAME: Mapping[str, Any] = {"since": None, "match": "only"}


# Large on purpose: half of it tells what each argument means, in the one place where users look it up.
class CampaignSensor(FindsByName, WaitsForSeveral):
    """
    Waits until a campaign has finished, is sent, or has reached a percentage; returns the campaign as a plain dict.

    Give ``campaign_id``; or ``campaign_name``, for a campaign that somebody else launches, also at the vendor's screen:
    then the sensor waits for it to appear first; or ``campaign_ids``, for several in one task, which then returns a
    list of such dicts, each with ``reached``.

    A campaign that is canceled or failed at the vendor fails the task at once, without retries. Unless told to with
    ``brake`` or ``on_kill``, the sensor only reads: it never starts, stops or changes a campaign. Poke,
    reschedule and deferrable mode give the same result and the same exceptions.

    :param campaign_id: The campaign's id, often ``create.output``. (templated)
    :param campaign_ids: Several campaigns' ids, in one list: a line in the log for each change of each, and the gates,
        ``brake`` and ``on_kill`` for each. (templated)
    :param wait_for: ``all`` (the default): the task succeeds when all have reached the goal, and fails with the first
        that cannot any more; or ``any``: it succeeds with the first, and fails when none can. (templated)
    :param campaign_name: A campaign's name: ``*`` is any text, ``?`` any character, ``[seq]`` one of these; case
        counts. The mark that this package puts at the end of names at Kinbox does not. (templated)
    :param since: Along with a name: only campaigns created then or later, such as ``"{{ dag_run.run_after }}"``; a
        time with its offset from UTC, by default all. (templated)
    :param match: Along with a name, which campaign counts when several have it: ``only`` (the default) refuses them by
        their ids, ``newest`` takes the one created last. Once one is found, the wait stays with it. (templated)
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
    :raises CampaignRequestRefused: Bad input, or several campaigns have the name; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **FindsByName.arguments,
        **WaitsForSeveral.arguments,
        "conn_id": NAME,
        "campaign_id": CAMPAIGN_ID.or_none(),
        "hook_params": MAPPING.or_none(),
        "until": choice(UNTIL),
    }
    template_fields: Sequence[str] = (
        *("conn_id", "campaign_id", "campaign_ids", "wait_for", "campaign_name", "since", "match"),
        *("until", "hook_params"),
        *WaitingSensor.template_fields,
    )
    operator_extra_links = (CampaignLink(),)
    ui_color = "#e4f4ec"

    def __init__(
        self,
        *,
        conn_id: str,
        campaign_id: str | None = None,
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
            if not getattr(self, "_BaseOperator__from_mapped", False):
                # A mapped task is told of what it got as None when its templates are rendered.
                self._check_which_one()
        self._wait: WaitState | None = None
        self._hook: CampaignHook | None = None
        self._client: CampaignClient | None = None
        self._agreed: Terms | None = None
        self._live: LiveFigures | None = None
        self._ti: Any = None

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return ("conn_id", "campaign_id", "campaign_name", "until")

    def execute(self, context: Context) -> Any:
        """Wait in this process or defer; return the campaign, or a list of them where several were asked for."""
        with airflow_errors():
            self.read_all_arguments()
            self._check_which_one()
            hook, terms = self._prepared(context, self._deadline(context))
            if self.campaign_ids is not None:
                self._begin_group(terms)
            elif self.campaign_name is not None:
                self._begin_search(terms)
            else:
                self._begin_wait(context, self.argument("campaign_id"), terms)
        if self.deferrable:
            # Without a look: a thousand sensors that begin together would make a thousand requests, the poller makes
            # a few.
            self._defer(context, hook, terms)
        return super().execute(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from airflow_provider_campaigns.wait.runner import keep_figures

        if self._client is None or self._hook is None or self._agreed is None:
            raise RuntimeError("poke was called before execute.")
        if self._group:
            return self._poke_group(context, self._group, self._client)
        if self._search and self._wait is None:
            found = self._find(context, self._search, self._client)
            if found is None:
                return PokeReturnValue(is_done=False)
            self._begin_wait(context, found, self._agreed)
        outcome = self._look_anew(context) if self.reschedule else self._look()
        keep_figures(context, self._wait.seen if self._wait else None)
        if self._live:
            self._live.push(self._client.vendor)
        if outcome is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._settled(outcome))

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Return the campaign that the trigger saw reach the goal, or raise what its event means."""
        from airflow_provider_campaigns.wait.live import conclude
        from airflow_provider_campaigns.wait.runner import keep_figures, result_of_event, timeout_error

        leave_link(context)
        campaign = event.get("campaign") if isinstance(event, Mapping) else None
        keep_figures(context, campaign)
        conclude(context["ti"], campaign)
        overdue = timeout_error(AirflowSensorTimeout, self.timeout, self.execution_timeout)
        result = self._soft(lambda: result_of_event(event, overdue))
        self.log.info("%s", event["message"])
        return result

    def execute_found(self, context: Context, event: Any = None, deadline: float | None = None) -> None:
        """Wait for the campaign that the trigger found, in the triggerer again, or raise what its event means."""
        from airflow_provider_campaigns.wait.runner import result_of_event, timeout_error

        overdue = timeout_error(AirflowSensorTimeout, self.timeout, self.execution_timeout)
        found = self._soft(lambda: result_of_event(event, overdue))
        self.log.info("%s", event["message"])
        with airflow_errors():
            self.read_all_arguments()
            hook, terms = self._prepared(context, deadline)
            self._begin_wait(context, str(found["id"]), terms)
        self._defer(context, hook, terms)

    def on_kill(self) -> None:
        """Do to the campaign what the policy says, if the task was ended for good while it ran in a worker."""
        if self._client and self._group:
            self._end_group(self._group, self._client, self._ti)
        elif self._end_campaign and self._client and self._wait:
            self._end_campaign(self._client, self._wait.campaign_id, self.kill_policy, self._ti, self.log)

    def _check_which_one(self) -> None:
        given = [name for name in _WHICH if getattr(self, name) is not None]
        if not given:
            raise InvalidRequest("campaign_id must be given, or campaign_ids, or campaign_name; none of them is.")
        if len(given) > 1:
            raise InvalidRequest(f"{' and '.join(given)} say differently what to wait for: give one of them.")
        for name, default in _BESIDES_NAME.items():
            if given != ["campaign_name"] and getattr(self, name) != default:
                raise InvalidRequest(f"{name} goes with campaign_name, and {given[0]} is given.")
        if given != ["campaign_ids"] and self.wait_for != "all":
            raise InvalidRequest(f"wait_for goes with campaign_ids, and {given[0]} is given.")

    def _prepared(self, context: Context, deadline: float | None) -> tuple[CampaignHook, Terms]:
        """Return the hook and the terms of the wait, once they are seen to go together."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook
        from airflow_provider_campaigns.wait.runner import pause_or_stop_if_ended

        self._end_campaign = pause_or_stop_if_ended
        # In reschedule mode, where each look is a process of its own, the wait began with the first.
        terms = self.terms(deadline, None if deadline is None or self.deferrable else deadline - self.timeout)
        hook = CampaignHook.of_connection(self.conn_id, self.hook_params)
        self._check_vendor(hook)
        client = hook.get_conn()
        check_on_kill(self.kill_policy, type(client))
        for sentence in unanswerable(terms.gates, client.answers(**mapping_of(self.hook_params))):
            self.log.warning("Task %r at %s: %s", self.task_id, client.vendor, sentence)
        self.poke_interval = terms.poll_interval
        self._hook, self._client, self._agreed, self._ti = hook, client, terms, context["ti"]
        return hook, terms

    def _begin_wait(self, context: Context, campaign_id: str, terms: Terms) -> None:
        from airflow_provider_campaigns.wait.live import LiveFigures
        from airflow_provider_campaigns.wait.state import WaitState

        if self._hook is None:
            raise RuntimeError("A wait began before execute.")
        push_link(context, self._hook, campaign_id)
        self._wait = self._going_on = WaitState(campaign_id, terms, time.time())
        self._live = LiveFigures(self._wait, self._hook.conn_id, self._ti)

    def _defer(self, context: Context, hook: CampaignHook, terms: Terms) -> NoReturn:
        # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
        from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

        trigger: BaseTrigger
        kwargs: dict[str, Any] = {}
        if self._wait:
            from airflow_provider_campaigns.wait.live import announce_wait

            announce_wait(self._ti, hook.get_conn().vendor, hook.conn_id, self._wait.campaign_id)
            trigger, method_name = (
                CampaignTrigger.of(
                    hook, self._wait.campaign_id, terms, hook_params=self.hook_params, on_kill=self.kill_policy
                ),
                "execute_complete",
            )
        elif self._group:
            trigger, method_name = self._group_trigger(hook, terms), "execute_group"
        else:
            trigger, method_name = self._name_trigger(hook, terms), "execute_found"
            kwargs = {"deadline": terms.deadline}
        self.defer(
            trigger=trigger,
            method_name=method_name,
            kwargs=kwargs,
            # The trigger keeps the deadline itself; this is for a triggerer that is gone.
            timeout=timedelta(seconds=self.timeout + 2 * terms.poll_interval + 60),
        )
        raise RuntimeError("The task was not deferred.")

    def _look_anew(self, context: Context) -> Outcome | None:
        """Look once in reschedule mode, where each look is a process of its own."""
        if self._wait is None:
            raise RuntimeError("poke was called before execute.")
        if context.get("task_state_store") is None:
            outcome = self._look()
            if outcome is None and self._wait.refusals:
                # Nothing takes the refusal along to the next look, so whether it is an answer is found out now.
                time.sleep(min(self._wait.terms.poll_interval, SECOND_LOOK_SECONDS))
                outcome = self._look()
            return outcome
        # The store outlives a try and a clear, but a new try is a new wait.
        self._wait.go_on(self._carried(context))
        outcome = self._look()
        if outcome is None:
            self._carry(context, self._wait.carried())
        return outcome

    def _look(self) -> Outcome | None:
        from airflow_provider_campaigns.wait.runner import look

        if self._wait is None or self._client is None:
            raise RuntimeError("poke was called before execute.")
        with airflow_errors():
            return look(self._wait, self._client, self.log)

    def _settled(self, outcome: Outcome) -> dict[str, Any]:
        from airflow_provider_campaigns.wait.runner import result_of, settle

        if self._client and self._wait:
            outcome = settle(outcome, self._client, self._wait.campaign_id, self.kill_policy, self.log)
        return self._soft(lambda: result_of(outcome, AirflowSensorTimeout))
