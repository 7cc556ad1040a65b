"""Which cases the death matrix has, and what each must come to: pure decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.testing.conformance.declaration import Step, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.worker import Ended

WAIT = Step("wait", "get_campaign", reads=True)

FORMS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "no store": {},
    "waiting": {"wait_until": "finished", "poll_interval": 0.1, "deferrable": False},
    "deferrable": {"wait_until": "finished", "poll_interval": 0.1, "deferrable": True},
}

LOST = {
    f"{word}, {'with' if effect else 'without'} effect": {"kind": kind, "effect": effect}
    for word, kind in (("reset", "reset"), ("timeout", "timeout"), ("502", "error"), ("cut-off body", "cut_off"))
    for effect in (True, False)
}
DEATHS = (
    "killed before the request",
    "killed under way, effect later",
    "killed under way, effect done",
    "killed after the answer, before it is remembered",
    "killed after it is remembered",
)
AT_ONCE = ("two tries at once", "two tries at once, the first one's request late")
KINDS = (*DEATHS, *LOST, *AT_ONCE)


@dataclass(frozen=True)
class Case:
    """One cell of the matrix, in one form of the task."""

    launched: VendorUnderTest
    step: Step
    kind: str
    form: str

    def __str__(self) -> str:
        return f"{self.launched} {self.step.name}: {self.kind} ({self.form})"


def cases(launched: VendorUnderTest) -> Iterator[Case]:
    """Yield all cases of a vendor."""
    for form in FORMS:
        for step in (*launched.steps, WAIT) if form == "waiting" else launched.steps:
            for kind in KINDS:
                if _happens(step, kind, form):
                    yield Case(launched, step, kind, form)


def _happens(step: Step, kind: str, form: str) -> bool:
    if step.reads and (kind.endswith(("done", "remembered", "late")) or "without" in kind):
        return False
    if step is WAIT:
        return kind == "killed under way, effect later"
    if form == "no store":
        # There are no writes to die at, and of two tries nothing tells the first that it was given up.
        return "under way" in kind or kind == AT_ONCE[0] or (kind in LOST and "timeout" not in kind)
    return form == "plain" or kind in DEATHS


@dataclass
class Played:
    """
    What a case came to.

    :param ends: How each try ended.
    :param campaigns: What exists at the vendor once everything is over there.
    """

    case: Case
    ends: list[Ended] = field(default_factory=list)
    campaigns: list[dict[str, Any]] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return what is not as it was promised, nothing if all is well."""
        last = self.ends[-1]
        wanted = "deferred" if self.case.form == "deferrable" else "success"
        if self.is_held:
            return self._problems_of_held()
        found = [] if last.outcome == wanted else [f"the last try ended in {last.outcome}: {last.error}"]
        found += [f"a try failed for good: {end.error}" for end in self.ends if end.outcome == "failed"]
        if len(self.campaigns) != 1:
            return [*found, f"{len(self.campaigns)} campaigns"]
        campaign, contacts = self.campaigns[0], self.case.launched.recipients
        for name, number in {"contacts": contacts, "contact_rows": contacts, "messages": contacts, "starts": 1}.items():
            if campaign[name] != number:
                found.append(f"{campaign[name]} {name} instead of {number}")
        told = [(last.receipt or {}).get("id")]
        told += [last.value] if wanted == "success" else [(last.trigger or ("", {}))[1].get("campaign_id")]
        if told != [str(campaign["id"])] * 2:
            found.append(f"the task told of {told} instead of {campaign['id']}")
        return found

    @property
    def is_held(self) -> bool:
        """Whether two were created and the later one was held, which two tries at once may come to."""
        return self.case.kind == AT_ONCE[1] and len(self.campaigns) == 2

    def _problems_of_held(self) -> list[str]:
        # The oldest is the one that a look-up finds first, whoever created it.
        oldest, later = self.campaigns
        error = next((end.error for end in self.ends if end.error.startswith("LaunchConflict")), "")
        found = [f"{one['id']} is not named" for one in self.campaigns if str(one["id"]) not in error]
        # Where the try that goes on sees both, it starts neither: a person looks first, and a clear goes on.
        found += [] if oldest["starts"] <= 1 else [f"{oldest['starts']} starts of the oldest"]
        found += [] if later["messages"] == 0 else [f"{later['messages']} messages of the later one"]
        return found

    def __str__(self) -> str:
        problems = self.problems()
        if problems:
            return f"**{'; '.join(problems)}**"
        campaign = self.campaigns[0]
        told = f"1 campaign, {campaign['contacts']} contacts, {campaign['starts']} start"
        return f"LaunchConflict: {told}, the later one held" if self.is_held else told


def table(played: Sequence[Played], form: str) -> str:
    """Return the matrix of one form as a Markdown table."""
    cells = {
        (one.case.launched.name, one.case.step.name, one.case.kind): str(one) for one in played if one.case.form == form
    }
    kinds = [kind for kind in KINDS if any(kind == known for _, _, known in cells)]
    lines = [f"| {form} | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for launched, step in dict.fromkeys((launched, step) for launched, step, _ in cells):
        row = [cells.get((launched, step, kind), "") for kind in kinds]
        lines.append(f"| {launched}: {step} | {' | '.join(row)} |")
    return "\n".join(lines)
