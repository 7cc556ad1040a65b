"""Carrying a launch out, exactly once over the tries of a task: creating, looking, handing contacts over, starting."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_campaigns.api.errors import CampaignAPIError, Conflict, InvalidRequest, OutcomeUnknown
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.exceptions import (
    CampaignFailed,
    LaunchConflict,
    LaunchOutcomeUnknown,
    LaunchRefused,
)
from airflow_provider_campaigns.launch.batches import add_in_batches
from airflow_provider_campaigns.launch.decisions import (
    DEFAULT_LOOKUP_TIMEOUT_SECONDS,
    CreateStep,
    StartStep,
    changed_fields,
    first_step,
    start_step,
)
from airflow_provider_campaigns.launch.intent import Intent, signs_in
from airflow_provider_campaigns.launch.record import LaunchRecord, record_in

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.contacts import CheckedContact

logger = logging.getLogger(__name__)

#: Clocks differ, and how vendors compare dates is not documented: a look-up begins a day before the first try.
LOOKUP_MARGIN = datetime.timedelta(days=1)
_LOOKUP_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)


class Store(Protocol):
    """Where a launch is remembered between tries; None in its place where Airflow has nothing for it."""

    def load(self) -> Mapping[str, Any] | None:
        """Return what was saved last, or None."""

    def save(self, record: Mapping[str, Any]) -> None:
        """Keep it, or raise: nothing is done that could not be remembered first."""


class Launch:
    """
    One launch, on one try of a task.

    :param client: The vendor's client.
    :param intent: What is meant.
    :param store: Where it is remembered, or None.
    :param first_try: Whether this is the task instance's first try.
    :param lookup_timeout: Seconds to go on looking when nothing is found.
    :param earliest: Before when nothing of this launch can have been made, in seconds since the epoch. Needed where
        nothing is remembered; without it a look-up goes through all that the vendor lists.
    :param guard: Called before sending can begin: before creating with None, before starting with the campaign's id.
        What it raises ends the try with nothing more sent.
    :param log: Where the log lines go.
    :param sleep: How to wait.
    :param now: What time it is, in seconds since the epoch.
    """

    def __init__(
        self,
        client: CampaignClient,
        intent: Intent,
        store: Store | None,
        *,
        first_try: bool,
        lookup_timeout: float = DEFAULT_LOOKUP_TIMEOUT_SECONDS,
        earliest: float | None = None,
        guard: Callable[[str | None], None] = lambda _: None,
        log: logging.Logger | Any = logger,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self.intent = intent
        self._store = store
        self._first_try = first_try
        self._lookup_timeout = lookup_timeout
        self._guard = guard
        self._log = log
        self._sleep = sleep
        self._now = now
        self._stored = store.load() if store else None
        last = record_in(self._stored)
        # What is remembered of another relaunch of the same task instance is no concern of this one.
        known = last if last and last.key == intent.key else None
        self._remembered = known
        self._earliest = known.at if known else (earliest or 0.0)
        #: Whether this try created the campaign.
        self.created = False
        self.record = known or LaunchRecord(
            intent.key, intent.fields, now(), relaunch=intent.relaunch, max_tries=intent.max_tries
        )

    def create(self, post: Callable[[], Campaign]) -> Campaign:
        """
        Return this launch's campaign: created now, or found as an earlier try left it.

        :param post: Makes the one call that creates it.
        :raises LaunchConflict: Something else was launched under the same key.
        :raises LaunchOutcomeUnknown: A campaign may exist that is not to be seen yet; the next try looks again.
        :raises CampaignFailed: The campaign that was found failed or was canceled.
        """
        step = first_step(self._remembered, self.intent, first_try=self._first_try)
        if step is CreateStep.REFUSE and self._remembered:
            raise self._changed(changed_fields(self._remembered, self.intent), self._remembered.campaign_id)
        if self._remembered and self.record.max_tries != self.intent.max_tries:
            self.remember(max_tries=self.intent.max_tries)
        if step is CreateStep.ADOPT and self.record.campaign_id:
            self._log.info("Campaign %s was launched by an earlier try; going on with it", self.record.campaign_id)
            campaign = self.client.get_campaign(self.record.campaign_id, progress=False)
            if self.record.unchecked:
                self._check(campaign)
            return self._sound(campaign)
        if step is CreateStep.LOOK:
            # Where Airflow remembers and knows of no intent, no request was made, so one look is enough.
            patient = self._remembered is not None or self._store is None
            found = self._look(patient=patient)
            if found:
                return self._adopt(found)
        self._guard(None)
        self.remember()
        try:
            campaign = post()
        except OutcomeUnknown as lost:
            self._log.warning("The answer to the create was lost: %s Looking for the campaign", lost)
            found = self._look(patient=True)
            if not found:
                raise LaunchOutcomeUnknown(
                    f"{lost} No campaign marked {self.intent.mark} was seen within {self._lookup_timeout:g} s. The "
                    "next try looks again before it creates one."
                ) from lost
            return self._adopt(found)
        except Conflict:
            raise
        except (CampaignAPIError, InvalidRequest):
            self._forget()
            raise
        self._log.info("Campaign %s was created", campaign.id)
        self.created = True
        try:
            self.remember(campaign_id=campaign.id, unchecked=step is CreateStep.LOOK)
        except Exception:
            # Airflow takes nothing from a try that it gave up for lost: the next one may have launched meanwhile.
            doubled = self._doubled(campaign)
            if doubled:
                raise self._pause_or_stop_later(doubled) from None
            raise
        if self.record.unchecked:
            self._check(campaign)
        return campaign

    def add_contacts(
        self,
        campaign: Campaign,
        contacts: Callable[[], Iterable[CheckedContact]],
        add: Callable[[Iterator[CheckedContact], int], Iterable[Any]],
    ) -> None:
        """
        Hand the contacts over, from the batch that an earlier try was interrupted at.

        :param campaign: The launch's campaign.
        :param contacts: Reads the rows from the beginning, the same ones on every try.
        :param add: Sends the rows from an index on in batches, and yields what became of each batch before it takes
            a row of the next.
        :raises LaunchOutcomeUnknown: A batch may or may not be in; the next try sends it again under the same key.
        :raises LaunchConflict: Somebody started the campaign before all contacts were in.
        """
        if self.record.started:
            return
        rest = islice(iter(contacts()), self.record.rows, None)
        step = self._start_step(campaign)
        if step is StartStep.UNCLEAR:
            raise self._unclear(campaign)
        if step is not StartStep.START:
            # Without a memory of the rows, a campaign that runs has them all: only then is it started.
            if self._remembered and next(rest, None) is not None:
                raise LaunchConflict(
                    f"Campaign {campaign.id} is {campaign.status}, but only {self.record.rows} contacts were handed "
                    "over: somebody started it at the vendor meanwhile. Look at it there."
                )
            return
        add_in_batches(self, rest, add, self._log)

    def check_refused_contacts(self, campaign: Campaign, most: float | None) -> None:
        """
        Refuse to start a campaign when too many contacts were refused.

        :param campaign: The launch's campaign.
        :param most: A share below 1, or a count from 1 on (0 for none at all); None for no limit.
        :raises LaunchRefused: The campaign exists but was not started.
        """
        if self.record.started or self._start_step(campaign) is not StartStep.START:
            return
        refused = self.record.contacts.get("refused", 0)
        if exceeds(most, refused, self.record.rows):
            raise LaunchRefused(
                f"{refused} of {self.record.rows} contacts were refused, more than max_failed_contacts={most:g}. "
                f"Campaign {campaign.id} was not started."
            )

    def start(self, campaign: Campaign, begin: Callable[[str], Campaign]) -> Campaign:
        """
        Begin sending, if no earlier try and no person did.

        :param campaign: The launch's campaign, as it is now.
        :param begin: Makes the one call that starts it.
        :raises LaunchOutcomeUnknown: It may or may not have been started; the next try looks before it does.
        :raises CampaignFailed: The campaign failed or was canceled; it is not started again.
        """
        if self.record.started:
            return campaign
        step = self._start_step(campaign)
        if step is StartStep.START:
            self._guard(campaign.id)
            try:
                # An answer to a start may leave the name out.
                begun = begin(campaign.id)
                campaign = replace(begun, name=begun.name or campaign.name)
            except OutcomeUnknown as lost:
                raise LaunchOutcomeUnknown(f"{lost} The next try looks whether it is started.") from lost
            except Conflict:
                # Two tries at once, or a person: the campaign's state tells whether it is under way.
                campaign = self.client.get_campaign(campaign.id, progress=False)
                if start_step(campaign.status) is StartStep.START:
                    raise
        elif step is StartStep.UNCLEAR:
            raise self._unclear(campaign)
        else:
            self._log.info("Campaign %s is %s already; it is not started again", campaign.id, campaign.status)
        self._sound(campaign)
        self.remember(started=True)
        return campaign

    def _start_step(self, campaign: Campaign) -> StartStep:
        # An answer to a create may leave the status out; what this try created a moment ago was never started.
        if self.created and campaign.vendor_status is None:
            return StartStep.START
        return start_step(campaign.status)

    def _look(self, *, patient: bool) -> list[Campaign]:
        earliest = max(0.0, self._earliest - LOOKUP_MARGIN.total_seconds())
        since = datetime.datetime.fromtimestamp(earliest, datetime.UTC)
        give_up = self._now() + (self._lookup_timeout if patient else 0.0)
        for attempt in range(10_000):
            try:
                listed = self.client.find_marked(f"[airflow {self.intent.sign}-", since=since)
            except CampaignAPIError as error:
                raise LaunchOutcomeUnknown(
                    f"Whether a campaign marked {self.intent.mark} was launched could not be found out: {error}"
                ) from error
            # Another launch's own words may hold this one's mark: copied with a name, or put there on purpose.
            found = [one for one in listed if self._is_ours(signs_in(self.client.marked_text(one)))]
            left = give_up - self._now()
            if found or left <= 0:
                return found
            self._sleep(min(left, _LOOKUP_PAUSES_SECONDS[min(attempt, len(_LOOKUP_PAUSES_SECONDS) - 1)]))
        return []

    def _is_ours(self, signs: tuple[str, str] | None) -> bool:
        # A vendor may have cut a mark off; one that is there whole is another's or ours.
        return signs is None or signs[0] == self.intent.sign

    def _adopt(self, found: Sequence[Campaign]) -> Campaign:
        oldest = found[0]
        if len(found) > 1:
            conflict = self._pause_or_stop_later(found)
            self.remember(campaign_id=oldest.id, adopted=True)
            raise conflict
        signs = signs_in(self.client.marked_text(oldest))
        if signs and signs[1] != self.intent.payload:
            raise self._changed([], oldest.id)
        self._log.info("Campaign %s carries the mark of this launch; going on with it", oldest.id)
        # One that runs, and of which nothing is remembered, was started as it was meant to be.
        started = self._remembered is None and start_step(oldest.status) is StartStep.NOTHING
        self.remember(campaign_id=oldest.id, adopted=True, started=started)
        return self._sound(oldest)

    def _check(self, created: Campaign) -> None:
        """Look whether an earlier try created one as well, until the list is up to date: it shows what was created."""
        doubled = self._doubled(created)
        if doubled:
            conflict = self._pause_or_stop_later(doubled)
            self.remember(campaign_id=doubled[0].id, adopted=doubled[0].id != created.id, unchecked=False)
            raise conflict
        self.remember(unchecked=False)

    def _doubled(self, created: Campaign) -> list[Campaign]:
        """Return all campaigns of this launch, oldest first, if there are others than the created one, else none."""
        found = self._look(patient=True)
        listed = {campaign.id for campaign in found}
        if listed <= {created.id}:
            return []
        return found if created.id in listed else [*found, created]

    def _pause_or_stop_later(self, found: Sequence[Campaign]) -> LaunchConflict:
        """Hold all but the oldest, and return the error that names them."""
        oldest, *others = found
        held = [f"{campaign.id} ({self._pause_or_stop(campaign)})" for campaign in others]
        return LaunchConflict(
            f"This launch exists more than once at {self.client.vendor}: campaign {oldest.id} is the oldest and was "
            f"left alone; later ones: {', '.join(held)}. Two tries must have run at once. Look at them at the vendor."
        )

    def _pause_or_stop(self, campaign: Campaign) -> str:
        if campaign.status.is_over:
            return f"{campaign.status} already"
        if campaign.status is CampaignStatus.DRAFT:
            return "a draft, not started"
        act, done = (self.client.pause_campaign, "paused")
        if not self.client.supports("pause"):
            act, done = (self.client.stop_campaign, "stopped")
        try:
            act(campaign.id)
        except (CampaignAPIError, InvalidRequest) as error:
            self._log.error("Campaign %s could not be held: %s", campaign.id, error)
            return "could not be held"
        return done

    def _sound(self, campaign: Campaign) -> Campaign:
        if start_step(campaign.status) is StartStep.REPORT:
            raise CampaignFailed(
                f"Campaign {campaign.id} of this launch is {campaign.status} (the vendor says "
                f"{campaign.vendor_status!r}). It is not replaced by another: use relaunch=True or a new run for that."
            )
        return campaign

    @staticmethod
    def _unclear(campaign: Campaign) -> LaunchOutcomeUnknown:
        return LaunchOutcomeUnknown(
            f"Campaign {campaign.id} is in a status that this package does not know ({campaign.vendor_status!r}), so "
            "it is not clear whether it was started. Look at it at the vendor."
        )

    def _changed(self, names: Sequence[str], campaign_id: str | None) -> LaunchConflict:
        what = f"campaign {campaign_id}" if campaign_id else "a campaign"
        differs = f"these fields differ: {', '.join(names)}" if names else "its fields differ"
        return LaunchConflict(
            f"This run already launched {what} with other contents; {differs}. A try must launch what the first try "
            "meant: undo the change, or use relaunch=True or a new run to launch the new contents."
        )

    def remember(self, **changes: Any) -> None:
        """Keep what was done, for the tries to come."""
        self.record = replace(self.record, **changes)
        if self._store:
            self._store.save(self.record.as_dict())

    def _forget(self) -> None:
        """Put back what was remembered before, when the vendor refused to create and nothing can exist."""
        if self._store and self._remembered is None:
            self._store.save(self._stored or {})
