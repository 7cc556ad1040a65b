"""Preparing an audience: bad input is named before anything is written, and a retry finds the same files."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG
from listed import left_out, lines, number, people, prepare, spelled, write

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.audience import folder
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator


@pytest.fixture(autouse=True)
def source(tmp_path: Path) -> str:
    rows = [f"{number(place)},Zoraida{place}" for place in range(200)]
    return write(tmp_path / "people.csv", "contact,name", rows)


def files(tmp_path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tmp_path / "audience").iterdir()}


# Bad input

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"shares": [25, 5, 100]}, "shares must be percentages above 0, each above the one before, the last 100"),
    ({"shares": [5, 25]}, "shares must be"),
    ({"shares": [0, 100]}, "shares must be"),
    ({"shares": []}, "shares must be"),
    ({"shares": [True, 100]}, "shares must be"),
    ({"holdout": 1}, "holdout must be a share from 0 to below 1"),
    ({"holdout": -0.1}, "holdout must be"),
    ({"vendor": "twilio"}, "vendor must be one of altur, kinbox, koreai"),
    ({"require": {}}, "require must be a dict of columns"),
    ({"require": {"consent": []}}, "require must be"),
    ({"require": {"consent": [None]}}, "require must be"),
    ({"source": []}, "source must be the path or URI of a file"),
    ({"source": 7}, "source must be"),
    ({"exclude": ""}, "exclude must be"),
    ({"output": "../elsewhere"}, "output must be the path or URI of a folder"),
    ({"output": "/"}, "output must be"),
    ({"cap": {"ledger": "l", "messages": 1}}, "cap needs 'days', as in"),
    ({"cap": {"ledger": "l", "messages": 0, "days": 7}}, "cap: messages must be 1 or more"),
    ({"cap": {"ledger": "l", "messages": 1, "days": 0}}, "cap: days must be"),
    ({"cap": {"ledger": "../l", "messages": 1, "days": 7}}, "cap: ledger must be the path or URI of a folder"),
    ({"cap": {"ledger": "l", "messages": 1, "days": 7, "key": "s"}}, "cap has no 'key'. Known: ledger"),
    ({"cap": 2}, "cap must be a dict such as"),
    ({"test_contacts": "+5511999990001"}, "test_contacts must be a list of phone numbers"),
    ({"test_contacts": []}, "test_contacts must be"),
    ({"test_contacts": [7]}, "test_contacts must be"),
    ({"by": "country"}, "by must be one of timezone"),
    ({"salt": " "}, "salt must be a text"),
    ({"columns": {"a": "contact", "b": "contact"}}, "columns maps two columns to"),
    ({"placeholders": ["name", "name"], "vendor": "kinbox"}, "placeholders must be a list of names"),
    ({"default_country": "Brazil"}, "default_country must be an ISO 3166 code"),
    ({"max_broken_exclude": -1}, "max_broken_exclude must be"),
    ({"allow_empty_exclude": "true"}, "allow_empty_exclude must be True or False"),
]


@pytest.mark.parametrize(("given", "told"), WRONG, ids=[repr(given) for given, _ in WRONG])
def test_what_can_be_seen_to_be_wrong_is_refused_by_name_when_the_dag_is_parsed(
    given: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'audience': {told}"):
        PrepareAudienceOperator(**{"task_id": "audience", "source": "a.csv", "output": "o", "vendor": "altur", **given})


def empty(tmp_path: Path) -> dict[str, Any]:
    return {"exclude": write(tmp_path / "gone.csv", "phone", [])}


def unreadable(tmp_path: Path) -> dict[str, Any]:
    return {"exclude": write(tmp_path / "gone.csv", "phone", ["12x", "Total"]), "max_broken_exclude": 0.99}


def partly_unreadable(tmp_path: Path) -> dict[str, Any]:
    return {"exclude": write(tmp_path / "gone.csv", "phone", [number(1), "12x"])}


def two_columns(tmp_path: Path) -> dict[str, Any]:
    return {"exclude": write(tmp_path / "gone.csv", "celular,telefone", [f"{number(1)},{number(2)}"])}


def no_number(tmp_path: Path) -> dict[str, Any]:
    return {"source": write(tmp_path / "a.csv", "nome,cidade", ["Ana,Recife"])}


def all_invalid(tmp_path: Path) -> dict[str, Any]:
    return {"source": write(tmp_path / "a.csv", "contact", ["Total"])}


def no_rows(tmp_path: Path) -> dict[str, Any]:
    return {"source": write(tmp_path / "a.csv", "contact", [])}


def no_parquet(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a.parquet").write_text("contact\n")
    return {"source": str(tmp_path / "a.parquet")}


def spreadsheet(tmp_path: Path) -> dict[str, Any]:
    return {"source": [str(tmp_path / "people.csv"), str(tmp_path / "b.xlsx")]}


REFUSED: list[tuple[Callable[[Path], dict[str, Any]], str]] = [
    (empty, r"exclude '.*gone.csv' names nobody, so that everybody would be messaged.*allow_empty_exclude=True"),
    (unreadable, r"exclude '.*gone.csv' names nobody that can be read"),
    (partly_unreadable, r"exclude '.*gone.csv': 1 of 2 rows cannot be read.*max_broken_exclude:\s+row 2 \(line 3\)"),
    (two_columns, r"exclude '.*gone.csv', header: 'celular' and 'telefone' look like phone numbers both"),
    (no_number, r"source '.*a.csv', header: a CSV file must begin with a header that has a column 'contact'"),
    (all_invalid, "source: no row can be contacted: all are invalid"),
    (no_rows, "source: no row can be contacted, since there are none"),
    (no_parquet, r"source '.*a.parquet': it is no Parquet file"),
    (spreadsheet, r"source '.*b.xlsx': a .xlsx file cannot be read: it is a spreadsheet"),
    (lambda _: {"source": "/nowhere/a.csv"}, r"source '/nowhere/a.csv': there is no file"),
    (lambda path: {"source": [str(path / "people.csv")] * 2}, r"source names '.*people.csv' twice"),
    (
        lambda _: {"require": {"consent": ["yes"]}},
        r"source '.*people.csv' has no column 'consent', which require names",
    ),
    (lambda _: {"placeholders": ["name"]}, "placeholders is for vendor='kinbox'"),
    (lambda _: {"default_country": "XX"}, "there are no phone numbers of 'XX'"),
    (lambda _: {"columns": {"fone": "contact"}}, r"source '.*people.csv', header: it has no column 'fone'"),
]


@pytest.mark.parametrize(("given", "told"), REFUSED, ids=[told[:50] for _, told in REFUSED])
def test_bad_input_is_refused_by_name_and_nothing_is_written(
    given: Callable[[Path], dict[str, Any]], told: str, tmp_path: Path
) -> None:
    with pytest.raises(CampaignRequestRefused, match=f"(?s){told}") as refused:
        prepare(tmp_path, **given(tmp_path))
    assert "+5511" not in str(refused.value)
    assert not (tmp_path / "audience").exists()


def test_an_exclude_file_may_be_empty_and_some_of_its_rows_unreadable_where_that_is_said(tmp_path: Path) -> None:
    assert prepare(tmp_path, allow_empty_exclude=True, **empty(tmp_path))["counts"]["sliced"] == 200
    given = partly_unreadable(tmp_path) | {"output": str(tmp_path / "two"), "max_broken_exclude": "50%"}
    assert prepare(tmp_path, **given)["counts"]["suppressed"] == 1


def test_a_file_of_no_bytes_is_empty_too_where_that_is_allowed(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.csv"
    nothing.write_bytes(b"")
    with pytest.raises(CampaignRequestRefused, match=r"exclude '.*nothing.csv', header: the file is empty"):
        prepare(tmp_path, exclude=str(nothing))
    assert prepare(tmp_path, exclude=str(nothing), allow_empty_exclude=True)["counts"]["sliced"] == 200


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CampaignRequestRefused, match=r"output: '.*/file/audience' cannot be a folder: there is a file"):
        prepare(tmp_path, output=str(tmp_path / "file" / "audience"))


def test_a_folder_that_is_full_is_named_and_nothing_is_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = folder.StoredFolder.put

    def full(self: folder.StoredFolder, file: Path) -> folder.Written:
        if file.name == "left_out.parquet":
            raise OSError(28, "No space left on device")
        return put(self, file)

    monkeypatch.setattr(folder.StoredFolder, "put", full)
    with pytest.raises(CampaignRequestFailed, match=r"output: the folder '.*' cannot be written: No space left on dev"):
        prepare(tmp_path)
    assert list((tmp_path / "audience").iterdir()) == []


def test_duckdb_that_is_not_installed_is_told_with_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(CampaignRequestRefused, match=r"airflow-provider-campaigns\[audience\]"):
        prepare(tmp_path)


# The author's own phones


def test_the_author_s_own_phones_have_a_file_of_their_own_and_no_rule_applies_to_them(tmp_path: Path) -> None:
    gone = write(tmp_path / "gone.csv", "phone", [number(1)])
    own = [spelled(1), {"contact": number(900), "name": "Ana"}]
    done = prepare(tmp_path, exclude=gone, test_contacts=own)
    assert done["test"] == {"path": str(tmp_path / "audience/test.jsonl"), "contacts": 2}
    assert lines(done["test"]["path"]) == [{"contact": number(1)}, {"contact": number(900), "name": "Ana"}]
    assert done["counts"]["rows"] == 200
    assert number(1) not in people(done)[0]
    assert prepare(tmp_path, try_number=2, exclude=gone, test_contacts=own) == done


def test_the_author_s_own_phones_fill_the_message_at_kinbox_as_well(tmp_path: Path) -> None:
    source = write(tmp_path / "leads.csv", "number,name", [f"{number(1)},Ana"])
    given: dict[str, Any] = {"source": source, "vendor": "kinbox", "placeholders": ["name"]}
    done = prepare(tmp_path, test_contacts=[{"number": number(2), "name": "Bia"}], **given)
    assert Path(done["test"]["path"]).read_text() == "5511900000002,Bia\n"
    with pytest.raises(CampaignRequestRefused, match=r"test_contacts\[0\]: it has no value for 'name'"):
        prepare(tmp_path, **{**given, "output": str(tmp_path / "two"), "test_contacts": [number(2)]})


def test_a_broken_phone_of_the_author_s_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(CampaignRequestRefused, match=r"test_contacts\[1\]: it has letters among the digits") as refused:
        prepare(tmp_path, test_contacts=[number(1), "+55119x"])
    assert "119x" not in str(refused.value)
    assert not (tmp_path / "audience").exists()


def test_airflow_keeps_no_number_of_the_author_s_phones() -> None:
    with DAG("own", schedule=None) as dag:
        operator = PrepareAudienceOperator(
            task_id="audience", source="a.csv", output="o", vendor="altur", test_contacts=["{{ params.phone }}"]
        )
    operator.render_template_fields({"params": {"phone": number(1)}, "dag": dag})
    assert "55119" not in repr(operator.test_contacts) + str(operator.test_contacts)
    assert list(operator.test_contacts) == [number(1)]


# A retry


def test_a_retry_finds_the_same_files(tmp_path: Path) -> None:
    gone = write(tmp_path / "gone.csv", "phone", [spelled(7)])
    first = prepare(tmp_path, exclude=gone, shares=[5, 100])
    written = files(tmp_path)
    assert prepare(tmp_path, try_number=2, exclude=gone, shares=[5, 100]) == first
    assert files(tmp_path) == written


def test_a_try_that_died_before_its_manifest_is_made_anew_with_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = folder.StoredFolder.put

    def dies(self: Any, file: Path) -> Any:
        if file.name == "left_out.parquet":
            raise OSError(28, "the disk is full")
        return put(self, file)

    monkeypatch.setattr(folder.StoredFolder, "put", dies)
    with pytest.raises(CampaignRequestFailed, match="the disk is full"):
        prepare(tmp_path)
    assert files(tmp_path) == {}
    monkeypatch.undo()
    prepare(tmp_path, try_number=2)
    again = files(tmp_path)
    (tmp_path / "audience/manifest.json").unlink()
    prepare(tmp_path, try_number=3)
    del again["manifest.json"]
    assert {name: content for name, content in files(tmp_path).items() if name != "manifest.json"} == again


@pytest.mark.parametrize("changed", ["people.csv", "gone.csv"])
def test_an_input_that_changed_since_is_named(changed: str, tmp_path: Path) -> None:
    gone = write(tmp_path / "gone.csv", "phone", [spelled(7)])
    prepare(tmp_path, exclude=gone)
    written = files(tmp_path)
    with (tmp_path / changed).open("a") as file:
        file.write(f"{number(300)}\n")
    with pytest.raises(CampaignRequestRefused, match=f"{changed}' changed since the audience in .* was prepared"):
        prepare(tmp_path, try_number=2, exclude=gone)
    assert files(tmp_path) == written


def test_an_argument_that_changed_since_is_named(tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(CampaignRequestRefused, match="holdout is not what it was"):
        prepare(tmp_path, holdout=0.2)


def test_a_file_of_the_audience_that_changed_since_is_named(tmp_path: Path) -> None:
    done = prepare(tmp_path)
    Path(done["slices"][0]["path"]).write_text("{}\n")
    with pytest.raises(CampaignRequestRefused, match=r"slice_100.jsonl' is gone, or is not what was written"):
        prepare(tmp_path, try_number=2)


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    prepare(tmp_path, run_id="monday")
    with pytest.raises(CampaignRequestRefused, match="has the audience of another task or run"):
        prepare(tmp_path, run_id="tuesday")


def test_a_folder_with_another_manifest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "audience").mkdir()
    (tmp_path / "audience/manifest.json").write_text('{"name": "a web application"}')
    with pytest.raises(CampaignRequestRefused, match="is no manifest of an audience"):
        prepare(tmp_path)


# What is told


def test_neither_log_nor_result_nor_manifest_holds_a_number_or_a_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with (tmp_path / "people.csv").open("a") as file:
        file.write("+55119x,Zoraida\n+5511900000001,Zoraida\n")
    gone = write(tmp_path / "gone.csv", "phone", [spelled(7), "119x"])
    with caplog.at_level(logging.DEBUG):
        done = prepare(tmp_path, exclude=gone, max_broken_exclude=1, holdout=0.1)
    out, err = capfd.readouterr()
    told = "".join([out, err, caplog.text, json.dumps(done), (tmp_path / "audience/manifest.json").read_text()])
    assert "invalid" in told
    assert not [word for word in ("9000000", "119x", "Zoraida", "(11)") if word in told]


def test_the_manifest_tells_who_and_when_and_the_hashes_of_what_went_in_and_came_out(tmp_path: Path) -> None:
    done = prepare(tmp_path, holdout=0.1)
    manifest = json.loads(Path(done["manifest"]).read_text())
    assert manifest["prepared_by"]["run_id"] == "r"
    assert manifest["prepared_by"]["triggered_by"] == "ana"
    assert manifest["counts"] == done["counts"]
    assert manifest["left_out"]["rows"] == len(left_out(done))
    for one in (*manifest["inputs"], *manifest["slices"], manifest["left_out"]):
        assert Path(one["path"]).stat().st_size == one["bytes"]
        assert len(one["sha256"]) == 64
    assert {"duckdb", "phonenumbers", "airflow-provider-campaigns"} <= set(manifest["versions"])


def test_a_column_that_looks_like_an_opt_out_is_warned_of(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "people.csv", "contact,opt_out", [f"{number(1)},1"])
    prepare(tmp_path)
    told = "".join(capfd.readouterr()) + caplog.text
    assert "has a column 'opt_out'. Nothing is left out because of it" in told


def test_at_a_store_of_objects_the_manifest_is_the_last_that_appears(tmp_path: Path, bucket: dict[str, Any]) -> None:
    done = prepare(tmp_path, output="bucket://lists/audience")
    assert done["manifest"] == "bucket://lists/audience/manifest.json"
    names = [name.rpartition("/")[2] for name in bucket]
    assert names == ["slice_100.jsonl", "left_out.parquet", "manifest.json"]
    assert prepare(tmp_path, try_number=2, output="bucket://lists/audience") == done
    again = prepare(tmp_path, source=done["slices"][0]["path"], output=str(tmp_path / "again"), salt="s")
    assert len(people(again)[0]) == 200
