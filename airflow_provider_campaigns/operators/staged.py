"""A launch as a stage of a ramp: it begins only when it is let, and its receipt tells what let it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.wait.arguments import WaitingTask

if TYPE_CHECKING:
    from airflow_provider_campaigns.launch.task_run import TaskRun
    from airflow_provider_campaigns.wait.terms import Terms


class StageOfRamp(WaitingTask):
    """
    Launches a stage of a ramp, if it is one.

    :param stage_task_id: The task that lets the stage begin, set by
        :func:`~airflow_provider_campaigns.ramps.campaign_ramp`; by default the launch is no stage.
    """

    def __init__(self, *, stage_task_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage_task_id = stage_task_id

    def terms(self, deadline: float | None = None, began: float | None = None) -> Terms:
        """Return the terms of the wait; the brake of a stage judges by what its people prove about others."""
        terms = super().terms(deadline, began)
        return replace(terms, gates=replace(terms.gates, of_sample=self.stage_task_id is not None))

    def stage_refusal(self, run: TaskRun) -> str:
        """Return why the stage may not be launched, empty if it may, or if the launch is not a stage."""
        if self.stage_task_id is None or self._entered(run):
            return ""
        return f"Task {self.stage_task_id!r} has not let this stage of the ramp begin."

    def told_of_stage(self, run: TaskRun) -> Mapping[str, Any]:
        """Return what the receipt tells of the stage, and of the verdict that let it begin."""
        from airflow_provider_campaigns.launch.stages import receipt_part

        entered = self._entered(run)
        return {"ramp": receipt_part(entered)} if entered else {}

    def _entered(self, run: TaskRun) -> Mapping[str, Any]:
        if self.stage_task_id is None:
            return {}
        from airflow_provider_campaigns.launch.stages import ENTERED_KEY

        return run.xcom_of(self.stage_task_id, ENTERED_KEY)
