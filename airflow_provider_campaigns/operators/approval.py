"""Asking a person before a launch, or between the stages of a ramp, through Airflow's own approval."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import RampStopped, airflow_errors
from airflow_provider_campaigns.launch.approval import SHOWN_KEY
from airflow_provider_campaigns.launch.stages import VERDICT_KEY, stage_name
from airflow_provider_campaigns.launch.task_run import TaskRun
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.operators.ramp import JudgeStageOperator, stopped

try:
    from airflow.providers.standard.operators.hitl import ApprovalOperator
except (ImportError, AirflowOptionalProviderFeatureException) as missing:
    raise AirflowOptionalProviderFeatureException("Approvals need Airflow 3.1 or newer.") from missing

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.launch.guards import GuardVerdict, SendWindow

#: How much of a text is shown, in characters.
SAMPLE_LENGTH = 500
_MARKDOWN = re.compile(r"[\\`*\[\]<>|]")


class ApproveCampaignOperator(ApprovalOperator):
    """
    Shows a person what a create operator is about to launch, and lets it launch on approval only.

    It checks the campaign as the launch would, counts its recipients where the vendor lets us know, and shows
    connection, audience, a sample of the text, and the send window. The create operator then launches exactly what was
    shown: it refuses when a field or a contact has changed since, when nobody approved, and when an answer came from a
    default after the time was up. Who approved is in its receipt. Needs Airflow 3.1 or newer.

    :param create: The create operator; this task becomes its upstream and its ``approval_task_id``. For a mapped or a
        decorated one use Airflow's ``ApprovalOperator``, and pass its task id as ``approval_task_id``.
    :param subject: The headline; by default it names the campaign and its task. (templated)
    :param body: What to say before the facts, in Markdown; by default nothing. (templated)
    :param kwargs: As for Airflow's ``ApprovalOperator``, such as ``response_timeout``, ``notifiers`` and
        ``assigned_users``.
    :raises CampaignRequestRefused: The campaign cannot be launched as it stands; nobody is asked.
    """

    def __init__(
        self, *, create: CreateCampaignOperator, subject: str | None = None, body: str | None = None, **kwargs: Any
    ) -> None:
        if not isinstance(create, CreateCampaignOperator):
            raise InvalidRequest(
                f"create must be a create operator, not a {type(create).__name__}. For a mapped or a decorated one, "
                "use ApprovalOperator and give its task id to the other as approval_task_id."
            )
        check_no_defaults(kwargs)
        super().__init__(
            subject=subject if subject is not None else f"Launch the campaign of task {create.task_id}?",
            body=body,
            **kwargs,
        )
        self.names_campaign = subject is None
        self.create_task_id = create.task_id
        create.approval_task_id = self.task_id
        create.set_upstream(self)

    def execute(self, context: Context) -> Any:
        """Check the campaign, show it, and wait for the answer."""
        create = self._create(context)
        with airflow_errors():
            hook = create.hook()
            plan = create.plan(hook)
            facts = self._facts(create, hook, create.verdict(TaskRun.of(context), hook.get_conn()))
        context["ti"].xcom_push(key=SHOWN_KEY, value=dict(plan.fingerprints))
        if self.names_campaign:
            name = " ".join(str(create.given_fields()["name"]).split())
            self.subject = f"Launch {name}? (task {self.create_task_id})"
        self.body = "\n\n".join(part for part in (self.body, facts) if part)
        return super().execute(context)

    def _create(self, context: Context) -> CreateCampaignOperator:
        """Return the create operator with its templates rendered for this run."""
        create = self.get_dag().get_task(self.create_task_id).prepare_for_execution()  # type: ignore[union-attr]
        if not isinstance(create, CreateCampaignOperator):
            raise TypeError(f"Task {self.create_task_id!r} is no create operator.")
        create.render_template_fields(context)
        return create

    def _facts(self, create: CreateCampaignOperator, hook: CampaignHook, verdict: GuardVerdict) -> str:
        from airflow_provider_campaigns.launch.guards import GuardAction

        client = hook.get_conn()
        with airflow_errors():
            recipients = create.recipients(client)
        unknown = f"not known before the launch ({create.recipients_unknown or f'{client.vendor} does not tell'})"
        windows = create.guards().windows
        rows = {
            "Campaign": create.given_fields()["name"],
            "Vendor": client.vendor,
            "Connection": hook.conn_id,
            "Audience": unknown if recipients is None else f"{recipients:,} recipients",
            "Sending begins": _beginning(verdict, create.sends_at(), windows),
            "Send window": "; ".join(str(window) for window in windows) or "any time",
        }
        if verdict.action is not GuardAction.GO:
            rows["As things stand"] = f"the launch would {verdict.action}: {verdict.reason}"
        texts = {name: getattr(create, name) for name in create.text_fields}
        return "\n\n".join([_table(rows), *(_sample(name, text) for name, text in texts.items() if text)])


def _beginning(verdict: GuardVerdict, sends_at: datetime | None, windows: Sequence[SendWindow]) -> str:
    """Return when sending would begin if the answer came now."""
    from airflow_provider_campaigns.launch.guards import GuardAction, told

    if verdict.until is not None:
        return f"when the send window opens, {told(verdict.until)}"
    if verdict.action is not GuardAction.GO:
        return "not at all, as things stand"
    if sends_at is None:
        return "with the launch"
    return told(sends_at, windows[0].timezone if windows else "UTC")


class ApproveStageOperator(JudgeStageOperator, ApprovalOperator):
    """
    Judges a stage of a ramp, and asks a person where the figures do not decide.

    :func:`~airflow_provider_campaigns.ramps.campaign_ramp` makes these tasks, with ``on_fail`` or ``on_inconclusive``
    as ``ask``. The next stage goes out on approval; a rejection ends the ramp. Needs Airflow 3.1 or newer.

    :param subject: The headline; by default it names the stage. (templated)
    :param body: What to say before the figures, in Markdown; by default nothing. (templated)
    :param kwargs: As for :class:`~airflow_provider_campaigns.operators.ramp.JudgeStageOperator` and for Airflow's
        ``ApprovalOperator``, such as ``response_timeout``, ``notifiers`` and ``assigned_users``.
    :raises RampStopped: The figures, or a person, end the ramp; not retried.
    """

    can_ask = True
    template_fields: Sequence[str] = (*JudgeStageOperator.template_fields, "subject", "body")

    def __init__(self, *, subject: str | None = None, body: str | None = None, **kwargs: Any) -> None:
        check_no_defaults(kwargs)
        super().__init__(subject=subject if subject is not None else "Go on with the ramp?", body=body, **kwargs)

    def ask(self, context: Context, entered: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
        """Show a person the stage's figures, and wait for the answer."""
        rows = {
            "Stage": f"{stage_name(told['stage'])} of {entered['stages']}",
            "People in it": f"{entered['contacts']:,}",
            "Campaign": told["campaign_id"],
            "Verdict": told["verdict"],
            **{figure["figure"].capitalize(): figure["why"] for figure in told["figures"]},
        }
        answers = "Approve launches the next stage. Reject ends the ramp: nobody else is messaged."
        self.body = "\n\n".join(part for part in (self.body, _table(rows), answers) if part)
        return ApprovalOperator.execute(self, context)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Go on if a person approved; otherwise end the ramp."""
        # The one above would skip tasks after a rejection, which the ramp's next stage would not be told the reason of.
        answer = super(ApprovalOperator, self).execute_complete(context, event)
        run = TaskRun.of(context)
        by = answer["responded_by_user"]
        told = {**run.xcom(VERDICT_KEY), "decided_by": by, "decided_at": str(answer["responded_at"])}
        if by and self.APPROVE in answer["chosen_options"]:
            self.log.info("%s lets the ramp go on", by.get("name") or by.get("id"))
            return self._go_on(run, told)
        self._tell(run, told)
        raise RampStopped(stopped(told))


def check_no_defaults(given: Mapping[str, Any]) -> None:
    """Refuse an answer that would be taken without a person."""
    if given.get("defaults"):
        raise InvalidRequest("defaults would approve or reject in a person's stead; an approval takes none.")


def _table(rows: Mapping[str, Any]) -> str:
    lines = [f"| {name} | {_cell(value)} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _cell(value: Any) -> str:
    """Return a value as words alone: a name that holds a link or a picture shows it as text."""
    return " ".join(_MARKDOWN.sub(r"\\\g<0>", str(value)).split())


def _sample(name: str, text: Any) -> str:
    """Return the beginning of a text as a block that nothing in it can end."""
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False, indent=2, default=str)
    shown = text if len(text) <= SAMPLE_LENGTH else f"{text[:SAMPLE_LENGTH]}…"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"**{name}**\n\n{fence}\n{shown}\n{fence}"
