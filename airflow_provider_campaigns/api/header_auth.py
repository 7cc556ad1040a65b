"""How a credential gets into a request: as headers alone, made anew for each attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from requests import PreparedRequest
    from requests.auth import AuthBase


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    """
    Puts headers on each attempt; ``repr`` shows nothing of them.

    :param headers: Returns the headers of one attempt: a signed token may serve only once.
    """

    headers: Callable[[], Mapping[str, str]] = field(repr=False)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the headers to a request that is about to be sent."""
        request.headers.update(self.headers())
        return request


def header_auth(headers: Callable[[], Mapping[str, str]]) -> AuthBase:
    """Return what adds these headers to each attempt, without the HTTP library being loaded for it."""
    return cast("AuthBase", HeaderAuth(headers))  # requests takes any callable
