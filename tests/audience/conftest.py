"""What the tests of audiences share stands in listed.py, beside them; and a store of objects."""

from __future__ import annotations

import sys
from pathlib import Path

from object_store import bucket

__all__ = ["bucket"]

sys.path.insert(0, str(Path(__file__).parent))
