"""The package runs no text as code, unpickles nothing, starts no shell, and never leaves TLS unchecked."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import airflow_provider_campaigns

PACKAGE = Path(airflow_provider_campaigns.__file__).parent
SETTINGS = PACKAGE.parent / "pyproject.toml"
FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "breakpoint"),
    *("os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads", "shelve.open", "dill.loads"),
    *("yaml.load", "yaml.unsafe_load", "tempfile.mktemp", "ssl._create_unverified_context"),
    *("urllib3.disable_warnings", "random.seed"),
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_no_dangerous_call_is_made() -> None:
    made = {f"{where} {ast.unparse(call.func)}" for where, call in calls() if ast.unparse(call.func) in FORBIDDEN}
    assert not made


def test_no_call_asks_for_a_shell_or_no_check_of_certificates() -> None:
    found = [
        f"{where} {keyword.arg}={ast.unparse(keyword.value)}"
        for where, call in calls()
        for keyword in call.keywords
        if (keyword.arg == "shell" and ast.unparse(keyword.value) != "False")
        or (keyword.arg in ("verify", "check_hostname", "assert_hostname") and ast.unparse(keyword.value) == "False")
    ]
    assert not found


def test_the_linter_s_rules_on_security_hold_for_the_package_without_exceptions() -> None:
    lint = tomllib.loads(SETTINGS.read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    # Chance spreads waits here, it guards nothing.
    assert [rule for rule in lint["ignore"] if rule.startswith("S") and rule[1:].isdigit()] == ["S311"]
    excused_places = {
        place: rules
        for place, rules in lint["per-file-ignores"].items()
        if "airflow_provider_campaigns" in place or place == "**"
    }
    # The kit's cases assert; an audience's SQL names its own tables.
    assert excused_places == {
        "airflow_provider_campaigns/audience/**": ["S608"],
        "airflow_provider_campaigns/testing/conformance/**": ["S101"],
    }
    excused = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "noqa: S" in path.read_text()]
    # The words "invalid" and "pass" are no credentials; the reconciliation's SQL is as an audience's; a project's tests
    # run Airflow's own command, without a shell.
    assert sorted(map(str, excused)) == [
        "results/reconciling.py",
        "sandbox/koreai/tokens.py",
        "testing/own_airflow.py",
        "wait/stages.py",
    ]
