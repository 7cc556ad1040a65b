"""Keeping evidence of launches: what was meant, what the guards answered and what came of it, in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, TaskDeferred

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import ArgumentKind
from airflow_provider_campaigns.arguments.paths import FOLDER

if TYPE_CHECKING:
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.launch.approval import Approval
    from airflow_provider_campaigns.launch.evidence_folder import EvidenceFolder
    from airflow_provider_campaigns.launch.guards import GuardVerdict
    from airflow_provider_campaigns.launch.launcher import Launch
    from airflow_provider_campaigns.launch.task_run import TaskRun


class KeepsEvidence(DeclaredArguments, BaseOperator):
    """
    Writes one JSON file for each launch, for those who must show later what was sent and why.

    :param evidence: The folder for it, ``s3://aws_default@bucket/launches``; by default none is written. The file is
        named by the launch's key and never written over. The folder is written to before the campaign is created: a
        launch without its evidence is not begun. (templated)
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {"evidence": FOLDER.or_none()}
    template_fields: Sequence[str] = ("evidence",)

    def __init__(self, *, evidence: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.evidence = evidence
        self._asked: list[dict[str, Any]] = []
        self._files: Sequence[Mapping[str, Any]] = ()
        #: Where the evidence of this try's launch is, or None.
        self.evidence_path: str | None = None

    def contact_files(self) -> Sequence[Mapping[str, Any]]:
        """Return path, hash and size of each file that the contacts come from, as far as this task reads them."""
        return ()

    def contact_counts(self) -> Mapping[str, int | None]:
        """Return how many recipients there are, and how many rows are left out, as far as known."""
        return {}

    def hook_params(self) -> Mapping[str, Any] | None:
        """Return what the hook must know besides the connection to find the campaign, or None."""
        return None

    def note_files(self) -> None:
        """Hash the files with the contacts, before anything is sent."""
        if self.argument("evidence") is not None:
            self._files = self.contact_files()

    def note_asked(self, moment: str, verdict: GuardVerdict | None, refusal: str) -> None:
        """
        Note what was asked before a step, and the answers.

        :param moment: Which step, such as ``before creating``.
        :param verdict: What the guards say, or None if they were not asked.
        :param refusal: Why the approval is not given, empty if it is, or if none is needed.
        """
        answers = {**({"approval": refusal} if refusal else {}), **(verdict.answers if verdict else {})}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._asked.append({"asked": moment, "at": now, "answers": answers})

    def check_evidence(self) -> None:
        """
        Make sure that the evidence can be written, before anything is sent.

        :raises CampaignRequestFailed: It cannot; retried.
        """
        folder = self._evidence_folder()
        if folder:
            folder.check()

    def keep_evidence(
        self,
        run: TaskRun,
        launch: Launch,
        hook: CampaignHook,
        approval: Callable[[], Approval | None],
        error: BaseException | None = None,
    ) -> None:
        """
        Write what came of the launch; what cannot be written goes to the log, and the launch stays as it is.

        :param run: The try.
        :param launch: The launch.
        :param hook: The connection's hook.
        :param approval: Returns the approval that was needed, or None.
        :param error: How the launch ended, or None for well.
        """
        if self.evidence is None or isinstance(error, TaskDeferred):
            return
        try:
            self._keep_evidence(run, launch, hook, approval, error)
        except Exception as failure:
            # The campaign exists, or the error that is under way says why not: neither may be lost over this.
            self.log.error("The evidence of this launch could not be put together: %s", failure)

    def _keep_evidence(
        self,
        run: TaskRun,
        launch: Launch,
        hook: CampaignHook,
        approval: Callable[[], Approval | None],
        error: BaseException | None,
    ) -> None:
        from airflow_provider_campaigns.launch.evidence import result_of, statement_of

        folder = self._evidence_folder()
        result = result_of(error, created=launch.created, campaign_id=launch.record.campaign_id)
        if folder is None or result is None:
            return
        statement = statement_of(
            run,
            launch.intent,
            launch.record,
            result,
            error,
            vendor=launch.client.vendor,
            conn_id=hook.conn_id,
            hook_params=self.hook_params(),
            counts=self.contact_counts(),
            files=self._files,
            guards=self._asked,
            approval=approval(),
            now=time.time(),
        )
        self.evidence_path = folder.keep(statement)

    def _evidence_folder(self) -> EvidenceFolder | None:
        path = self.argument("evidence")
        if path is None:
            return None
        from airflow_provider_campaigns.launch.evidence_folder import EvidenceFolder

        return EvidenceFolder(path, self.log)
