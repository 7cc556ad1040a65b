"""What the figures of a ramp's stage prove about those who would be messaged next: pass, fail or inconclusive. Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.wait.decisions import FAILED_OF, sample_of
from airflow_provider_campaigns.wait.evidence import CONFIDENCE, DEFAULT_MIN_SAMPLE, Sample

#: The figures that a stage's limits may be set for: people whom the campaign reached, or did not, in a way.
LIMITED = (*("failed", "delivered", "received", "read", "answered", "accepted", "rejected", "converted", "voicemail"),)
#: What each of these is a share of, where that differs from what failures are a share of.
SHARE_OF = {"delivered": (("delivered", "sent"),), "received": (("received", "sent"),)}


def pairs_of(name: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of figures that tell the share of a count, the first usable of which counts."""
    return SHARE_OF.get(name) or tuple((name, whole) for _, whole in FAILED_OF)


class StageVerdict(enum.StrEnum):
    """What the figures of a ramp's stage prove about those who would be messaged next."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class StagePlace(enum.StrEnum):
    """What a stage's figures are asked for."""

    #: The stage is a sample of those who come after it.
    SAMPLE = "sample"
    #: The author's own phones, which are no sample of anybody.
    TEST = "test"
    #: Nobody comes after it.
    LAST = "last"


@dataclass(frozen=True, slots=True)
class StageFigure:
    """
    One figure of a stage against its limit.

    :param name: One of :data:`LIMITED`.
    :param limit: The share that it is to keep, 0 to 1.
    :param is_least: Whether the limit is the least share, not the largest.
    :param sample: What the vendor counted, or None if it gives no such figures.
    :param verdict: What the sample proves.
    :param why: The same in words.
    """

    name: str
    limit: float
    is_least: bool
    sample: Sample | None
    verdict: StageVerdict
    why: str

    def told(self) -> dict[str, Any]:
        """Return the figure as plain JSON values."""
        sample = self.sample
        lower, upper = (None, None) if sample is None else sample.bounds
        return {
            "figure": self.name,
            "at_least" if self.is_least else "at_most": self.limit,
            "counted": None if sample is None else sample.part,
            "of": None if sample is None else sample.whole,
            "lower": lower,
            "upper": upper,
            "verdict": self.verdict.value,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class StageLimits:
    """
    What the figures of a ramp's stage must prove before the next stage goes out.

    :param at_most: The largest share of people by the figure's name, such as ``{"failed": 0.05}``.
    :param at_least: The least share by the figure's name, such as ``{"delivered": 0.8}``.
    :param min_sample: The fewest people that prove anything about others.
    """

    at_most: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    min_sample: int = DEFAULT_MIN_SAMPLE

    def __post_init__(self) -> None:
        for name, limit in (*self.at_most.items(), *self.at_least.items()):
            if name not in LIMITED:
                raise InvalidRequest(f"A stage has no limit for {name!r}. Known: {', '.join(LIMITED)}.")
            if not 0 < limit < 1:
                raise InvalidRequest(
                    f"The limit of {name!r} must be a share between 0 and 1, which no sample proves exactly; "
                    f"got {limit:g}."
                )
        if self.min_sample < 1:
            raise InvalidRequest(f"min_sample must be at least 1 recipient; got {self.min_sample}.")

    def judge(self, counts: Mapping[str, int], place: StagePlace = StagePlace.SAMPLE) -> list[StageFigure]:
        """
        Return what each limited figure proves.

        A sample passes once the whole Wilson interval of its share keeps the limit, and fails once the whole interval
        is beyond it. Below ``min_sample`` it proves nothing. Those of a last stage are no sample, so their share itself
        counts; so it does for test contacts, who can fail and never prove that others will be reached.

        :param counts: The campaign's counts.
        :param place: What the stage is.
        """
        limits = [(name, limit, False) for name, limit in self.at_most.items()]
        limits += [(name, limit, True) for name, limit in self.at_least.items()]
        return [self._figure(counts, place, *limit) for limit in limits]

    def _figure(
        self, counts: Mapping[str, int], place: StagePlace, name: str, limit: float, is_least: bool
    ) -> StageFigure:
        pairs = pairs_of(name)
        measured = sample_of(counts, pairs)
        if measured is None:
            wanted = " or ".join(f"{part} of {whole}" for part, whole in pairs)
            return StageFigure(
                name, limit, is_least, None, StageVerdict.INCONCLUSIVE, f"the vendor gives no figures for {wanted}"
            )
        sample, _ = measured
        exact = place is not StagePlace.SAMPLE
        lower, upper = (sample.share, sample.share) if exact else sample.bounds
        if not exact and not sample.is_enough(self.min_sample, None):
            verdict = StageVerdict.INCONCLUSIVE
        elif lower >= limit if is_least else upper <= limit:
            verdict = StageVerdict.INCONCLUSIVE if place is StagePlace.TEST else StageVerdict.PASS
        elif upper < limit if is_least else lower > limit:
            verdict = StageVerdict.FAIL
        else:
            verdict = StageVerdict.INCONCLUSIVE
        return StageFigure(name, limit, is_least, sample, verdict, self._why(sample, place, name, limit, is_least))

    def _why(self, sample: Sample, place: StagePlace, name: str, limit: float, is_least: bool) -> str:
        told = f"{name}: {sample.part} of {sample.whole}"
        if place is StagePlace.SAMPLE:
            lower, upper = sample.bounds
            told += f", so {100 * lower:.1f} to {100 * upper:.1f} % of all with {100 * CONFIDENCE:g} % confidence"
            if not sample.is_enough(self.min_sample, None):
                told += f", and fewer than min_sample={self.min_sample}"
        elif place is StagePlace.TEST:
            told += " test contacts, who prove nothing about others"
        return f"{told}; the limit is {'at least' if is_least else 'at most'} {100 * limit:g} %"


def unanswerable(names: Collection[str], counted: Collection[str]) -> list[str]:
    """
    Return the figures that a vendor never gives.

    :param names: Figures that have a limit.
    :param counted: The names that the vendor counts: ``CampaignClient.answers(**kind)``.
    """
    return [name for name in names if not any(part in counted and whole in counted for part, whole in pairs_of(name))]


def verdict_of(figures: Sequence[StageFigure]) -> StageVerdict:
    """Return the verdict of all figures: any that fails decides, and all must pass for the stage to."""
    verdicts = {figure.verdict for figure in figures}
    if StageVerdict.FAIL in verdicts:
        return StageVerdict.FAIL
    return StageVerdict.PASS if verdicts == {StageVerdict.PASS} else StageVerdict.INCONCLUSIVE
