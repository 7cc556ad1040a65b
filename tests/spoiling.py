"""Spoiling an answer: values that no page mentions, bytes that are cut off or broken, statuses and headers."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

REFUSALS: tuple[Any, ...] = (
    {"error": "INVALID_STATUS_TRANSITION", "message": "no", "current_status": "finished", "valid_targets": []},
    {"detail": "Request was throttled. Expected available in 1 seconds."},
    {"errors": [{"msg": "Validation errors", "code": 412}]},
    {"status": "failed", "message": "You've exceeded the per-minute rate limit."},
    {"statusCode": 400, "message": ["name must be a string"], "error": "Bad Request"},
    {"success": False, "error": 500, "message": "no"},
)
_DEEP: Any = None
for _ in range(200):
    _DEEP = [_DEEP]

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**63, 2**70, 10**400, -0.0, 0.5, 1e308, 1e-320, 99.999999),
    *(float("inf"), float("-inf"), float("nan")),
    *("", " ", "7", "8", "None", "null", "true", "0x10", "1_000", "1e5", "-1", "+7", "\u0667", "²", "NaN", "Infinity"),
    *("9" * 5000, "x" * 100_000, "\x00", "\n", "\x1b[31m", "\ud800", "🦜", "../..", "%2e%2e", "a/b", "{}", "{0}"),
    *("2026-99-99T99:99:99Z", "2026-01-01", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00"),
    *("failed", "error", "Active", "active", "finished", "done", "rate limit exceeded", "not found", "<html>"),
    *(
        [],
        {},
        [[]],
        [{}],
        [None],
        [1],
        ["x"],
        [[1], {"x": 1}],
        {"x": None},
        {"": {}},
        {"id": None},
        {"id": {}},
        {"id": []},
    ),
    *({"message": {"message": ["x"]}}, [{"id": "7"}] * 3, {"cursor": "x"}, _DEEP, [{"name": "x"}]),
)
STATUSES = (
    200,
    200,
    200,
    200,
    200,
    200,
    201,
    202,
    204,
    206,
    299,
    300,
    302,
    304,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
)
STATUSES += (410, 412, 422, 429, 451, 499, 500, 501, 502, 503, 504, 599, 600, 999)
HEADERS: Mapping[str, tuple[str, ...]] = {
    "Retry-After": ("", "0", "-1", "1e400", "nan", "x", "9" * 400, "Sat, 99 Nov 2026 12:00:30 GMT", "Thu, 01 Jan 9999"),
    "Content-Type": ("text/html", "application/json; charset=utf-16", "", "\x00", "x" * 9000),
    "Content-Encoding": ("gzip", "deflate", "GZIP ", "br", "gzip, gzip", ""),
    "Location": ("", "//", "http://[", "https://elsewhere.example", "x" * 9000, "\x1b[2J", "http://[::1]:x"),
    "X-Request-Id": ("", "r" * 9000, "\x1b[31m", "é"),
}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if len(path) < 12 and isinstance(value, dict):
        for name in value:
            yield from _paths(value[name], (*path, name))
    elif len(path) < 12 and isinstance(value, list):
        for index in range(min(len(value), 5)):
            yield from _paths(value[index], (*path, index))


def _spoiled_once(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with one thing in it changed; the value given may change as well."""
    path = chance.choice(list(_paths(value)))
    odd = copy.deepcopy(chance.choice(ODD))
    if not path:
        return chance.choice((odd, [value], {"data": value}, {"x": value}, [value, odd]))
    *way, last = path
    parent = value
    for step in way:
        parent = parent[step]
    own = parent[last]
    act = chance.randrange(8)
    if act == 0:
        del parent[last]
    elif act == 1:
        parent[last] = [own]
    elif act == 2:
        parent[last] = {"x": own, "id": own}
    elif act == 3:
        parent[last] = str(own)
    elif act == 4 and isinstance(parent, list):
        parent.extend(copy.deepcopy([own] * chance.choice((1, 2, 150))))
    elif act == 5 and isinstance(parent, dict):
        parent[chance.choice(list(parent))] = copy.deepcopy(own)
    elif act == 6 and isinstance(own, (int, float)) and not isinstance(own, bool):
        parent[last] = chance.choice((-own, own * 10**6, own / 2 if abs(own) < 2**60 else 0.5, own + 1, f" {own} "))
    else:
        parent[last] = odd
    return value


def _spoiled_bytes(body: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(body) + 1)
    return chance.choice(
        (
            body[:place],
            body[place:],
            body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :],
            body[:place] + b"\xff\xfe" + body[place:],
            b"\xef\xbb\xbf" + body,
            body + body,
            b" " * 1000 + body,
            body.decode("utf-8", "replace").encode("utf-16"),
            b"<html>" + body,
            b"",
            b"[" * 100_000,
        )
    )


def written(sample: Any) -> bytes:
    return sample if isinstance(sample, bytes) else json.dumps(sample).encode()


def spoiled(sample: Any, chance: random.Random) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer that was a documented one."""
    value = copy.deepcopy(chance.choice(REFUSALS) if chance.random() < 0.1 else sample)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
        if isinstance(value, bytes):
            value = _spoiled_bytes(value, chance)
            continue
        value = _spoiled_once(value, chance)
    body = written(value)
    if chance.random() < 0.15:
        body = _spoiled_bytes(body, chance)
    headers = {}
    if chance.random() < 0.2:
        name = chance.choice(list(HEADERS))
        headers[name] = chance.choice(HEADERS[name])
    return (chance.choice(STATUSES) if chance.random() < 0.4 else 200), headers, body
