"""How long the clients of these tests wait for an answer."""

from __future__ import annotations

import pytest
from wire import hangs

#: The names of silences among the parameters of tests, and what plays one.
SILENCES = ("timeout", "slow", hangs)
#: Seconds; a slow answer takes longer.
IMPATIENT = 0.5


@pytest.fixture
def patience(request: pytest.FixtureRequest) -> float:
    """Seconds until a client gives up: few where a test has a silence among its parameters, else many."""
    parameters = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    return IMPATIENT if any(silence in parameters for silence in SILENCES) else 30.0
