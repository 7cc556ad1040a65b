"""The two operators around each launch of a ramp: one lets the stage begin, the other judges what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import (
    DURATION_OR_ZERO,
    MAPPING,
    NAME,
    SHARE,
    ArgumentKind,
    choice,
    whole_number,
)
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.exceptions import LaunchRefused, RampStopped, airflow_errors
from airflow_provider_campaigns.launch.stages import ENTERED_KEY, TEST_STAGE, VERDICT_KEY, StageEntry, stage_name
from airflow_provider_campaigns.wait.evidence import DEFAULT_MIN_SAMPLE

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.launch.task_run import TaskRun
    from airflow_provider_campaigns.wait.stages import StageLimits, StagePlace

ON_FAIL = ("stop", "ask")
ON_INCONCLUSIVE = ("stop", "ask", "go")


class EnterStageOperator(DeclaredArguments, BaseOperator):
    """
    Lets a stage of a ramp begin: its slice has people, and the stages before it allow it.

    :func:`~airflow_provider_campaigns.ramps.campaign_ramp` makes these tasks.

    :param audience: What ``PrepareAudienceOperator`` returned. (templated)
    :param stage: The stage's number, from 1; 0 for the author's own phones.
    :param stages: How many stages the ramp has, the author's own phones not counted.
    :param shares: Where the stages end, in percent, or None for wherever the audience's slices end.
    :param earlier: The tasks that judge the stages before it, in their order.
    :return: ``{"stage", "stages", "share", "path", "contacts", "last", "after"}``: the slice's file, whether nobody
        comes after, and the verdict that let the stage begin.
    :raises CampaignRequestRefused: The audience is not the one that the ramp was made for; not retried.
    :raises LaunchRefused: A stage before it has not allowed it; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "stage": whole_number(0, 1000),
        "stages": whole_number(1, 1000),
    }
    template_fields: Sequence[str] = ("audience",)
    ui_color = "#e9f0fa"

    def __init__(
        self,
        *,
        audience: Any,
        stage: int,
        stages: int,
        shares: Sequence[float] | None = None,
        earlier: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.audience = audience
        self.stage = stage
        self.stages = stages
        self.shares = shares
        self.earlier = earlier
        self.check_visible_arguments()

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the slice of the stage, or say why it does not begin."""
        from airflow_provider_campaigns.launch.stages import RampAudience
        from airflow_provider_campaigns.launch.task_run import TaskRun

        run = TaskRun.of(context)
        with airflow_errors():
            self.read_all_arguments()
            first = self.stage - len(self.earlier)
            audience = RampAudience.read(
                self.audience,
                shares=self.shares,
                most_stages=self.stages,
                with_test=first == TEST_STAGE,
            )
        verdicts = {first + place: run.xcom_of(task_id, VERDICT_KEY) for place, task_id in enumerate(self.earlier)}
        admission = audience.admission(self.stage, verdicts)
        told = f"{stage_name(self.stage)} does not begin: {admission.reason}"
        if admission.entry is StageEntry.SKIP:
            raise AirflowSkipException(told)
        part = audience.part(self.stage)
        if admission.entry is StageEntry.REFUSE or part is None:
            raise LaunchRefused(f"{told} Nothing was sent by it.")
        self.log.info("%s begins: %d people", stage_name(self.stage), part["contacts"])
        return {
            "stage": self.stage,
            "stages": len(audience.slices),
            "share": part.get("share"),
            "path": part["path"],
            "contacts": part["contacts"],
            "last": audience.is_last(self.stage),
            "after": None if admission.after is None else dict(admission.after),
        }


class JudgeStageOperator(DeclaredArguments, BaseOperator):
    """
    Judges a stage of a ramp by its campaign's figures, once late receipts had their time.

    :func:`~airflow_provider_campaigns.ramps.campaign_ramp` makes these tasks and tells what the arguments mean. The
    verdict, with all figures, is the XCom ``stage_verdict``.

    :param enter_task_id: The task that let the stage begin.
    :param launch_task_id: The task that launched it.
    :param max_failed_ratio: The largest share that may fail, between 0 and 1. (templated, like the four below)
    :param max_ratios: The largest share by further figures.
    :param min_ratios: The least share by further figures.
    :param min_sample: The fewest people that prove anything; by default 50.
    :param settle: Seconds to wait for late receipts first, or a timedelta; by default none.
    :param on_fail: ``stop`` (the default), or ``ask``.
    :param on_inconclusive: ``stop`` (the default), ``ask`` or ``go``.
    :param hook_params: Further arguments of the hook. (templated)
    :return: ``{"stage", "campaign_id", "launched", "verdict", "goes_on", "why", "figures", "decided_by",
        "decided_at"}``.
    :raises RampStopped: The next stage is not to go out; not retried.
    :raises CampaignRequestFailed: The vendor did not show the campaign; retried, after ``settle`` once more.
    """

    #: Whether it can ask a person.
    can_ask: ClassVar[bool] = False
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "enter_task_id": NAME,
        "launch_task_id": NAME,
        "max_failed_ratio": SHARE,
        "max_ratios": MAPPING.or_none(),
        "min_ratios": MAPPING.or_none(),
        "min_sample": whole_number(1, 1_000_000),
        "settle": DURATION_OR_ZERO,
        "on_fail": choice(ON_FAIL),
        "on_inconclusive": choice(ON_INCONCLUSIVE),
        "hook_params": MAPPING.or_none(),
    }
    template_fields: Sequence[str] = (
        *("max_failed_ratio", "max_ratios", "min_ratios", "min_sample", "settle", "hook_params"),
    )
    ui_color = "#e8f0fb"

    def __init__(
        self,
        *,
        enter_task_id: str,
        launch_task_id: str,
        max_failed_ratio: float | str,
        max_ratios: Mapping[str, Any] | None = None,
        min_ratios: Mapping[str, Any] | None = None,
        min_sample: int | str = DEFAULT_MIN_SAMPLE,
        settle: timedelta | float | str = 0,
        on_fail: str = "stop",
        on_inconclusive: str = "stop",
        hook_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.enter_task_id = enter_task_id
        self.launch_task_id = launch_task_id
        self.max_failed_ratio = max_failed_ratio
        self.max_ratios = max_ratios
        self.min_ratios = min_ratios
        self.min_sample = min_sample
        self.settle = settle
        self.on_fail = on_fail
        self.on_inconclusive = on_inconclusive
        self.hook_params = hook_params
        self.check_visible_arguments()

    @classmethod
    def check_given(cls, given: Mapping[str, Any]) -> None:
        """Refuse arguments that can be seen to be wrong, each by itself and together."""
        super().check_given(given)
        if not cls.can_ask and "ask" in (given.get("on_fail"), given.get("on_inconclusive")):
            raise InvalidRequest("on_fail and on_inconclusive can be 'ask' with ApproveStageOperator alone.")
        limits = {name: given.get(name) for name in ("max_failed_ratio", "max_ratios", "min_ratios", "min_sample")}
        if limits["max_failed_ratio"] is not None and not any(is_template(value) for value in limits.values()):
            read_limits(**limits)

    def execute(self, context: Context) -> Any:
        """Wait for late receipts if asked to, then judge; a stage that did not begin is skipped."""
        from airflow_provider_campaigns.launch.task_run import TaskRun

        run = TaskRun.of(context)
        with airflow_errors():
            self.read_all_arguments()
            self._limits()
        entered = run.xcom_of(self.enter_task_id, ENTERED_KEY)
        if not entered:
            raise AirflowSkipException("The stage did not begin, so there is nothing to judge.")
        if not self._receipt(run).get("id"):
            self._tell(run, {"stage": entered["stage"], "launched": False, "goes_on": False})
            raise AirflowSkipException("The stage was not launched, so there is nothing to judge; none after it is.")
        settle = self.argument("settle")
        if settle:
            # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
            from airflow.providers.common.compat.standard.triggers import TimeDeltaTrigger

            self.log.info("Waiting %g s for late receipts", settle)
            self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=settle)), method_name="judge")
        return self.judge(context)

    def judge(self, context: Context, event: Any = None) -> Any:
        """Judge the stage as the vendor counts it now."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook
        from airflow_provider_campaigns.launch.task_run import TaskRun
        from airflow_provider_campaigns.wait.stages import StageVerdict, verdict_of

        run = TaskRun.of(context)
        entered, receipt = run.xcom_of(self.enter_task_id, ENTERED_KEY), self._receipt(run)
        with airflow_errors():
            client = CampaignHook.of_connection(receipt["conn_id"], self.hook_params).get_conn()
            campaign = client.get_campaign(receipt["id"], progress=True)
            if "failed" not in campaign.counts:
                campaign = client.with_failures(campaign)
            figures = self._limits().judge(campaign.counts, _place(entered))
        verdict = verdict_of(figures)
        told = {
            "stage": entered["stage"],
            "campaign_id": campaign.id,
            "launched": True,
            "verdict": verdict.value,
            "goes_on": False,
            "why": [figure.why for figure in figures],
            "figures": [figure.told() for figure in figures],
            "decided_by": None,
            "decided_at": None,
        }
        self.log.info("%s: %s. %s", stage_name(entered["stage"]), verdict, " ".join(told["why"]))
        if verdict is StageVerdict.PASS:
            return self._go_on(run, told)
        if entered["last"] and verdict is StageVerdict.INCONCLUSIVE:
            self.log.info("Nobody comes after this stage, so nothing depends on the verdict.")
            return self._go_on(run, told)
        policy = self.on_fail if verdict is StageVerdict.FAIL else self.on_inconclusive
        if policy == "go":
            return self._go_on(run, told)
        if policy == "ask" and not entered["last"]:
            self._tell(run, told)
            return self.ask(context, entered, told)
        self._tell(run, told)
        raise RampStopped(stopped(told, _paused(client, campaign, self.log)))

    def ask(self, context: Context, entered: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
        """
        Ask a person whether the ramp goes on.

        :param context: Airflow's context.
        :param entered: What the stage was entered with.
        :param told: The verdict with its figures.
        """
        raise InvalidRequest("on_fail and on_inconclusive can be 'ask' with ApproveStageOperator alone.")

    def _receipt(self, run: TaskRun) -> Mapping[str, Any]:
        from airflow_provider_campaigns.launch.receipt import RECEIPT_KEY

        return run.xcom_of(self.launch_task_id, RECEIPT_KEY)

    def _limits(self) -> StageLimits:
        return read_limits(self.max_failed_ratio, self.max_ratios, self.min_ratios, self.argument("min_sample"))

    def _go_on(self, run: TaskRun, told: Mapping[str, Any]) -> dict[str, Any]:
        return self._tell(run, {**told, "goes_on": True})

    def _tell(self, run: TaskRun, told: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the verdict where the next stage, and people, find it."""
        run.ti.xcom_push(key=VERDICT_KEY, value=dict(told))
        return dict(told)


def read_limits(
    max_failed_ratio: Any,
    max_ratios: Mapping[str, Any] | None = None,
    min_ratios: Mapping[str, Any] | None = None,
    min_sample: Any = DEFAULT_MIN_SAMPLE,
) -> StageLimits:
    """
    Return the limits that a stage is judged by.

    :raises InvalidRequest: Names the argument and what is allowed.
    """
    from airflow_provider_campaigns.wait.stages import StageLimits

    if "failed" in (max_ratios or ()):
        raise InvalidRequest("max_ratios has 'failed', for which there is max_failed_ratio.")
    at_most = {"failed": SHARE.read("max_failed_ratio", max_failed_ratio)}
    at_most |= {name: SHARE.read(f"max_ratios[{name!r}]", share) for name, share in (max_ratios or {}).items()}
    at_least = {name: SHARE.read(f"min_ratios[{name!r}]", share) for name, share in (min_ratios or {}).items()}
    return StageLimits(at_most, at_least, JudgeStageOperator.arguments["min_sample"].read("min_sample", min_sample))


def stopped(told: Mapping[str, Any], done: str = "") -> str:
    """
    Return why a ramp ends here, in words.

    :param told: The verdict with its figures.
    :param done: A sentence about what was done to the campaign.
    """
    by = told.get("decided_by")
    who = f" {by.get('name') or by.get('id')} decided so." if isinstance(by, Mapping) else ""
    text = f"{stage_name(told['stage'])} ends the ramp: {told['verdict']}. {'. '.join(told['why'])}.{who} {done}"
    return f"{text.rstrip()} No stage after it is launched."


def _place(entered: Mapping[str, Any]) -> StagePlace:
    from airflow_provider_campaigns.wait.stages import StagePlace

    if entered["stage"] == TEST_STAGE:
        return StagePlace.TEST
    return StagePlace.LAST if entered["last"] else StagePlace.SAMPLE


def _paused(client: CampaignClient, campaign: Campaign, log: Any) -> str:
    """Pause a campaign that still sends, or stop it where there is no pause; return a sentence about it."""
    from airflow_provider_campaigns.wait.runner import pause_or_stop

    if campaign.status.is_over:
        return ""
    return pause_or_stop(client, campaign.id, "pause" if client.supports("pause") else "stop", log)
