"""What the create operators share: checks, the launch exactly once, the receipt, and waiting if asked to."""

from __future__ import annotations

import json
import re
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException, conf

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.exceptions import CampaignWaitTimeout, LaunchRefused, airflow_errors
from airflow_provider_campaigns.launch.decisions import DEFAULT_LOOKUP_TIMEOUT_SECONDS, relaunch_number
from airflow_provider_campaigns.launch.intent import Intent, fingerprints
from airflow_provider_campaigns.launch.persistence import DEFAULT_RECORD_TIMEOUT_SECONDS, persistently
from airflow_provider_campaigns.launch.record import LaunchRecord, record_in
from airflow_provider_campaigns.launch.record_store import not_recorded
from airflow_provider_campaigns.launch.task_run import TaskRun
from airflow_provider_campaigns.links import CampaignLink, push_link
from airflow_provider_campaigns.operators.guarded import GuardedOperator
from airflow_provider_campaigns.wait.decisions import described
from airflow_provider_campaigns.wait.options import WaitOptions
from airflow_provider_campaigns.wait.runner import (
    keep_figures,
    pause_or_stop_if_ended,
    result_of,
    result_of_event,
    settle,
    timeout_error,
    wait_here,
)
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import DEFAULT_PATIENCE_SECONDS, DEFAULT_POLL_INTERVAL_SECONDS

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.launch.guards import GuardVerdict
    from airflow_provider_campaigns.launch.launcher import Launch

#: The places {{1}}, {{2}} ... of a WhatsApp template, which are the vendor's to fill, not Jinja's.
_WHATSAPP_PLACE = re.compile(r"\{\{\s*\d+\s*\}\}")
_TWO_WEEKS = 14 * 24 * 3600.0

#: The key of the fingerprints that an approval task leaves of what it showed.
SHOWN_KEY = "campaign_shown"


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """
    What a task would launch, checked to the last contact and not yet marked.

    :param request: The create request.
    :param further: What else is launched, by name.
    :param fingerprints: A short hash of each part, by which a change is found.
    """

    request: CreateRequest
    further: Mapping[str, Any]
    fingerprints: Mapping[str, str]


class CreateCampaignOperator(GuardedOperator):
    """
    Launches a campaign exactly once, and waits for it if asked to; returns its id.

    A vendor's operator takes the vendor's fields as arguments of its own and names them in ``create_fields``. On a
    retry, and when the task is cleared, the operator goes on with the campaign that the run launched before; it never
    creates another. The receipt is pushed as XCom ``campaign`` as soon as the campaign exists, and becomes the extra of
    the asset events of the task's outlets.

    The guards are arguments too, see :class:`~airflow_provider_campaigns.operators.guarded.GuardedOperator`. They are
    asked before the campaign is created and again before it is started, never about a campaign that an earlier try has
    started. ``min_recipients`` and ``max_recipients`` are for vendors that let us know (Altur, Kore.ai).

    :param conn_id: The connection. (templated)
    :param extra_fields: Fields that this package does not know, under the vendor's names. (templated)
    :param relaunch: Launch anew when the task is cleared (not when it is retried, and not when it is cleared while it
        runs). Set it for the one clear that shall do so. By default a cleared task goes on with what it launched last.
        Before Airflow 3.3 do not change the task's ``retries`` along with it: they tell a clear from a retry.
    :param lookup_timeout: Seconds to look for a campaign that an earlier try may have created, while the vendor's list
        does not show it; by default 60. Together with the retry delay it should outlast the list's lag. A start that an
        earlier try asked for is waited for just as long before the campaign is started again.
    :param record_timeout: Seconds to go on telling Airflow what was done, while its API server cannot be reached; by
        default 300. Then the try ends, and the next one goes on with the campaign. 0 tries once.
    :param dry_run: Check everything and log the request, recipients redacted, but send nothing; the task is skipped,
        and with it what depends on it. The connection's extra ``dry_run`` does the same for all its launches.
    :param approval_task_id: The ``ApprovalOperator`` upstream whose approval is needed; set by itself with
        :class:`~airflow_provider_campaigns.operators.approval.ApproveCampaignOperator`. Who approved is in the receipt.
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
    :param on_kill: What to do to the campaign when the task is killed after the launch, or its waiting times out:
        ``leave`` (the default), ``pause`` or ``stop``; best effort.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    :raises LaunchOutcomeUnknown: An answer was lost; the retry looks before it acts.
    :raises LaunchConflict: The run already launched something else, or the same twice, or somebody started the campaign
        before its contacts were in; not retried.
    :raises LaunchRefused: A guard or a limit forbids to go on, or nobody approved; not retried.
    :raises CampaignFailed: The campaign that was launched failed or was canceled; not retried, never replaced.
    :raises CampaignWaitTimeout: While waiting: the time is up; the campaign goes on; not retried.
    """

    #: The vendor's create fields by argument name.
    create_fields: ClassVar[tuple[str, ...]] = ()
    #: The client's name for each argument that could not keep it, since Airflow's operators use it for something else.
    renamed_fields: ClassVar[Mapping[str, str]] = {}
    #: The arguments that hold what recipients read or hear.
    text_fields: ClassVar[tuple[str, ...]] = ()
    #: Why the number of recipients is not known before the launch, or None where it is.
    recipients_unknown: ClassVar[str | None] = None
    operator_extra_links = (CampaignLink(),)
    template_fields: Sequence[str] = (
        "conn_id",
        "extra_fields",
        *GuardedOperator.template_fields,
        "wait_until",
        "progress_threshold",
        "poll_interval",
    )
    ui_color = "#fdf0dc"

    def __init__(
        self,
        *,
        conn_id: str,
        extra_fields: Mapping[str, Any] | None = None,
        relaunch: bool = False,
        lookup_timeout: float = DEFAULT_LOOKUP_TIMEOUT_SECONDS,
        record_timeout: float = DEFAULT_RECORD_TIMEOUT_SECONDS,
        dry_run: bool = False,
        approval_task_id: str | None = None,
        wait_until: str | None = None,
        progress_threshold: float | str | None = None,
        poll_interval: float | str = DEFAULT_POLL_INTERVAL_SECONDS,
        wait_timeout: float = _TWO_WEEKS,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        patience: float = DEFAULT_PATIENCE_SECONDS,
        stall_timeout: float | None = None,
        min_delivered_ratio: float | None = None,
        max_failed_ratio: float | None = None,
        brake: float | None = None,
        on_kill: str = "leave",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.extra_fields = extra_fields
        self.relaunch = relaunch
        self.lookup_timeout = lookup_timeout
        self.record_timeout = record_timeout
        self._dry_run = dry_run
        self.approval_task_id = approval_task_id
        self.wait_until = wait_until
        self.progress_threshold = progress_threshold
        self.poll_interval = poll_interval
        self.wait_timeout = wait_timeout
        self.deferrable = deferrable
        self.wait_options = WaitOptions(
            self.task_id,
            until=wait_until,
            progress_threshold=progress_threshold,
            poll_interval=poll_interval,
            patience=patience,
            stall_timeout=stall_timeout,
            min_delivered_ratio=min_delivered_ratio,
            max_failed_ratio=max_failed_ratio,
            brake=brake,
            on_kill=on_kill,
            client_class=self.client_class,
        )
        self._launch: Launch | None = None
        self._ti: Any = None
        self._resumed = False

    @classmethod
    @abstractmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return the vendor's client class, whose field checks run at parse time."""

    @abstractmethod
    def hook(self) -> CampaignHook:
        """Return the vendor's hook for the connection."""

    @abstractmethod
    def steps(self, launch: Launch, request: CreateRequest) -> Campaign:
        """
        Take the campaign through the vendor's procedure to the point where it sends.

        :param launch: Sees to it that each step is done once.
        :param request: The create request, with the launch's mark in it.
        """

    def check_before(self, client: CampaignClient) -> Mapping[str, Any]:
        """Check what the create call does not, before anything is sent; return what else is launched, by name."""
        return {}

    def contacts_told(self) -> Mapping[str, Any]:
        """Return what the receipt tells of the contacts besides what the vendor made of them."""
        return {}

    def recipients(self, client: CampaignClient) -> int | None:
        """Return how many people the campaign would reach at most, or None where the vendor does not let us know."""
        return None

    def sends_at(self) -> datetime | None:
        """Return when the vendor is told to begin sending, or None for at once."""
        return None

    def check_guards(self) -> None:
        """Refuse guards that this vendor's launches cannot keep."""
        limits = [name for name in ("min_recipients", "max_recipients") if getattr(self, name) is not None]
        if limits and self.recipients_unknown:
            raise InvalidRequest(f"{' and '.join(limits)} cannot be kept: {self.recipients_unknown}.")

    def check_visible_fields(self) -> None:
        """Refuse at parse time what can be seen to be wrong; called by a vendor's constructor when all is assigned."""
        visible = {name: value for name, value in self.given_fields().items() if not is_template(_unplaced(value))}
        try:
            self.check_guards()
            self.check_visible_guards()
            self.client_class().check_fields(visible, mark=Intent("0" * 64, {}).mark)
        except InvalidRequest as error:
            raise InvalidRequest(f"Task {self.task_id!r}: {error}") from None

    def given_fields(self) -> dict[str, Any]:
        """Return the create fields that are not None, by the client's names."""
        given = {name: getattr(self, name) for name in self.create_fields}
        return {self.renamed_fields.get(name, name): value for name, value in given.items() if value is not None}

    def plan(self, hook: CampaignHook) -> LaunchPlan:
        """
        Check everything that is to be launched and return it; nothing is sent.

        :raises InvalidRequest: Names what is wrong.
        """
        client = hook.get_conn()
        further = self.check_before(client)
        request = client.prepare(**self.given_fields(), extra_fields=self.extra_fields)
        # At another account the launch could not be found again.
        return LaunchPlan(request, further, fingerprints({**request.body, **further, "conn_id": hook.conn_id}))

    def verdict(self, run: TaskRun, client: CampaignClient) -> GuardVerdict:
        """Return what the guards say about launching now."""
        guards = self.guards()
        recipients = self.recipients(client) if guards.needs_recipients else None
        return guards.judge(run.facts(recipients, self.sends_at()))

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render as Airflow does, but leave the places {{1}}, {{2}} ... of WhatsApp templates to the vendor."""
        if isinstance(content, str):
            content = _WHATSAPP_PLACE.sub(lambda place: "{{ '" + place.group() + "' }}", content)
        return super().render_template(content, *args, **kwargs)

    def execute(self, context: Context) -> str:
        """Launch the campaign; wait for it here, or defer, or return its id."""
        # Here and not above, like the triggers: parsing a DAG file needs none of them.
        from airflow_provider_campaigns.launch.launcher import Launch

        with airflow_errors():
            terms = self.wait_options.terms(self.wait_until, self.progress_threshold, self.poll_interval, None)
            hook = self.hook()
            client = hook.get_conn()
            # Everything that can be seen to be wrong is seen before the first request.
            plan = self.plan(hook)
            run = TaskRun.of(context, self.record_timeout)
            known = record_in(run.store.load() if run.store else None)
            intent = self._intent(run, known, plan.fingerprints)
            # A relaunch is another launch, which the approval of the one before does not stand for.
            approved_after = known.at if known and known.key != intent.key else None
            request = plan.request.marked(intent.mark)
            if self._dry_run or hook.dry_run:
                refusal = self._not_approved(run, plan, approved_after)
                self._show(context, run, client, intent, replace(plan, request=request), refusal)
            launch = Launch(
                client,
                intent,
                run.store,
                first_try=run.try_number <= 1 and not self._resumed,
                lookup_timeout=self.lookup_timeout,
                earliest=run.earliest,
                guard=lambda campaign_id: self._guard(
                    run, client, campaign_id, self._not_approved(run, plan, approved_after)
                ),
                log=self.log,
            )
            self._launch, self._ti = launch, context["ti"]
            try:
                campaign = self.steps(launch, request)
            except BaseException:
                # What is known of the campaign must not be lost sight of, nor the error behind one of Airflow's.
                if launch.record.campaign_id:
                    try:
                        self._push(context, run, launch, hook, {"id": launch.record.campaign_id})
                    except Exception as error:
                        self.log.warning("The receipt could not be pushed: %s", error)
                raise
        self._push_persistently(context, run, launch, hook, campaign)
        self.log.info("Campaign %s at %s is %s", campaign.id, client.vendor, described(campaign))
        if not self.wait_until and not terms.goal.needs_progress:
            return campaign.id
        limits = [self.wait_timeout]
        if self.deferrable and self.execution_timeout:
            # Airflow keeps to it in a worker only, and a deferred task is in none.
            limits.append(self.execution_timeout.total_seconds())
        terms = replace(terms, deadline=time.time() + min(limits))
        if self.deferrable:
            # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
            from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

            self.defer(
                trigger=CampaignTrigger.of(
                    hook,
                    campaign.id,
                    terms,
                    hook_params=self.hook_params(),
                    on_kill=self.wait_options.on_kill,
                ),
                method_name="execute_complete",
                # The trigger keeps the deadline itself; this is for a triggerer that is gone.
                timeout=timedelta(seconds=self.wait_timeout + 2 * terms.poll_interval + 60),
            )
        with airflow_errors():
            outcome = wait_here(WaitState(campaign.id, terms, time.time()), client, self.log)
        outcome = settle(outcome, client, campaign.id, self.wait_options.on_kill, self.log)
        keep_figures(context, outcome.campaign)
        seen = result_of(outcome, CampaignWaitTimeout)
        self._push(context, run, launch, hook, seen)
        return str(seen["id"])

    def go_on_in_window(self, context: Context, event: Any = None) -> str:
        """Go on with a campaign that was created before the send window closed on it."""
        self._resumed = True
        return self.execute(context)

    def execute_complete(self, context: Context, event: Any = None) -> str:
        """Return the id of the campaign that the trigger saw reach the goal, or raise what its event means."""
        overdue = timeout_error(CampaignWaitTimeout, self.wait_timeout, self.execution_timeout)
        campaign = result_of_event(event, overdue)
        self.log.info("%s", event["message"])
        keep_figures(context, campaign)
        self._hand_out(context, {**TaskRun.of(context).xcom("campaign"), **campaign})
        return str(campaign["id"])

    def on_kill(self) -> None:
        """Do to the campaign what the policy says, if the task was ended for good after the launch, in its worker."""
        campaign_id = self._launch.record.campaign_id if self._launch else None
        if self._launch and campaign_id:
            policy = self.wait_options.on_kill
            pause_or_stop_if_ended(self._launch.client, campaign_id, policy, self._ti, self.log)

    def hook_params(self) -> dict[str, Any] | None:
        """Return the arguments of the hook besides the connection, as a trigger needs them."""
        return None

    def _intent(self, run: TaskRun, record: LaunchRecord | None, meant: Mapping[str, str]) -> Intent:
        retries = int(self.retries or 0)
        number = relaunch_number(record, wanted=self.relaunch, max_tries=run.max_tries, retries=retries)
        return Intent(run.key(number), meant, number, run.max_tries)

    def _guard(self, run: TaskRun, client: CampaignClient, campaign_id: str | None, refusal: str) -> None:
        """Raise what keeps the launch from going on, if anything does."""
        so_far = f"Campaign {campaign_id} exists and was not started." if campaign_id else "Nothing was sent."
        if refusal:
            raise LaunchRefused(f"{refusal} {so_far}")
        self.enforce(
            self.verdict(run, client),
            so_far,
            begun=campaign_id is not None,
            method_name="go_on_in_window" if campaign_id else "execute_in_window",
        )

    def _not_approved(self, run: TaskRun, plan: LaunchPlan, after: float | None) -> str:
        """
        Return why the launch is not approved, empty if it is or needs no approval.

        :param after: When the launch before this one was meant, in seconds since the epoch, or None for no such.
        """
        from airflow_provider_campaigns.api.reading import moment as moment_of

        task = self.approval_task_id
        if task is None:
            return ""
        approval = run.xcom_of(task, "return_value")
        if "Approve" not in (approval.get("chosen_options") or ()):
            return f"Task {task!r} has not approved this launch."
        if not approval.get("responded_by_user"):
            return f"Task {task!r} went on without a person's approval (a default after its timeout, for instance)."
        answered = moment_of(str(approval.get("responded_at")))
        if after is not None and (answered is None or answered.timestamp() <= after):
            return f"Task {task!r} approved an earlier launch of this run: clear it too, to be asked again."
        shown = run.xcom_of(task, SHOWN_KEY)
        if shown and dict(shown) != dict(plan.fingerprints):
            changed = sorted(
                name for name in {*shown, *plan.fingerprints} if shown.get(name) != plan.fingerprints.get(name)
            )
            return f"What task {task!r} showed for approval is not what is to be launched: {', '.join(changed)} differ."
        return ""

    def _push(
        self, context: Context, run: TaskRun, launch: Launch, hook: CampaignHook, campaign: Mapping[str, Any]
    ) -> None:
        record = launch.record
        push_link(context, hook, str(campaign["id"]))
        receipt = {
            "key": launch.intent.key,
            "mark": launch.intent.mark,
            "vendor": launch.client.vendor,
            "conn_id": hook.conn_id,
            "dry_run": False,
            "adopted": not launch.created,
            "meant_at": _iso(record.at),
            "launched_at": _iso(time.time()),
            **campaign,
        }
        if self.approval_task_id:
            approval = run.xcom_of(self.approval_task_id, "return_value")
            receipt["approved_by"] = approval.get("responded_by_user")
            receipt["approved_at"] = str(approval.get("responded_at"))
        if record.contacts:
            refused = [list(row) for row in record.refused]
            receipt["contacts"] = {**record.contacts, "refused_rows": refused, **self.contacts_told()}
        self._hand_out(context, receipt)

    def _push_persistently(
        self, context: Context, run: TaskRun, launch: Launch, hook: CampaignHook, campaign: Campaign
    ) -> None:
        try:
            persistently(lambda: self._push(context, run, launch, hook, campaign.as_dict()), self.record_timeout)
        except Exception as error:
            refusal = not_recorded(f"Campaign {campaign.id} was launched", error)
        else:
            return
        raise refusal

    def _hand_out(self, context: Context, receipt: Mapping[str, Any]) -> None:
        context["ti"].xcom_push(key="campaign", value=dict(receipt))
        for outlet in self.outlets or ():
            context["outlet_events"][outlet].extra = dict(receipt)

    def _show(
        self,
        context: Context,
        run: TaskRun,
        client: CampaignClient,
        intent: Intent,
        plan: LaunchPlan,
        refusal: str,
    ) -> None:
        from airflow_provider_campaigns.api.redaction import redacted
        from airflow_provider_campaigns.launch.guards import GuardAction

        verdict = self.verdict(run, client)
        refusal = refusal or (verdict.reason if verdict.action is GuardAction.REFUSE else "")
        if refusal:
            raise LaunchRefused(f"{refusal} Nothing was sent.")
        if verdict.reason:
            self.log.info("Dry run: the launch would %s: %s", verdict.action, verdict.reason)
        shown = redacted(json.dumps(plan.request.body, ensure_ascii=False, indent=None), (), limit=10_000)
        self.log.info("Dry run: nothing is sent. The create request to %s would be: %s", client.vendor, shown)
        for name, value in plan.further.items():
            self.log.info("Dry run: %s: %s", name, value)
        receipt = {"key": intent.key, "mark": intent.mark, "vendor": client.vendor, "dry_run": True, "id": None}
        context["ti"].xcom_push(key="campaign", value=receipt)
        raise AirflowSkipException("Dry run: everything was checked and nothing was sent.")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _unplaced(value: Any) -> Any:
    """Return a value without WhatsApp's places, which are no templates of Airflow's."""
    if isinstance(value, str):
        return _WHATSAPP_PLACE.sub("", value)
    if isinstance(value, Mapping):
        return {name: _unplaced(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_unplaced(item) for item in value]
    return value
