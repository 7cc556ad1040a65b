"""What becomes of each row: exactly one class, decided by SQL over all rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.audience.engine import SEPARATOR, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_provider_campaigns.audience.terms import AudienceTerms

#: In the order in which they are asked; what none of them takes is in a slice.
LEFT_OUT = ("invalid", "duplicate", "suppressed", "no_consent", "capped", "holdout")
CLASSES = (*LEFT_OUT, "sliced")
#: Hexadecimal digits of a hash that make a place, exact in a double, and how many places they tell apart.
_DIGITS = 13
_PLACES = 16.0**_DIGITS


@dataclass(frozen=True, slots=True)
class Slice:
    """
    A part of the people who are to be reached.

    :param share: Where it ends, in percent of them.
    :param path: Its file in this task's folder.
    :param contacts: How many people are in it.
    :param timezone: The time zone that they live in, or None if the slice is not split.
    """

    share: float
    path: Path
    contacts: int
    timezone: str | None = None

    def described(self) -> dict[str, Any]:
        """Return what a manifest tells of it beside its file."""
        zone = {"timezone": self.timezone} if self.timezone else {}
        return {"share": self.share, **zone, "contacts": self.contacts}


class Classes:
    """
    Classes of the rows in ``staged``.

    :param database: Where ``staged`` and ``excluded`` are.
    :param terms: What decides.
    """

    def __init__(self, database: DuckDBPyConnection, terms: AudienceTerms) -> None:
        self._database = database
        self._terms = terms

    def decide(self) -> None:
        """
        Make the table ``judged``: what each row is as far as the files alone tell, and where hashes place its person.

        A person's place depends on salt and number alone, not on the list or its order: the same on each retry.
        """
        # Two places out of one hash, so that the control group does not depend on the slices.
        self._database.execute(
            f"""
            CREATE TABLE judged AS
            WITH first_rows AS (
                SELECT person, min(rn) AS rn FROM staged WHERE flaw IS NULL GROUP BY person
            ), known AS (
                SELECT staged.rn, staged.person, excluded.file, first_rows.rn AS first_rn,
                    CASE WHEN staged.flaw IS NOT NULL THEN 'invalid'
                        WHEN staged.rn <> first_rows.rn THEN 'duplicate'
                        WHEN excluded.person IS NOT NULL THEN 'suppressed'
                        WHEN NOT staged.required THEN 'no_consent' END AS class
                FROM staged LEFT JOIN first_rows USING (person) LEFT JOIN excluded USING (person)
            ), hashed AS (
                SELECT *, CASE WHEN class IS NULL THEN sha256(? || person) END AS hash FROM known
            )
            SELECT * EXCLUDE (hash), {_place("hash", 1)} AS held, {_place("hash", 1 + _DIGITS)} AS placed FROM hashed
            """,
            [f"{self._terms.salt}|"],
        )
        self._database.execute("CREATE TABLE capped (person BIGINT, messages BIGINT)")

    def settle(self) -> Mapping[str, int]:
        """Make the table ``classed``, in which each row has its one class and its slice; return the classes' counts."""
        bounds = ", ".join(map(repr, self._terms.shares))
        self._database.execute(
            f"""
            CREATE TABLE classed AS
            SELECT judged.rn, judged.file, judged.first_rn, capped.messages,
                coalesce(judged.class,
                    CASE WHEN capped.person IS NOT NULL THEN 'capped'
                        WHEN judged.held < {self._terms.holdout!r} THEN 'holdout' ELSE 'sliced' END) AS class,
                list_aggregate(list_filter([{bounds}], lambda bound: judged.placed * 100 < bound), 'min') AS share
            FROM judged LEFT JOIN capped USING (person)
            """
        )
        counted = self._database.execute("SELECT class, count(*) FROM classed GROUP BY class").fetchall()
        (rows,) = self._database.execute("SELECT count(*) FROM staged").fetchone() or (0,)
        counts = {"rows": rows, **dict.fromkeys(CLASSES, 0), **dict(counted)}
        if sum(counts[name] for name in CLASSES) != rows or len(counts) != len(CLASSES) + 1:
            raise AssertionError(f"The classes do not add up to the rows: {counts}")
        return counts

    def write_slices(self, folder: Path, ending: str) -> list[Slice]:
        """
        Write a file for each slice, and for each time zone in it, its people in the order of the list.

        Every slice has a file for every zone that anybody in any slice lives in, be it of nobody.
        """
        zones: list[str | None] = [None]
        if self._terms.by == "timezone":
            query = "SELECT DISTINCT zone FROM classed JOIN staged USING (rn) WHERE class = 'sliced' ORDER BY zone"
            zones = [zone for (zone,) in self._database.execute(query).fetchall()]
        slices = []
        for share in self._terms.shares:
            for zone in zones:
                name = f"slice_{share:g}.{zone.replace('/', '_')}" if zone else f"slice_{share:g}"
                path = folder / f"{name}.{ending}"
                count = self._copy(
                    f"""
                    SELECT staged.body FROM classed JOIN staged USING (rn)
                    WHERE classed.class = 'sliced' AND classed.share = {share!r}
                        {f"AND staged.zone = {quoted(zone)}" if zone else ""} ORDER BY rn
                    """,
                    path,
                    f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '{SEPARATOR}'",
                )
                slices.append(Slice(share, path, count, zone))
        return slices

    def write_left_out(self, path: Path, sources: Sequence[str], excludes: Sequence[str]) -> None:
        """Write a Parquet file with the rows that are in no slice: where they are, their number, and why."""
        cap = self._terms.cap
        within = f" messages within {cap.days:g} days" if cap else ""
        self._copy(
            f"""
            SELECT ({_array(sources)})[staged.source + 1] AS source, staged.row, staged.line, staged.number,
                classed.class,
                CASE classed.class WHEN 'invalid' THEN staged.flaw
                    WHEN 'duplicate' THEN 'the same person as in row ' || first.row || ' of '
                        || ({_array(sources)})[first.source + 1]
                    WHEN 'suppressed' THEN 'in ' || ({_array(excludes)})[classed.file + 1]
                    WHEN 'no_consent' THEN 'without what require asks for'
                    WHEN 'capped' THEN classed.messages || {quoted(within)}
                    WHEN 'holdout' THEN 'in the control group' END AS reason
            FROM classed JOIN staged USING (rn) LEFT JOIN staged AS first ON first.rn = classed.first_rn
            WHERE classed.class <> 'sliced' ORDER BY classed.rn
            """,
            path,
            "FORMAT parquet, COMPRESSION zstd",
        )

    def _copy(self, query: str, path: Path, options: str) -> int:
        (count,) = self._database.execute(f"COPY ({query}) TO {quoted(str(path))} ({options})").fetchone() or (0,)
        return int(count)


def _place(column: str, begin: int) -> str:
    """Return the SQL of a place from 0 to below 1 that some digits of a hash make."""
    return f"('0x' || substr({column}, {begin}, {_DIGITS}))::UBIGINT / {_PLACES!r}"


def _array(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]::VARCHAR[]"
