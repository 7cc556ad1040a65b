"""What Kore.ai checks in the token of each request."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import Any

import jwt

from airflow_provider_campaigns.sandbox.vendor import accepts

MAX_SECONDS_WITH_JTI = 3600
#: The one secret that the sandbox refuses; it takes any other, so only this one's signature is checked.
REFUSED_SECRET = "invalid"  # noqa: S105
_LEEWAY_SECONDS = 60


class TokenChecks:
    """The rules for tokens, and the memory of those that may be used only once."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def fault_of(self, token: str | None, now: float) -> tuple[str, int] | None:
        """
        Return the vendor's message and code about a token, None when all is fine.

        :param token: The header's value.
        :param now: Real time, epoch seconds.
        """
        if not token:
            return "Invalid SDK credentials", 4002
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return "Invalid JWT token", 4002
        if header.get("alg") != "HS256" or not accepts(_text(claims, "appId")) or _has_refused_signature(token):
            return "Invalid SDK credentials", 4002
        issued, expires = claims.get("iat"), claims.get("exp")
        if isinstance(issued, (int, float)) and issued > now + _LEEWAY_SECONDS:
            return "error verifying the jwt: used before it was issued", 401
        if isinstance(expires, (int, float)) and expires <= now:
            return "error verifying the jwt: jwt expired", 401
        return self._fault_of_jti(claims, now) if "jti" in claims else None

    def _fault_of_jti(self, claims: Mapping[str, Any], now: float) -> tuple[str, int] | None:
        expires = claims.get("exp")
        if not isinstance(expires, (int, float)) or expires - now > MAX_SECONDS_WITH_JTI:
            return 'error verifying the jwt: if "jti" claim "exp" must be <= 1 hour(s)', 401
        self._used = {jti: until for jti, until in self._used.items() if until > now}
        jti = str(claims["jti"])
        if jti in self._used:
            return "error verifying the jwt: possibly a replay", 401
        self._used[jti] = float(expires)
        return None


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None


def _has_refused_signature(token: str) -> bool:
    signed, _, signature = token.rpartition(".")
    refused = base64.urlsafe_b64encode(hmac.digest(REFUSED_SECRET.encode(), signed.encode(), "sha256"))
    return signature == refused.decode().rstrip("=")
