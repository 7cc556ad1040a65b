"""Whether a stage of a ramp may begin, and with which slice of the audience; pure decisions."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest

#: The number of the stage with the author's own phones; slices are numbered from 1.
TEST_STAGE = 0
#: The key of the XCom by which a stage tells whether the next may begin.
VERDICT_KEY = "stage_verdict"
#: The key of the XCom with what a stage was entered with.
ENTERED_KEY = "return_value"
#: What a launch's receipt tells of the verdict before it.
_TOLD_OF_VERDICT = ("stage", "campaign_id", "verdict", "why", "decided_by", "decided_at")


class StageEntry(enum.StrEnum):
    """What becomes of a stage."""

    ENTER = "enter"
    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Admission:
    """
    Whether a stage begins.

    :param entry: What becomes of it.
    :param reason: Why it does not begin; empty if it does.
    :param after: The verdict of the last stage before it that was launched, or None for none.
    """

    entry: StageEntry
    reason: str = ""
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RampAudience:
    """
    An audience as a ramp goes through it.

    :param slices: The slices, in the order of their shares, as ``PrepareAudienceOperator`` returns them.
    :param test: The file of the author's own phones, or None.
    """

    slices: tuple[Mapping[str, Any], ...]
    test: Mapping[str, Any] | None

    @classmethod
    def read(cls, audience: Any, *, shares: Sequence[float] | None, most_stages: int, with_test: bool) -> RampAudience:
        """
        Return the audience that the ramp was made for.

        :param audience: What ``PrepareAudienceOperator`` returned.
        :param shares: Where the ramp's stages end, in percent, or None for as the audience says.
        :param most_stages: How many stages the ramp has.
        :param with_test: Whether the ramp begins with the author's own phones.
        :raises InvalidRequest: It is another audience than the ramp was made for.
        """
        if not isinstance(audience, Mapping) or not isinstance(audience.get("slices"), (list, tuple)):
            raise InvalidRequest("audience must be what PrepareAudienceOperator returned.")
        slices = tuple(audience["slices"])
        if any("timezone" in one for one in slices):
            raise InvalidRequest(
                "audience is split by time zone, so that a stage would be several campaigns. A ramp takes one file a "
                "stage: leave by='timezone' out."
            )
        found = [float(one["share"]) for one in slices]
        if shares is not None and found != list(shares):
            raise InvalidRequest(
                f"The audience has slices up to {_percents(found)}, and the ramp has stages up to {_percents(shares)}. "
                "Give both the same shares. Nothing was sent by this stage."
            )
        if len(slices) > most_stages:
            raise InvalidRequest(
                f"The audience has {len(slices)} slices, and the ramp has only {most_stages} stages. Raise stages."
            )
        test = audience.get("test")
        if with_test and not isinstance(test, Mapping):
            raise InvalidRequest("The ramp begins with test contacts, and the audience has none.")
        return cls(slices, test if with_test else None)

    def part(self, number: int) -> Mapping[str, Any] | None:
        """Return the file of a stage and how many people are in it, or None if the audience has no such slice."""
        if number == TEST_STAGE:
            return self.test
        return self.slices[number - 1] if number <= len(self.slices) else None

    def is_last(self, number: int) -> bool:
        """Return whether nobody comes after a stage."""
        return not any(one["contacts"] for one in self.slices[number:])

    def admission(self, number: int, verdicts: Mapping[int, Mapping[str, Any]]) -> Admission:
        """
        Return whether a stage begins.

        :param number: The stage.
        :param verdicts: What the stages before it told under :data:`VERDICT_KEY`, by their numbers; empty for those
            that told nothing.
        """
        after = None
        for earlier, verdict in sorted(verdicts.items()):
            part = self.part(earlier)
            if part is None or not part["contacts"]:
                continue
            if not verdict:
                return Admission(
                    StageEntry.REFUSE,
                    f"{stage_name(earlier)} has people and no verdict (somebody may have marked a task by hand). Clear "
                    "its task 'judge'.",
                )
            if not verdict.get("launched"):
                return Admission(StageEntry.SKIP, f"{stage_name(earlier)} was not launched, so none after it is.")
            if not verdict.get("goes_on"):
                return Admission(
                    StageEntry.REFUSE,
                    f"{stage_name(earlier)} stopped the ramp: {verdict.get('verdict')}. {' '.join(verdict['why'])}",
                )
            after = verdict
        part = self.part(number)
        if part is None:
            return Admission(StageEntry.SKIP, f"The audience has {len(self.slices)} slices: there is no {number}.")
        if not part["contacts"]:
            return Admission(StageEntry.SKIP, "Nobody is in this slice.")
        return Admission(StageEntry.ENTER, after=after)


def stage_name(number: int) -> str:
    """Return what a stage is called at the beginning of a sentence."""
    return "The test stage" if number == TEST_STAGE else f"Stage {number}"


def receipt_part(entered: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what a launch's receipt tells of its stage: which it is, and what let it begin.

    :param entered: What the stage was entered with.
    """
    after = entered.get("after")
    told = {name: entered.get(name) for name in ("stage", "stages", "share")}
    return {**told, "after": after and {name: after.get(name) for name in _TOLD_OF_VERDICT}}


def _percents(shares: Sequence[float]) -> str:
    return f"{', '.join(f'{share:g}' for share in shares)} %"
