"""Declared arguments: checked at parse time also in partial(), and errors that a mapped task never retries."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments import kinds
from airflow_provider_campaigns.arguments.declared import DeclaredArguments, UnknownArgument


class Waits(DeclaredArguments, BaseOperator):
    arguments = {"start": kinds.BOOLEAN, "wait_timeout": kinds.DURATION, "dry_run": kinds.BOOLEAN}
    kept_as = {"dry_run": "is_dry_run"}
    template_fields = ("start", "is_dry_run")

    def __init__(
        self,
        *,
        start: Any = True,
        wait_timeout: Any = 60,
        scheduled_to: Any = None,
        dry_run: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.wait_timeout = wait_timeout
        self.is_dry_run = dry_run
        self.check_visible_arguments()


class Sends(Waits):
    def __init__(self, *, wait_until: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)


@pytest.mark.parametrize(("name", "value"), [("start", "no"), ("wait_timeout", -5), ("dry_run", "false")])
def test_what_can_be_seen_to_be_wrong_is_refused_when_the_dag_is_parsed(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=rf"Task 'send': {name} must be "):
        Sends(task_id="send", **{name: value})


@pytest.mark.parametrize(("name", "value"), [("start", "no"), ("wait_timeout", -5), ("dry_run", "false")])
def test_so_it_is_in_partial(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=rf"Task 'send': {name} must be "):
        Sends.partial(task_id="send", **{name: value})


def test_a_template_is_read_when_it_is_rendered() -> None:
    with DAG("sends", schedule=None) as dag:
        task = Sends(task_id="send", start="{{ params.go }}", dry_run="{{ params.dry }}")
    task.render_template_fields({"params": {"go": False, "dry": "true"}, "dag": dag})
    assert task.argument("start") is False
    assert task.argument("dry_run") is True
    task.render_template_fields({"params": {}, "dag": dag})
    task.start = "perhaps"
    with pytest.raises(InvalidRequest, match="start must be True or False"):
        task.argument("start")


def test_a_mapped_task_refuses_for_good() -> None:
    with DAG("sends", schedule=None):
        mapped = Sends.partial(task_id="send").expand(start=["no"])
    with pytest.raises(AirflowFailException, match="Task 'send': start must be True or False"):
        mapped.unmap({"start": "no"})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("schedule_to", "scheduled_to"), ("scheduledTo", "scheduled_to"), ("wait_for_completion", "wait_until")),
        *(("dryrun", "dry_run"), ("Start", "start"), ("waittimeout", "wait_timeout")),
    ],
)
def test_a_misspelt_argument_is_told_the_one_that_was_meant(written: str, meant: str) -> None:
    with pytest.raises(UnknownArgument, match=rf"has no argument '{written}'. Did you mean '{meant}'") as refused:
        Sends(task_id="send", **{written: "+5511999990000"})
    assert "+55" not in str(refused.value)
    assert isinstance(refused.value, TypeError)


def test_an_argument_like_no_other_is_named_alone() -> None:
    with pytest.raises(UnknownArgument, match=r"Sends has no argument 'zzz'\.$"):
        Sends(task_id="send", zzz=1)


def test_multiple_outputs_are_refused_at_parse_time() -> None:
    with pytest.raises(InvalidRequest, match="Task 'send': multiple_outputs=True does not work"):
        Sends(task_id="send", multiple_outputs=True)
