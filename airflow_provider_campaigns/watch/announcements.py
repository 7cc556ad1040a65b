"""Which campaigns of a list to announce, and which were announced before: pure decisions, bounded memory."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Goal, Verdict, judge

#: So many campaigns are remembered; a value in Airflow's asset state store should stay below 64 KB.
MOST_REMEMBERED = 8000
#: The length of what is remembered of a campaign: 48 bits, so that one in 10^10 is taken for another.
MARK_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Which campaigns a watch is for, and when.

    :param goal: The goal that they are to reach.
    :param name_pattern: The pattern of their names, or None for any.
    :param campaign_ids: Their ids, or None for any.
    :param statuses: In which status they may be when they are announced, or None for any.
    """

    goal: Goal
    name_pattern: str | None = None
    campaign_ids: frozenset[str] | None = None
    statuses: frozenset[CampaignStatus] | None = None

    def __post_init__(self) -> None:
        fitting = [status for status in CampaignStatus if self._fits(status)]
        unfit = (self.statuses or frozenset()).difference(fitting)
        if unfit:
            raise InvalidRequest(
                f"A campaign that is {' or '.join(sorted(unfit))} has not reached {self.goal}; statuses may hold "
                f"{', '.join(fitting)}."
            )

    def concerns(self, campaign: Campaign) -> bool:
        """Whether the watch is for this campaign, once it reaches the goal."""
        return (self.campaign_ids is None or campaign.id in self.campaign_ids) and (
            self.name_pattern is None or fnmatchcase(campaign.name or "", self.name_pattern)
        )

    def is_reached_by(self, campaign: Campaign) -> bool:
        """Whether the campaign is to be announced, going by this one look."""
        return judge(campaign, self.goal) is Verdict.MET and (self.statuses is None or campaign.status in self.statuses)

    def lacks_figures(self, campaign: Campaign) -> bool:
        """Whether the goal can only be judged by figures that the vendor's list left out."""
        return (
            self.goal.needs_progress
            and campaign.progress is None
            and campaign.status in (CampaignStatus.RUNNING, CampaignStatus.UNKNOWN)
            and (self.statuses is None or campaign.status in self.statuses)
        )

    def _fits(self, status: CampaignStatus) -> bool:
        far = 100.0 if self.goal.needs_progress else None
        return judge(Campaign("", None, status, progress=far), self.goal) is Verdict.MET


class Announced:
    """
    Which campaigns were announced or are never to be; pure, and bounded.

    The first look announces nothing unless told to: what had reached the goal by then did so before the watch. From
    then on a campaign is announced when it has reached the goal and is not remembered. Where more than
    :data:`MOST_REMEMBERED` campaigns of the list have reached it, only those seen on their way there are announced, so
    that an old one that found no room is never taken for a new one.

    :param marks: What was remembered when the watch ended the last time, or None for a watch that begins.
    :param announce_existing: Whether a watch that begins announces what has reached the goal already.
    """

    def __init__(self, marks: str | None, *, announce_existing: bool = False) -> None:
        known = marks or ""
        self._marks = dict.fromkeys(known[at : at + MARK_LENGTH] for at in range(0, len(known), MARK_LENGTH))
        self._announces_all = announce_existing
        #: Whether there was a first look, now or before a restart.
        self.has_begun = marks is not None
        #: Whether there is more to remember than there is room.
        self.is_crowded = False
        self._on_the_way: set[str] = set()
        self._still_on_the_way: set[str] = set()
        self._there = 0
        self._fresh: dict[str, str] = {}

    def __contains__(self, campaign_id: str) -> bool:
        return mark_of(campaign_id) in self._marks

    def take(self, campaign_id: str, *, reached: bool) -> None:
        """Note one campaign of a look, and whether it has reached the goal."""
        mark = mark_of(campaign_id)
        if mark in self._marks:
            # At the end are those seen last; the others give way first.
            del self._marks[mark]
            self._marks[mark] = None
        elif reached:
            self._fresh[campaign_id] = mark
        else:
            self._still_on_the_way.add(mark)
            return
        self._there += 1

    def end_look(self) -> frozenset[str]:
        """Return the ids of the campaigns to announce, now that all campaigns of a look are noted."""
        self.is_crowded |= self._there > MOST_REMEMBERED
        if not self.has_begun:
            news = self._fresh if self._announces_all else {}
        elif self.is_crowded:
            news = {campaign_id: mark for campaign_id, mark in self._fresh.items() if mark in self._on_the_way}
        else:
            news = self._fresh
        self._marks |= {mark: None for campaign_id, mark in self._fresh.items() if campaign_id not in news}
        self._make_room()
        self.has_begun = True
        self._on_the_way, self._still_on_the_way, self._there, self._fresh = self._still_on_the_way, set(), 0, {}
        return frozenset(news)

    def remember(self, campaign_id: str) -> None:
        """Never announce a campaign again."""
        self._marks[mark_of(campaign_id)] = None
        self._make_room()

    def _make_room(self) -> None:
        for mark in list(islice(self._marks, max(0, len(self._marks) - MOST_REMEMBERED))):
            del self._marks[mark]

    def marks(self) -> str:
        """Return what another process needs to go on."""
        return "".join(self._marks)


def mark_of(campaign_id: str) -> str:
    """Return what is remembered of a campaign."""
    return base64.urlsafe_b64encode(hashlib.sha256(campaign_id.encode()).digest()[:6]).decode()
