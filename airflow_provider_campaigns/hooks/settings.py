"""From an Airflow connection to checked settings: its type, its base URL, and the fields in its extra."""

from __future__ import annotations

import ast
import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import BOOLEAN
from airflow_provider_campaigns.hooks.connection_form import ONLY_SHOWN
from airflow_provider_campaigns.metrics import count_attempt

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_campaigns.api.options import OptionArguments


@dataclass(frozen=True, slots=True)
class Settings:
    """
    A connection, checked and with its defaults applied.

    :param conn_id: The connection's id.
    :param base_url: What the connection says about where the API is, or None for the vendor's own.
    :param login: The login, or None.
    :param password: The credential, or None.
    :param extra: The fields of the connection form by name, converted and with defaults.
    :param left_aside: What is wrong with fields that no launch depends on; they are None in ``extra``.
    """

    conn_id: str
    base_url: str | None
    login: str | None
    password: str | None = field(repr=False)
    extra: Mapping[str, Any] = field(repr=False)
    left_aside: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How messages call the connection."""
        return f"connection {self.conn_id!r}"

    @property
    def client_options(self) -> OptionArguments:
        """The options of the vendor's client, as its keyword arguments."""
        share = self.extra.get("look_share")
        chosen: OptionArguments = {} if share is None else {"look_share": share}
        return {
            **chosen,
            "base_url": self.base_url,
            "timeout": self.extra["timeout"],
            "rate_limit": self.extra["rate_limit"],
            "label": self.label,
            "dry_run": bool(self.extra["dry_run"]),
            "on_attempt": count_attempt,
        }

    def credential(self, what: str) -> str:
        """Return the password, or raise ``InvalidRequest`` that says where to put it."""
        if not self.password:
            raise InvalidRequest(f"Connection {self.conn_id!r} has no password: put the {what} there.")
        return self.password


def read_settings(connection: Connection, declared: Mapping[str, Any]) -> Settings:
    """
    Return a connection's settings, with the form's defaults applied and its rules checked; no I/O.

    :param connection: The Airflow connection.
    :param declared: The declaration of the connection type that it must have.
    :raises InvalidRequest: Names the connection and what is wrong with it.
    """
    label = f"Connection {connection.conn_id!r}"
    # First of all: the credential of another service must never be shown to this vendor.
    if connection.conn_type != declared["connection-type"]:
        raise InvalidRequest(
            f"{label} is {type_in_words(connection)}, not of type {declared['connection-type']!r}. Nothing was sent. "
            "Choose another connection, or change its type."
        )
    given = extra_of(connection)
    fields = declared["conn-fields"]
    _check_names(label, given, fields)
    read: dict[str, Any] = {}
    left_aside: list[str] = []
    for name, form_field in fields.items():
        try:
            read[name] = _read_field(label, name, given.get(name), form_field)
        except InvalidRequest as flaw:
            if name not in ONLY_SHOWN:
                raise
            left_aside.append(str(flaw))
            read[name] = None
    return Settings(
        conn_id=str(connection.conn_id),
        base_url=_base_url(connection, label),
        login=connection.login or None,
        password=connection.password or None,
        extra=read,
        left_aside=tuple(left_aside),
    )


def extra_of(connection: Connection) -> dict[str, Any]:
    """
    Return a connection's extra, empty where it has none.

    Airflow reads what is no JSON object as an empty one, and with it a ``dry_run`` that was meant.

    :raises InvalidRequest: It is something else than a JSON object.
    """
    text = connection.extra
    if not text or not text.strip():
        return {}
    try:
        extra = json.loads(text)
    except ValueError:
        extra = None
        what = "a Python literal" if _is_literal(text) else "no JSON"
    else:
        what = f"a JSON {_JSON_WORDS.get(type(extra), 'value')}"
        if isinstance(extra, str) and extra.lstrip().startswith("{"):
            what = "JSON within a JSON text, encoded twice"
    if not isinstance(extra, dict):
        raise InvalidRequest(
            f"Connection {connection.conn_id!r}: its extra is {what}. It must be a JSON object such as "
            '{"dry_run": true}.'
        )
    return extra


_JSON_WORDS: Mapping[type, str] = {str: "text", list: "list", int: "number", float: "number", bool: "boolean"}


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return True


def type_in_words(connection: Connection) -> str:
    """Return of which type a connection is, for a message."""
    return f"of type {connection.conn_type!r}" if connection.conn_type else "of no type"


def _check_names(label: str, given: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Refuse keys that no field has: a misspelt ``dry_run`` would let a launch go out."""
    for name in given:
        if name in fields:
            continue
        # As Airflow before 2.3 wrote them, with other separators, or in capitals.
        plain = re.sub(r"[^a-z0-9]", "", re.sub(r"^extra__.*?__", "", str(name).lower()))
        spelled = {known.replace("_", ""): known for known in fields}
        close = difflib.get_close_matches(plain, spelled, n=1, cutoff=0.6)
        hint = f"did you mean {spelled[close[0]]!r}?" if close else f"it may have {', '.join(fields)}."
        raise InvalidRequest(f"{label} has an unknown key {str(name)[:40]!r} in its extra: {hint}")


def _read_field(label: str, name: str, value: Any, form_field: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator

    schema = form_field["schema"]
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    value = _converted(value, types)
    # An empty text is what a form leaves behind, but no form does so for a switch: there a variable was not set.
    if value is None or (value == "" and "boolean" not in types):
        value = schema.get("default")
    if value is None and "null" not in types:
        raise InvalidRequest(f"{label} lacks {name!r} in its extra. {form_field['description']}")
    is_number = isinstance(value, float)
    if (is_number and not math.isfinite(value)) or not Draft202012Validator(schema).is_valid(value):
        raise InvalidRequest(
            f"{label}: {name!r} in its extra must be {_allowed(schema, types)}. {form_field['description']}"
        )
    return value


def _converted(value: Any, types: list[str]) -> Any:
    """Return a value in the type that the form declares; a connection URI and the older form carry text only."""
    if not isinstance(value, str) or "string" in types:
        return value
    try:
        if "boolean" in types:
            return BOOLEAN.convert(value)
        if "number" in types or "integer" in types:
            return float(value)
    except ValueError:
        return value
    return value


def _allowed(schema: Mapping[str, Any], types: list[str]) -> str:
    """Return in words what a field's schema allows."""
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "boolean" in types:
        return "true or false"
    if "number" in types or "integer" in types:
        limits = [
            f"{word} {schema[rule]:g}" for rule, word in (("minimum", "from"), ("maximum", "to")) if rule in schema
        ]
        return " ".join(["a number", *limits])
    return f"a text of the form {schema['pattern']}" if "pattern" in schema else "a text"


def _base_url(connection: Connection, label: str) -> str | None:
    host = (connection.host or "").strip()
    if connection.schema and connection.schema not in ("http", "https"):
        raise InvalidRequest(
            f"{label} has neither http nor https as its schema. Put the whole base URL into host; in a connection URI, "
            "percent-encode the host (https%3A%2F%2Fapi.example.com%2Fpath) and the password."
        )
    if not host:
        return None
    if connection.port:
        scheme, separator, rest = host.rpartition("://")
        name, slash, path = rest.partition("/")
        if re.search(r":\d+$", name):
            raise InvalidRequest(f"{label} has a port in its host and another as its port. Leave port empty.")
        host = f"{scheme}{separator}{name}:{connection.port}{slash}{path}"
    if connection.schema and "://" not in host:
        host = f"{connection.schema}://{host}"
    return host
