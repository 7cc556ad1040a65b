"""Who may talk to the sandbox: programs on this machine, but no web page open in a browser on it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers


def refusal(headers: Headers) -> str | None:
    """
    Return why a request is refused, or None when it may pass.

    A page of any site can make a browser send requests to this machine. Under a name of its own that leads here, it
    could read the answers too: so ``Host`` must be this machine, and ``Origin``, if there is one, the sandbox itself.
    """
    host = headers.get("host", "")
    if not _is_this_machine(host):
        return f"Host: must be this machine, such as 127.0.0.1 or localhost, not {host!r}. The sandbox serves it alone."
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return f"Origin: a web page of {origin!r} may not use the sandbox. Use a program, or the address bar."
    return None


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"http://{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
