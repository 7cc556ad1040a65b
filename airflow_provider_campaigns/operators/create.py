"""What the create operators share: a launch exactly once, its receipt, and waiting if asked to."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_campaigns.arguments.kinds import BOOLEAN, DURATION_OR_ZERO, ArgumentKind
from airflow_provider_campaigns.exceptions import LaunchRefused, airflow_errors
from airflow_provider_campaigns.launch.persistence import (
    DEFAULT_LOOKUP_TIMEOUT_SECONDS,
    DEFAULT_RECORD_TIMEOUT_SECONDS,
    persistently,
)
from airflow_provider_campaigns.links import CampaignLink, push_link
from airflow_provider_campaigns.operators.evidenced import KeepsEvidence
from airflow_provider_campaigns.operators.lineage import TellsLaunch
from airflow_provider_campaigns.operators.planned import LaunchPlan, PlannedCampaign
from airflow_provider_campaigns.operators.staged import StageOfRamp
from airflow_provider_campaigns.operators.waits import WaitsForCampaign
from airflow_provider_campaigns.wait.decisions import described

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.launch.approval import Approval
    from airflow_provider_campaigns.launch.intent import Intent
    from airflow_provider_campaigns.launch.launcher import Launch
    from airflow_provider_campaigns.launch.record import LaunchRecord
    from airflow_provider_campaigns.launch.task_run import TaskRun


class CreateCampaignOperator(TellsLaunch, StageOfRamp, WaitsForCampaign, KeepsEvidence, PlannedCampaign):
    """
    Launches a campaign exactly once, and waits for it if asked to; returns its id.

    On a retry, and when the task is cleared, the operator goes on with the campaign that the run launched before; it
    never creates another. The receipt is pushed as XCom ``campaign`` as soon as the campaign exists, and becomes the
    extra of the asset events of the task's outlets.

    It has the arguments of its bases as well: connection and fields
    (:class:`~airflow_provider_campaigns.operators.planned.PlannedCampaign`), waiting
    (:class:`~airflow_provider_campaigns.operators.waits.WaitsForCampaign`), evidence
    (:class:`~airflow_provider_campaigns.operators.evidenced.KeepsEvidence`), ramps
    (:class:`~airflow_provider_campaigns.operators.staged.StageOfRamp`), and the guards
    (:class:`~airflow_provider_campaigns.operators.guarded.GuardedOperator`). The guards decide before the campaign is
    created and again before it is started, never about a campaign that an earlier try has started. ``min_recipients``
    and ``max_recipients`` are for vendors that tell the number of recipients before the launch (Altur, Kore.ai).

    :param relaunch: Launch anew when the task is cleared (not when it is retried, and not when it is cleared while it
        runs). Set it for that one clear only. By default a cleared task goes on with what it launched last.
        Before Airflow 3.3 do not change the task's ``retries`` along with it: they tell a clear from a retry.
    :param lookup_timeout: Seconds to look for a campaign that an earlier try may have created, while the vendor's list
        does not show it; by default 60. Together with the retry delay it should outlast the list's lag. A start that an
        earlier try asked for is waited for just as long before the campaign is started again.
    :param record_timeout: Seconds to keep trying to record the launch while Airflow's API server cannot be reached; by
        default 300. Then the try ends, and the next one goes on with the campaign. 0 tries once.
    :param dry_run: Check everything and log the request, recipients redacted, but send nothing; the task is skipped,
        and with it what depends on it. The connection's extra ``dry_run`` does the same for all its launches.
    :param approval_task_id: The ``ApprovalOperator`` upstream whose approval is needed; set by itself with
        :class:`~airflow_provider_campaigns.operators.approval.ApproveCampaignOperator`. Who approved is in the receipt.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    :raises LaunchOutcomeUnknown: An answer was lost; the retry looks before it acts.
    :raises LaunchConflict: The run already launched something else, or launched twice, or somebody started the campaign
        before its contacts were in; not retried.
    :raises LaunchRefused: A guard or a limit forbids the launch, or nobody approved; not retried.
    :raises CampaignFailed: The campaign that was launched failed or was canceled; not retried, never replaced.
    :raises CampaignWaitTimeout: While waiting: the time is up; the campaign goes on; not retried.
    """

    operator_extra_links = (CampaignLink(),)
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **PlannedCampaign.arguments,
        **WaitsForCampaign.arguments,
        **KeepsEvidence.arguments,
        "relaunch": BOOLEAN,
        "lookup_timeout": DURATION_OR_ZERO,
        "record_timeout": DURATION_OR_ZERO,
        "dry_run": BOOLEAN,
    }
    # dry_run is the name of a method of Airflow's operators.
    kept_as: ClassVar[Mapping[str, str]] = {**WaitsForCampaign.kept_as, "dry_run": "is_dry_run"}
    template_fields: Sequence[str] = (
        *PlannedCampaign.template_fields,
        *WaitsForCampaign.template_fields,
        *KeepsEvidence.template_fields,
        *("relaunch", "lookup_timeout", "record_timeout", "is_dry_run"),
    )
    ui_color = "#fdf0dc"

    def __init__(
        self,
        *,
        relaunch: bool = False,
        lookup_timeout: float = DEFAULT_LOOKUP_TIMEOUT_SECONDS,
        record_timeout: float = DEFAULT_RECORD_TIMEOUT_SECONDS,
        dry_run: bool = False,
        approval_task_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.relaunch = relaunch
        self.lookup_timeout = lookup_timeout
        self.record_timeout = record_timeout
        self.is_dry_run = dry_run
        self.approval_task_id = approval_task_id
        self._launch: Launch | None = None
        self._resumed = False

    @abstractmethod
    def steps(self, launch: Launch, request: CreateRequest) -> Campaign:
        """
        Take the campaign through the vendor's procedure to the point where it sends.

        :param launch: Makes sure that each step is done once.
        :param request: The create request, with the launch's mark in it.
        """

    @property
    def launched_id(self) -> str | None:
        """The id of the campaign that this try launched or found, or None if there is none yet."""
        return self._launch.record.campaign_id if self._launch else None

    def execute(self, context: Context) -> str:
        """Launch the campaign; wait for it here, or defer, or return its id."""
        # What only a launch needs is imported in the methods of one: parsing a DAG file needs none of it.
        from airflow_provider_campaigns.launch.task_run import TaskRun

        with airflow_errors():
            # Whatever is wrong must show before the first request.
            self.read_all_arguments()
            terms = self.terms()
            hook = self.hook()
            dry_run = hook.begin(self.log, dry_run=self.argument("dry_run"))
            plan = self.plan(hook)
            run = TaskRun.of(context, self.argument("record_timeout"))
            launch = self._prepare(run, hook, plan, dry_run=dry_run)
            campaign = self._carry_out(context, run, hook, launch, plan)
        self._push_persistently(context, run, hook, launch, campaign)
        self.log.info("Campaign %s at %s is %s", campaign.id, launch.client.vendor, described(campaign))
        seen = self.wait(context, hook, campaign.id, terms)
        if seen is not None:
            self._push(context, run, hook, launch, seen)
        return campaign.id

    def go_on_in_window(self, context: Context, event: Any = None) -> str:
        """Go on with a campaign that was created before the send window closed on it."""
        self._resumed = True
        return self.execute(context)

    def _prepare(self, run: TaskRun, hook: CampaignHook, plan: LaunchPlan, *, dry_run: bool) -> Launch:
        """Return the launch that the plan is for; in a dry run, say what it would send and skip the task."""
        from airflow_provider_campaigns.launch.launcher import Launch
        from airflow_provider_campaigns.launch.record import record_in

        client = hook.get_conn()
        known = record_in(run.store.load() if run.store else None)
        intent = _intent_of(self, run, known, plan.fingerprints)
        # A relaunch is another launch, which the approval of the one before does not stand for.
        approved_after = known.at if known and known.key != intent.key else None

        def refusal() -> str:
            approval = self._approval(run)
            refused = approval.refusal(plan.fingerprints, approved_after) if approval else ""
            return refused or self.stage_refusal(run)

        if dry_run:
            self._show(run, hook, intent, plan, refusal())
        self.note_files()
        return Launch(
            client,
            intent,
            run.store,
            first_try=run.try_number <= 1 and not self._resumed,
            lookup_timeout=self.argument("lookup_timeout"),
            earliest=run.earliest,
            guard=lambda campaign_id: self._guard(run, hook, campaign_id, refusal()),
            log=self.log,
        )

    def _carry_out(
        self, context: Context, run: TaskRun, hook: CampaignHook, launch: Launch, plan: LaunchPlan
    ) -> Campaign:
        """Take the vendor's steps; when one fails, push what is known of the campaign all the same."""
        from airflow_provider_campaigns.launch.counted import counted_launch
        from airflow_provider_campaigns.wait.runner import pause_or_stop_if_ended

        self._end_campaign = pause_or_stop_if_ended
        self._launch, self._client, self._run = launch, launch.client, run
        try:
            with counted_launch(launch):
                campaign = self.steps(launch, plan.request.marked(launch.intent.mark))
        except BaseException as ended:
            self.keep_evidence(run, launch, hook, lambda: self._approval(run), ended)
            if launch.record.campaign_id:
                try:
                    self._push(context, run, hook, launch, {"id": launch.record.campaign_id})
                except Exception as error:
                    # An error of Airflow's must not hide the one before.
                    self.log.warning("The receipt could not be pushed: %s", error)
            raise
        self.keep_evidence(run, launch, hook, lambda: self._approval(run))
        return campaign

    def _approval(self, run: TaskRun) -> Approval | None:
        """Return what the approval task showed and how it was answered, or None if the launch needs no approval."""
        from airflow_provider_campaigns.launch.approval import ANSWER_KEY, SHOWN_KEY, Approval

        task = self.approval_task_id
        return None if task is None else Approval(task, run.xcom_of(task, ANSWER_KEY), run.xcom_of(task, SHOWN_KEY))

    def _guard(self, run: TaskRun, hook: CampaignHook, campaign_id: str | None, refusal: str) -> None:
        """Raise what keeps the launch from going on, if anything does."""
        so_far = f"Campaign {campaign_id} exists and was not started." if campaign_id else "Nothing was sent."
        verdict = None if refusal else self.verdict(run, hook.get_conn())
        self.note_asked("before starting" if campaign_id else "before creating", verdict, refusal)
        if verdict is None:
            raise LaunchRefused(f"{refusal} {so_far}", guard="approval")
        method_name = "go_on_in_window" if campaign_id else "execute_in_window"
        self.enforce(verdict, so_far, begun=campaign_id is not None, method_name=method_name)
        if campaign_id is None:
            self.check_evidence()

    def _push(
        self, context: Context, run: TaskRun, hook: CampaignHook, launch: Launch, campaign: Mapping[str, Any]
    ) -> None:
        from airflow_provider_campaigns.launch.receipt import receipt_of

        push_link(context, hook, str(campaign["id"]))
        receipt = receipt_of(
            launch.intent,
            launch.record,
            campaign,
            vendor=launch.client.vendor,
            conn_id=hook.conn_id,
            created=launch.created,
            now=time.time(),
            approval=self._approval(run),
            contacts_told=self.contacts_told(),
        )
        if self.evidence_path:
            receipt["evidence"] = self.evidence_path
        self.hand_out(run, {**receipt, **self.told_of_stage(run)})

    def _push_persistently(
        self, context: Context, run: TaskRun, hook: CampaignHook, launch: Launch, campaign: Campaign
    ) -> None:
        try:
            persistently(
                lambda: self._push(context, run, hook, launch, campaign.as_dict()), self.argument("record_timeout")
            )
        except Exception as error:
            from airflow_provider_campaigns.launch.record_store import not_recorded

            refusal = not_recorded(f"Campaign {campaign.id} was launched", error)
        else:
            return
        raise refusal

    def _show(self, run: TaskRun, hook: CampaignHook, intent: Intent, plan: LaunchPlan, refusal: str) -> None:
        """Log what a launch would send, and skip the task."""
        from airflow_provider_campaigns.api.redaction import redacted
        from airflow_provider_campaigns.launch.guards import GuardAction
        from airflow_provider_campaigns.launch.receipt import RECEIPT_KEY, dry_run_receipt

        request = plan.request.marked(intent.mark)
        verdict = self.verdict(run, hook.get_conn())
        refusal = refusal or (verdict.reason if verdict.action is GuardAction.REFUSE else "")
        if refusal:
            raise LaunchRefused(f"{refusal} Nothing was sent.")
        if verdict.reason:
            self.log.info("Dry run: the launch would %s: %s", verdict.action, verdict.reason)
        shown = redacted(json.dumps(request.body, ensure_ascii=False, indent=None), (), limit=10_000)
        self.log.info("Dry run: nothing is sent. The create request to %s would be: %s", request.vendor, shown)
        for name, value in plan.further.items():
            self.log.info("Dry run: %s: %s", name, value)
        run.ti.xcom_push(key=RECEIPT_KEY, value=dry_run_receipt(intent, request.vendor))
        raise AirflowSkipException("Dry run: everything was checked and nothing was sent.")


def _intent_of(
    operator: CreateCampaignOperator, run: TaskRun, record: LaunchRecord | None, meant: Mapping[str, str]
) -> Intent:
    """Return what this task means to launch: the same as before, or anew if that is asked for."""
    from airflow_provider_campaigns.launch.decisions import relaunch_number
    from airflow_provider_campaigns.launch.intent import Intent

    wanted, retries = operator.argument("relaunch"), int(operator.retries or 0)
    number = relaunch_number(record, wanted=wanted, max_tries=run.max_tries, retries=retries)
    return Intent(run.key(number), meant, number, run.max_tries)
