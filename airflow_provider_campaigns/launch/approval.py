"""Whether a person approved a launch as it is about to go out; a pure decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.api.reading import moment

#: The key of the XCom with the fingerprints of what an approval task showed.
SHOWN_KEY = "campaign_shown"
#: The key of the XCom with the answer.
ANSWER_KEY = "return_value"


@dataclass(frozen=True, slots=True)
class Approval:
    """
    What an approval task showed, and how it was answered.

    :param task_id: The approval task.
    :param answer: What the task returned, empty if it returned nothing.
    :param shown: The fingerprints of what it showed; empty where it kept none, as Airflow's own ``ApprovalOperator``.
    """

    task_id: str
    answer: Mapping[str, Any]
    shown: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, meant: Mapping[str, str], after: float | None = None) -> str:
        """
        Return why the launch is not approved, empty if it is.

        :param meant: The fingerprints of what is about to be launched.
        :param after: When an earlier launch of the same task was meant, in seconds since the epoch, or None for none:
            an answer given before is about that one.
        """
        if "Approve" not in (self.answer.get("chosen_options") or ()):
            return f"Task {self.task_id!r} has not approved this launch."
        if not self.answer.get("responded_by_user"):
            return f"Task {self.task_id!r} went on without a person's approval (perhaps a default after its timeout)."
        answered = moment(str(self.answer.get("responded_at")))
        if after is not None and (answered is None or answered.timestamp() <= after):
            return f"Task {self.task_id!r} approved an earlier launch of this run: clear it too, to be asked again."
        names = {*self.shown, *meant} if self.shown else set()
        changed = sorted(name for name in names if self.shown.get(name) != meant.get(name))
        if changed:
            return (
                f"What task {self.task_id!r} showed for approval is not what is about to be launched: "
                f"{', '.join(changed)} differ."
            )
        return ""

    @property
    def told(self) -> dict[str, Any]:
        """What the receipt says about it."""
        return {
            "approved_by": self.answer.get("responded_by_user"),
            "approved_at": str(self.answer.get("responded_at")),
        }
