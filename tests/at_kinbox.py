"""An account at the sandbox's Kinbox."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

TOKEN = "kb_live_very-secret"
LABEL = "connection 'kinbox_default'"
#: Ways for an answer to get lost; ``slow`` is slower than the client's patience.
LOST = {
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "error": {"kind": "error", "status": 503},
    "cut_off": {"kind": "cut_off"},
    "html": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 1.0},
}
PROCESSING, CHUNK, CHUNK_PAUSE, TRACKING = 5, 80, 30, 30
Requests = Callable[[], dict[str, int]]
Campaigns = Callable[[], list[dict[str, Any]]]


def _serve_once(body: bytes) -> str:
    """Answer one request with 201 and a body, on a port of its own; return the base URL."""
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65536)
            head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
