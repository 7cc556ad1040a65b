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
from airflow_provider_campaigns.api.outcomes import COLUMNS, OutcomeWord
from airflow_provider_campaigns.exceptions import CampaignGateFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.operators.results import (
    CampaignOutcomesToObjectStorageOperator,
    ReconcileCampaignOperator,
)
from airflow_provider_campaigns.results.files import ResultFile
from airflow_provider_campaigns.results.handed_over import HandedOver, Settled, settled
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


def receipt(taken: int, refused: int = 0, **more: Any) -> dict[str, Any]:
    """Return a receipt as a create operator pushes it."""
    return {"id": "7", "contacts": {"created": taken, "updated": 0, "skipped": 0, "refused": refused}, **more}


@settings(max_examples=200, deadline=None)
@given(
    meant=st.integers(0, 30),
    silent=st.integers(0, 30),
    handed=st.one_of(st.none(), st.tuples(st.one_of(st.none(), st.integers(0, 40)), st.integers(0, 40))),
)
def test_what_a_receipt_explains_of_a_slice_is_a_part_of_those_without_an_outcome(
    meant: int, silent: int, handed: tuple[int | None, int] | None
) -> None:
    silent = min(silent, meant)
    told = None if handed is None else HandedOver(*handed)
    found = settled(meant, meant - silent, told)
    assert min(found.refused, found.unexplained, found.miscounted) >= 0
    assert found.refused + found.unexplained == silent
    if told is None or told.taken is None:
        assert found == Settled(0, silent, 0)
    elif found.unexplained == found.miscounted == 0:
        # Nothing is amiss only if the three agree: each was taken and has an outcome, or was refused and has none.
        assert (told.taken, told.refused) == (meant - silent, silent)


@settings(max_examples=25, deadline=None)
@given(
    told=st.lists(st.tuples(st.integers(0, 15), st.sampled_from(WORDS)), max_size=15),
    counts=st.dictionaries(
        st.sampled_from([30, 100]), st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=2
    ),
)
def test_the_classes_partition_the_audience_with_receipts_as_well(
    told: list[tuple[int, str]], counts: dict[int, tuple[int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tmp_path = Path(folder)
        write(tmp_path / "people.csv", "contact", [number(place) for place in range(15)])
        done = prepare(tmp_path, holdout=0.2, shares=[30, 100], salt="s")
        path = outcomes(tmp_path / "outcomes.jsonl", [(number(place), word) for place, word in told])
        receipts = {float(share): [receipt(*two)] for share, two in counts.items()}
        report = Reconciliation(done["manifest"], [path], receipts=receipts).report()
        classes = report["classes"]
        assert sum(classes.values()) == report["rows"] == 15
        assert [one["share"] for one in report["slices"] if one["launched"]] == sorted(counts)
        assert sum(classes[word] for word in WORDS) + report["strangers"] + report["twice"] == len(told)
        without = [one for one in report["slices"] if one["launched"]]
        assert classes["unexplained"] == sum(one["unexplained"] for one in without)
        assert classes["refused"] == sum(one["refused"] for one in without)


def test_who_was_refused_at_the_hand_over_is_explained_by_the_receipt(audience: dict[str, Any], tmp_path: Path) -> None:
    first, rest = (one["contacts"] for one in audience["slices"])
    path = outcomes(
        tmp_path / "outcomes.jsonl",
        [(row["contact"], "read") for one in audience["slices"] for row in lines(one["path"])][:-1],
    )
    given: dict[str, Any] = {"manifest": audience["manifest"], "outcomes": path}
    with pytest.raises(CampaignGateFailed, match="1 people of launched slices have no outcome"):
        reconcile(**given)
    report = reconcile(**given, receipts={50: receipt(first), 100: receipt(rest - 1, 1)})
    assert (report["classes"]["refused"], report["classes"]["unexplained"], report["miscounted"]) == (1, 0, 0)
    table = table_of(report)
    assert f"Slice up to 100 %: {rest} meant, {rest - 1} handed over, 1 refused, {rest - 1} with an outcome" in table
    # As JSON, whose keys are texts, and with contacts that another task handed over.
    listed = {"50": receipt(first), "100": [{"id": "cl", "rows": rest - 1, "broken": 1}, {"id": "7"}]}
    assert reconcile(**given, receipts=json.dumps(listed))["classes"]["refused"] == 1


def test_a_receipt_that_contradicts_the_audience_fails(audience: dict[str, Any], tmp_path: Path) -> None:
    given: dict[str, Any] = {"manifest": audience["manifest"], "outcomes": all_delivered(audience, tmp_path, 0)}
    first = audience["slices"][0]["contacts"]
    assert reconcile(**given, receipts={50: receipt(first)})["classes"]["not_launched"] == 20 - first
    for taken in (first + 3, first - 3):
        with pytest.raises(CampaignGateFailed, match="and receipts disagree by 3"):
            reconcile(**given, receipts={50: receipt(taken)})
    with pytest.raises(CampaignGateFailed, match="and receipts disagree by 1"):
        reconcile(**given, receipts={50: receipt(first - 1, 1)})
    for wrong, told in [
        ({50: {"dry_run": True}}, "receipts: that of the slice up to 50 % is of a dry run: nothing was sent"),
        ({7: receipt(1)}, "receipts names the share 7, and the audience has 50, 100"),
    ]:
        with pytest.raises(CampaignRequestRefused, match=told):
            reconcile(**given, receipts=wrong)
    with pytest.raises(CampaignRequestRefused, match="receipts has one of the share 100, which launched does not name"):
        reconcile(**given, receipts={100: receipt(1)}, launched=[50])


def test_outcomes_may_be_parquet(audience: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"contact": row["contact"], "outcome": "read"} for one in audience["slices"] for row in lines(one["path"])]
    path = tmp_path / "outcomes.parquet"
    ResultFile(str(path), writer="me", columns=COLUMNS).write(rows)
    assert reconcile(manifest=audience["manifest"], outcomes=str(path))["classes"]["read"] == 20
    path.write_text("no Parquet")
    with pytest.raises(CampaignRequestRefused, match=r"outcomes '.*parquet' is no Parquet file of outcomes"):
        reconcile(manifest=audience["manifest"], outcomes=str(path))


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
        ({"receipts": {}}, "receipts must be a dict of shares of slices and the receipt of each"),
        ({"receipts": {"first": {"id": "7"}}}, "receipts must be a dict of shares"),
        ({"receipts": {50: "7"}}, "receipts must be a dict of shares"),
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
