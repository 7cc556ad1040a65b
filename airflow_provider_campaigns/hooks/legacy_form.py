"""The connection form as Airflow up to 3.1 wants it, made from the provider info's declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def field_behaviour(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return hidden fields, labels and placeholders in the older spelling."""
    behaviour = declared["ui-field-behaviour"]
    return {
        "hidden_fields": list(behaviour["hidden-fields"]),
        "relabeling": dict(behaviour["relabeling"]),
        "placeholders": dict(behaviour["placeholders"]),
    }


def widgets(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form widget for each declared field; needs Flask-AppBuilder, which those versions of Airflow bring."""
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
