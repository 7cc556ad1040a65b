"""Whom an audience meant against what became of them: each row in one class, and nothing unexplained passes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import given, settings
from hypothesis import strategies as st
from listed import context, lines, number, prepare, write

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.outcomes import OutcomeWord
from airflow_provider_campaigns.exceptions import CampaignGateFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.operators.reconcile import ReconcileCampaignOperator
from airflow_provider_campaigns.operators.results import CampaignOutcomesToObjectStorageOperator
from airflow_provider_campaigns.results.reconciling import RECONCILED, Reconciliation, table_of, unexplained
from airflow_provider_campaigns.sandbox.server import Sandbox

WORDS = [str(word) for word in OutcomeWord]


@pytest.fixture(scope="module")
def campaign_sandbox_server() -> Iterator[Sandbox]:
    """Vendors without limits of requests."""
    with Sandbox(60, enforce_limits=False) as sandbox:
        yield sandbox


def outcomes(path: Path, told: list[tuple[str, str]]) -> str:
    """Write what became of contacts and return the path."""
    path.write_text("".join(json.dumps({"contact": one, "outcome": word}) + "\n" for one, word in told))
    return str(path)


def reconcile(**given: Any) -> dict[str, Any]:
    return ReconcileCampaignOperator(**{"task_id": "reconcile", **given}).execute(context())


@pytest.fixture
def audience(tmp_path: Path) -> dict[str, Any]:
    """Twenty people in two slices, one of them left out."""
    write(tmp_path / "people.csv", "contact", [number(place) for place in range(20)] + ["12x"])
    return prepare(tmp_path, salt="s", shares=[50, 100])


def all_delivered(audience: dict[str, Any], tmp_path: Path, *places: int) -> list[str]:
    return [
        outcomes(
            tmp_path / f"outcomes_{place}.jsonl",
            [(row["contact"], "delivered") for row in lines(audience["slices"][place]["path"])],
        )
        for place in places
    ]


@settings(max_examples=25, deadline=None)
@given(
    people=st.lists(st.integers(0, 15), min_size=1, max_size=25),
    told=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(WORDS)), max_size=30),
    launched=st.sampled_from([None, [30], [30, 100]]),
)
def test_the_classes_partition_the_audience_and_all_outcomes_are_accounted_for(
    people: list[int], told: list[tuple[int, str]], launched: list[float] | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tmp_path = Path(folder)
        write(tmp_path / "people.csv", "contact", [number(place) for place in people])
        done = prepare(tmp_path, holdout=0.2, shares=[30, 100], salt="s")
        path = outcomes(tmp_path / "outcomes.jsonl", [(number(place), word) for place, word in told])
        report = Reconciliation(done["manifest"], [path], launched).report()
        classes = report["classes"]
        assert tuple(classes) == RECONCILED
        assert sum(classes.values()) == report["rows"] == len(people)
        # Each outcome is that of a class, a stranger's, or a further one of somebody.
        matched = sum(classes[word] for word in WORDS)
        assert matched + report["strangers"] + report["twice"] == len(told)
        reached = {
            row["contact"]
            for one in done["slices"]
            if launched is None or one["share"] in launched
            for row in lines(one["path"])
        }
        assert matched == len(reached & {number(place) for place, _ in told})
        assert classes["unexplained"] == len(reached) - matched


def test_what_all_can_be_explained_passes_with_a_report(audience: dict[str, Any], tmp_path: Path) -> None:
    given: dict[str, Any] = {"manifest": audience["manifest"], "outcomes": all_delivered(audience, tmp_path, 0, 1)}
    report = reconcile(**given, report=str(tmp_path / "report.json"))
    assert {name: count for name, count in report["classes"].items() if count} == {"invalid": 1, "delivered": 20}
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert "55119" not in json.dumps(report) + table_of(report)
    assert unexplained(report) == 0


def test_a_slice_without_outcomes_fails_unless_it_was_not_launched(audience: dict[str, Any], tmp_path: Path) -> None:
    given: dict[str, Any] = {"manifest": audience["manifest"], "outcomes": all_delivered(audience, tmp_path, 0)}
    missing = audience["slices"][1]["contacts"]
    with pytest.raises(CampaignGateFailed, match=f"{missing} people of launched slices have no outcome"):
        reconcile(**given, report=str(tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text())["classes"]["unexplained"] == missing
    assert reconcile(**given, launched=[50])["classes"]["not_launched"] == missing
    assert reconcile(**given, max_unexplained=missing)["classes"]["unexplained"] == missing


def test_an_outcome_of_somebody_who_was_not_meant_fails(audience: dict[str, Any], tmp_path: Path) -> None:
    given: dict[str, Any] = {"manifest": audience["manifest"], "outcomes": all_delivered(audience, tmp_path, 0, 1)}
    given["outcomes"].append(outcomes(tmp_path / "more.jsonl", [(number(500), "read"), (number(1), "read")]))
    with pytest.raises(
        CampaignGateFailed, match="1 outcomes are of strangers, 1 are further ones of one person"
    ) as told:
        reconcile(**given)
    assert "55119" not in str(told.value)
    assert isinstance(told.value, AirflowFailException)


def test_a_number_is_known_again_without_its_plus(tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "phoneNumber", ["+14155550100", "+5511900000001"])
    done = prepare(tmp_path, vendor="koreai", default_country=None)
    path = outcomes(tmp_path / "outcomes.jsonl", [("14155550100", "answered"), ("5511900000001", "failed")])
    report = reconcile(manifest=done["manifest"], outcomes=path)
    assert (report["classes"]["answered"], report["classes"]["failed"]) == (1, 1)


def test_a_lead_file_of_kinbox_is_read_as_well(tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "number,name", [f'{number(1)},"Ana, Maria"', f"{number(2)},Bia"])
    done = prepare(tmp_path, vendor="kinbox", placeholders=["name"])
    path = outcomes(tmp_path / "outcomes.jsonl", [(number(1), "read"), (number(2), "pending")])
    assert reconcile(manifest=done["manifest"], outcomes=path)["classes"]["pending"] == 1


def test_bad_input_is_named(audience: dict[str, Any], tmp_path: Path) -> None:
    good = all_delivered(audience, tmp_path, 0, 1)
    nothing = tmp_path / "nothing.json"
    nothing.write_text("{}")
    odd = outcomes(tmp_path / "odd.jsonl", [(number(1), "teleported")])
    cases: list[tuple[dict[str, Any], str]] = [
        ({"manifest": str(nothing)}, "manifest: '.*nothing.json' is no manifest of an audience"),
        ({"manifest": "/nowhere.json"}, "manifest: there is no file at '/nowhere.json'"),
        ({"outcomes": "/nowhere.jsonl"}, "outcomes '/nowhere.jsonl': there is no file"),
        ({"outcomes": odd}, "outcomes '.*odd.jsonl' has a row whose outcome is none of delivered"),
        ({"launched": [7]}, "launched names the share 7, and the audience has 50, 100"),
    ]
    for wrong, told in cases:
        with pytest.raises(CampaignRequestRefused, match=told):
            reconcile(**{"manifest": audience["manifest"], "outcomes": good, **wrong})
    Path(audience["slices"][0]["path"]).write_text("")
    with pytest.raises(CampaignRequestRefused, match=r"slice_50.jsonl' is not what '.*' says that it is"):
        reconcile(manifest=audience["manifest"], outcomes=good)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"outcomes": []}, "outcomes must be the path or URI of a file, or a list of such"),
        ({"launched": "first"}, "launched must be a list of shares"),
        ({"max_unexplained": -1}, "max_unexplained must be a whole number"),
        ({"report": "reports/"}, "report must be that of a file"),
    ],
)
def test_what_can_be_seen_to_be_wrong_is_refused_when_the_dag_is_parsed(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        ReconcileCampaignOperator(**{"task_id": "t", "manifest": "m.json", "outcomes": "o.jsonl", **given})


def test_from_a_list_to_proof_at_altur(
    tmp_path: Path, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "pause_before", lambda *_: 0.01)
    connection = campaign_sandbox.connections()["altur_default"]
    monkeypatch.setenv("AIRFLOW_CONN_ALTUR_DEFAULT", json.dumps({**connection, "extra": {"rate_limit": 1000}}))
    write(tmp_path / "people.csv", "contact", [number(place) for place in range(120)])
    gone = write(tmp_path / "gone.csv", "phone", [number(7)])
    done = prepare(tmp_path, exclude=gone, holdout=0.1, shares=[25, 100])
    client = AlturHook().get_conn()
    campaign = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="whatsapp")
    list(client.add_all_contacts(campaign.id, lines(done["slices"][0]["path"])))
    client.activate_campaign(campaign.id)
    campaign_sandbox.set_speed(1e7)
    campaign_sandbox.set_speed(0)
    path = str(tmp_path / "outcomes.jsonl")
    told = CampaignOutcomesToObjectStorageOperator(
        task_id="outcomes", conn_id="altur_default", campaign_id=campaign.id, path=path
    ).execute(context())
    report = reconcile(manifest=done["manifest"], outcomes=path, launched=[25])
    assert told["count"] == done["slices"][0]["contacts"] == sum(report["classes"][word] for word in WORDS)
    assert report["classes"]["holdout"] == done["counts"]["holdout"] > 0
    assert report["classes"]["suppressed"] == 1
    assert report["classes"]["not_launched"] == done["slices"][1]["contacts"]
