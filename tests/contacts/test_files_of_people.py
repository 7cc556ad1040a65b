"""Contact files as people have them: each is handed over as meant or refused in words, and so are others like it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import os
import random
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_campaigns.api.altur import fields
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.koreai import contact_lists
from airflow_provider_campaigns.contacts.rows import ContactForm, ContactRows, Reading
from airflow_provider_campaigns.contacts.source import read_source

#: Other tests run at the same time.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DATA = Path(__file__).parent / "data"
FORMS = {
    "altur": ContactForm(fields.check_contact, "contact", tuple(fields.CONTACT_FIELDS)[:-1], "extracted_data"),
    "koreai": ContactForm(contact_lists.check_contact, "phoneNumber", contact_lists.CONTACT_COLUMNS),
}
ANA, BIA, CAIO = "+5511999990001", "+5511999990002", "+5511999990000"


@dataclass(frozen=True)
class Outcome:
    """
    What becomes of a file.

    :param numbers: The numbers handed over, in their order.
    :param duplicates: How many rows named a person once more.
    :param broken: The broken rows as row, line and column; the file is refused with their names.
    :param refused: How the whole file is refused.
    :param country: Which country numbers without a code are read as.
    """

    numbers: tuple[str, ...] = ()
    duplicates: int = 0
    broken: tuple[tuple[int, int, str], ...] = ()
    refused: str = ""
    country: str | None = None


def broken(*rows: tuple[int, int], column: str = ", column NUMBER", country: str | None = None) -> Outcome:
    return Outcome(broken=tuple((row, line, column) for row, line in rows), country=country)


OUTCOMES: Mapping[str, tuple[Outcome, ...]] = {
    "01_plain.csv": (Outcome((ANA, BIA)),),
    "03_utf16_excel.csv": (Outcome((ANA,)),),
    "05_sep_line.csv": (Outcome((ANA,)),),
    "07_tab.csv": (Outcome((ANA,)),),
    "09_scientific_comma.csv": (broken((1, 2)), broken((1, 2), country="BR")),
    "11_formula.csv": (Outcome((ANA,)),),
    "13_dup_formats.csv": (broken((2, 3)), Outcome((CAIO,), 2, country="BR")),
    "15_no_country.csv": (broken((1, 2), (2, 3)), Outcome((ANA, BIA), country="BR")),
    "17_mx_521.csv": (Outcome(("+5215512345678",), 1),),
    "19_header_es.csv": (Outcome(refused="If 'celular' is the phone number: columns={'celular': 'NUMBER'}"),),
    "21_repeated_header.csv": (Outcome(refused="it has a column twice (2 and 3)"),),
    "23_empty_cols_trailing.csv": (Outcome((ANA,)),),
    "25_blank_last_lines.csv": (Outcome((ANA,)),),
    "27_crlf.csv": (Outcome((ANA, BIA)),),
    "29_quoted_newline.csv": (Outcome((ANA, BIA)),),
    "31_gzip.csv.gz": (Outcome((ANA,)),),
    "33_in.zip": (Outcome(refused="a .zip file cannot be read: it is an archive. Unpack it"),),
    "35_emoji.csv": (Outcome((ANA, BIA)),),
    "37_fullwidth.csv": (Outcome((ANA,)),),
    "39_spaces_around.csv": (Outcome((ANA,)),),
    "41_extension.csv": (broken((1, 2), (2, 3)),),
    "43_email_in_number.csv": (broken((1, 2)),),
    "45_empty.csv": (Outcome(refused="header: the file is empty"),),
    "47_no_header.csv": (Outcome(refused="must begin with a header that has a column 'NUMBER'"),),
    "49_nested.jsonl": (Outcome((ANA,)),),
    "51_array.json": (Outcome(refused="Write one object a line, as jq -c '.[]' does"),),
    "53_array_pretty.jsonl": (Outcome(refused="the file is one JSON list"),),
    "55_bom.jsonl": (Outcome((ANA,)),),
    "57_nan.jsonl": (broken((1, 1), column=", column NAME"),),
    "59_contacts.xlsx": (Outcome(refused="it is a spreadsheet. Save it as CSV UTF-8"),),
    "61_upper.CSV": (Outcome((ANA,)),),
    "63_unbalanced_quote.csv": (Outcome(refused="row 2 (line 3): a quote or a field in it does not end"),),
    "65_semicolon_single_col.csv": (Outcome((ANA,)),),
    "67_mojibake.csv": (Outcome((ANA,)),),
    "69_title_rows.csv": (Outcome(refused="line 3 is the first with a column 'NUMBER'. Delete the lines above it"),),
    "71_bom_in_middle.csv": (Outcome((ANA, BIA)),),
    "73_short_codes.csv": (broken((1, 2), (2, 3), (3, 4)), broken((1, 2), (2, 3), (3, 4), country="BR")),
    "75_letters_o.csv": (broken((1, 2)), broken((1, 2), country="BR")),
    "77_repeat_row.csv": (Outcome((ANA,), 2),),
    "79_unnamed_with_value.csv": (broken((1, 2), column=", column 3"),),
    "81_ddd51_no_country.csv": (
        broken((1, 2), (2, 3), (3, 4)),
        Outcome(("+5551999990000", "+5566999990000", "+5584999990000"), country="BR"),
    ),
    "83_quoted_newline_then_broken.csv": (broken((2, 6)),),
    "85_optout_col.csv": (Outcome((ANA, BIA)),),
    "87_many_broken.csv": (broken((1, 2), (2, 3), (3, 4)),),
    "89_html.csv": (Outcome(refused="the file is a web page (HTML)"),),
    "91_mixed_eol.csv": (Outcome((ANA, BIA)),),
    "93_semicolon_values.csv": (Outcome((ANA,)),),
}
#: With Kore.ai's columns it is no longer the same twice.
OF_KOREAI = {**OUTCOMES, "21_repeated_header.csv": (Outcome((ANA,)),)}
CASES = [
    *(("altur", DATA / name, outcome) for name, outcomes in OUTCOMES.items() for outcome in outcomes),
    *(
        ("koreai", DATA / "kore" / name, outcome)
        for name, outcomes in OF_KOREAI.items()
        for outcome in outcomes
        if (DATA / "kore" / name).exists()
    ),
]


def rows_of(contacts: Any, vendor: str = "altur", max_broken: float = 0, **reading: Any) -> ContactRows:
    log = logging.getLogger(__name__)
    return ContactRows(read_source(contacts), FORMS[vendor], Reading(**reading), max_broken, log)


def handed_over(rows: ContactRows, vendor: str = "altur") -> tuple[str, ...]:
    return tuple(json.loads(row)[FORMS[vendor].number] for row in rows.sound())


def test_every_file_has_its_outcome() -> None:
    assert {path.name for path in DATA.iterdir() if path.is_file()} == OUTCOMES.keys()
    assert {path.name for path in (DATA / "kore").iterdir()} <= OUTCOMES.keys()


@pytest.mark.parametrize(
    ("vendor", "path", "outcome"),
    CASES,
    ids=[f"{vendor} {path.name} {outcome.country or ''}" for vendor, path, outcome in CASES],
)
def test_a_file_is_handed_over_as_meant_or_refused_in_words(vendor: str, path: Path, outcome: Outcome) -> None:
    def rows() -> ContactRows:
        return rows_of(path, vendor, default_country=outcome.country)

    number, name = FORMS[vendor].number, "name" if vendor == "altur" else "firstName"
    if outcome.refused:
        with pytest.raises(InvalidRequest) as refused:
            rows().check()
        assert outcome.refused.replace("NUMBER", number) in str(refused.value)
    elif outcome.broken:
        with pytest.raises(InvalidRequest) as refused:
            rows().check()
        told = re.findall(r"row (\d+) \(line (\d+)\)(.*?): ", str(refused.value))
        columns = [
            (row, line, column.replace("NUMBER", number).replace("NAME", name)) for row, line, column in outcome.broken
        ]
        assert [(int(row), int(line), column) for row, line, column in told] == columns
    else:
        found = rows()
        checked = found.check()
        assert handed_over(found, vendor) == outcome.numbers
        assert (checked.rows, checked.duplicates) == (len(outcome.numbers), outcome.duplicates)
    for seen in () if not (outcome.refused or outcome.broken) else ("99990001", "Ana", "Bia", "devedora", "12345678"):
        assert seen not in str(refused.value)


# Others of the same kinds


@UNHURRIED
@given(
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(["", "blank", "separators"]), max_size=3),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8),
)
def test_however_a_table_is_saved_the_same_people_are_in_it(
    separator: str, encoding: str, ending: str, sep_line: bool, packed: bool, empty: list[str], name: str
) -> None:
    import tempfile

    text = io.StringIO()
    table = csv.writer(text, delimiter=separator, lineterminator=ending)
    table.writerow([" Contact ", "NAME", "city", ""])
    table.writerow([ANA, name, "SP", ""])
    for kind in empty:
        text.write(ending if kind != "separators" else separator * 3 + ending)
    table.writerow([BIA, f"{name}{ending}{name}", "a,b;c|d", ""])
    whole = (f"sep={separator}{ending}" if sep_line else "") + text.getvalue()
    content = whole.encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contacts.csv")
        path.write_bytes(gzip.compress(content) if packed else content)
        rows = rows_of(path)
        rows.check()
        first, second = map(json.loads, rows.sound())
    assert (first["contact"], first.get("name", "").strip()) == (ANA, name.strip())
    assert first["extracted_data"]["city"] == "SP"
    assert (second["contact"], second["extracted_data"]["city"]) == (BIA, "a,b;c|d")


@pytest.mark.parametrize("lines_before", [0, 1, 5])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_line_is_the_one_that_an_editor_shows(kind: str, lines_before: int, tmp_path: Path) -> None:
    path = tmp_path / f"contacts.{kind}"
    if kind == "csv":
        breaks = "\n" * lines_before
        path.write_text(f'contact,name\n{ANA},"a{breaks}b"\n\n,,\n{BIA},"c"\n12,x\n'.replace(",,", ","))
    else:
        path.write_text("\n" * lines_before + '{"contact": "' + ANA + '"}\n\n \n\n{"contact": "12"}\n')
    line = lines_before + (6 if kind == "csv" else 5)
    with pytest.raises(InvalidRequest, match=rf"\(line {line}\), column contact: "):
        rows_of(path).check()


def xlsx() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return held.getvalue()


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("contacts.csv", f"contact\n{ANA}\n")
    return held.getvalue()


TABLE = f"contact,name\n{ANA},José\n"
NO_TEXT: Mapping[str, tuple[bytes, str]] = {
    "xlsx": (xlsx(), "an Excel workbook"),
    "the beginning of an xlsx": ((DATA / "59_contacts.xlsx").read_bytes(), "a zip archive or an Excel workbook"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an Excel workbook"),
    "zip": (zipped(), "a zip archive"),
    "a sign-in page": (b"<!DOCTYPE html><html></html>", "a web page"),
    "a page with a mark and blanks": (b"\xef\xbb\xbf\n <html lang='en'>", "a web page"),
    "XML": (b"<?xml version='1.0'?><Error/>", "a web page .HTML. or XML"),
    "PDF": (b"%PDF-1.7\n", "a PDF"),
    "Parquet": (b"PAR1" + bytes(40), "Parquet"),
    "UTF-32": (TABLE.encode("utf-32"), "UTF-32"),
    "UTF-16 without a mark": (TABLE.encode("utf-16-le"), "UTF-16 without a byte order mark"),
    "UTF-16 without a mark, the other way": (TABLE.encode("utf-16-be"), "UTF-16 without a byte order mark"),
    "gzip twice": (gzip.compress(gzip.compress(TABLE.encode())), "twice"),
    "half of a gzip": (gzip.compress(random.Random(7).randbytes(200_000))[:100_000], "broken gzip"),
    "zip within gzip": (gzip.compress(zipped()), "a zip archive"),
}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz"])
@pytest.mark.parametrize("kind", NO_TEXT)
def test_what_is_no_text_is_named_for_what_it_is_under_any_name(kind: str, ending: str, tmp_path: Path) -> None:
    content, said = NO_TEXT[kind]
    path = tmp_path / f"contacts.{ending}"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=said if kind != "half of a gzip" else "gzip|null bytes|UTF-8|header"):
        rows_of(path).check()


@pytest.mark.parametrize(
    "ending", ["xlsx", "XLS", "ods", "zip", "json", "parquet", "txt", "tsv", "gz", "tar.gz", "csv.zip"]
)
def test_a_file_of_another_kind_says_what_to_do(ending: str) -> None:
    with pytest.raises(InvalidRequest, match=r"Save it|Unpack it|Write|Name it|name it"):
        read_source(f"contacts.{ending}")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("table", [TABLE, f"contact,endereço\n{ANA},x\n"])
def test_other_encodings_are_refused_with_what_to_do(encoding: str, table: str, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(table.encode(encoding))
    with pytest.raises(InvalidRequest, match="Save it as CSV UTF-8"):
        rows_of(path).check()


def test_half_a_character_of_utf_16_is_a_broken_row(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(TABLE.encode("utf-16") + b"+")
    with pytest.raises(InvalidRequest, match=r"row 2 \(line 3\): it is not in UTF-8"):
        rows_of(path).check()


@pytest.mark.parametrize("row", [f"{ANA},Ana", f"{ANA},Ana,", f"{ANA},Ana,,", f"{ANA},Ana,,,,"])
@pytest.mark.parametrize("header", ["contact,name", "contact,name,", "contact,name,,"])
def test_empty_columns_at_the_end_do_not_matter(header: str, row: str, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(f"{header}\n{row}\n")
    rows = rows_of(path)
    rows.check()
    assert [*map(json.loads, rows.sound())] == [{"contact": ANA, "name": "Ana"}]
    path.write_text(f"{header}\n{ANA}\n")
    with pytest.raises(InvalidRequest, match="it has 1 columns"):
        rows_of(path).check()


@pytest.mark.parametrize("content", [f'{{"contact": "{ANA}"}}\n', f'[{{"contact": "{ANA}"}}]', '{"error": "sign in"}'])
def test_json_under_the_name_of_a_table_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(content)
    with pytest.raises(InvalidRequest, match="the file looks like JSON") as refused:
        rows_of(path).check()
    assert ANA not in str(refused.value)


def test_a_table_under_the_name_of_json_lines_is_named(tmp_path: Path) -> None:
    path = tmp_path / "contacts.jsonl"
    path.write_text(TABLE)
    with pytest.raises(InvalidRequest, match=r"it is no JSON\. A table is named \.csv"):
        rows_of(path).check()


@pytest.mark.parametrize("again", ["contact,name", "contact,name,"])
def test_a_header_in_the_middle_is_a_broken_row(again: str, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(f"contact,name\n{ANA},Ana\n{again}\n{BIA},Bia\n")
    with pytest.raises(InvalidRequest, match=r"row 2 \(line 3\).*: it is (the header once more|words)"):
        rows_of(path).check()


@pytest.mark.parametrize("header", ["Contact", " CONTACT ", "con tact", "\ufeffcontact", '"contact"'])
def test_a_header_is_known_in_any_case_and_with_blanks(header: str, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(f"{header},F_ID\n{ANA},7\n")
    rows = rows_of(path)
    rows.check()
    assert [*map(json.loads, rows.sound())] == [{"contact": ANA, "f_id": "7"}]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "list"])
def test_columns_are_mapped(kind: str, tmp_path: Path) -> None:
    contacts: Any = [{"Telefone": ANA, "nome": "Ana"}]
    path = tmp_path / f"contacts.{kind}"
    if kind == "csv":
        path.write_text(f"Telefone;nome\n{ANA};Ana\n")
    elif kind == "jsonl":
        path.write_text(f'{{"Telefone": "{ANA}", "nome": "Ana"}}\n')
    source = contacts if kind == "list" else path
    rows = rows_of(source, columns={"telefone": "contact", "NOME": "name"})
    rows.check()
    assert [*map(json.loads, rows.sound())] == [{"contact": ANA, "name": "Ana"}]
    with pytest.raises(InvalidRequest, match=r"no column 'nmoe'|no row has a column 'nmoe'"):
        rows_of(source, columns={"telefone": "contact", "nome": "name", "nmoe": "context"}).check()
    with pytest.raises(InvalidRequest, match="column twice"):
        rows_of(source, columns={"telefone": "contact", "nome": "contact"}).check()


def test_rows_that_all_have_columns_of_their_own_are_read() -> None:
    rows = [{"phone": f"+52555{place:07d}", f"answer {place}": "yes"} for place in range(1500)]
    rows.append({"phone": ANA, "nome": "Ana"})
    assert rows_of(rows, "koreai", columns={"phone": "phoneNumber", "nome": "firstName"}).check().rows == 1501


@pytest.mark.parametrize("name", ["opt_out", "Opt-Out", "Unsubscribed", "DNC", "do not call", "Não perturbe"])
@pytest.mark.parametrize("kind", ["csv", "list"])
def test_a_column_that_looks_like_an_opt_out_is_warned_of(
    name: str, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(f"phoneNumber,{name}\n{ANA},yes\n")
    rows = rows_of(path if kind == "csv" else [{"phoneNumber": ANA, name: "yes"}], "koreai")
    assert rows.check().rows == 1
    assert "those rows are contacted all the same" in caplog.text
    caplog.clear()
    rows_of([{"phoneNumber": ANA, "status": "active"}], "koreai").check()
    assert "contacted all the same" not in caplog.text


def test_text_that_was_garbled_before_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    rows_of(DATA / "67_mojibake.csv").check()
    assert "text that was garbled before, such as JosÃ© for José: 1" in caplog.text
    caplog.clear()
    rows_of(DATA / "01_plain.csv").check()
    assert "garbled" not in caplog.text


# What an author passes


class Frame:
    """What a data frame shows of itself; a test below has the real ones, where a developer's packages are installed."""

    columns = ("contact",)

    def to_csv(self, path: str, index: bool = True) -> None:
        """Write it."""


REFUSED: Mapping[str, tuple[Callable[[], Any], str]] = {
    "one contact": (lambda: {"contact": ANA}, r"of type dict: for a single contact write \[{...}\]"),
    "bytes": (lambda: b"contacts.csv", "of type bytes: write them to a file"),
    "a set": (lambda: {ANA}, "of type set: it has no order"),
    "a number": (lambda: 5511999990001, "of type int: make it a list of dicts"),
    "a data frame": (Frame, r"of type Frame: write it to a file with to_csv\(path, index=False\)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_neither_a_list_nor_a_path_is_refused_by_name_with_the_way_to_do_it(kind: str) -> None:
    make, said = REFUSED[kind]
    with pytest.raises(InvalidRequest, match=f"contacts must be a list of dicts, .* not a value {said}") as refused:
        read_source(make())
    assert ANA[1:] not in str(refused.value)


def test_data_frames_and_arrays_are_refused_and_the_way_that_is_told_works(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"contact": [ANA, BIA], "name": ["Ana", None]})
    with pytest.raises(InvalidRequest, match="DataFrame: write it to a file with to_csv"):
        read_source(frame)
    with pytest.raises(InvalidRequest, match="Series: make it a list of dicts"):
        read_source(frame["contact"])
    with pytest.raises(InvalidRequest, match="ndarray: make it a list of dicts"):
        read_source(frame.to_numpy())
    frame.to_csv(tmp_path / "contacts.csv", index=False)
    rows = rows_of(tmp_path / "contacts.csv")
    rows.check()
    assert handed_over(rows) == (ANA, BIA)
    # Empty cells of a data frame are NaN in its rows.
    with pytest.raises(InvalidRequest, match=r"row 2, column name: it is NaN .* None"):
        rows_of(pandas.DataFrame({"contact": [ANA, BIA], "name": ["Ana", float("nan")]}).to_dict("records")).check()


def test_values_of_numpy_are_python_s() -> None:
    numpy = pytest.importorskip("numpy")
    row = {"contact": numpy.int64(11999990001), "extracted_data": {"a": 1}, "f_id": numpy.str_("7")}
    rows = rows_of([row], default_country="BR")
    rows.check()
    assert [*map(json.loads, rows.sound())] == [{"contact": ANA, "f_id": "7", "extracted_data": {"a": 1}}]


@pytest.mark.parametrize("row", [ANA, (ANA, "Ana"), None, 5])
def test_a_row_that_is_no_dict_is_broken(row: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"contacts, row 1: it must be a dict such as {'contact': ") as refused:
        rows_of([row]).check()
    assert ANA not in str(refused.value)


@pytest.mark.parametrize("make", [str, Path, lambda path: f"file://{path}"])
def test_a_path_is_a_path_whatever_holds_it(make: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(TABLE)
    assert rows_of(make(path)).check().rows == 1


def test_a_path_of_airflow_s_object_storage_is_a_path(tmp_path: Path) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    path = tmp_path / "contacts.csv"
    path.write_text(TABLE)
    assert rows_of(ObjectStoragePath(f"file://{path}")).check().rows == 1
    assert rows_of(ObjectStoragePath(str(path))).check().rows == 1


def test_a_relative_path_is_looked_for_in_each_folder_in_turn(tmp_path: Path) -> None:
    beside, working = tmp_path / "dags", tmp_path / "work"
    for folder in (beside, working):
        folder.mkdir()
    folders = (str(beside), str(working))
    with pytest.raises(InvalidRequest, match=rf"looked for in {beside} and then in {working}\."):
        rows_of("people/contacts.csv", folders=folders).check()
    (working / "people").mkdir()
    (working / "people" / "contacts.csv").write_text(TABLE)
    assert rows_of("people/contacts.csv", folders=folders).check().rows == 1
    (beside / "people").mkdir()
    (beside / "people" / "contacts.csv").write_text(f"contact\n{ANA}\n{BIA}\n")
    assert rows_of("people/contacts.csv", folders=folders).check().rows == 2


def test_a_pipe_a_device_and_a_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    for name, said in (("pipe", "a pipe"), ("device", "a device"), ("folder", "a folder")):
        for path in (tmp_path / f"{name}.csv", f"file://{tmp_path}/{name}.csv"):
            with pytest.raises(InvalidRequest, match=f"is .*{said}.*must be a file"):
                rows_of(path).check()
