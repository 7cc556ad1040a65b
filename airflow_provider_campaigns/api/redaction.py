"""Vendors' words made fit for a log."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import string
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

#: What is left of a word, such as a status or an error's code.
MAX_WORD_CHARACTERS = 80

# What may stand between the digits of a number: whatever people write, as it is or escaped for URL, JSON or HTML.
# Quotes and brackets, and a comma before a blank, part one value from the next.
_BETWEEN = r"""(?:%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|&\#?\w{1,6};|,(?!\s)|_|[^\w"\[\]{},]){0,4}"""
_NUMBER = rf"""
    # Dates, UUIDs and ids of 24 hexadecimal digits are no phone numbers.
    (?P<kept>
        (?<!\d) 20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])
            (?: [T\ ]\d\d:\d\d (?: :\d\d (?:\.\d{{1,9}})? )? (?: Z | [+-]\d\d:?\d\d )? )? (?!\d)
        | (?<![0-9A-Fa-f]) [0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}} (?![0-9A-Fa-f])
        | (?<!\w) (?=[0-9]*[a-f]) [0-9a-f]{{24}} (?!\w)
    )
    # Anything else of eight digits or more may be one, however it is broken up.
    | [+(]{{0,2}} \d (?:{_BETWEEN} \d){{7,}}
    """
# How every JSON Web Token begins, as it is and in Base64 once more.
_TOKEN = re.compile(r"(?:eyJ|ZXlK)[\w-]{10,}[\w.+/=-]*")
# The address of a file may carry the right to read it.
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]+")


@functools.cache
def _number() -> re.Pattern[str]:
    # Compiled when it is used: parsing a DAG file must not pay for it.
    return re.compile(_NUMBER, re.VERBOSE)


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


def printable(text: str) -> str:
    """Return a text as one line that does nothing to a terminal, blanks standing for what cannot be printed."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)


def redacted(text: str, secrets: tuple[str, ...], limit: int = 300) -> str:
    """
    Return a vendor's words fit for a log: no credential, nothing that could be a phone number, not long.

    :param secrets: What :func:`written_forms` returned.
    :param limit: Characters that are left of it.
    """
    text = without(secrets, text)
    if len(text) > 20 * limit:
        # A number that is cut in two could no longer be recognised.
        text = text[: 20 * limit].rstrip(string.digits + string.punctuation + string.whitespace)
    text = _QUERY.sub(r"\1?...", " ".join(printable(text).split()))
    text = _number().sub(lambda found: found["kept"] or "[number]", text)
    return text if len(text) <= limit else f"{text[:limit]}…"


@functools.lru_cache(maxsize=256)
def status_word(word: str | None) -> str | None:
    """Return a vendor's own word for a status, fit for logs and XComs whatever the vendor put there."""
    return None if word is None else redacted(word, (), MAX_WORD_CHARACTERS)
