"""Contacts handed over in batches outside of a launch, each once, over the tries of a task."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.exceptions import LaunchConflict
from airflow_provider_campaigns.launch.decisions import (
    Intent,
    Memory,
    changed_fields,
    fingerprints,
    launch_key,
    remembered_in,
)
from airflow_provider_campaigns.launch.task_run import store_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class HandOver:
    """
    Contacts handed over in batches by one task instance, from where an earlier try was interrupted.

    Airflow 3.3 and newer remember how far it came. Older ones do not: there every try begins with the first row, and
    the vendor knows the batches (Altur, by their keys) or keeps each number once.

    :param context: The try's context.
    :param meant: What is handed over and where to; a later try must mean the same.
    :param tell: Where the log lines go.
    :raises LaunchConflict: An earlier try meant something else.
    """

    def __init__(self, context: Context, meant: Mapping[str, Any], tell: Any) -> None:
        ti: Any = context["ti"]
        key = launch_key(ti.dag_id, ti.run_id, ti.task_id, getattr(ti, "map_index", -1))
        self.intent = Intent(key, fingerprints(meant))
        self.tell = tell
        self._store = store_of(context)
        known = remembered_in(self._store.load() if self._store else None)
        #: Whether nothing of it can have been done before.
        self.is_first = known is None and (ti.try_number <= 1 or self._store is not None)
        self.memory = known or Memory(key, self.intent.fields, time.time())
        changed = changed_fields(self.memory, self.intent)
        if changed:
            raise LaunchConflict(
                f"This run already began to hand over something else, {self.memory.rows} rows of it; these differ: "
                f"{', '.join(changed)}. A try must hand over what the first try meant: undo the change, or use a new "
                "run for the new contents."
            )

    def remember(self, **changes: Any) -> None:
        """Keep what was done, for the tries to come."""
        self.memory = replace(self.memory, **changes)
        if self._store:
            self._store.save(self.memory.as_dict())

    def rest(self, rows: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Return the rows that are not in yet, given all of them."""
        if self.memory.rows:
            self.tell.info("%d rows are in since an earlier try", self.memory.rows)
        return islice(rows, self.memory.rows, None)
