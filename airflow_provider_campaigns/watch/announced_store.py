"""What a watch announced, kept in the state store of its assets (Airflow 3.3 and newer)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from airflow_provider_campaigns.watch.announcements import Announced

log = logging.getLogger(__name__)


class AnnouncedStore:
    """
    Keeps what one watch announced.

    :param accessor: What Airflow gives the trigger to reach the state of its assets, or None below 3.3.
    :param watched: What the watch is for, as plain values: another watch on the same asset remembers for itself.
    """

    def __init__(self, accessor: Any, watched: Mapping[str, Any]) -> None:
        self._stores = _stores_of(accessor)
        digest = hashlib.sha256(json.dumps(watched, sort_keys=True).encode()).hexdigest()
        self._key = f"announced_campaigns_{digest[:16]}"

    @property
    def keeps(self) -> bool:
        """Whether there is a store at all."""
        return bool(self._stores)

    async def read(self, *, announce_existing: bool) -> Announced | None:
        """
        Return what was announced, or None when it cannot be read now.

        :param announce_existing: Whether a watch that begins announces what has reached the goal already.
        """
        marks: list[str] = []
        for store in self._stores:
            try:
                value = await store.aget(self._key)
            except Exception as error:  # Whatever a deployment's own state backend raises.
                log.warning("Nothing is announced until the asset's state store can be read: %s", error)
                return None
            if isinstance(value, dict) and value.get("version") == 1:
                marks.append(str(value["marks"]))
        return Announced("".join(marks) if marks else None, announce_existing=announce_existing)

    async def write(self, announced: Announced) -> bool:
        """Write what was announced; return whether that worked."""
        try:
            for store in self._stores:
                await store.aset(self._key, {"version": 1, "marks": announced.marks()})
        except Exception as error:  # Whatever a deployment's own state backend raises.
            log.warning("What was announced could not be written to the asset's state store: %s", error)
            return False
        return True


def _stores_of(accessor: Any) -> list[Any]:
    """Return the state stores of all assets that a trigger serves."""
    if accessor is None:
        return []
    # The same trigger may serve several assets; Airflow has no public way to go through their stores.
    each = [*getattr(accessor, "_by_name", {}).values(), *getattr(accessor, "_by_uri", {}).values()]
    return each or [accessor]
