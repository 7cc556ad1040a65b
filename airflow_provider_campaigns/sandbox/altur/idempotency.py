"""What the sandbox's Altur remembers of each ``Idempotency-Key``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from airflow_provider_campaigns.sandbox.altur.checks import refusal


class RememberedAnswers:
    """The successes by credential, path and ``Idempotency-Key``, until the sandbox is reset."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str], tuple[bytes, int, dict[str, Any]]] = {}

    async def remembered(self, request: Request) -> Response | None:
        """Return the first answer to an ``Idempotency-Key`` that is known, or 409 when the body is another."""
        key = self._key_of(request)
        if key is None or key not in self._answers:
            return None
        body, status, answer = self._answers[key]
        if body != await request.body():
            return refusal(409, "IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used with another body")
        return JSONResponse(answer, status_code=status)

    async def answer(self, request: Request, status: int, answer: dict[str, Any]) -> Response:
        """Return a success, and remember it under its ``Idempotency-Key``."""
        key = self._key_of(request)
        if key is not None:
            self._answers[key] = (await request.body(), status, answer)
        return JSONResponse(answer, status_code=status)

    def _key_of(self, request: Request) -> tuple[str, str, str] | None:
        key = request.headers.get("idempotency-key")
        return (request.headers.get("authorization", ""), request.url.path, key) if key else None

    def forget(self) -> None:
        """Forget all of them, as if the vendor's window had passed."""
        self._answers.clear()
