"""Vendors' words made fit for a log."""

from __future__ import annotations

import re

# With a plus, as one run of digits, or grouped as people write it; a UUID, a date and a decimal are none of these.
_PHONE = re.compile(
    r"\+\d[\d ().-]{6,18}\d"
    r"|(?<!\w)(?<!\w[.-])(?:\d{9,15}|\(?\d{2,4}\)?[ -]?\d{3,5}[ -]\d{4})(?!\w|[.-]\w)"
)


def redacted(text: str, secrets: tuple[str, ...], limit: int = 300) -> str:
    """Return a vendor's words fit for a log: no credential, nothing that looks like a phone number, not long."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = "".join(letter if letter.isprintable() else " " for letter in text[: 20 * limit])
    text = _PHONE.sub("[number]", " ".join(text.split()))
    return text if len(text) <= limit else f"{text[:limit]}…"
