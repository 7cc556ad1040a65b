"""Lineage in OpenLineage's terms: from which file to which campaign or list, and from a campaign to which file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


@dataclass(frozen=True, slots=True)
class DataPlace:
    """
    Where data is, as OpenLineage names it.

    :param namespace: The system that holds it.
    :param name: Its name there.
    :param rows: How many rows were put there by the task, or None where nobody counts.
    """

    namespace: str
    name: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """
    What data a task moved.

    :param inputs: Where it came from.
    :param outputs: Where it went.
    :param campaign_id: The campaign that the task launched or asked about, or None.
    :param vendor: The namespace of the vendor, or None.
    """

    inputs: tuple[DataPlace, ...] = ()
    outputs: tuple[DataPlace, ...] = ()
    campaign_id: str | None = None
    vendor: str | None = None


def vendor_namespace(conn_type: str, base_url: str) -> str:
    """
    Return the namespace of a vendor's campaigns, such as ``altur://api.altur.io``.

    :param conn_type: The type of the connection.
    :param base_url: Where the API is.
    """
    address = urlsplit(base_url)
    port = f":{address.port}" if address.port else ""
    return f"{conn_type}://{address.hostname}{port}"


def campaign_place(namespace: str, campaign_id: str, rows: int | None = None) -> DataPlace:
    """Return the place of a campaign's contacts."""
    return DataPlace(namespace, f"campaigns/{campaign_id}", rows)


def contact_list_place(namespace: str, name: str, rows: int | None = None) -> DataPlace:
    """Return the place of a contact list that the vendor keeps."""
    return DataPlace(namespace, f"contact_lists/{name}", rows)


def file_place(path: str, rows: int | None = None) -> DataPlace:
    """
    Return the place of a file, without the connection, the credential or the query that its address may hold.

    :param path: A path, or a URI such as ``s3://aws_default@bucket/key``.
    :param rows: How many rows it has, or None.
    """
    address = urlsplit(path)
    if not address.scheme or address.scheme == "file":
        return DataPlace("file", os.path.abspath(address.path if address.scheme else path), rows)
    host = address.netloc.rpartition("@")[2]
    return DataPlace(f"{address.scheme}://{host}", address.path.strip("/"), rows)


def file_places(given: Any) -> tuple[DataPlace, ...]:
    """Return the places of the files among what an argument was given: a path, a list of such; rows are no place."""
    items = given if isinstance(given, (list, tuple)) else [given]
    return tuple(file_place(str(item)) for item in items if isinstance(item, (str, os.PathLike)))


def taken_rows(receipt: Mapping[str, Any]) -> int | None:
    """Return how many contacts a launch handed over that are in the campaign now, or None where nobody counts."""
    contacts = receipt.get("contacts")
    if not isinstance(contacts, Mapping):
        return None
    return sum(int(contacts.get(what) or 0) for what in ("created", "updated", "skipped"))


def facets_of(movement: Movement) -> OperatorLineage[Any, Any]:
    """Return a movement as OpenLineage's provider takes it, which must be installed."""
    from airflow.providers.common.compat.openlineage.facet import (
        ExternalQueryRunFacet,
        InputDataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    def written(place: DataPlace) -> OutputDataset:
        counted: dict[str, Any] = {}
        if place.rows is not None:
            counted["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=place.rows)
        return OutputDataset(namespace=place.namespace, name=place.name, outputFacets=counted)

    asked: dict[str, Any] = {}
    if movement.campaign_id and movement.vendor:
        asked["externalQuery"] = ExternalQueryRunFacet(externalQueryId=movement.campaign_id, source=movement.vendor)
    return OperatorLineage(
        inputs=[InputDataset(namespace=place.namespace, name=place.name) for place in _once(movement.inputs)],
        outputs=[written(place) for place in _once(movement.outputs)],
        run_facets=asked,
    )


def _once(places: Iterable[DataPlace]) -> list[DataPlace]:
    return list({(place.namespace, place.name): place for place in places}.values())
