"""Whom an audience meant against what became of them: each row in one class, and what nobody can explain."""

from __future__ import annotations

import csv
import json
import tempfile
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

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What a row of an audience can have come to; the classes add up to its rows.
RECONCILED = (*LEFT_OUT, "not_launched", *map(str, OutcomeWord), "unexplained")


class Reconciliation:
    """
    An audience, and what became of its people.

    :param manifest: The path or URI of its manifest.
    :param outcomes: Files with what became of contacts, as ``CampaignOutcomesToObjectStorageOperator`` writes them.
    :param launched: The shares of the slices that were launched, or None for all.
    :param folders: Where to look for a relative path.
    """

    def __init__(
        self,
        manifest: str,
        outcomes: Sequence[str],
        launched: Sequence[float] | None = None,
        folders: Sequence[str] = (),
    ) -> None:
        self._path = manifest
        self._outcomes = outcomes
        self._launched = launched
        self._folders = folders

    def report(self) -> dict[str, Any]:
        """
        Return what became of the audience, in counts alone.

        ``classes`` holds the rows of the audience by class, ``unexplained`` among them: people of a launched slice
        without an outcome. ``strangers`` are outcomes of somebody whom no launched slice holds, ``twice`` those of
        somebody who has one already.

        :raises InvalidRequest: A file is missing or broken, or a slice is not what the manifest says; names it.
        """
        manifest = self._manifest()
        shares = [one["share"] for one in manifest["slices"]]
        unknown = [share for share in self._launched or () if share not in shares]
        if unknown:
            known = ", ".join(f"{one:g}" for one in shares)
            raise InvalidRequest(f"launched names the share {unknown[0]:g}, and the audience has {known}.")
        country = manifest["arguments"].get("default_country")
        with tempfile.TemporaryDirectory(prefix="reconcile-") as temporary:
            folder = Path(temporary)
            with engine(folder) as database:
                self._stage(database, folder, "meant", self._meant(manifest, folder))
                self._stage(database, folder, "found", self._found(country, folder))
                classes = {**dict.fromkeys(RECONCILED, 0), **{name: manifest["counts"][name] for name in LEFT_OUT}}
                classes.update(self._classes(database))
                outside = self._outside(database)
        rows = manifest["counts"]["rows"]
        if sum(classes.values()) != rows:
            raise InvalidRequest(f"{self._path!r}: its slices do not hold the people that it counts.")
        return {"manifest": self._path, "outcomes": list(self._outcomes), "rows": rows, "classes": classes, **outside}

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
        """Yield the people of all slices, and whether each is in a launched one."""
        country = manifest["arguments"].get("default_country")
        for place, one in enumerate(manifest["slices"]):
            file = fetch("slice", one["path"], self._folders, folder / f"slice_{place}")
            if file.sha256 != one["sha256"]:
                raise InvalidRequest(f"{file} is not what {self._path!r} says that it is.")
            was_launched = self._launched is None or one["share"] in self._launched
            for contact in _contacts_of(file, manifest["arguments"]["vendor"]):
                yield _person(contact, country) or 0, "launched" if was_launched else "not_launched"

    def _found(self, country: str | None, folder: Path) -> Iterator[tuple[int, str]]:
        for place, path in enumerate(self._outcomes):
            file = fetch("outcomes", path, self._folders, folder / f"outcomes_{place}")
            for row in _rows_of(file):
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

    def _classes(self, database: DuckDBPyConnection) -> dict[str, int]:
        """Return how many people of the slices came to what."""
        counted = database.execute(
            """
            WITH first AS (SELECT person, arg_min(word, rn) AS word FROM found GROUP BY person)
            SELECT CASE WHEN meant.word = 'not_launched' THEN 'not_launched'
                ELSE coalesce(first.word, 'unexplained') END AS class, count(*)
            FROM meant LEFT JOIN first USING (person) GROUP BY ALL
            """
        ).fetchall()
        return dict(counted)

    def _outside(self, database: DuckDBPyConnection) -> dict[str, int]:
        """Return how many outcomes belong to no launched slice, and how many repeat a person."""
        told = database.execute(
            """
            SELECT count(*) FILTER (WHERE meant.person IS NULL),
                count(*) - count(*) FILTER (WHERE meant.person IS NULL)
                    - count(DISTINCT found.person) FILTER (WHERE meant.person IS NOT NULL)
            FROM found LEFT JOIN (SELECT * FROM meant WHERE word = 'launched') AS meant USING (person)
            """
        ).fetchone()
        strangers, twice = told or (0, 0)
        return {"strangers": strangers, "twice": twice}


def unexplained(report: Mapping[str, Any]) -> int:
    """Return how much of a report nobody can explain."""
    return int(report["classes"]["unexplained"] + report["strangers"] + report["twice"])


def table_of(report: Mapping[str, Any]) -> str:
    """Return a report as lines for a log."""
    counts = {name.replace("_", " "): count for name, count in report["classes"].items() if count}
    counts |= {name: report[name] for name in ("strangers", "twice") if report[name]}
    return "\n".join([f"{report['rows']:>12,} rows", *(f"{count:>12,} {name}" for name, count in counts.items())])


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
