"""Waiting for a campaign as pure decisions: the goal, whether it is met, when to lose patience. No I/O, no clock."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.evidence import CONFIDENCE, DEFAULT_MIN_SAMPLE, Sample

UNTIL = ("finished", "sent")


@dataclass(frozen=True, slots=True)
class Goal:
    """
    What a wait is for.

    :param until: ``finished`` (the default) or ``sent``: all messages are out, receipts may still come in.
    :param progress_threshold: Percent above 0 up to 100; when given, the wait is over as soon as it is reached, and
        ``sent`` or ``finished`` reach any threshold.
    """

    until: str = "finished"
    progress_threshold: float | None = None

    def __post_init__(self) -> None:
        if self.until not in UNTIL:
            raise InvalidRequest(f"until must be one of {', '.join(UNTIL)}; got {self.until!r}.")
        if self.progress_threshold is not None and not 0 < self.progress_threshold <= 100:
            raise InvalidRequest(
                f"progress_threshold must be above 0 and at most 100, not {self.progress_threshold:g}."
            )

    @property
    def needs_progress(self) -> bool:
        """Whether the goal looks at figures, which cost requests of their own at some vendors."""
        return self.progress_threshold is not None

    def __str__(self) -> str:
        return self.until if self.progress_threshold is None else f"{self.progress_threshold:g} %"


class Verdict(enum.StrEnum):
    """What a campaign's state means for a goal."""

    WAIT = "wait"
    MET = "met"
    LOST = "lost"


def judge(campaign: Campaign, goal: Goal) -> Verdict:
    """Return whether the goal is met, still ahead, or can no longer be reached."""
    if campaign.status is CampaignStatus.FINISHED:
        return Verdict.MET
    if campaign.status in (CampaignStatus.CANCELED, CampaignStatus.FAILED):
        return Verdict.LOST
    if campaign.status is CampaignStatus.SENT and (goal.until == "sent" or goal.needs_progress):
        return Verdict.MET
    if goal.progress_threshold is not None and campaign.progress is not None:
        return Verdict.MET if campaign.progress >= goal.progress_threshold else Verdict.WAIT
    return Verdict.WAIT


#: What counts as delivered, and of what: the first pair of figures that the vendor gives both of.
DELIVERED_OF = (("delivered", "sent"), ("received", "sent"), ("answered", "contacts"))
#: What counts as failed, and of what.
FAILED_OF = (("failed", "processed"), ("failed", "contacts"), ("failed", "sent"))
#: The gates among the fields of :class:`Gates`.
GATES = ("min_delivered_ratio", "max_failed_ratio", "brake")


#: How many recipients there are in all: the first of these that the vendor counts.
POPULATION = ("contacts", "leads")


def sample_of(counts: Mapping[str, int], pairs: tuple[tuple[str, str], ...]) -> tuple[Sample, str] | None:
    """Return the sample that the first usable pair of figures makes, and its two names, or None without figures."""
    for part, whole in pairs:
        if part in counts and counts.get(whole, 0) > 0:
            # Some vendors do not count those that failed among those that they are through with.
            return Sample(counts[part], max(counts[whole], counts[part])), f"{part} of {whole}"
    return None


@dataclass(frozen=True, slots=True)
class Gates:
    """
    What a campaign's figures must be like; each is a share from 0 to 1, or None for no gate.

    :param min_delivered_ratio: The least share delivered (see :data:`DELIVERED_OF`) of a campaign that has finished.
    :param max_failed_ratio: The largest share failed (see :data:`FAILED_OF`) of a campaign that has finished.
    :param brake: The share failed above which a running campaign is paused or stopped and the wait ends. It counts as
        passed once the lower bound of the Wilson interval has passed it, with 95 % confidence.
    :param min_sample: The fewest recipients that the brake judges by, or all of a smaller campaign. (A campaign that
        has finished is judged by all of its recipients.)
    :param of_sample: Whether the recipients are a sample of others, as those of a ramp's stage are: then also all of
        them prove no more than their number does.
    """

    min_delivered_ratio: float | None = None
    max_failed_ratio: float | None = None
    brake: float | None = None
    min_sample: int = DEFAULT_MIN_SAMPLE
    of_sample: bool = False

    def __post_init__(self) -> None:
        for name in GATES:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InvalidRequest(f"{name} must be a share from 0 to 1, not {value:g}.")
        if self.min_sample < 1:
            raise InvalidRequest(f"min_sample must be at least 1 recipient; got {self.min_sample}.")

    @property
    def any(self) -> bool:
        """Whether there is a gate at all."""
        return any(getattr(self, name) is not None for name in GATES)

    def want_failures(self, campaign: Campaign) -> bool:
        """Return whether a gate is to judge a campaign now whose counts do not tell how many failed."""
        if "failed" in campaign.counts:
            return False
        if campaign.status is CampaignStatus.RUNNING:
            return self.brake is not None
        return campaign.status is CampaignStatus.FINISHED and self.max_failed_ratio is not None

    def objection(self, counts: Mapping[str, int]) -> str | None:
        """Return what is wrong with a finished campaign's figures, or None; missing figures are wrong."""
        for name, limit, pairs in (
            ("min_delivered_ratio", self.min_delivered_ratio, DELIVERED_OF),
            ("max_failed_ratio", self.max_failed_ratio, FAILED_OF),
        ):
            if limit is None:
                continue
            measured = sample_of(counts, pairs)
            if measured is None:
                wanted = " or ".join(f"{part} of {whole}" for part, whole in pairs)
                return f"{name} cannot be checked: the vendor gives no figures for {wanted}"
            sample, what = measured
            if sample.share < limit if name.startswith("min") else sample.share > limit:
                return f"{name}={limit:g} is not kept: {sample.share:.3f} ({what}), {sample.part} of {sample.whole}"
        return None

    def brakes(self, counts: Mapping[str, int]) -> str | None:
        """Return why a running campaign is to be paused or stopped, or None: also while too little is known."""
        measured = None if self.brake is None else sample_of(counts, FAILED_OF)
        if measured is None or self.brake is None:
            return None
        sample, _ = measured
        population = None if self.of_sample else next((counts[name] for name in POPULATION if name in counts), None)
        if not sample.is_enough(self.min_sample, population):
            return None
        lower, _ = sample.bounds
        if population is not None and sample.whole >= population:
            # All of them: what is counted is no sample any more.
            lower = sample.share
        if lower <= self.brake:
            return None
        proven = f"at least {100 * lower:.1f} % with {100 * CONFIDENCE:g} % confidence"
        return f"brake={self.brake:g} is passed: {sample.part} of {sample.whole} failed: {proven}"


#: How long a line about a campaign's progress may be: it is read in the log, beside a time and a name.
PROGRESS_LINE_CHARACTERS = 120


def described(campaign: Campaign) -> str:
    """Return status, progress and counts for people."""
    return ", ".join([*_standing(campaign), *_counts(campaign)])


def progress_line(campaign: Campaign, forecast: str = "") -> str:
    """
    Return a line of at most 120 characters for the log: status, progress and forecast, then as many counts as fit.

    :param forecast: What is expected, empty for nothing.
    """
    line = f"Campaign {campaign.id} is {', '.join(_standing(campaign))}"
    if forecast:
        line += f", {forecast}"
    separator = "; "
    counts = _counts(campaign)
    for place, count in enumerate(counts, 1):
        longer = f"{line}{separator}{count}"
        room = PROGRESS_LINE_CHARACTERS if place == len(counts) else PROGRESS_LINE_CHARACTERS - len(", …")
        if len(longer) > room:
            return f"{line}, …" if place > 1 else line
        line, separator = longer, ", "
    return line


def _standing(campaign: Campaign) -> list[str]:
    status = str(campaign.status)
    if campaign.vendor_status and campaign.vendor_status.lower() != status:
        status += f" ({campaign.vendor_status})"
    return [status] if campaign.progress is None else [status, f"{campaign.progress:g} %"]


def _counts(campaign: Campaign) -> list[str]:
    return [f"{name} {value}" for name, value in campaign.counts.items()]
