"""`airflow campaigns list` and `show`: the board on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.testing.airflow_since import need

need("commands of providers")

pytestmark = pytest.mark.xdist_group("board")

Command = Callable[..., None]


@pytest.fixture
def airflow(kept: Any) -> Command:
    """Return a function that runs ``airflow campaigns`` with arguments."""
    from airflow.cli import cli_parser

    def run(*arguments: str) -> None:
        args = cli_parser.get_parser().parse_args(["campaigns", *arguments])
        args.func(args)

    return run


def test_a_table_has_a_line_for_each_campaign(airflow: Command, kept: Any, capsys: pytest.CaptureFixture[str]) -> None:
    kept.live(kept.launched(id="7", name="Winter"), status="running", progress=41.6)
    kept.launched(id="8", name="Summer", run_id="r2", status="finished", progress=100.0)
    airflow("list")
    lines = capsys.readouterr().out.splitlines()
    assert any({"7", "Winter", "Kinbox", "running", "42", "winter"} <= set(line.split()) for line in lines)
    assert any({"8", "Summer", "finished", "100"} <= set(line.split()) for line in lines)


def test_json_is_what_the_board_s_api_gives(
    airflow: Command, ask: Any, kept: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.live(kept.launched(name="Verão"))
    airflow("list", "--output", "json")
    assert json.loads(capsys.readouterr().out) == ask("admin").json()["campaigns"]


def test_filters_and_pages(airflow: Command, kept: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        kept.launched(map_index=number, name=f"W{number}", age=timedelta(hours=number))
    kept.launched("summer", vendor="Altur", name="S", status="failed", age=timedelta(hours=9))

    def found(*arguments: str) -> list[str]:
        airflow("list", "-o", "json", *arguments)
        return [one["name"] for one in json.loads(capsys.readouterr().out)]

    assert found("--vendor", "altur") == ["S"]
    assert found("--status", "running", "--limit", "2") == ["W0", "W1"]
    assert found("--dag-id", "winter", "--offset", "2") == ["W2"]
    assert found("--trouble-first", "--limit", "1") == ["S"]
    assert found("--until", "2026-03-05T04:00") == ["S"]
    airflow("list", "--limit", "2")
    assert "4 campaigns in all; --offset 2 shows more." in capsys.readouterr().err


def test_one_campaign_is_shown_whole(airflow: Command, kept: Any, capsys: pytest.CaptureFixture[str]) -> None:
    kept.launched(id="7", name="Winter", approved_by={"id": "1", "name": "ana"})
    airflow("show", "7")
    shown = capsys.readouterr().out
    assert "name ana" in shown
    assert "sent 5" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "404"), "launched no campaign '404'"),
        (("list", "--status", "nice"), "--status must be one of draft, .* got 'nice'"),
        (("list", "--since", "soon"), "--since must be a time in ISO 8601"),
        (("list", "--run-id", "r1"), "--run-id needs --dag-id"),
    ],
)
def test_what_makes_no_sense_or_is_not_there_is_told(
    airflow: Command, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SystemExit, match=message):
        airflow(*arguments)


def test_each_start_of_airflow_loads_the_definitions_alone() -> None:
    script = (
        "import sys; from airflow_provider_campaigns.observe.commands import campaign_commands; campaign_commands(); "
        "print([name for name in sys.modules if name.startswith('airflow_provider_campaigns.observe.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['airflow_provider_campaigns.observe.commands']"
    assert get_provider_info()["cli"] == ["airflow_provider_campaigns.observe.commands.campaign_commands"]


def test_each_process_that_loads_plugins_loads_no_app() -> None:
    script = (
        "import sys; import airflow_provider_campaigns.observe.plugin; "
        "print([name for name in sys.modules if name.startswith(('airflow_provider_campaigns.observe.', 'fastapi'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert loaded == "['airflow_provider_campaigns.observe.plugin']"
