"""A vendor's connection form: declared once as data, and shown by every Airflow in the spelling that it wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Fields that every vendor's connection has, kept in the connection's extra.
COMMON_FIELDS: Mapping[str, Any] = {
    "timeout": {
        "label": "Timeout (s)",
        "description": "Seconds to wait for each answer of the vendor.",
        "schema": {"type": ["number", "null"], "default": 30, "minimum": 1, "maximum": 600},
    },
    "rate_limit": {
        "label": "Rate limit (requests/s)",
        "description": "The most requests a second from one process to this account. Empty: the vendor's documented "
        "limit, with a margin.",
        "schema": {"type": ["number", "null"], "default": None, "minimum": 0.01, "maximum": 1000},
    },
    "look_share": {
        "label": "Share of looks",
        "description": "The share of the rate limit that waits may take for their looks, above 0 up to 1. Empty: two "
        "thirds. The rest is for launches, starts and holds.",
        "schema": {"type": ["number", "null"], "default": None, "minimum": 0.01, "maximum": 1},
    },
    "dry_run": {
        "label": "Dry run",
        "description": "Launches over this connection are checked and logged but never sent; it starts, resumes, "
        "changes and deletes nothing either. It reads, pauses and stops.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
    "console_url": {
        "label": "Console URL",
        "description": "A campaign's page at the vendor, with {campaign_id} in the place of its id; a task's link "
        "Campaign goes there.",
        "schema": {"type": ["string", "null"], "default": None, "pattern": r"^https?://\S*\{campaign_id\}\S*$|^$"},
    },
}
#: Fields that no launch depends on: a bad value is told when the connection is tested, and left aside otherwise.
ONLY_SHOWN = frozenset({"console_url"})


def declare_connection(
    conn_type: str,
    hook_class_name: str,
    hook_name: str,
    *,
    hidden: Iterable[str] = (),
    relabeling: Mapping[str, str] | None = None,
    placeholders: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """
    Return the declaration of a vendor's connection type, for ``connection-types`` of a provider's info.

    The credential is always the connection's password. Every vendor's form has ``timeout``, ``rate_limit``,
    ``look_share``, ``dry_run`` and ``console_url`` besides its own fields.

    :param conn_type: The connection type, as the hook's ``conn_type``.
    :param hook_class_name: The full path of the hook's class.
    :param hook_name: What people read in the list of types, as the hook's ``hook_name``.
    :param hidden: Standard fields that the form does not show, such as ``login`` and ``schema``.
    :param relabeling: What the form calls standard fields, such as ``{"password": "API token"}``.
    :param placeholders: What empty standard fields show; say there which ones are required.
    :param fields: The vendor's own fields in the connection's extra, by name: each with ``label``, ``description`` and
        ``schema``, a JSON schema that holds the type, the default and the limits.
    """
    return {
        "connection-type": conn_type,
        "hook-class-name": hook_class_name,
        "hook-name": hook_name,
        "ui-field-behaviour": {
            "hidden-fields": list(hidden),
            "relabeling": {"host": "Base URL", **(relabeling or {})},
            # Airflow marks extra fields as required, but has no mark for these: their placeholders say so.
            # Where there is none, the Test button of Airflow 3.3 sends 0, and is then told that this is another port.
            "placeholders": {"port": "none; 0 lets the Test button of Airflow 3.3 work", **(placeholders or {})},
        },
        "conn-fields": {**(fields or {}), **COMMON_FIELDS},
    }


def legacy_field_behaviour(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return hidden fields, labels and placeholders as Airflow up to 3.1 spells them."""
    behaviour = declared["ui-field-behaviour"]
    return {
        "hidden_fields": list(behaviour["hidden-fields"]),
        "relabeling": dict(behaviour["relabeling"]),
        "placeholders": dict(behaviour["placeholders"]),
    }


def legacy_widgets(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a widget for each declared field; needs Flask-AppBuilder, which Airflow up to 3.1 brings."""
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from flask_babel import lazy_gettext
    from wtforms import BooleanField, StringField
    from wtforms.validators import Optional

    made = {}
    for name, field in declared["conn-fields"].items():
        default = field["schema"].get("default")
        if "boolean" in field["schema"]["type"]:
            made[name] = BooleanField(
                lazy_gettext(field["label"]), default=default, description=field.get("description", "")
            )
        else:
            made[name] = StringField(
                lazy_gettext(field["label"]),
                validators=[Optional()],
                widget=BS3TextFieldWidget(),
                default=default,
                description=field.get("description", ""),
            )
    return made
