"""What Airflow says about a task whose wait is cut off, for tests that run no Airflow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_campaigns.wait import ending
from airflow_provider_campaigns.wait.ending import TaskStates

Say = Callable[..., None]


@pytest.fixture
def airflow_says(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that lets Airflow say in which state the task and its run are."""

    def say(task: str | None, run: str | None = None) -> None:
        monkeypatch.setattr(ending, "states_of", lambda ti: TaskStates(task, run))

    return say
