"""Where an API may be: the rules for a base URL."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from airflow_provider_campaigns.api import errors

#: A name in any alphabet, or an address of version 6 in brackets; then a port. Python's own reader takes a name for
#: what stands in brackets and passes over what follows them.
_PLACE = re.compile(r"(?:[\w.-]+|\[[\w:.%]+\])(?::\d+)?")


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normalised_base_url(given: str | None, default: str) -> str:
    """
    Return the base URL to use, without a trailing slash.

    :param given: What the user configured: with or without a scheme (``https`` is assumed), or nothing.
    :param default: The vendor's own.
    :raises InvalidRequest: For plain ``http`` to anything but this machine, and for what is no base URL.
    """
    url = (given or "").strip() or default
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if (
        not host
        or parts.scheme not in ("http", "https")
        or not _PLACE.fullmatch(parts.netloc)
        or not url.isprintable()
        or " " in url
    ):
        raise errors.InvalidRequest(
            "host must be a base URL such as https://api.example.com, without credentials in it."
        )
    if "?" in url or "#" in url:
        raise errors.InvalidRequest("host must be a base URL without '?' or '#'.")
    if parts.scheme == "http" and not is_loopback(host):
        raise errors.InvalidRequest(
            f"host must begin with https:// (got http://{host}): plain http would send the credential unencrypted. "
            "It is accepted for this machine (127.0.0.1, localhost) only."
        )
    return url.rstrip("/")
