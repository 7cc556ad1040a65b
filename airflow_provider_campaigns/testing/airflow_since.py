"""What came with which Airflow: where it is missing, a test is skipped and says what it needs and since when."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from types import MappingProxyType

import pytest

#: The minor version of Airflow with which each thing came. Tests name the thing; which version has it stands here.
SINCE: Mapping[str, str] = MappingProxyType(
    {
        "airflow.sdk": "3.0",
        "asset watchers": "3.0",
        "a REST API and parts as the whole Airflow of these tests uses them": "3.0",
        "links of decorated tasks": "3.0",
        "names of task groups for people": "3.0",
        "one line to Airflow over which a task asks": "3.0",
        "outputs of tasks that a stub of a task instance can resolve": "3.0",
        "reschedules that a sensor is told of and does not read from the database": "3.0",
        "rendered fields as they are after execute": "3.0",
        "ApprovalOperator": "3.1",
        "apps of plugins in the API server": "3.1",
        "airflow.sdk.serde": "3.2",
        "commands of providers": "3.2",
        "encoders of triggers": "3.2",
        "approvals in dag.test()": "3.3",
        "callbacks that are told the exception in dag.test()": "3.3",
        "the state awaiting_input": "3.3",
        "retry policies": "3.3",
        "shared streams of triggers": "3.3",
        "task_state_store": "3.3",
        "XComs that a trigger writes": "3.3",
        "triggers that are told of a kill": "3.3",
        "triggers that share and remember": "3.3",
    }
)
#: What also Airflow 2 has, and the versions between lack.
IN_AIRFLOW_2 = frozenset({"callbacks that are told the exception in dag.test()"})


def _version(text: str) -> list[int]:
    return [int(part) for part in text.split(".")[:2]]


def airflow_has(thing: str) -> bool:
    """
    Return whether the installed Airflow has something.

    :param thing: A key of :data:`SINCE`.
    """
    installed = _version(importlib.metadata.version("apache-airflow"))
    return _version(SINCE[thing]) <= installed or (thing in IN_AIRFLOW_2 and installed[0] == 2)


def needs(thing: str) -> pytest.MarkDecorator:
    """
    Return the mark of tests that need something.

    :param thing: A key of :data:`SINCE`.
    """
    return pytest.mark.skipif(not airflow_has(thing), reason=_reason(thing))


def need(thing: str) -> None:
    """
    Skip the test that runs, or the module that is imported, if the installed Airflow lacks something.

    :param thing: A key of :data:`SINCE`.
    """
    if not airflow_has(thing):
        pytest.skip(_reason(thing), allow_module_level=True)


def _reason(thing: str) -> str:
    also = " and in Airflow 2" if thing in IN_AIRFLOW_2 else ""
    return f"needs {thing}, which Airflow has since {SINCE[thing]}{also}"
