"""A ramp: an audience is launched stage by stage, and each stage is judged before the next one goes out."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, TaskGroup

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.launch.stages import TEST_STAGE
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.operators.ramp import EnterStageOperator, JudgeStageOperator
from airflow_provider_campaigns.wait.evidence import DEFAULT_MIN_SAMPLE

if TYPE_CHECKING:
    from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator

#: Airflow 2 shows a group's id alone.
_NAMES_GROUPS = "group_display_name" in inspect.signature(TaskGroup).parameters
#: What the ramp itself gives to each launch.
_OWN = ("task_id", "task_group", "dag", "trigger_rule", "stage_task_id", "approval_task_id", "max_failed_ratio")


class RampWarning(UserWarning):
    """A ramp that cannot judge as its author means it to."""


@dataclass(frozen=True, slots=True)
class RampStage:
    """
    A stage of a ramp, for the arguments of its launch. As text it is ``test`` or ``stage 2``.

    :param number: Its place from 1, or 0 for the author's own phones.
    :param share: Up to which share of the people it goes, in percent, or None where only the audience tells.
    :param enter_task_id: The task that lets it begin.
    """

    number: int
    share: float | None
    enter_task_id: str

    @property
    def path(self) -> str:
        """A template for the path of the slice's file."""
        return self._entered("path")

    @property
    def contacts(self) -> str:
        """A template for the number of people in it."""
        return self._entered("contacts")

    def _entered(self, key: str) -> str:
        return f"{{{{ ti.xcom_pull(task_ids='{self.enter_task_id}')['{key}'] }}}}"

    def __str__(self) -> str:
        return "test" if self.number == TEST_STAGE else f"stage {self.number}"

    @property
    def title(self) -> str:
        """What its row in the grid is called."""
        if self.number == TEST_STAGE:
            return "Test contacts"
        return f"Stage {self.number}" if self.share is None else f"Stage {self.number}: up to {self.share:g} %"


#: The arguments of a stage's launch: the same for all, or a function of the stage.
StageArguments = Mapping[str, Any] | Callable[[RampStage], Mapping[str, Any]]


def campaign_ramp(
    group_id: str = "ramp",
    *,
    create: type[CreateCampaignOperator],
    arguments: StageArguments,
    audience: PrepareAudienceOperator | Any,
    max_failed_ratio: float | str,
    max_ratios: Mapping[str, float | str] | None = None,
    min_ratios: Mapping[str, float | str] | None = None,
    min_sample: int | str = DEFAULT_MIN_SAMPLE,
    settle: timedelta | float | str = 0,
    shares: Sequence[float] | None = None,
    stages: int | None = None,
    test_contacts: bool | None = None,
    on_fail: str = "stop",
    on_inconclusive: str = "stop",
    approval: Mapping[str, Any] | None = None,
) -> TaskGroup:
    """
    Launch an audience stage by stage: create, wait, judge, and only then the next stage.

    Each stage is a campaign of its own, launched exactly once as any other, and a group with its own row in Airflow's
    grid: ``enter`` lets it begin, ``launch`` creates the campaign and waits for its end, ``judge`` waits for late
    receipts and decides. A campaign is never grown by adding contacts to it. A stage of nobody is skipped and says so.

    The people of a stage are a random sample of all. So the verdict is about all: ``pass`` once the whole Wilson
    interval of a share (95 % confidence) keeps its limit, ``fail`` once the whole interval is beyond it, and
    ``inconclusive`` otherwise, for fewer than ``min_sample`` people, and where the vendor gives no figures (failures of
    an SMS campaign at Kore.ai; then a :class:`RampWarning` says so when the DAG file is parsed). All limits must pass,
    and one that fails decides. The last stage is judged by its own people. Test contacts can fail and never pass: they
    are inconclusive at best, since they prove nothing about others.

    While a stage runs, ``max_failed_ratio`` is its brake as well: once the failures prove too many, the campaign is
    paused, or stopped where the vendor has no pause, and the launch fails. (Not with ``on_fail="ask"``.)

    :param group_id: The id of the task group, by default ``ramp``.
    :param create: The class of the create operator, such as ``AlturCreateCampaignOperator``.
    :param arguments: The operator's arguments, the same for each stage: it gets the stage's file as ``contacts``, and
        the stage at the end of ``name``. Or a function that takes a :class:`RampStage` and returns all arguments; it
        may make tasks of the stage that run before the launch, such as one that fills a contact list. The launch waits
        for ``finished`` unless the arguments have another ``wait_until`` or ``brake``.
    :param audience: The task that prepares the audience, or what it returns.
    :param max_failed_ratio: The largest share that may fail, above 0 and below 1. (templated, like the four below)
    :param max_ratios: The largest share by further figures, such as ``{"rejected": 0.1}``.
    :param min_ratios: The least share by further figures, such as ``{"delivered": 0.8}``.
    :param min_sample: The fewest people that prove anything, by default 50.
    :param settle: Seconds to wait for late receipts before judging, or a timedelta; by default none. It holds no worker
        slot, and a retry of ``judge`` waits anew.
    :param shares: Where the stages end, in percent, by default those of the audience's task. Airflow lays out rows when
        it parses the file, so they must be known then; when the ramp runs, the audience must have the same.
    :param stages: For an audience whose shares are known only when it runs: how many stages there are at most. What the
        audience does not need is skipped.
    :param test_contacts: Whether the first stage goes to the author's own phones; by default if the audience's task has
        ``test_contacts``.
    :param on_fail: ``stop`` (the default): ``judge`` fails, a campaign that still sends is paused where the vendor can,
        and no further stage is launched. ``ask`` asks a person.
    :param on_inconclusive: ``stop`` (the default), ``go``, or ``ask``: Airflow's own approval with the stage's figures;
        who decided is in the receipt of the next stage's launch. Needs Airflow 3.1 or newer.
    :param approval: Further arguments for that approval, such as ``assigned_users``, ``notifiers``, ``body`` and
        ``response_timeout``.
    :return: The task group.
    :raises InvalidRequest: An argument that can be seen to be wrong.
    :raises AirflowOptionalProviderFeatureException: ``ask`` before Airflow 3.1.
    """
    asks = "ask" in (on_fail, on_inconclusive)
    with_test = _has_test_contacts(audience) if test_contacts is None else test_contacts
    declared = _declared_shares(group_id, audience, shares, stages)
    if approval and not asks:
        raise _refused(group_id, "approval is for on_inconclusive='ask' or on_fail='ask'.")
    if with_test and on_inconclusive == "stop":
        raise _refused(
            group_id,
            "test contacts never prove anything about others, so on_inconclusive='stop' would always stop after them. "
            "Use 'ask', or 'go' to stop for failures only; or test_contacts=False.",
        )
    judge = JudgeStageOperator
    if asks:
        from airflow_provider_campaigns.operators.approval import ApproveStageOperator

        judge = ApproveStageOperator
    judging = {
        "max_failed_ratio": max_failed_ratio,
        "max_ratios": max_ratios,
        "min_ratios": min_ratios,
        "min_sample": min_sample,
        "settle": settle,
        "on_fail": on_fail,
        "on_inconclusive": on_inconclusive,
        **(approval or {}),
    }
    brake = {} if on_fail == "ask" else {"brake": max_failed_ratio, "min_sample": min_sample}
    first = TEST_STAGE if with_test else TEST_STAGE + 1
    judges: list[JudgeStageOperator] = []
    launches: list[Mapping[str, Any]] = []
    with TaskGroup(group_id) as ramp:
        for number in range(first, len(declared) + 1):
            share = declared[number - 1] if number > TEST_STAGE else None
            name = "test" if number == TEST_STAGE else f"stage_{number}"
            stage = RampStage(number, share, f"{ramp.group_id}.{name}.enter")
            shown: dict[str, Any] = {"group_display_name": stage.title} if _NAMES_GROUPS else {}
            with TaskGroup(name, **shown) as group:
                enter = EnterStageOperator(
                    task_id="enter",
                    # It runs also after a skipped stage, and looks itself whether the stages before it allow it.
                    trigger_rule="none_failed",
                    audience=audience.output if isinstance(audience, BaseOperator) else audience,
                    stage=number,
                    stages=len(declared),
                    shares=None if stages is not None else [share for share in declared if share is not None],
                    earlier=[one.task_id for one in judges],
                )
                given = _arguments(group_id, create, arguments, stage)
                before = [task for task in group.children.values() if task is not enter]
                launch = create(
                    task_id="launch",
                    trigger_rule="all_success",
                    stage_task_id=enter.task_id,
                    **{"wait_until": "finished", **_answerable(create, given, brake), **given},
                )
                judged = judge(
                    task_id="judge",
                    trigger_rule="none_failed",
                    enter_task_id=enter.task_id,
                    launch_task_id=launch.task_id,
                    hook_params=launch.hook_params(),
                    **judging,
                )
                enter >> before
                [enter, *before] >> launch >> judged
            judges[-1:] >> enter
            judges.append(judged)
            launches.append({name: value for name, value in given.items() if name != "name"})
    if any(one == other for place, one in enumerate(launches) for other in launches[:place]):
        raise _refused(group_id, "arguments gives the same for two stages, which would reach the same people twice.")
    _warn_of_figures(group_id, create, given, ("failed", *(max_ratios or ()), *(min_ratios or ())))
    return ramp


def _refused(group_id: str, text: str) -> InvalidRequest:
    return InvalidRequest(f"Ramp {group_id!r}: {text}")


def _has_test_contacts(audience: Any) -> bool:
    return getattr(_task(audience), "test_contacts", None) is not None


def _task(audience: Any) -> Any:
    """Return the task that prepares the audience, where it can be seen."""
    return audience if isinstance(audience, BaseOperator) else getattr(audience, "operator", None)


def _declared_shares(
    group_id: str, audience: Any, shares: Sequence[float] | None, stages: int | None
) -> tuple[float | None, ...]:
    """Return where each stage ends, in percent; None for each where only the audience will tell."""
    if shares is not None and stages is not None:
        raise _refused(group_id, "give shares or stages, not both.")
    if stages is not None:
        most = EnterStageOperator.arguments["stages"].read(f"Ramp {group_id!r}: stages", stages)
        return (None,) * int(most)
    given = getattr(_task(audience), "shares", None) if shares is None else shares
    if given is None or is_template(given):
        raise _refused(
            group_id,
            "the audience's shares are known only when it runs, and Airflow lays out rows when it parses the file. "
            "Give shares=[5, 25, 100], or stages=5 for at most five stages.",
        )
    from airflow_provider_campaigns.audience.terms import KINDS

    read: tuple[float | None, ...] = KINDS["shares"].read(f"Ramp {group_id!r}: shares", given)
    return read


def _arguments(
    group_id: str, create: type[CreateCampaignOperator], arguments: StageArguments, stage: RampStage
) -> dict[str, Any]:
    """Return the arguments of a stage's launch."""
    if isinstance(arguments, Mapping):
        if "contacts" not in create.template_fields:
            raise _refused(
                group_id,
                f"{create.__name__} takes no contacts: give arguments as a function of the stage, which says how its "
                "people, in the file at stage.path, get to the vendor.",
            )
        if "contacts" in arguments:
            raise _refused(group_id, "contacts comes from the stage; leave it out of arguments.")
        given = {**arguments, "name": f"{arguments.get('name', '')}, {stage}", "contacts": stage.path}
    else:
        given = dict(arguments(stage))
    reserved = sorted(name for name in given if name in _OWN)
    if reserved:
        raise _refused(group_id, f"arguments has {reserved[0]!r}, which the ramp decides.")
    if given.get("wait_until", "finished") is None:
        raise _refused(group_id, "wait_until=None would judge a stage that has only begun; use 'finished' or 'sent'.")
    return given


def _counted(create: type[CreateCampaignOperator], given: Mapping[str, Any]) -> frozenset[str]:
    return create.client_class().answers(**create.counted_kind(given))


def _answerable(
    create: type[CreateCampaignOperator], given: Mapping[str, Any], brake: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the brake, where the vendor counts what it judges by."""
    from airflow_provider_campaigns.wait.stages import unanswerable

    return {} if unanswerable(("failed",), _counted(create, given)) else brake


def _warn_of_figures(
    group_id: str, create: type[CreateCampaignOperator], given: Mapping[str, Any], names: Sequence[str]
) -> None:
    from airflow_provider_campaigns.wait.stages import unanswerable

    missing = unanswerable(names, _counted(create, given))
    if missing:
        warnings.warn(
            f"Ramp {group_id!r}: {create.client_class().vendor} gives no figures for {' and '.join(missing)}, so that "
            "every verdict is inconclusive, unless another figure fails, and on_inconclusive decides.",
            RampWarning,
            stacklevel=3,
        )
