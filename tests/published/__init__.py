"""What the vendors publish about their requests, as JSON schemas, and the check of a request that went out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jsonschema import Draft202012Validator
from wire import Received

#: ISO 8601 in UTC with milliseconds, as in all samples.
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
TEXT = {"type": "string", "minLength": 1}
NOTHING: Mapping[str, Any] = {"type": "object", "maxProperties": 0}


def text(longest: int) -> dict[str, Any]:
    """Return the schema of a text that is not empty and has a limit."""
    return {**TEXT, "maxLength": longest}


def one_of(*values: Any) -> dict[str, Any]:
    """Return the schema of these values."""
    return {"enum": list(values)}


def several(items: Mapping[str, Any], **limits: int) -> dict[str, Any]:
    """Return the schema of an array."""
    return {"type": "array", "items": items, **limits}


def number_as_text(lowest: int, highest: int) -> dict[str, Any]:
    """Return the schema of a whole number in a query."""
    return {"type": "string", "enum": [str(number) for number in range(lowest, highest + 1)]}


def properties(needed: Sequence[str] = (), /, **known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has no other properties than these."""
    return {
        "type": "object",
        "properties": known,
        "required": list(dict.fromkeys(needed)),
        "additionalProperties": False,
    }


@dataclass(frozen=True)
class Operation:
    """
    A request that a vendor publishes.

    :param method: The verb.
    :param path: The path below the base URL, with names in braces.
    :param query: The schema of its query; every value is a text.
    :param body: The schema of its body, or None for a request without one.
    :param may_lack_body: Whether a request without a body will do as well.
    :param headers: The header names that may come besides those of every request, with their patterns.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    body: Mapping[str, Any] | None = None
    may_lack_body: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Draft202012Validator.check_schema(self.query)
        Draft202012Validator.check_schema(self.body or {})

    def fits(self, request: Received) -> bool:
        """Whether a request is one of this kind by its verb and path."""
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path))
        return request.method == self.method and bool(re.fullmatch(pattern, urlsplit(request.target).path))

    def flaws(self, request: Received) -> list[str]:
        """Return in what a request is not as it is published."""
        given = parse_qs(urlsplit(request.target).query, keep_blank_values=True, strict_parsing=False)
        doubled = [f"query: {name} comes {len(values)} times" for name, values in given.items() if len(values) > 1]
        query = {name: values[0] for name, values in given.items()}
        return [*doubled, *errors("query", self.query, query), *self._flaws_of_body(request)]

    def _flaws_of_body(self, request: Received) -> list[str]:
        if self.body is None:
            return ["there is a body"] if request.body else []
        if not request.body:
            return [] if self.may_lack_body else ["there is no body"]
        kind = request.headers.get("content-type")
        told = [] if kind == "application/json" else [f"the Content-Type is {kind}"]
        return [*told, *errors("body", self.body, json.loads(request.body))]


def errors(where: str, schema: Mapping[str, Any], value: Any) -> list[str]:
    """Return in what a value breaks a schema."""
    found = Draft202012Validator(schema).iter_errors(value)
    return [f"{where}{error.json_path[1:]}: {error.message}" for error in found]


@dataclass(frozen=True)
class Published:
    """
    What a vendor publishes.

    :param operations: Its requests.
    :param headers: The headers of every request, with their patterns.
    """

    operations: Sequence[Operation]
    headers: Mapping[str, str]

    def operation(self, request: Received) -> Operation | None:
        """Return what a request is."""
        return next((one for one in self.operations if one.fits(request)), None)

    def flaws(self, request: Received) -> list[str]:
        """Return in what a request is not as it is published, empty if it is."""
        operation = self.operation(request)
        if operation is None:
            return [f"{request.method} {unquote(request.target)} is nowhere published"]
        wrong = [
            f"header {name}: {request.headers.get(name)!r}"
            for name, pattern in {**self.headers, **operation.headers}.items()
            if not re.fullmatch(pattern, request.headers.get(name, ""))
        ]
        return [f"{operation.method} {operation.path}: {flaw}" for flaw in [*wrong, *operation.flaws(request)]]
