"""An answer of each vendor with which every method of its client goes on to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ITEM = {"id": "1", "_id": "1", "name": "Winter", "status": "Active"}
#: An answer with which every method goes on to its end.
ANSWERS: Mapping[str, Any] = {
    "kinbox": {**ITEM, "status": "paused", "data": []},
    "altur": {
        **ITEM,
        "campaigns": [],
        "contacts": [],
        "calls": [],
        "total_count": 0,
        "summary": {"created": 1},
        "campaign": {**ITEM, "status": "active"},
        "contact": ITEM,
    },
    "koreai": {**ITEM, "data": {**ITEM, "results": [], "totalResults": 0}},
}
