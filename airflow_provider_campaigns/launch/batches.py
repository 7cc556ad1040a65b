"""Handing contacts over in batches, each once over the tries of a task, as part of a launch or outside of one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_campaigns.api.errors import OutcomeUnknown
from airflow_provider_campaigns.exceptions import LaunchConflict, LaunchOutcomeUnknown
from airflow_provider_campaigns.launch.decisions import changed_fields
from airflow_provider_campaigns.launch.intent import Intent, fingerprints, launch_key
from airflow_provider_campaigns.launch.record import LaunchRecord, record_in
from airflow_provider_campaigns.launch.task_run import store_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.contacts import CheckedContact

logger = logging.getLogger(__name__)

#: Refused rows that a receipt names; the log has them all.
REFUSED_ROWS_TOLD = 100


class HandOver:
    """
    Contacts handed over in batches by one task instance, from where an earlier try was interrupted.

    Airflow 3.3 and newer remember how far it came. Older ones do not: there every try begins with the first row, and
    the vendor knows the batches (Altur, by their keys) or keeps each number once.

    :param context: The try's context.
    :param meant: What is handed over and where to; a later try must mean the same.
    :param log: Where the log lines go.
    :raises LaunchConflict: An earlier try meant something else.
    """

    def __init__(self, context: Context, meant: Mapping[str, Any], log: Any) -> None:
        ti: Any = context["ti"]
        key = launch_key(ti.dag_id, ti.run_id, ti.task_id, getattr(ti, "map_index", -1))
        self.intent = Intent(key, fingerprints(meant))
        self.log = log
        self._store = store_of(context)
        known = record_in(self._store.load() if self._store else None)
        #: Whether nothing of it can have been done before.
        self.is_first = known is None and (ti.try_number <= 1 or self._store is not None)
        self.record = known or LaunchRecord(key, self.intent.fields, time.time())
        changed = changed_fields(self.record, self.intent)
        if changed:
            raise LaunchConflict(
                f"This run already began to hand over something else, {self.record.rows} rows of it; these differ: "
                f"{', '.join(changed)}. A try must hand over what the first try meant: undo the change, or use a new "
                "run for the new contents."
            )

    def remember(self, **changes: Any) -> None:
        """Keep what was done, for the tries to come."""
        self.record = replace(self.record, **changes)
        if self._store:
            self._store.save(self.record.as_dict())

    def rest(self, rows: Iterator[CheckedContact]) -> Iterator[CheckedContact]:
        """Return the rows that are not in yet, given all of them."""
        if self.record.rows:
            self.log.info("%d rows are in since an earlier try", self.record.rows)
        return islice(rows, self.record.rows, None)


class Remembers(Protocol):
    """What hands contacts over in batches and keeps how far it came."""

    record: LaunchRecord

    def remember(self, **changes: Any) -> None:
        """Keep what was done, for the tries to come."""


def add_in_batches(
    keeper: Remembers,
    rows: Iterable[CheckedContact],
    add: Callable[[Iterator[CheckedContact], int], Iterable[Any]],
    log: logging.Logger | Any = logger,
) -> None:
    """
    Hand rows over and keep after each batch how far it came and what became of it.

    :param keeper: Whose memory tells how many rows are in.
    :param rows: The rows that are not.
    :param add: Sends rows from an index on in batches, and yields what became of each batch before it takes a row of
        the next.
    :param log: Where the log lines go.
    :raises LaunchOutcomeUnknown: A batch may or may not be in; the next try sends it again under the same key.
    """
    handed = keeper.record.rows

    def counted() -> Iterator[CheckedContact]:
        nonlocal handed
        for row in rows:
            handed += 1
            yield row

    tally = {"created": 0, "updated": 0, "skipped": 0, "refused": 0} | dict(keeper.record.contacts)
    try:
        for batch in add(counted(), keeper.record.rows):
            tally["created"] += batch.created
            tally["updated"] += batch.updated
            tally["skipped"] += batch.skipped
            tally["refused"] += batch.failed
            for index, reason in batch.refused:
                log.warning("The contact in row %d was refused: %s", index + 1, reason)
            record = keeper.record
            refused = [*record.refused, *map(list, batch.refused)][:REFUSED_ROWS_TOLD]
            # The rows are those that were taken: what the vendor counts may not add up.
            keeper.remember(batches=record.batches + 1, rows=handed, contacts=dict(tally), refused=refused)
            log.info("%d contacts handed over", handed)
    except OutcomeUnknown as lost:
        raise LaunchOutcomeUnknown(f"{lost} The next try sends the batch again under the same key.") from lost
