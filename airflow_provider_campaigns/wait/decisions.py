"""Waiting for a campaign as pure decisions: the goal, whether it is met, when to lose patience. No I/O, no clock."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus

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


def ratio(counts: Mapping[str, int], pairs: tuple[tuple[str, str], ...]) -> tuple[float, str] | None:
    """Return the share that the first usable pair of figures makes, and its two names, or None without figures."""
    for part, whole in pairs:
        if part in counts and counts.get(whole, 0) > 0:
            return counts[part] / counts[whole], f"{part} of {whole}"
    return None


@dataclass(frozen=True, slots=True)
class Gates:
    """
    What a campaign's figures must be like; each is a share from 0 to 1, or None for no gate.

    :param min_delivered_ratio: The least share delivered (see :data:`DELIVERED_OF`) of a campaign that has finished.
    :param max_failed_ratio: The largest share failed (see :data:`FAILED_OF`) of a campaign that has finished.
    :param brake: The share failed above which a running campaign is held and the wait ends.
    """

    min_delivered_ratio: float | None = None
    max_failed_ratio: float | None = None
    brake: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InvalidRequest(f"{name} must be a share from 0 to 1, not {value:g}.")

    @property
    def any(self) -> bool:
        """Whether there is a gate at all."""
        return any(getattr(self, name) is not None for name in self.__slots__)

    def objection(self, counts: Mapping[str, int]) -> str | None:
        """Return what is wrong with a finished campaign's figures, or None; missing figures are wrong."""
        for name, limit, pairs in (
            ("min_delivered_ratio", self.min_delivered_ratio, DELIVERED_OF),
            ("max_failed_ratio", self.max_failed_ratio, FAILED_OF),
        ):
            if limit is None:
                continue
            measured = ratio(counts, pairs)
            if measured is None:
                wanted = " or ".join(f"{part} of {whole}" for part, whole in pairs)
                return f"{name} cannot be checked: the vendor gives no figures for {wanted}"
            share, what = measured
            if share < limit if name.startswith("min") else share > limit:
                return f"{name}={limit:g} is not kept: {share:.3f} ({what})"
        return None

    def brakes(self, counts: Mapping[str, int]) -> str | None:
        """Return why a running campaign is to be held, or None."""
        measured = None if self.brake is None else ratio(counts, FAILED_OF)
        if measured is None or self.brake is None or measured[0] <= self.brake:
            return None
        return f"brake={self.brake:g} is passed: {measured[0]:.3f} ({measured[1]})"


def described(campaign: Campaign) -> str:
    """Return status, progress and counts for people."""
    status = str(campaign.status)
    if campaign.vendor_status and campaign.vendor_status.lower() != status:
        status += f" ({campaign.vendor_status})"
    parts = [status]
    if campaign.progress is not None:
        parts.append(f"{campaign.progress:g} %")
    parts.extend(f"{name} {value}" for name, value in campaign.counts.items())
    return ", ".join(parts)
