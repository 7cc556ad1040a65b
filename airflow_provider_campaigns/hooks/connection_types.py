"""The connection types that run campaigns: this package's own, and those of vendors in other distributions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.hooks.connection_form import COMMON_FIELDS

log = logging.getLogger(__name__)

#: Where providers tell Airflow of themselves.
PROVIDERS = "apache_airflow_provider"


def own_types() -> dict[str, Mapping[str, Any]]:
    """Return the declarations of this package's connection types, by type; nothing else is read for them."""
    return {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}


@cache
def all_types() -> Mapping[str, Mapping[str, Any]]:
    """
    Return the declarations of all installed connection types that run campaigns, by type.

    They are those whose form has the fields that every vendor's has, which is what
    :func:`~airflow_provider_campaigns.hooks.connection_form.declare_connection` sees to.
    """
    found = own_types()
    for point in entry_points(group=PROVIDERS):
        try:
            declared = point.load()().get("connection-types") or ()
        except Exception as error:
            # Another provider that is broken is Airflow's to report, and no reason to launch nothing.
            log.warning("The provider info %s cannot be read: %s", point.value, error)
            continue
        for entry in declared:
            if set(COMMON_FIELDS) <= set(entry.get("conn-fields") or ()):
                found.setdefault(entry["connection-type"], entry)
    return found


def declaration_of(conn_type: str | None) -> Mapping[str, Any] | None:
    """Return what an installed provider declares about a connection type, or None if it runs no campaigns."""
    return own_types().get(conn_type or "") or all_types().get(conn_type or "")


def needed_declaration(conn_type: str) -> Mapping[str, Any]:
    """
    Return the declaration of a hook's connection type.

    :raises InvalidRequest: No installed provider declares it, so that its form and its settings are unknown.
    """
    declared = declaration_of(conn_type)
    if declared is None:
        raise InvalidRequest(
            f"No installed provider declares the connection type {conn_type!r} with declare_connection. Types that "
            f"are declared: {', '.join(all_types())}."
        )
    return declared
