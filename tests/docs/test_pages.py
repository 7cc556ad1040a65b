"""The documentation's pages against the code: samples, commands, connections, messages, arguments, navigation."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.providers.common.compat.sdk import Connection
from docs.write_samples import sample

from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.hooks.connection_types import needed_declaration
from airflow_provider_campaigns.hooks.settings import read_settings
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.sandbox import __main__ as sandbox_command
from airflow_provider_campaigns.sandbox.app import create_app
from airflow_provider_campaigns.sensors.campaign import CampaignSensor
from airflow_provider_campaigns.triggers.campaign import CampaignEventTrigger

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PACKAGE = REPOSITORY / "airflow_provider_campaigns"
PAGES = {str(path.relative_to(DOCS)): path.read_text() for path in sorted(DOCS.rglob("*.md"))}
README = (REPOSITORY / "README.md").read_text()
#: Where files are that a test runs: see test_samples.py, tests/integration for the examples, and make test-outside.
RUN_BY_TESTS = ("tests/docs/samples/", "example_dags/", "tests/outside_vendor/")
#: A sample that the site's builder includes, and one that is written out on the page; make samples does it.
INCLUDED = re.compile(r'--8<-- "([^"]+)"')
WRITTEN = re.compile(r"^<!-- sample: (\S+) -->\n\n```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAMPLES = [(page, *found) for page, text in PAGES.items() for found in WRITTEN.findall(text)]
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def fences(language: str, texts: Iterable[str]) -> list[str]:
    return [body for text in texts for found, body in FENCE.findall(text) if found == language]


SHELL = [line for body in fences("console", [*PAGES.values(), README]) for line in body.splitlines() if line.strip()]


# Samples


@pytest.mark.parametrize("body", fences("python", PAGES.values()))
def test_python_on_a_page_is_a_piece_of_a_file_that_a_test_runs(body: str) -> None:
    included = INCLUDED.fullmatch(body.strip())
    names = [included[1]] if included else [name for _, name, language, text in SAMPLES if text == body]
    assert names, f"write this into a file under tests/docs/samples: {body[:200]}"
    file, _, section = names[0].partition(":")
    assert file.startswith(RUN_BY_TESTS)
    assert not section or f"[start:{section}]" in (REPOSITORY / file).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_samples_are_written_out_on_the_pages_as_they_are_in_their_files(page: str) -> None:
    for _, name, _, body in [one for one in SAMPLES if one[0] == page]:
        assert body == sample(name), f"{name} has changed since: make samples"


def test_every_sample_is_on_a_page() -> None:
    files = (DOCS.parent / "tests/docs/samples").rglob("*")
    samples = {str(path.relative_to(REPOSITORY)) for path in files if path.suffix in (".py", ".csv", ".jsonl")}
    shown = {name.partition(":")[0] for text in PAGES.values() for name in INCLUDED.findall(text)}
    shown |= {name.partition(":")[0] for _, name, _, _ in SAMPLES}
    # Further contacts, which a sample on a page reads.
    assert samples - shown == {"tests/docs/samples/late.jsonl", "tests/docs/samples/more.csv"}


# Commands


def commands(start: str) -> list[str]:
    found = [line.partition("#")[0].strip() for line in SHELL if line.startswith(start)]
    assert found
    return found


def test_each_make_target_exists() -> None:
    targets = re.findall(r"^([a-z -]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    known = {target for line in targets for target in line.split()}
    named = {command.split()[1] for command in commands("make ")}
    named |= {word for text in [*PAGES.values(), README] for word in re.findall(r"`make ([a-z-]+)`", text)}
    assert named <= known


@pytest.mark.parametrize("command", commands("python -m airflow_provider_campaigns.sandbox"))
def test_each_call_of_the_sandbox_is_one_that_it_understands(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Understood(Exception):
        pass

    def stop(*arguments: Any, **options: Any) -> None:
        raise Understood

    monkeypatch.setattr(sandbox_command, "Sandbox", stop)
    monkeypatch.setattr(sandbox_command.signal, "signal", lambda *_: None)
    with pytest.raises(Understood):
        sandbox_command.main(shlex.split(command)[3:])


AIRFLOW = [re.sub(r"^(\w+=\S+ )*", "", line) for line in SHELL if re.match(r"(\w+=\S+ )*airflow ", line)]


@pytest.mark.parametrize("command", AIRFLOW)
def test_each_airflow_command_is_one_that_airflow_understands(command: str) -> None:
    from airflow.cli import cli_parser

    cli_parser.get_parser().parse_args(shlex.split(command)[1:])


def test_each_address_of_the_sandbox_s_control_exists() -> None:
    known = {route.path.partition("/{")[0] for route in create_app()._control.routes}
    named = {word for text in PAGES.values() for word in re.findall(r"/_sandbox/\w+", text)}
    assert named
    assert named <= known


# Connections

EXPORTS = [shlex.split(line)[1].partition("=") for line in SHELL if line.startswith("export AIRFLOW_CONN_")]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, _, value in EXPORTS])
def test_each_connection_is_one_that_its_hook_accepts(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn_id = name.removeprefix("AIRFLOW_CONN_").lower()
    connection = Connection.from_json(value, conn_id=conn_id) if value.startswith("{") else None
    connection = connection or Connection.from_uri(value, conn_id=conn_id)
    settings = read_settings(connection, needed_declaration(connection.conn_type))
    assert settings.password
    assert conn_id == f"{connection.conn_type}_default"


@pytest.mark.parametrize("declared", get_provider_info()["connection-types"], ids=lambda one: one["connection-type"])
def test_each_connection_page_tells_of_every_field_of_the_form(declared: Mapping[str, Any]) -> None:
    page = PAGES[f"connections/{declared['connection-type']}.md"]
    assert set(re.findall(r"^\| extra `(\w+)`", page, re.MULTILINE)) == set(declared["conn-fields"])
    assert f"images/connection_{declared['connection-type']}.png" in page


# Messages


def templates() -> Iterator[str]:
    """Yield the package's texts but docstrings, with ... in the place of what is filled in."""
    for path in PACKAGE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        docstrings = [node.value for node in nodes if isinstance(node, ast.Expr)]
        for node in [node for node in nodes if node not in docstrings]:
            if isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values]
                yield "".join(parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


TEXTS = list(templates())
#: Airflow's own messages that the pages tell of.
AIRFLOW_S_OWN = {"'ds' is undefined"}
MESSAGES = [
    message
    for page in ("troubleshooting.md", "guides/slips.md")
    for message in re.findall(r"^`(.+)`\n:   ", PAGES[page], re.MULTILINE)
    if message not in AIRFLOW_S_OWN
]


def test_the_troubleshooting_page_has_messages() -> None:
    assert len(MESSAGES) > 40


@pytest.mark.parametrize("message", MESSAGES)
def test_each_message_that_a_page_explains_is_one_of_the_package_s(message: str) -> None:
    parts = [re.escape(part) for part in message.split("...") if part.strip()]
    pattern = re.compile(".*".join(parts), re.DOTALL)
    assert any(pattern.search(text) for text in TEXTS)


def test_the_troubleshooting_page_or_the_guarantees_name_every_exception() -> None:
    from airflow_provider_campaigns import exceptions

    names = [
        name
        for name, value in vars(exceptions).items()
        if inspect.isclass(value) and value.__module__ == exceptions.__name__
    ]
    told = PAGES["troubleshooting.md"] + PAGES["guarantees.md"] + PAGES["waiting.md"]
    assert [name for name in names if f"`{name}`" not in told] == []


# Arguments


def arguments(owner: type) -> set[str]:
    """Return the arguments that this package gives a class."""
    return {
        name
        for base in owner.__mro__
        if base.__module__.startswith("airflow_provider_campaigns.") and "__init__" in vars(base)
        for name in inspect.signature(vars(base)["__init__"]).parameters
        if name not in ("self", "kwargs")
    }


@pytest.mark.parametrize(
    ("page", "owner", "airflow_s_own"),
    [
        ("sensors.md", CampaignSensor, {"timeout", "mode", "soft_fail"}),
        ("triggers.md", CampaignEventTrigger, set()),
        ("operators/create.md", CreateCampaignOperator, set()),
    ],
)
def test_a_page_s_table_lists_every_argument_and_no_other(page: str, owner: type, airflow_s_own: set[str]) -> None:
    table = PAGES[page].partition("| argument |")[2].partition("\n\n")[0]
    listed = {
        name for cell in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    assert listed == arguments(owner) | airflow_s_own


# Figures


def test_figures_that_pages_repeat_are_those_of_the_benchmarks() -> None:
    figures = re.findall(r"[\d.]+ (?:KB|ms)", PAGES["guides/scale.md"])
    assert figures
    assert [figure for figure in figures if figure not in PAGES["benchmarks.md"]] == []


# The site


def listed(nav: Iterable[Any]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else listed(value)


def test_the_navigation_has_every_page_once() -> None:
    nav = list(listed(yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())["nav"]))
    assert sorted(nav) == sorted(PAGES)


@pytest.mark.parametrize(
    "sought",
    ["cancel", "pause", "opt out", "metrics", "approval", "test", "query", "results", "upgrading", "httpoperator"],
)
def test_who_searches_the_site_for_a_word_of_the_field_finds_a_heading(sought: str) -> None:
    headings = [line.lower() for text in PAGES.values() for line in text.splitlines() if line.startswith("#")]
    words = [set(re.findall(r"\w+", heading)) for heading in headings]
    assert any(set(sought.split()) <= found for found in words)


def test_the_reference_of_operators_begins_with_what_dags_use_and_has_their_bases_at_the_end() -> None:
    shown = re.findall(r"^::: (\S+)$", PAGES["reference/operators.md"], re.MULTILINE)
    assert shown[0] == "airflow_provider_campaigns.operators.kinbox"
    bases = PAGES["reference/operators.md"].partition("## What they share")[2]
    assert set(re.findall(r"^::: (\S+)$", bases, re.MULTILINE)) >= {
        f"airflow_provider_campaigns.operators.{name}" for name in ("create", "planned", "waits", "guarded")
    }


def test_the_reference_has_every_module_that_airflow_is_told_of_and_all_of_the_api() -> None:
    info = get_provider_info()
    told = {
        module
        for kind in ("hooks", "operators", "sensors", "triggers")
        for entry in info[kind]
        for module in entry["python-modules"]
    }
    told |= {entry["class-name"].rpartition(".")[0] for entry in info["task-decorators"]}
    told |= {path.rpartition(".")[0] for path in info["extra-links"]}
    api = importlib.import_module("airflow_provider_campaigns.api")
    told |= {module.name for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}.") if not module.ispkg}
    shown = re.findall(r"^::: (\S+)$", "\n".join(PAGES.values()), re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert told <= set(shown)


def test_no_sample_uses_what_a_run_without_a_logical_date_lacks() -> None:
    lacking = re.compile(
        r"\{\{-?\s*(?:ds|ts|ds_nodash|ts_nodash|logical_date|data_interval_\w+|dag_run\.logical_date)\b[^`]"
    )
    places = [
        *REPOSITORY.glob("example_dags/*.py"),
        *REPOSITORY.glob("tests/docs/samples/**/*.py"),
        *REPOSITORY.glob("docs/**/*.md"),
        REPOSITORY / "README.md",
    ]
    assert len(places) > 40
    found = [f"{path.name}: {hit.group()}" for path in places for hit in lacking.finditer(path.read_text())]
    # The pages that say not to use them name them in code.
    assert [hit for hit in found if not hit.startswith(("create.md", "slips.md"))] == []
