"""Keeping a launch's record between tries: in Airflow's task state store, where there is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from airflow_provider_campaigns.exceptions import LaunchNotRecorded
from airflow_provider_campaigns.launch.intent import Intent
from airflow_provider_campaigns.launch.persistence import DEFAULT_RECORD_TIMEOUT_SECONDS, persistently
from airflow_provider_campaigns.launch.record import LaunchRecord, record_in


class RecordStore(Protocol):
    """Where a launch's record is kept between tries."""

    def load(self) -> Mapping[str, Any] | None:
        """Return what was saved last, or None."""

    def save(self, record: Mapping[str, Any]) -> None:
        """Keep the record, or raise: nothing is done that could not be recorded first."""


class StateStore:
    """
    Airflow's task state store, which outlives tries and clears.

    :param accessor: The context's ``task_state_store``.
    :param timeout: Seconds to go on trying while Airflow cannot be reached.
    """

    KEY = "campaign_launch"

    def __init__(self, accessor: Any, timeout: float = DEFAULT_RECORD_TIMEOUT_SECONDS) -> None:
        self._accessor = accessor
        self._timeout = timeout

    def load(self) -> Mapping[str, Any] | None:
        """Return what was saved last, or None."""
        stored = persistently(lambda: self._accessor.get(self.KEY), self._timeout)
        return stored if isinstance(stored, Mapping) else None

    def save(self, record: Mapping[str, Any]) -> None:
        """Keep the record for good: a run may be cleared long after the default retention."""
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        persistently(lambda: self._accessor.set(self.KEY, dict(record), retention=NEVER_EXPIRE), self._timeout)


def not_recorded(done: str, error: Exception) -> LaunchNotRecorded:
    """
    Return the error for something that Airflow could not be told.

    :param done: What was done, for people.
    :param error: What Airflow said last.
    """
    return LaunchNotRecorded(f"{done}; Airflow could not be told; the next try goes on with it. The reason: {error}")


class RecordKeeper:
    """
    Keeps the record of one launch, or of contacts handed over outside of one, while a try goes on.

    :param store: Where the record is kept, or None on an Airflow without a store: then it lasts as long as the try.
    :param intent: What the try means to do.
    :param now: What time it is, in seconds since the epoch.
    """

    def __init__(self, store: RecordStore | None, intent: Intent, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._before = store.load() if store else None
        last = record_in(self._before)
        #: What an earlier try recorded, or None. The record of another relaunch of the task instance does not count.
        self.known = last if last and last.key == intent.key else None
        self.record = self.known or LaunchRecord(
            intent.key, intent.fields, now(), relaunch=intent.relaunch, max_tries=intent.max_tries
        )

    @property
    def is_lasting(self) -> bool:
        """Whether the record outlives the try."""
        return self._store is not None

    def remember(self, done: str, **changes: Any) -> None:
        """
        Record what was done, for the tries to come.

        :param done: The same for people, should Airflow not take it: "Campaign 7 was created".
        :param changes: Changes to the record.
        :raises LaunchNotRecorded: Airflow did not take it.
        """
        self.record = replace(self.record, **changes)
        if self._store is None:
            return
        try:
            self._store.save(self.record.as_dict())
        except Exception as error:
            refusal = not_recorded(done, error)
        else:
            return
        # Out here, so that the log shows one error and not that of Airflow's client as well.
        raise refusal

    def forget(self) -> None:
        """Put back what was recorded before this try, when the vendor refused to create and nothing can exist."""
        if self._store and self.known is None:
            self._store.save(self._before or {})
