"""What a vendor tells of a campaign besides its status and figures: named, typed, and read when somebody asks."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.redaction import status_word

#: The figures of one batch that are told; a campaign of more batches than this tells none of them.
BATCH_FIGURES = ("sent", "received", "read", "answered", "failed")
MAX_BATCHES = 100


class CampaignDetails(TypedDict, total=False):
    """
    The details of a campaign that its vendor gave; moments are ISO 8601 text, in UTC where the vendor gives a zone.

    See :data:`DETAILS` for what each of them tells.
    """

    scheduled_to: str
    next_scheduled_to: str
    last_message_at: str
    active: bool
    counts_by_chunk: dict[str, dict[str, int]]
    channel: str
    cycle: int
    max_cycles: int
    last_cycle_at: str
    converted_rate: float
    instance_id: str
    instance_updated_at: str
    dialing_mode: str


def _word(value: Any) -> str | None:
    return status_word(reading.text(value))


def _moment(value: Any) -> str | None:
    moment = reading.moment(value)
    if moment is None:
        return None
    return (moment if moment.tzinfo is None else moment.astimezone(datetime.UTC)).isoformat()


def _share(value: Any) -> float | None:
    share = reading.number(value)
    if share is None or not 0 <= share <= 100:
        return None
    return share if share <= 1 else share / 100


def _batches(value: Any) -> dict[str, dict[str, int]] | None:
    if not isinstance(value, Mapping) or not 0 < len(value) <= MAX_BATCHES:
        return None
    names = dict(zip(BATCH_FIGURES, BATCH_FIGURES, strict=True))
    read = {reading.identifier(key): reading.counts(reading.mapping(figures), names) for key, figures in value.items()}
    return {key: figures for key, figures in read.items() if key and figures} or None


@dataclass(frozen=True, slots=True)
class Detail:
    """
    A detail that a vendor may give.

    :param read: Returns it from what the vendor wrote, or None where that cannot be read.
    :param meaning: What it tells, and which vendor gives it.
    """

    read: Callable[[Any], Any]
    meaning: str


#: Every name that the details may hold, and what it tells.
DETAILS: Mapping[str, Detail] = {
    "scheduled_to": Detail(_moment, "when sending begins or was meant to begin (Kinbox)"),
    "next_scheduled_to": Detail(_moment, "when sending goes on, after a pause between batches or at night (Kinbox)"),
    "last_message_at": Detail(_moment, "when the last message was handled (Kinbox)"),
    "active": Detail(reading.flag, "whether the campaign is switched on, which is not its status (Kinbox)"),
    "counts_by_chunk": Detail(_batches, "figures of each batch, of up to 100 batches, by the batch's id (Kinbox)"),
    "channel": Detail(_word, "phone_call or whatsapp (Altur)"),
    "cycle": Detail(reading.whole, "which round of calls is under way (Altur)"),
    "max_cycles": Detail(reading.whole, "how many rounds there may be (Altur)"),
    "last_cycle_at": Detail(_moment, "when the last round was (Altur)"),
    "converted_rate": Detail(_share, "the share of people who did what the campaign is for, from 0 to 1 (Altur)"),
    "instance_id": Detail(reading.identifier, "the id of the current or last run, which a call-back needs (Kore.ai)"),
    "instance_updated_at": Detail(_moment, "when the run last changed (Kore.ai)"),
    "dialing_mode": Detail(_word, "Agentless, Progressive or Preview (Kore.ai voice)"),
}


@dataclass(frozen=True, slots=True)
class DetailPlace:
    """
    Where a vendor's object holds a detail.

    :param name: The detail, one of :data:`DETAILS`.
    :param paths: Where it may be, each as the names that lead to it; the first that is there counts.
    """

    name: str
    paths: tuple[tuple[str, ...], ...]


def places(**paths: str) -> tuple[DetailPlace, ...]:
    """
    Return where a vendor's objects hold their details.

    :param paths: For each detail the places as ``cycles.max_iterations``, several of them with blanks between.
    """
    return tuple(
        DetailPlace(name, tuple(tuple(path.split(".")) for path in given.split())) for name, given in paths.items()
    )


def read_details(item: Mapping[str, Any], where: tuple[DetailPlace, ...]) -> CampaignDetails:
    """Return those details that are there and can be read."""
    read: dict[str, Any] = {}
    for place in where:
        value = next((found for found in (_at(item, path) for path in place.paths) if found is not None), None)
        if value is not None and (detail := DETAILS[place.name].read(value)) is not None:
            read[place.name] = detail
    return cast(CampaignDetails, read)


def holders(item: Mapping[str, Any], where: tuple[DetailPlace, ...]) -> dict[str, Any]:
    """Return the properties of an object that hold its details, and no others."""
    names = {path[0] for place in where for path in place.paths}
    return {name: item[name] for name in names if name in item}


def _at(item: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for name in path[:-1]:
        item = reading.mapping(item.get(name))
    return item.get(path[-1])
