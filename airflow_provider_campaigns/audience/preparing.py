"""An audience from its files to its folder: read, decide, write; or find what an earlier try wrote."""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.audience.classes import LEFT_OUT, Classes, Slice
from airflow_provider_campaigns.audience.engine import engine
from airflow_provider_campaigns.audience.folder import MANIFEST, StoredFolder, Written
from airflow_provider_campaigns.audience.handed import handed_file, own_lines
from airflow_provider_campaigns.audience.inputs import Input, fetch
from airflow_provider_campaigns.audience.ledger import Ledger, ledger_secret
from airflow_provider_campaigns.audience.staging import Staging
from airflow_provider_campaigns.audience.terms import AudienceTerms, described
from airflow_provider_campaigns.contacts.rows import Reading
from airflow_provider_campaigns.exceptions import CampaignRequestFailed
from airflow_provider_campaigns.launch.evidence import versions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TOLD_OF_SLICES = ("share", "timezone", "path", "contacts")
_LEFT_OUT_FILE = "left_out.parquet"


@dataclass(frozen=True, slots=True)
class Preparer:
    """
    The task that prepares an audience.

    :param key: The key of its launch, the same on each try.
    :param by: Who it is, as a manifest tells: DAG, run, task, and who started the run.
    """

    key: str
    by: Mapping[str, Any]


class Preparation:
    """
    One try to prepare an audience.

    :param terms: What it is made by.
    :param preparer: The task.
    :param own_contacts: Rows or numbers of the author's own phones; empty for none.
    :param folders: Where a relative path is looked for.
    :param log: Where log lines go; none holds a number.
    """

    def __init__(
        self,
        terms: AudienceTerms,
        preparer: Preparer,
        own_contacts: Sequence[Any],
        folders: Sequence[str],
        log: logging.Logger | Any,
    ) -> None:
        self._terms = terms
        self._preparer = preparer
        self._own_contacts = own_contacts
        self._folders = folders
        self._log = log
        self._output = StoredFolder(terms.output, preparer.key[:12])

    def run(self) -> dict[str, Any]:
        """
        Return what the task returns: the slices, the counts, and where the rest is told.

        :raises InvalidRequest: An input or an argument is not as it must be, or changed since an earlier try; nothing
            was written.
        """
        with tempfile.TemporaryDirectory(prefix="audience-") as temporary:
            folder = Path(temporary)
            inputs = self._fetch(folder)
            manifest = self._output.manifest()
            if manifest is None:
                manifest = self._prepare(folder, inputs)
            else:
                self._check_found(manifest, inputs)
                self._log.info("The audience was prepared by an earlier try and is as it was: %s", self._terms.output)
        self._tell(manifest)
        test = manifest.get("test")
        return {
            **({"test": {name: test[name] for name in ("path", "contacts")}} if test else {}),
            "slices": [{name: one[name] for name in _TOLD_OF_SLICES if name in one} for one in manifest["slices"]],
            "counts": dict(manifest["counts"]),
            "left_out": manifest["left_out"]["path"],
            "manifest": self._output.uri(MANIFEST),
        }

    def _fetch(self, folder: Path) -> list[Input]:
        wanted = [("source", path) for path in self._terms.source] + [("exclude", path) for path in self._terms.exclude]
        return [
            fetch(role, path, self._folders, folder / f"{role}_{place}") for place, (role, path) in enumerate(wanted)
        ]

    def _prepare(self, folder: Path, inputs: Sequence[Input]) -> Mapping[str, Any]:
        handed = handed_file(self._terms.vendor, self._terms.placeholders)
        own = own_lines(handed, self._own_contacts, Reading(self._terms.default_country, columns=self._terms.columns))
        with engine(folder) as database:
            staging = Staging(self._terms, handed, database, folder, self._log)
            sources = [file for file in inputs if file.role == "source"]
            excludes = [file for file in inputs if file.role == "exclude"]
            staging.read_excludes(excludes)
            staging.read_sources(sources)
            classes = Classes(database, self._terms)
            classes.decide()
            with self._reserving(database, folder) as keep:
                counts = classes.settle()
                if counts["invalid"] == counts["rows"]:
                    raise InvalidRequest(
                        "source: no row can be contacted"
                        + (": all are invalid; the log says why." if counts["rows"] else ", since there are none.")
                    )
                keep()
                slices = classes.write_slices(folder, handed.ending)
                if own:
                    path = folder / f"test.{handed.ending}"
                    path.write_text("".join(f"{line}\n" for line in own), encoding="utf-8")
                    slices = [Slice(0, path, len(own)), *slices]
                left_out = folder / _LEFT_OUT_FILE
                classes.write_left_out(left_out, self._terms.source, self._terms.exclude)
                return self._store(inputs, counts, slices, left_out, folder)

    @contextmanager
    def _reserving(self, database: DuckDBPyConnection, folder: Path) -> Iterator[Callable[[], None]]:
        """Reserve people in the ledger, if there is one; gives what keeps those in slices alone."""
        cap = self._terms.cap
        if cap is None:
            yield lambda: None
            return
        ledger = Ledger(cap, ledger_secret(cap), self._preparer.key, database, folder)
        with ledger.reserving(self._terms.holdout, self._terms.vendor):
            yield lambda: ledger.keep(self._terms.vendor)

    def _store(
        self, inputs: Sequence[Input], counts: Mapping[str, int], slices: Sequence[Slice], left_out: Path, folder: Path
    ) -> Mapping[str, Any]:
        """Write all files, the manifest as the last: without one, nothing counts and the next try writes anew."""
        stored: list[Path] = []
        try:
            written: list[Written] = []
            for path in (*(one.path for one in slices), left_out):
                stored.append(path)
                written.append(self._output.put(path))
            parts = [{**one.described(), **file.described()} for one, file in zip(slices, written, strict=False)]
            manifest = {
                "key": self._preparer.key,
                "prepared_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "prepared_by": dict(self._preparer.by),
                "arguments": described(self._terms),
                "inputs": [file.described() for file in inputs],
                "counts": dict(counts),
                "test": next((part for part in parts if not part["share"]), None),
                "slices": [part for part in parts if part["share"]],
                "left_out": {"rows": sum(counts[name] for name in LEFT_OUT), **written[-1].described()},
                "versions": versions("apache-airflow", "duckdb", "phonenumbers"),
            }
            path = folder / MANIFEST
            path.write_text(json.dumps(manifest, indent=2) + "\n")
            stored.append(path)
            self._output.put(path)
        except BaseException as error:
            for path in reversed(stored):
                with contextlib.suppress(OSError):
                    self._output.remove(path.name)
            if isinstance(error, OSError):
                raise CampaignRequestFailed(
                    f"output: the folder {self._terms.output!r} cannot be written: "
                    f"{error.strerror or type(error).__name__}. Nothing was prepared."
                ) from error
            raise
        return manifest

    def _check_found(self, manifest: Mapping[str, Any], inputs: Sequence[Input]) -> None:
        """Refuse to go on with an audience that was made otherwise than this task would make it."""
        folder = self._terms.output
        if manifest["key"] != self._preparer.key:
            raise InvalidRequest(
                f"output: {folder!r} has the audience of another task or run. Give each run a folder of its own, such "
                "as .../{{ run_id }}."
            )
        before = manifest.get("arguments") or {}
        for name, value in json.loads(json.dumps(described(self._terms))).items():
            if before.get(name) != value:
                raise InvalidRequest(f"{name} is not what it was when the audience in {folder!r} was prepared. {_ANEW}")
        hashes = {(one["role"], one["path"]): one["sha256"] for one in manifest.get("inputs", ())}
        for file in inputs:
            if hashes.get((file.role, file.path)) != file.sha256:
                raise InvalidRequest(f"{file} changed since the audience in {folder!r} was prepared. {_ANEW}")
        own = [manifest["test"]] if manifest.get("test") else []
        for written in (*own, *manifest["slices"], manifest["left_out"]):
            if not self._output.has(written):
                raise InvalidRequest(f"output: {written['path']!r} is gone, or is not what was written there. {_ANEW}")

    def _tell(self, manifest: Mapping[str, Any]) -> None:
        counts = manifest["counts"]
        told = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in LEFT_OUT if counts[name])
        self._log.info("%d of %d rows are in slices; left out: %s", counts["sliced"], counts["rows"], told or "none")
        for one in manifest["slices"]:
            where = f" in {one['timezone']}" if "timezone" in one else ""
            if one["contacts"]:
                self._log.info("Slice up to %g %%%s: %d people", one["share"], where, one["contacts"])
            else:
                self._log.warning("Slice up to %g %%%s: nobody is in it", one["share"], where)


_ANEW = (
    "Campaigns may have been launched with it. To prepare a new audience, start a new run; to replace this one, delete "
    "the folder first."
)
