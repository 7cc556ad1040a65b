"""The documentation's samples and README.md's, run through Airflow against the sandbox."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.launch.guards import Guards
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.approvals import answered_approvals

# One worker of pytest-xdist runs all that needs the database, so that it is made ready once.
pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("airflow_db")]

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).with_name("samples")
#: How many campaigns the DAGs of a sample launch at each vendor.
CAMPAIGNS: Mapping[str, Mapping[str, int]] = {
    "acting.py": {"kinbox": 1},
    "altur.py": {"altur": 3},
    # The one at Kinbox is deleted again.
    "changing.py": {"koreai": 1},
    "approval.py": {"kinbox": 1},
    "audience.py": {"altur": 2},
    "contacts_of_altur.py": {"altur": 1},
    "contacts_of_koreai.py": {"koreai": 1},
    "decorated.py": {"kinbox": 1},
    "evidence.py": {"kinbox": 1},
    "first_campaign.py": {"kinbox": 1},
    "gated.py": {"altur": 1},
    "guards.py": {"altur": 1},
    "kinbox.py": {"kinbox": 3},
    "koreai.py": {"koreai": 2},
    "outlets.py": {"kinbox": 1},
    "pool.py": {"kinbox": 3},
    "ramp.py": {"koreai": 2},
    "recipients.py": {"kinbox": 1, "altur": 1},
    "results.py": {"kinbox": 1},
    "retry_policy.py": {"kinbox": 1},
    "waits.py": {"kinbox": 1},
    "webhooks.py": {},
}
README_PYTHON = re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.M | re.S)


#: When the samples' guards are asked: in office hours, and no run is late then.
WEDNESDAY = datetime(2026, 11, 18, 16, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_office_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let guards take this for the present."""
    judge = Guards.judge
    monkeypatch.setattr(Guards, "judge", lambda guards, facts: judge(guards, replace(facts, now=WEDNESDAY)))


@pytest.fixture(autouse=True)
def ledger_s_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the connection whose password is the key of a ledger's hashes."""
    monkeypatch.setenv("AIRFLOW_CONN_CAMPAIGN_LEDGER", '{"conn_type": "generic", "password": "a key for samples"}')


def states(run: Any) -> dict[str, str]:
    return {one.task_id: str(one.state) for one in run.get_task_instances()}


@pytest.mark.parametrize("file", sorted(path.name for path in SAMPLES.glob("*.py")))
def test_a_sample_succeeds_and_launches_what_it_says(
    file: str, dags_of: Callable[[Path], list[Any]], campaign_sandbox: Sandbox, tmp_path: Path
) -> None:
    dags = dags_of(SAMPLES / file)
    assert dags
    with answered_approvals() if file in ("approval.py", "ramp.py") else nullcontext():
        for dag in dags:
            run = dag.test(run_conf={"folder": str(tmp_path)} if "folder" in dag.params else None, logical_date=None)
            assert run.state == "success", states(run)
            assert "skipped" not in states(run).values()
    campaigns = campaign_sandbox.journal()["campaigns"]
    assert Counter(campaign["vendor"] for campaign in campaigns) == CAMPAIGNS[file]


def test_the_testing_guide_followed_to_the_letter_passes_in_a_new_project_on_a_machine_without_an_airflow(
    tmp_path: Path,
) -> None:
    project = Path(shutil.copytree(SAMPLES / "project", tmp_path / "project"))
    (project / "dags").mkdir()
    for name in ("first_campaign.py", "gated.py", "approval.py", "contacts.csv"):
        shutil.copy(SAMPLES / name, project / "dags")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    home = tmp_path / "home"
    home.mkdir()
    environment = {**kept, "HOME": str(home), "AIRFLOW_HOME": str(home / "airflow")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
    # What the machine's own Airflow would use is as it was.
    database = home / "airflow" / "airflow.db"
    assert not database.exists() or not database.stat().st_size


@pytest.fixture
def readme_s_world(monkeypatch: pytest.MonkeyPatch, campaign_sandbox: Sandbox) -> None:
    """Give the vendors and Airflow what README.md's samples take for granted."""
    hours = {"frequency": "WEEKLY", "timezone": "UTC", "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}]}
    dialing = {"callerId": {"phoneNumber": "+14155550100"}, "callingHours": hours}
    monkeypatch.setenv("AIRFLOW_VAR_FLU_SHOT_DIALING", json.dumps(dialing))
    KoreAIClient(
        "cs-1", "secret", app_id="st-1", account_id="a", base_url=campaign_sandbox.base_url("koreai")
    ).create_contact_list("Clinic North", description="x")


@pytest.mark.usefixtures("readme_s_world")
@pytest.mark.parametrize("sample", README_PYTHON, ids=range(len(README_PYTHON)))
def test_a_sample_of_the_readme_runs(
    sample: str, dags_of: Callable[[Path], list[Any]], campaign_sandbox: Sandbox, tmp_path: Path
) -> None:
    if "campaign_sandbox" in sample:
        (dag,) = dags_of(SAMPLES / "first_campaign.py")
        namespace: dict[str, Any] = {}
        exec(sample, namespace)  # noqa: S102
        tests = [value for name, value in namespace.items() if name.startswith("test_")]
        assert tests
        for test in tests:
            campaign_sandbox.reset()
            test({dag.dag_id: dag}, campaign_sandbox)
        return
    # No test has a bucket.
    contacts = REPOSITORY / "example_dags" / "contacts.csv"
    sample = sample.replace("s3://bucket/contacts-{{ dag_run.run_after | ds }}.csv", str(contacts))
    file = tmp_path / "readme.py"
    file.write_text(sample)
    dags = dags_of(file)
    assert dags
    for dag in dags:
        run = dag.test(logical_date=None)
        assert run.state == "success", states(run)
        assert len(campaign_sandbox.journal()["campaigns"]) == 1
