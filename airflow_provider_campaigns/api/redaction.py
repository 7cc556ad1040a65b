"""Vendors' words made fit for a log."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# With a plus, as one run of digits, or grouped as people write it; a UUID, a date and a decimal are none of these.
_PHONE = re.compile(
    r"\+\d[\d ().-]{6,18}\d"
    r"|(?<!\w)(?<!\w[.-])(?:\d{9,15}|\(?\d{2,4}\)?[ -]?\d{3,5}[ -]\d{4})(?!\w|[.-]\w)"
)
# How every JSON Web Token begins, as it is and in Base64 once more.
_TOKEN = re.compile(r"(?:eyJ|ZXlK)[\w-]{10,}[\w.+/=-]*")
# The address of a file may carry the right to read it.
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]+")


def written_forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return credentials in every form in which they may be repeated: in URLs, JSON, HTML, Base64; longest first."""
    forms: set[str] = set()
    for secret in secrets:
        escaped = json.dumps(secret)[1:-1]
        forms |= {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
        forms |= {escaped, escaped.replace("/", r"\/"), json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= {secret.encode("unicode_escape").decode(), repr(secret)[1:-1], secret.encode().decode("latin-1")}
        for shift in range(3):
            # What stands before and after changes the first and the last characters; those between are always there.
            packed = base64.b64encode(b"\0" * shift + secret.encode()).rstrip(b"=").decode()
            core = packed[4 if shift else 0 : -2]
            if len(core) >= 8:
                forms |= {core, core.replace("+", "-").replace("/", "_")}
    return tuple(sorted(filter(None, forms), key=len, reverse=True))


def without(secrets: tuple[str, ...], text: str) -> str:
    """
    Return a text, of any length, in which no credential is left.

    :param secrets: What :func:`written_forms` returned.
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    return _TOKEN.sub("***", text)


def redacted(text: str, secrets: tuple[str, ...], limit: int = 300) -> str:
    """
    Return a vendor's words fit for a log: no credential, nothing that looks like a phone number, not long.

    :param secrets: What :func:`written_forms` returned.
    """
    text = without(secrets, text)[: 20 * limit]
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    text = _PHONE.sub("[number]", _QUERY.sub(r"\1?...", " ".join(text.split())))
    return text if len(text) <= limit else f"{text[:limit]}…"
