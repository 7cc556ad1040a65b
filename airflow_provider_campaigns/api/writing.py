"""A request as it is written: signed, as JSON, and refused if HTTP or JSON cannot carry it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True, slots=True)
class Call:
    """
    What is asked of a vendor.

    :param endpoint: What to call.
    :param path: Values for the places in its path.
    :param query: Query parameters; those that are None are left out.
    :param body: What to send as JSON, or JSON as bytes, or None for no body.
    :param idempotency_key: Sent as ``Idempotency-Key``; the same one on every attempt.
    :raises InvalidRequest: For an empty key, by which a vendor could not tell two requests apart.
    """

    endpoint: Endpoint
    path: Mapping[str, str] | None = None
    query: Mapping[str, Any] | None = None
    body: Any = field(default=None, repr=False)
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        if self.idempotency_key is not None and not self.idempotency_key.strip():
            raise InvalidRequest("idempotency_key must not be empty: a vendor could not tell two requests apart.")


def signed(call: Call, session: requests.Session, base_url: str, label: str) -> requests.PreparedRequest:
    """
    Return a call as a request with its credential, ready to be sent; no error holds a header or a body.

    :param session: Signs it.
    :param label: How messages call the account.
    :raises InvalidRequest: HTTP or JSON cannot carry it.
    """
    import requests

    endpoint = call.endpoint
    headers = {"Accept": "*/*" if endpoint.binary else "application/json"}
    data = None
    if call.body is not None:
        data = _as_json(endpoint, call.body)
        headers["Content-Type"] = "application/json"
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
    url = base_url + endpoint.path_with(call.path or {})
    params = {name: value for name, value in (call.query or {}).items() if value is not None}
    try:
        prepared = session.prepare_request(
            requests.Request(endpoint.method, url, params=params, data=data, headers=headers)
        )
    except (requests.RequestException, UnicodeError):
        prepared = None
    if prepared is None:
        raise InvalidRequest(f"{endpoint} of {label} cannot be written as an HTTP request: check host and credential.")
    for name, value in prepared.headers.items():
        if isinstance(value, str) and not (value.isascii() and value.isprintable()):
            raise InvalidRequest(
                f"{endpoint} of {label} cannot be sent: the header {name} would hold a line break or "
                "another character that no header can carry. Was a credential copied with something around it?"
            )
    return prepared


def _as_json(endpoint: Endpoint, body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        flaw = "cannot send text that UTF-8 cannot write"
    except (TypeError, ValueError, RecursionError) as error:
        flaw = f"cannot send a value as JSON: {error}"
    # Out here: the errors above have the body in their frames.
    raise InvalidRequest(f"{endpoint} {flaw}.")
