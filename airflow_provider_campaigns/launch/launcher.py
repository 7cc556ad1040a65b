"""Carrying a launch out, exactly once over the tries of a task: creating, looking, handing contacts over, starting."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError, Conflict, InvalidRequest, OutcomeUnknown
from airflow_provider_campaigns.api.model import Campaign
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.exceptions import (
    CampaignFailed,
    LaunchConflict,
    LaunchOutcomeUnknown,
    LaunchRefused,
)
from airflow_provider_campaigns.launch.batches import add_in_batches
from airflow_provider_campaigns.launch.decisions import (
    CreateStep,
    StartStep,
    changed_fields,
    first_step,
    proves_no_campaign,
    start_step,
)
from airflow_provider_campaigns.launch.doubles import doubles_of, pause_or_stop_later
from airflow_provider_campaigns.launch.intent import Intent, signs_in
from airflow_provider_campaigns.launch.lookup import LookUp
from airflow_provider_campaigns.launch.persistence import DEFAULT_LOOKUP_TIMEOUT_SECONDS
from airflow_provider_campaigns.launch.record_store import RecordKeeper

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.contacts import WireContact
    from airflow_provider_campaigns.launch.record import LaunchRecord
    from airflow_provider_campaigns.launch.record_store import RecordStore

logger = logging.getLogger(__name__)


class Launch:
    """
    One launch, on one try of a task.

    :param client: The vendor's client.
    :param intent: What is meant.
    :param store: Where its record is kept between tries, or None.
    :param first_try: Whether this is the task instance's first try.
    :param lookup_timeout: Seconds to go on looking when nothing is found.
    :param earliest: The time before which nothing of this launch can have been created, in seconds since the epoch.
        Needed where there is no record; without it a look-up goes through all that the vendor lists.
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
        store: RecordStore | None,
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
        self._keeper = RecordKeeper(store, intent, now)
        self._known = self._keeper.known
        self._first_try = first_try
        self._guard = guard
        self._log = log
        self._lookup = LookUp(
            client,
            intent,
            earliest=self._known.at if self._known else (earliest or 0.0),
            timeout=lookup_timeout,
            log=log,
            sleep=sleep,
            now=now,
        )
        #: Whether this try created the campaign.
        self.created = False

    @property
    def record(self) -> LaunchRecord:
        """What was done so far."""
        return self._keeper.record

    def create(self, post: Callable[[], Campaign]) -> Campaign:
        """
        Return this launch's campaign: created now, or found as an earlier try left it.

        :param post: Makes the one call that creates it.
        :raises LaunchConflict: Something else was launched under the same key.
        :raises LaunchOutcomeUnknown: A campaign may exist that the vendor does not list yet; the next try looks again.
        :raises CampaignFailed: The campaign that was found failed or was canceled.
        """
        step = first_step(self._known, self.intent, first_try=self._first_try)
        if step is CreateStep.REFUSE and self._known:
            raise _changed(changed_fields(self._known, self.intent), self._known.campaign_id)
        if self._known and self.record.max_tries != self.intent.max_tries:
            self._keeper.remember("Nothing was sent by this try", max_tries=self.intent.max_tries)
        if step is CreateStep.ADOPT and self.record.campaign_id:
            self._log.info("Campaign %s was launched by an earlier try; going on with it", self.record.campaign_id)
            campaign = self.client.get_campaign(self.record.campaign_id, progress=False)
            if self.record.unchecked:
                self._check(campaign)
            return _sound(campaign)
        if step is CreateStep.LOOK:
            # Where Airflow keeps records and has none, no request was made, so one look is enough.
            patient = self._known is not None or not self._keeper.is_lasting
            found = self._lookup.find(patient=patient)
            if found:
                return self._adopt(found)
        self._guard(None)
        self._keeper.remember("Nothing was sent")
        self._log.info("Creating a campaign at %s, marked %s", self.client.vendor, self.intent.mark)
        return self._create(post, unchecked=step is CreateStep.LOOK)

    def _create(self, post: Callable[[], Campaign], *, unchecked: bool) -> Campaign:
        """
        Create the campaign; after a lost answer, return the one that the look-up finds.

        :param unchecked: Whether an earlier try may have created one as well.
        """
        try:
            campaign = post()
        except (CampaignAPIError, InvalidRequest) as error:
            if proves_no_campaign(error):
                self._keeper.forget()
                raise
            if isinstance(error, Conflict):
                raise
            self._log.warning("The answer to the create does not say what became of it: %s", error)
            found = self._lookup.find(patient=True)
            if found:
                return self._adopt(found)
            if not isinstance(error, OutcomeUnknown):
                raise
            raise LaunchOutcomeUnknown(
                f"{error} No campaign marked {self.intent.mark} was seen within {self._lookup.timeout:g} s. The "
                "next try looks again before it creates one."
            ) from error
        self._log.info("Campaign %s was created", campaign.id)
        self.created = True
        try:
            self._keeper.remember(f"Campaign {campaign.id} was created", campaign_id=campaign.id, unchecked=unchecked)
        except Exception:
            # Airflow takes nothing from a try that it gave up for lost: the next one may have launched meanwhile.
            doubled = doubles_of(campaign, self._lookup.find(patient=True))
            if doubled:
                raise pause_or_stop_later(self.client, doubled, self._log) from None
            raise
        if self.record.unchecked:
            self._check(campaign)
        return campaign

    def add_contacts(
        self,
        campaign: Campaign,
        contacts: Callable[[], Iterable[WireContact]],
        add: Callable[[Iterator[WireContact], int], Iterable[Any]],
    ) -> None:
        """
        Hand the contacts over, from the batch that an earlier try was interrupted at.

        :param campaign: The launch's campaign.
        :param contacts: Reads the rows from the beginning, the same ones on every try.
        :param add: Sends the rows from an index on in batches, and yields what became of each in their order, see
            ``launch.batches.add_in_batches``.
        :raises LaunchOutcomeUnknown: A batch may or may not be in; the next try sends it again under the same key.
        :raises LaunchConflict: Somebody started the campaign before all contacts were in.
        """
        if self.record.started:
            return
        rest = islice(iter(contacts()), self.record.rows, None)
        step = _start_step_of(campaign, created=self.created)
        if step is StartStep.UNCLEAR:
            raise _unclear(campaign)
        if step is not StartStep.START:
            # Where no record says how many rows are in, a running campaign has them all: it is started only then.
            if self._known and next(rest, None) is not None:
                raise LaunchConflict(
                    f"Campaign {campaign.id} is {campaign.status}, but only {self.record.rows} contacts were handed "
                    "over: somebody started it at the vendor meanwhile. Look at it there."
                )
            return
        add_in_batches(self.client.vendor, self._keeper, rest, add, self._log)

    def check_refused_contacts(self, campaign: Campaign, most: float | None) -> None:
        """
        Refuse to start a campaign when too many contacts were refused, or all of them.

        :param campaign: The launch's campaign.
        :param most: A share below 1, or a count from 1 on (0 for none at all); None for no limit.
        :raises LaunchRefused: The campaign exists but was not started.
        """
        if self.record.started or _start_step_of(campaign, created=self.created) is not StartStep.START:
            return
        refused, rows = self.record.contacts.get("refused", 0), self.record.rows
        if rows and not self.record.contacts_taken:
            why = f"{self.client.vendor} took none of the {rows} contacts, {refused} of which it refused."
        elif exceeds(most, refused, rows):
            why = f"{refused} of {rows} contacts were refused, more than max_failed_contacts={most:g}."
        else:
            return
        raise LaunchRefused(f"{why} Campaign {campaign.id} was not started.", guard="max_failed_contacts")

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
        campaign = self._late_start(campaign)
        step = _start_step_of(campaign, created=self.created)
        if step is StartStep.START:
            self._guard(campaign.id)
            self._keeper.remember(f"Campaign {campaign.id} was created and not started", start_asked=True)
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
            raise _unclear(campaign)
        else:
            self._log.info("Campaign %s is %s already; it is not started again", campaign.id, campaign.status)
        _sound(campaign)
        self._keeper.remember(f"Campaign {campaign.id} was started", started=True)
        return campaign

    def _late_start(self, campaign: Campaign) -> Campaign:
        """
        Return the campaign as it is once a start that an earlier try asked for has had time to take effect.

        A vendor may take a second start for a second run, which reaches everybody again.
        """
        asked = self.record.start_asked or not (self._keeper.is_lasting or self._first_try)
        if self.created or not asked or start_step(campaign.status) is not StartStep.START:
            return campaign
        return self._lookup.started(campaign)

    def _adopt(self, found: Sequence[Campaign]) -> Campaign:
        oldest = found[0]
        if len(found) > 1:
            conflict = pause_or_stop_later(self.client, found, self._log)
            self._keeper.remember(str(conflict), campaign_id=oldest.id, adopted=True)
            raise conflict
        signs = signs_in(self.client.marked_text(oldest))
        if signs and signs[1] != self.intent.payload:
            raise _changed([], oldest.id)
        self._log.info("Campaign %s carries the mark of this launch; going on with it", oldest.id)
        # A running campaign without a record was started by an earlier try, as it was meant to be.
        started = self._known is None and start_step(oldest.status) is StartStep.NOTHING
        done = f"Campaign {oldest.id} was found"
        self._keeper.remember(done, campaign_id=oldest.id, adopted=True, started=started)
        return _sound(oldest)

    def _check(self, created: Campaign) -> None:
        """Look whether an earlier try created a campaign as well, until the vendor lists the one created now."""
        doubled = doubles_of(created, self._lookup.find(patient=True))
        if doubled:
            conflict = pause_or_stop_later(self.client, doubled, self._log)
            oldest = doubled[0].id
            self._keeper.remember(str(conflict), campaign_id=oldest, adopted=oldest != created.id, unchecked=False)
            raise conflict
        self._keeper.remember(f"Campaign {created.id} was created", unchecked=False)


def _sound(campaign: Campaign) -> Campaign:
    if start_step(campaign.status) is StartStep.REPORT:
        raise CampaignFailed(
            f"Campaign {campaign.id} of this launch is {campaign.status} (the vendor says "
            f"{campaign.vendor_status!r}). It is not replaced by another: use relaunch=True or a new run for that."
        )
    return campaign


def _unclear(campaign: Campaign) -> LaunchOutcomeUnknown:
    return LaunchOutcomeUnknown(
        f"Campaign {campaign.id} is in a status that this package does not know ({campaign.vendor_status!r}), so "
        "it is not clear whether it was started. Look at it at the vendor."
    )


def _changed(names: Sequence[str], campaign_id: str | None) -> LaunchConflict:
    what = f"campaign {campaign_id}" if campaign_id else "a campaign"
    differs = f"these fields differ: {', '.join(names)}" if names else "its fields differ"
    return LaunchConflict(
        f"This run already launched {what} with other contents; {differs}. A try must launch what the first try "
        "meant: undo the change, or use relaunch=True or a new run to launch the new contents."
    )


def _start_step_of(campaign: Campaign, *, created: bool) -> StartStep:
    # An answer to a create may leave the status out; what this try created a moment ago was never started.
    return StartStep.START if created and campaign.vendor_status is None else start_step(campaign.status)
