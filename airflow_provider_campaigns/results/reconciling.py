"""Whom an audience meant, whom the vendor took and what became of them: each row in one class, and the rest named."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.outcomes import OutcomeWord, with_plus
from airflow_provider_campaigns.audience.classes import LEFT_OUT
from airflow_provider_campaigns.audience.engine import SEPARATOR, engine, read_staged
from airflow_provider_campaigns.audience.inputs import Input, fetch
from airflow_provider_campaigns.contacts.files import opened
from airflow_provider_campaigns.contacts.numbers import NoNumber, read_number
from airflow_provider_campaigns.results.handed_over import handed_over, settled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS_A_BATCH = 10_000
#: What a row of an audience can have come to; the classes add up to its rows.
RECONCILED = (*LEFT_OUT, "not_launched", "refused", *map(str, OutcomeWord), "unexplained")
#: What nobody can explain, besides the class: see :meth:`Reconciliation.report`.
_BESIDES = ("strangers", "twice", "miscounted")


class Reconciliation:
    """
    An audience, and what became of its people.

    :param manifest: The path or URI of its manifest.
    :param outcomes: Files with what became of contacts, as ``CampaignOutcomesToObjectStorageOperator`` writes them.
    :param launched: The shares of the slices that were launched; None for those with a receipt, and all
        without receipts.
    :param receipts: The receipts of slices, by their shares.
    :param folders: Where to look for a relative path.
    """

    def __init__(
        self,
        manifest: str,
        outcomes: Sequence[str],
        launched: Sequence[float] | None = None,
        folders: Sequence[str] = (),
        receipts: Mapping[float, Sequence[Mapping[str, Any]]] | None = None,
    ) -> None:
        self._path = manifest
        self._outcomes = outcomes
        self._launched = [*receipts] if launched is None and receipts else launched
        self._folders = folders
        self._handed = {share: handed_over(share, told) for share, told in (receipts or {}).items()}

    def report(self) -> dict[str, Any]:
        """
        Return what became of the audience, in counts alone.

        ``classes`` holds the rows of the audience by class, ``refused`` and ``unexplained`` among them: people of a
        launched slice without an outcome, who were refused at the hand-over as its receipt says, or not. ``strangers``
        are outcomes of somebody whom no launched slice holds, ``twice`` those of somebody who has one already,
        ``miscounted`` is by how many people a receipt contradicts the audience or the outcomes.

        :raises InvalidRequest: A file is missing or broken, or a slice is not what the manifest says; names it.
        """
        manifest = self._manifest()
        shares = list(dict.fromkeys(one["share"] for one in manifest["slices"]))
        launched = shares if self._launched is None else self._launched
        for name, named in (("receipts", [*self._handed]), ("launched", launched)):
            unknown = [share for share in named if share not in shares]
            if unknown:
                known = ", ".join(f"{one:g}" for one in shares)
                raise InvalidRequest(f"{name} names the share {unknown[0]:g}, and the audience has {known}.")
        unlaunched = [share for share in self._handed if share not in launched]
        if unlaunched:
            raise InvalidRequest(f"receipts has one of the share {unlaunched[0]:g}, which launched does not name.")
        country = manifest["arguments"].get("default_country")
        with tempfile.TemporaryDirectory(prefix="reconcile-") as temporary:
            folder = Path(temporary)
            with engine(folder) as database:
                self._stage(database, folder, "meant", self._meant(manifest, folder))
                self._stage(database, folder, "found", self._found(database, country, folder))
                counted = self._outcomes_by_slice(database)
                outside = self._outside(database, launched)
        classes = {**dict.fromkeys(RECONCILED, 0), **{name: manifest["counts"][name] for name in LEFT_OUT}}
        slices, miscounted = [], 0
        for share in shares:
            words = counted.get(f"{share:g}", Counter())
            told = self._settle(share, words, classes, is_launched=share in launched)
            miscounted += told.pop("miscounted")
            slices.append(told)
        rows = manifest["counts"]["rows"]
        if sum(classes.values()) != rows:
            raise InvalidRequest(f"{self._path!r}: its slices do not hold the people that it counts.")
        told_of = {"manifest": self._path, "outcomes": list(self._outcomes), "rows": rows}
        return {**told_of, "classes": classes, "slices": slices, **outside, "miscounted": miscounted}

    def _settle(
        self, share: float, words: Counter[str | None], classes: dict[str, int], *, is_launched: bool
    ) -> dict[str, Any]:
        """Add the people of a slice to the classes, and return what the report says of it."""
        meant = words.total()
        if not is_launched:
            classes["not_launched"] += meant
            return {"share": share, "launched": False, "meant": meant, "miscounted": 0}
        with_outcome = meant - words.pop(None, 0)
        for word, count in words.items():
            classes[str(word)] += count
        handed = self._handed.get(share)
        found = settled(meant, with_outcome, handed)
        classes["refused"] += found.refused
        classes["unexplained"] += found.unexplained
        return {
            "share": share,
            "launched": True,
            "meant": meant,
            "handed_over": handed.taken if handed else None,
            "refused": found.refused,
            "with_outcome": with_outcome,
            "unexplained": found.unexplained,
            "miscounted": found.miscounted,
        }

    def _manifest(self) -> Mapping[str, Any]:
        try:
            with opened(self._path, self._folders) as file:
                read = json.loads(file.read())
            if set(LEFT_OUT) <= set(read["counts"]) and read["slices"] and read["arguments"]:
                return dict(read)
        except InvalidRequest as error:
            raise InvalidRequest(str(error).replace("contacts", "manifest", 1)) from None
        except (ValueError, KeyError, TypeError):
            pass
        raise InvalidRequest(f"manifest: {self._path!r} is no manifest of an audience.")

    def _meant(self, manifest: Mapping[str, Any], folder: Path) -> Iterator[tuple[int, str]]:
        """Yield the people of all slices, and the share of each one's slice."""
        country = manifest["arguments"].get("default_country")
        for place, one in enumerate(manifest["slices"]):
            file = fetch("slice", one["path"], self._folders, folder / f"slice_{place}")
            if file.sha256 != one["sha256"]:
                raise InvalidRequest(f"{file} is not what {self._path!r} says that it is.")
            for contact in _contacts_of(file, manifest["arguments"]["vendor"]):
                yield _person(contact, country) or 0, f"{one['share']:g}"

    def _found(self, database: DuckDBPyConnection, country: str | None, folder: Path) -> Iterator[tuple[int, str]]:
        for place, path in enumerate(self._outcomes):
            file = fetch("outcomes", path, self._folders, folder / f"outcomes_{place}")
            for row in _outcomes_in(file, database):
                word = row.get("outcome")
                if word not in list(OutcomeWord):
                    raise InvalidRequest(f"{file} has a row whose outcome is none of {', '.join(OutcomeWord)}.")
                yield _person(row.get("contact"), country) or 0, str(word)

    def _stage(self, database: DuckDBPyConnection, folder: Path, table: str, rows: Iterator[tuple[int, str]]) -> None:
        path = folder / f"{table}.staged"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{person}{SEPARATOR}{word}\n" for person, word in rows)
        columns = "{'person': 'BIGINT', 'word': 'VARCHAR'}"
        database.execute(
            f"CREATE TABLE {table} AS SELECT row_number() OVER () AS rn, * FROM {read_staged(path, columns)}"  # noqa: S608
        )
        path.unlink()

    def _outcomes_by_slice(self, database: DuckDBPyConnection) -> dict[str, Counter[str | None]]:
        """Return how many people of each slice came to which outcome, None for none."""
        counted = database.execute(
            """
            WITH first AS (SELECT person, arg_min(word, rn) AS word FROM found GROUP BY person)
            SELECT meant.word, first.word, count(*) FROM meant LEFT JOIN first USING (person) GROUP BY ALL
            """
        ).fetchall()
        by_slice: dict[str, Counter[str | None]] = {}
        for share, word, count in counted:
            by_slice.setdefault(share, Counter())[word] += count
        return by_slice

    def _outside(self, database: DuckDBPyConnection, launched: Sequence[float]) -> dict[str, int]:
        """Return how many outcomes belong to no launched slice, and how many repeat a person."""
        told = database.execute(
            """
            SELECT count(*) FILTER (WHERE meant.person IS NULL),
                count(*) - count(*) FILTER (WHERE meant.person IS NULL)
                    - count(DISTINCT found.person) FILTER (WHERE meant.person IS NOT NULL)
            FROM found LEFT JOIN (SELECT * FROM meant WHERE list_contains(?, word)) AS meant USING (person)
            """,
            [[f"{share:g}" for share in launched]],
        ).fetchone()
        strangers, twice = told or (0, 0)
        return {"strangers": strangers, "twice": twice}


def unexplained(report: Mapping[str, Any]) -> int:
    """Return how much of a report nobody can explain."""
    return int(report["classes"]["unexplained"] + sum(report[name] for name in _BESIDES))


def table_of(report: Mapping[str, Any]) -> str:
    """Return a report as lines for a log."""
    counts = {name.replace("_", " "): count for name, count in report["classes"].items() if count}
    counts |= {name: report[name] for name in _BESIDES if report[name]}
    lines = [f"{report['rows']:>12,} rows", *(f"{count:>12,} {name}" for name, count in counts.items())]
    return "\n".join([*lines, *map(_slice_told, report["slices"])])


def _slice_told(one: Mapping[str, Any]) -> str:
    begin = f"Slice up to {one['share']:g} %: {one['meant']:,} meant"
    if not one["launched"]:
        return f"{begin}, not launched"
    handed = "" if one["handed_over"] is None else f", {one['handed_over']:,} handed over, {one['refused']:,} refused"
    return f"{begin}{handed}, {one['with_outcome']:,} with an outcome, {one['unexplained']:,} unexplained"


def _person(contact: Any, country: str | None) -> int | None:
    """Return who a contact is, handed over in E.164 and told with or without its plus."""
    for spelled in dict.fromkeys((with_plus(contact) if isinstance(contact, str) else contact, contact)):
        try:
            return read_number(spelled, country).person
        except NoNumber:
            continue
    return None


def _contacts_of(file: Input, vendor: str) -> Iterator[Any]:
    """Yield the numbers in a slice's file."""
    if vendor == "kinbox":
        with file.copy.open(encoding="utf-8", newline="") as lines:
            yield from (cells[0] for cells in csv.reader(lines) if cells)
        return
    name = "contact" if vendor == "altur" else "phoneNumber"
    yield from (row.get(name) for row in _rows_of(file))


def _outcomes_in(file: Input, database: DuckDBPyConnection) -> Iterator[Mapping[str, Any]]:
    """Yield contact and outcome of each row of a file."""
    if file.copy.suffix != ".parquet":
        yield from _rows_of(file)
        return
    import duckdb

    cursor = database.cursor()
    try:
        cursor.execute("SELECT contact, outcome FROM read_parquet(?)", [str(file.copy)])
        while batch := cursor.fetchmany(_ROWS_A_BATCH):
            yield from ({"contact": contact, "outcome": outcome} for contact, outcome in batch)
        return
    except duckdb.Error:
        pass
    raise InvalidRequest(f"{file} is no Parquet file of outcomes, or a broken one.")


def _rows_of(file: Input) -> Iterator[Mapping[str, Any]]:
    import gzip

    with gzip.open(file.copy, "rt") if file.copy.suffix == ".gz" else file.copy.open() as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise InvalidRequest(f"{file} has a line that is no JSON object.")
            yield row
