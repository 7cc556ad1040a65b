"""Waiting for a campaign of some name to appear: which one is meant, and when looking for it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.launch.intent import without_mark
from airflow_provider_campaigns.wait.decisions import described
from airflow_provider_campaigns.wait.isolation import unexpected
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.state import LONGEST_PAUSE_SECONDS, Patience

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign

#: So many campaigns are named in a message.
MOST_NAMED = 5


class AmbiguousName(InvalidRequest):
    """Several campaigns have the name, and nothing says which of them is meant."""


@dataclass(frozen=True, slots=True)
class CampaignName:
    """
    Which campaign is meant by a name.

    :param pattern: The name: ``*`` is any text, ``?`` any character, ``[seq]`` one of these; case counts. The mark that
        this package puts at the end of names at Kinbox does not.
    :param since: Only campaigns created then or later, in seconds since the epoch; None for all.
    :param match: ``only`` (several are refused) or ``newest``.
    """

    pattern: str
    since: float | None = None
    match: str = "only"

    def __str__(self) -> str:
        if self.since is None:
            return repr(self.pattern)
        return f"{self.pattern!r} created since {datetime.fromtimestamp(self.since, UTC).isoformat(timespec='seconds')}"

    def fits(self, campaign: Campaign, created: datetime | None) -> bool:
        """
        Return whether a campaign is one of those that may be meant.

        :param campaign: The campaign.
        :param created: When it was created, or None where the vendor does not tell.
        :raises InvalidRequest: It has the name, and nobody knows whether it is too old.
        """
        if not fnmatchcase(without_mark(campaign.name or ""), self.pattern):
            return False
        if self.since is None:
            return True
        if created is None:
            raise InvalidRequest(
                f"The vendor does not tell when campaign {campaign.id} was created, so that 'since' cannot be kept to. "
                "Leave it out, or wait by campaign_id."
            )
        # Vendors tell whole seconds.
        return created.timestamp() >= int(self.since)

    def chosen(self, fitting: Sequence[Campaign]) -> Campaign | None:
        """
        Return the one that is meant, or None if there is none yet.

        :param fitting: Those that fit, the oldest first.
        :raises AmbiguousName: There are several, and ``match`` is ``only``.
        """
        if len(fitting) > 1 and self.match == "only":
            ids = ", ".join(campaign.id for campaign in fitting[:MOST_NAMED])
            more = f" and {len(fitting) - MOST_NAMED} more" if len(fitting) > MOST_NAMED else ""
            raise AmbiguousName(
                f"{len(fitting)} campaigns fit the name {self}: {ids}{more}. Wait by campaign_id, narrow the name or "
                "'since', or take the last one created with match='newest'."
            )
        return fitting[-1] if fitting else None


def search(client: CampaignClient, names: Sequence[CampaignName]) -> list[Campaign | InvalidRequest | None]:
    """
    Return for each name the campaign that is meant, None if there is none yet, or why it cannot be told.

    The vendor's list is walked once for all names.
    """
    earliest = None if any(name.since is None for name in names) else min(name.since or 0.0 for name in names)
    fitting: list[list[Campaign]] = [[] for _ in names]
    flaws: list[InvalidRequest | None] = [None for _ in names]
    for campaign in client.created_since(None if earliest is None else datetime.fromtimestamp(int(earliest), UTC)):
        for number, name in enumerate(names):
            try:
                if name.fits(campaign, client.created_at(campaign)):
                    fitting[number].append(campaign)
            except InvalidRequest as flaw:
                flaws[number] = flaw
    found: list[Campaign | InvalidRequest | None] = []
    for name, those, unclear in zip(names, fitting, flaws, strict=True):
        try:
            found.append(unclear or name.chosen(sorted(those, key=client.age)))
        except InvalidRequest as ambiguous:
            found.append(ambiguous)
    return found


class NameSearch:
    """
    One search as it goes on; a driver feeds it what a look brought, and when.

    :param name: Which campaign is meant.
    :param poll_interval: Seconds between two looks.
    :param deadline: When to give up, in seconds since the epoch, or None for never.
    :param patience: Seconds without a good answer before the vendor counts as out of reach.
    :param now: When it begins, in seconds since the epoch.
    """

    def __init__(
        self, name: CampaignName, poll_interval: float, deadline: float | None, patience: float, now: float
    ) -> None:
        self.name = name
        self._poll_interval = poll_interval
        self._deadline = deadline
        self._patience = Patience(patience, now)
        self._asked_pause = 0.0

    @property
    def refusals(self) -> int:
        """How many looks in a row were refused: one may be a hiccup, the second is an answer."""
        return self._patience.refusals

    def carried(self) -> dict[str, Any]:
        """Return what another process needs to go on with this search, as plain JSON values."""
        return {"last_answer": self._patience.last_answer, "refusals": self._patience.refusals}

    def go_on(self, carried: Mapping[str, Any]) -> None:
        """Go on where another process left off."""
        if "last_answer" in carried:
            last, refusals = float(carried["last_answer"]), int(carried.get("refusals", 0))
            self._patience = Patience(self._patience.seconds, last, refusals)

    def took(self, seen: Campaign | Exception | None, now: float) -> Outcome | None:
        """
        Take in what a look brought, and return the outcome if the search is over.

        :param seen: The campaign that is meant, None if there is none yet, or why the look failed.
        :param now: When that was, in seconds since the epoch.
        """
        self._asked_pause = 0.0
        if isinstance(seen, InvalidRequest):
            return Outcome(Reason.AMBIGUOUS, str(seen))
        if isinstance(seen, Exception):
            lost = self._patience.missed(seen, now)
            if lost:
                return Outcome(lost, f"The campaigns could not be looked through for {self.name}: {seen}")
            if isinstance(seen, CampaignAPIError) and seen.retry_after:
                self._asked_pause = min(seen.retry_after, LONGEST_PAUSE_SECONDS)
        else:
            self._patience.answered(now)
            if seen is not None:
                message = f"Campaign {seen.id} ({seen.name}) fits the name {self.name}; it is {described(seen)}"
                return Outcome(Reason.MET, message, seen.as_dict(details=False))
        if self._deadline is not None and now >= self._deadline:
            return Outcome(Reason.TIMEOUT, f"No campaign of the name {self.name} appeared in time.")
        return None

    def pause(self, now: float, chance: float) -> float:
        """
        Return the seconds to sleep before the next look, never past the deadline.

        :param now: The time, in seconds since the epoch.
        :param chance: A random number from 0 to 1, so that searches that began together drift apart.
        """
        seconds = max(self._poll_interval * (0.9 + 0.1 * chance), self._asked_pause)
        return seconds if self._deadline is None else max(0.0, min(seconds, self._deadline - now))


def look_for(search_: NameSearch, client: CampaignClient) -> Campaign | Exception | None:
    """Look once, in this process; return the campaign that is meant, None, or why the look failed."""
    try:
        return search(client, [search_.name])[0]
    except (CampaignAPIError, InvalidRequest) as error:
        return error
    except Exception as error:
        return unexpected(error, client.vendor)
