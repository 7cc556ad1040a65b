"""Altur's recordings of calls: where one is, as a call's row tells it, and its download."""

from __future__ import annotations

import re
from typing import IO, ClassVar
from urllib.parse import SplitResult, unquote, urlsplit

from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.redaction import printable
from airflow_provider_campaigns.api.transport import Transport

GET_RECORDING = Endpoint("GET", "/call/{call_id}/recording", recipients=True, binary=True)

_PATH = re.compile(r"(?:/[^/]+)*/call/(?P<call_id>[^/]+)/recording/?")
_PORTS = {"https": 443, "http": 80}


class AlturRecordings:
    """The part of ``AlturClient`` that downloads recordings."""

    vendor: ClassVar[str]
    transport: Transport

    def download_recording(self, recording_url: str, into: IO[bytes]) -> str:
        """
        Write a call's recording to a file.

        The API key goes to the account's own host alone, and no redirect is followed.

        :param recording_url: ``recording_url`` of a call's row: ``/api/v1.0/call/<id>/recording``, or the same with
            the account's own host.
        :param into: The file, which holds nothing but the recording afterwards.
        :return: The ``Content-Type`` that Altur answered, in lower case and without parameters; no page names the
            format. Empty if it answered none.
        :raises InvalidRequest: The recording is at another host or path; nothing was sent.
        :raises NotFound: The call has no recording.
        :raises UnreadableAnswer: What came is larger than 1 GiB, or a page or JSON and no recording.

        See https://docs.altur.io/es/api-reference/campaigns/retrieve-calls
        """
        place = recording_place(recording_url, self.transport.base_url)
        answer = self.transport.call(GET_RECORDING, path=place, into=into)
        return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def recording_place(recording_url: str, base_url: str) -> dict[str, str]:
    """
    Return whose recording a URL leads to, as the values for the endpoint's path.

    :param recording_url: As for ``download_recording``.
    :param base_url: Where the account's API is.
    :raises InvalidRequest: The URL leads to another host, or is no recording's.
    """
    try:
        # Python reads None as an address of bytes.
        parts = urlsplit(recording_url if isinstance(recording_url, str) else "//[")
        foreign = bool(parts.scheme or parts.netloc) and _origin(parts) != _origin(urlsplit(base_url))
    except ValueError:
        raise InvalidRequest("recording_url must be an address that can be read.") from None
    if foreign:
        host = printable((parts.hostname or parts.scheme)[:100])
        raise InvalidRequest(
            f"recording_url leads to {host}, which is not the account's own address. Nothing was asked there, since "
            "the API key would have gone along."
        )
    found = None if parts.query or parts.fragment else _PATH.fullmatch(parts.path)
    if not found:
        raise InvalidRequest("recording_url must end with /call/<id>/recording, as Altur's pages show it.")
    return {"call_id": unquote(found["call_id"])}


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """Return scheme, host and port, and whether there is a user: an account's own address has none."""
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), "@" in parts.netloc
