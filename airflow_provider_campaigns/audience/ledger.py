"""The ledger of who was messaged when, over all campaigns: keyed hashes, one file for each launch key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.audience.engine import quoted
from airflow_provider_campaigns.audience.folder import StoredFolder
from airflow_provider_campaigns.exceptions import CampaignRequestFailed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_provider_campaigns.audience.terms import Cap

#: Phone numbers are few enough to try them all: only the key keeps a hash from being undone.
MIN_SECRET_CHARACTERS = 16
_BLOCK_BYTES = 64
_HASH_DIGITS = 32


class Ledger:
    """
    A ledger, as one launch reads it and writes to it.

    It is written before it is read: of two audiences that are prepared at once, at least one sees the other's people,
    and leaves them out. Both may see each other and leave somebody out twice; a pool of one slot spares them that.

    :param cap: Where it is, and what it allows.
    :param secret: The key of its hashes.
    :param key: The launch's key: a retry writes the same file.
    :param database: Where ``judged`` is.
    :param folder: A folder of this task's own.
    """

    def __init__(
        self,
        cap: Cap,
        secret: str,
        key: str,
        database: DuckDBPyConnection,
        folder: Path,
    ) -> None:
        if len(secret) < MIN_SECRET_CHARACTERS:
            raise InvalidRequest(
                f"cap: the password of connection {cap.conn_id!r} must have at least {MIN_SECRET_CHARACTERS} "
                "characters: it is the key of the ledger's hashes."
            )
        self._cap = cap
        self._secret = secret.encode()
        self._database = database
        self._folder = folder
        self._stored = StoredFolder(cap.ledger, key[:12])
        self._file = folder / f"{key}.parquet"
        self._now = datetime.now(UTC).replace(tzinfo=None)

    @contextmanager
    def reserving(self, holdout: float, vendor: str) -> Iterator[None]:
        """
        Reserve everybody who may be messaged, and fill ``capped`` with those who were messaged too often already.

        What fails within the block, before :meth:`keep`, takes the reservation back.

        :param holdout: The share of people who are kept apart, and are not reserved.
        :param vendor: Who is to send, which the ledger tells.
        :raises InvalidRequest: A file of the ledger cannot be read, or was written with another key.
        :raises CampaignRequestFailed: The ledger cannot be written.
        """
        self._hash_people(holdout)
        was_there = self._file.name in self._names()
        self._write(vendor, "SELECT hash FROM reserved")
        try:
            self._cap_people()
            yield
        except BaseException:
            # What an earlier try reserved may have been launched.
            if not was_there:
                self._stored.remove(self._file.name)
            raise

    def keep(self, vendor: str) -> None:
        """Reduce the reservation to those who are in a slice, now that ``classed`` tells."""
        self._write(
            vendor,
            "SELECT hash FROM reserved JOIN judged USING (person) JOIN classed USING (rn) "
            "WHERE classed.class = 'sliced'",
        )

    def _hash_people(self, holdout: float) -> None:
        """Make the table ``reserved``; the hash is HMAC-SHA256, as Python's ``hmac`` makes it, of a number's digits."""
        key = self._secret if len(self._secret) <= _BLOCK_BYTES else hashlib.sha256(self._secret).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
        self._database.execute(
            f"""
            CREATE TABLE reserved AS SELECT person, left(
                sha256(?::BLOB || unhex(sha256(?::BLOB || encode(person::VARCHAR)))), {_HASH_DIGITS}
            ) AS hash FROM judged WHERE class IS NULL AND held >= ?
            """,
            [outer, inner, holdout],
        )

    def _write(self, vendor: str, hashes: str) -> None:
        self._database.execute(
            f"""
            COPY (
                SELECT hash AS person, {quoted(self._now.isoformat())}::TIMESTAMP AS reserved_at,
                    {quoted(vendor)} AS vendor, {quoted(self._key_id())} AS key FROM ({hashes}) ORDER BY hash
            ) TO {quoted(str(self._file))} (FORMAT parquet, COMPRESSION zstd)
            """
        )
        try:
            self._stored.put(self._file)
        except OSError as error:
            raise CampaignRequestFailed(
                f"cap: the ledger {self._cap.ledger!r} cannot be written: {error.strerror or type(error).__name__}. "
                "Nothing was prepared."
            ) from error

    def _cap_people(self) -> None:
        import duckdb

        since = self._now - timedelta(days=self._cap.days)
        self._database.execute("CREATE TABLE ledger (person VARCHAR)")
        for name in self._names():
            copy = self._folder / "ledger.parquet"
            if name == self._file.name or not self._stored.fetch(name, copy):
                continue
            try:
                keys = self._database.execute(
                    "SELECT DISTINCT key FROM read_parquet(?) WHERE reserved_at > ?", [str(copy), since]
                ).fetchall()
                self._database.execute(
                    "INSERT INTO ledger SELECT person FROM read_parquet(?) WHERE reserved_at > ?", [str(copy), since]
                )
            except (duckdb.IOException, duckdb.InvalidInputException, duckdb.BinderException):
                keys = None
            if keys is None:
                raise InvalidRequest(
                    f"cap: {self._stored.uri(name)!r} is no file of a ledger, or a broken one: whom it counts is "
                    "not known."
                )
            if keys not in ([], [(self._key_id(),)]):
                raise InvalidRequest(
                    f"cap: {self._stored.uri(name)!r} was written with another key than the password of connection "
                    f"{self._cap.conn_id!r}, so that its people would not be known again. Use one key "
                    "for one ledger."
                )
        self._database.execute(
            "INSERT INTO capped SELECT reserved.person, count(*) FROM ledger JOIN reserved ON ledger.person = "
            "reserved.hash GROUP BY ALL HAVING count(*) >= ?",
            [self._cap.messages],
        )

    def _names(self) -> list[str]:
        try:
            names = self._stored.names()
        except OSError as error:
            raise CampaignRequestFailed(
                f"cap: the ledger {self._cap.ledger!r} cannot be read: {error.strerror or type(error).__name__}. "
                "Nothing was prepared."
            ) from error
        return [name for name in names if name.endswith(".parquet") and not name.startswith(".")]

    def _key_id(self) -> str:
        """Return what tells two keys apart, and not what they are."""
        return hmac.digest(self._secret, b"campaign ledger", "sha256").hex()[:16]


def ledger_secret(cap: Cap) -> str:
    """
    Return the key of a ledger's hashes: the password of its connection.

    :raises InvalidRequest: There is no such connection.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

    try:
        return str(BaseHook.get_connection(cap.conn_id).password or "")
    except AirflowNotFoundException:
        pass
    raise InvalidRequest(
        f"cap: there is no connection {cap.conn_id!r}. Add one, of any type, whose password is the key of the ledger's "
        "hashes."
    )
