"""Answering in a test, as a person would, what asks for approval."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

#: Seconds between two looks for something to answer.
_INTERVAL = 0.2


@contextmanager
def answered_approvals(choice: str = "Approve", *, by: str = "Ana") -> Iterator[list[str]]:
    """
    Answer whatever asks for approval inside the ``with``, as a person does in the web interface.

    It needs Airflow 3.3: in ``dag.test()`` of older ones an approval's trigger is told nothing.

    :param choice: ``Approve`` or ``Reject``.
    :param by: The name of the person who answers.
    :return: The subjects of what was answered, a list that grows.
    :raises ValueError: There is no such choice.
    """
    if choice not in ("Approve", "Reject"):
        raise ValueError(f"choice: must be Approve or Reject, not {choice!r}")
    _load_models()
    subjects: list[str] = []
    over = threading.Event()

    def answer() -> None:
        while not over.wait(_INTERVAL):
            subjects.extend(_answer_all(choice, by))

    thread = threading.Thread(target=answer, name="approvals")
    thread.start()
    try:
        yield subjects
    finally:
        over.set()
        thread.join()


def _load_models() -> None:
    """Load Airflow's models here: two threads that load them for the first time wait for each other for ever."""
    from airflow.models.hitl import HITLDetail  # noqa: F401
    from sqlalchemy.orm import configure_mappers

    configure_mappers()


def _answer_all(choice: str, by: str) -> Iterator[str]:
    from airflow.models.hitl import HITLDetail
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        for detail in session.scalars(select(HITLDetail).where(HITLDetail.responded_at.is_(None))):
            if detail.task_instance.state != "awaiting_input":
                continue
            _note(detail, choice, by)
            _resume(detail, session)
            yield detail.subject


def _note(detail: Any, choice: str, by: str) -> None:
    from airflow.models.hitl import HITLUser

    detail.responded_by = HITLUser(id=by.lower(), name=by)
    detail.responded_at = datetime.now(UTC)
    detail.chosen_options = [choice]
    detail.params_input = detail.params_input or {}


def _resume(detail: Any, session: Any) -> None:
    from airflow.models.trigger import handle_event_submit
    from airflow.triggers.base import TriggerEvent

    event = TriggerEvent(detail.as_resume_event_payload())
    handle_event_submit(event, task_instance=detail.task_instance, session=session)
