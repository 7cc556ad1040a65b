"""Files that the sandbox serves, such as a list of recipients whose address a campaign names."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

#: Where they are, below the control routes.
FILES_PREFIX = "/_sandbox/files"


class HostedFiles:
    """The files by name; they are gone when the sandbox is reset."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        """Serve a file under a name from now on, in the place of an earlier one of that name."""
        self._contents[name] = content

    def get(self, name: str) -> bytes | None:
        """Return a file, or None if there is none of that name."""
        return self._contents.get(name)

    def clear(self) -> None:
        """Forget all files."""
        self._contents.clear()

    def name_of(self, url: str, host: str) -> str | None:
        """
        Return the name of the file that an address means if it is the sandbox's own, else None.

        :param url: The address.
        :param host: The ``Host`` header of a request to the sandbox: by it the sandbox knows where it is.
        """
        try:
            parts, own = urlsplit(url), urlsplit(f"//{host}")
            same = parts.port == own.port and is_here(parts.hostname) and parts.path.startswith(f"{FILES_PREFIX}/")
        except ValueError:
            return None
        return unquote(parts.path.removeprefix(f"{FILES_PREFIX}/")) if same else None


def is_here(host: str | None) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
