"""What to compare and how, and who is told how far it is: names that are cheap to import."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from forensics.errors import UsageError
from forensics.model import LOCK_TIMEOUT, MAX_ROW, STATEMENT_TIMEOUT, TableName, TableResult

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])i?B\s*", re.I)
_KILOBYTES = {"k": 1, "m": 1 << 10, "g": 1 << 20, "t": 1 << 30}
NICE_BYTES = 8 << 20  # a second
WIRES = ("auto", "full", "low")
SPARK = "spark"
ENGINES = ("duckdb", SPARK)
_ROWS_HELD = 5  # as long as the longest, by the engine and on the way to it


@dataclass(frozen=True)
class Options:
    """What to compare, and how.

    Attributes:
        schemas, tables: shell patterns; a table's is held against its name and against
            schema.name. Empty means all.
        not_schemas, not_tables: shell patterns of what is left out, whatever else is chosen.
        keys: by table (as in `tables`), the columns that tell its rows apart.
        jobs: how many tables are compared at a time. Each takes a connection to a
            database, and the comparison one more. Connections that no table needs read a large
            one with its own, as far as there are cores.
        resume: leave alone what the case holds already.
        memory: how much the engine may hold before it spills to disk, as DuckDB writes
            it. The process needs more (README).
        max_row: how long a row of a dump may be, in bytes or with a unit; a table with a longer
            one fails. None is a fifth of `memory`: the engine holds a row several times.
        database: which database of a `pg_dumpall` file the backup is.
        junctions: by table, the (column, parent table) pairs of its links: what the
            user knows to be a junction table.
        not_junctions: tables that the user knows to be none.
        verify: compare every table a second time, whole rows byte for byte, and fail it
            where the two disagree.
        overwritten_rows, overwritten_share: in how many rows, and in which share of a table's
            changed ones, one pattern has to hold to be a destruction of values.
        lock_timeout, statement_timeout: how long a statement on a database may wait for
            a lock, and run; "0" is without limit.
        nice: be gentle to databases: one session reads rows at a time, whatever `jobs` says, and
            no more than `NICE_BYTES` a second.
        wire: "low" has live make fingerprints of rows and fetches only what differs, "full" reads
            all rows; "auto" goes over to fingerprints where rows come slowly.
        engine: "duckdb", which works on this machine, or "spark"; None is what FORENSICS_ENGINE
            says, or else "duckdb". With Spark, `jobs` is how many connections executors take.
        master: the Spark Connect server, as sc://HOST:PORT; None is what FORENSICS_MASTER says.
        spark: a session of Spark Connect that is there already, to use instead of a master.

    Raises:
        UsageError: `wire` or `engine` is none of these.
    """

    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    not_schemas: tuple[str, ...] = ()
    not_tables: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    jobs: int = 1
    resume: bool = False
    memory: str = "600MB"
    max_row: str | None = None
    database: str | None = None
    junctions: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    not_junctions: tuple[str, ...] = ()
    verify: bool = False
    overwritten_rows: int = 10
    overwritten_share: float = 0.5
    lock_timeout: str = LOCK_TIMEOUT
    statement_timeout: str = STATEMENT_TIMEOUT
    nice: bool = False
    wire: str = WIRES[0]
    engine: str | None = None
    master: str | None = None
    spark: Any | None = None

    def __post_init__(self) -> None:
        if self.engine not in (None, *ENGINES):
            raise UsageError(
                f"--engine {self.engine} is no engine.", f"Write one of {', '.join(ENGINES)}."
            )
        if self.wire not in WIRES:
            raise UsageError(
                f"--wire {self.wire} is no way to read rows.", f"Write one of {', '.join(WIRES)}."
            )

    @property
    def runs_on(self) -> str:
        """The engine that is to reduce both sides."""
        if self.spark is not None:
            return SPARK
        return self.engine or os.environ.get("FORENSICS_ENGINE") or ENGINES[0]

    def choose(self, name: TableName) -> bool:
        """Whether a table is to be compared."""
        if _any_matches(self.not_schemas, name.schema):
            return False
        if self.not_tables and matching(name, (), self.not_tables):
            return False
        return matching(name, self.schemas, self.tables)

    @property
    def sessions(self) -> int:
        """How many tables are compared at a time."""
        return 1 if self.nice else max(1, self.jobs)

    @property
    def rate(self) -> int | None:
        """How many bytes of rows are read from a database a second; None: as many as it gives."""
        return NICE_BYTES if self.nice else None

    @property
    def longest_row(self) -> str:
        """How long a row of a dump may be: as was said, or such that the engine can hold it."""
        if self.max_row is not None:
            return self.max_row
        amount = _AMOUNT.fullmatch(self.memory)
        if amount is None:
            return MAX_ROW  # whoever opens the case says what is wrong with it
        share = float(amount[1]) * _KILOBYTES[amount[2].lower()] / _ROWS_HELD
        return f"{max(1, int(share))}kB"


class Listener:
    """Is told how far a comparison is. This one keeps silent."""

    def knows(self, sentences: Sequence[str]) -> None:
        """What is known before any row is compared, what is worst first."""

    def begins(self, tables: int, rows: int) -> None:
        """The comparison begins: so many tables, about so many rows on the live side."""

    def rows(self, table: TableName, rows: int) -> None:
        """So many more rows of a table were read."""

    def ends(self, result: TableResult) -> None:
        """A table is done."""

    def stage(self, text: str) -> None:
        """All tables are done, and something else begins, in a few words."""

    def minds(self, text: str) -> None:
        """Something that people should know at once, in a sentence."""


def matching(name: TableName, schemas: Sequence[str], tables: Sequence[str]) -> bool:
    """Whether a table is among those that shell patterns choose."""
    if schemas and not _any_matches(schemas, name.schema):
        return False
    if not tables:
        return True
    spellings = (name.table, f"{name.schema}.{name.table}", str(name))
    return _any_matches(tables, *spellings)


def _any_matches(patterns: Sequence[str], *spellings: str) -> bool:
    for pattern in patterns:
        for spelling in spellings:
            if fnmatchcase(spelling, pattern):
                return True
    return False
