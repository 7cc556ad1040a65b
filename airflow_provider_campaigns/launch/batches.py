"""Hands over contacts in batches, each batch once over all tries of a task, in a launch or outside of one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns import metrics
from airflow_provider_campaigns.api.errors import OutcomeUnknown
from airflow_provider_campaigns.exceptions import LaunchConflict, LaunchOutcomeUnknown
from airflow_provider_campaigns.launch.decisions import changed_fields
from airflow_provider_campaigns.launch.intent import Intent, fingerprints
from airflow_provider_campaigns.launch.record_store import RecordKeeper

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.contacts import WireContact
    from airflow_provider_campaigns.launch.record import LaunchRecord
    from airflow_provider_campaigns.launch.task_run import TaskRun

logger = logging.getLogger(__name__)

#: Refused rows that a receipt names; the log has them all.
REFUSED_ROWS_TOLD = 100


class HandOver:
    """
    Contacts handed over in batches by one task instance, from where an earlier try was interrupted.

    Airflow 3.3 and newer remember how far it got. On older versions every try begins with the first row, and the vendor
    recognises the batches (Altur, by their keys) or keeps each number once.

    :param run: The try.
    :param meant: What is handed over and where to; a later try must mean the same.
    :param log: Where the log lines go.
    :raises LaunchConflict: An earlier try meant something else.
    """

    def __init__(self, run: TaskRun, meant: Mapping[str, Any], log: Any) -> None:
        self.intent = Intent(run.key(), fingerprints(meant))
        self.keeper = RecordKeeper(run.store, self.intent)
        self.log = log
        #: Whether no earlier try can have done any of it.
        self.is_first = self.keeper.known is None and (run.try_number <= 1 or self.keeper.is_lasting)
        changed = changed_fields(self.record, self.intent)
        if changed:
            raise LaunchConflict(
                f"This run already handed over {self.record.rows} rows of something else; these differ: "
                f"{', '.join(changed)}. A try must hand over what the first try meant: undo the change, or use a new "
                "run for the new contents."
            )

    @property
    def record(self) -> LaunchRecord:
        """How far it got."""
        return self.keeper.record

    def rest(self, rows: Iterator[WireContact]) -> Iterator[WireContact]:
        """Return the rows that are not in yet, given all of them."""
        if self.record.rows:
            self.log.info("An earlier try handed over %d rows already", self.record.rows)
        return islice(rows, self.record.rows, None)


def count_contacts(vendor: str, **results: int) -> None:
    """Count what became of contacts that were handed over, by result."""
    for result, number in results.items():
        metrics.count(metrics.CONTACTS, number, vendor=vendor, result=result)


def add_in_batches(
    vendor: str,
    keeper: RecordKeeper,
    rows: Iterable[WireContact],
    add: Callable[[Iterator[WireContact], int], Iterable[Any]],
    log: logging.Logger | Any = logger,
) -> None:
    """
    Hand rows over, and record after each batch how far it got and what became of the rows.

    :param vendor: The vendor's name.
    :param keeper: Keeps the record, which says how many rows are in.
    :param rows: The rows that are not in yet.
    :param add: Sends rows from an index on in batches, several at once if it likes, and yields what became of each, in
        the order of the rows, with the number of its ``rows``. A batch that was under way when a try ended is sent
        again by the next, under the same key: only those before the first that is not known to be in count.
    :param log: Where the log lines go.
    :raises LaunchOutcomeUnknown: A batch may or may not be in; the next try sends it again under the same key.
    """
    tally = {"created": 0, "updated": 0, "skipped": 0, "refused": 0} | dict(keeper.record.contacts)
    try:
        for batch in add(iter(rows), keeper.record.rows):
            tally["created"] += batch.created
            tally["updated"] += batch.updated
            tally["skipped"] += batch.skipped
            tally["refused"] += batch.failed
            for index, reason in batch.refused:
                log.warning("The contact in row %d was refused: %s", index + 1, reason)
            record = keeper.record
            refused = [*record.refused, *map(list, batch.refused)][:REFUSED_ROWS_TOLD]
            # The rows are those that were sent: what the vendor counts may not add up.
            handed = record.rows + batch.rows
            done = f"{handed} contacts were handed over"
            keeper.remember(done, batches=record.batches + 1, rows=handed, contacts=dict(tally), refused=refused)
            log.info("%d contacts handed over", handed)
            count_contacts(
                vendor, created=batch.created, updated=batch.updated, skipped=batch.skipped, refused=batch.failed
            )
    except OutcomeUnknown as lost:
        raise LaunchOutcomeUnknown(f"{lost} The next try sends the batch again under the same key.") from lost
