"""Past nights: earlier proofs, and how much of each table came and went in them.

A night is out of line where a share is further from the median of the past ones than `_SPREADS`
times their median absolute deviation, than a floor of rows, and than any of them was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from forensics.errors import ProofError, UsageError
from forensics.prove.proof import Proof, read
from forensics.text import counted, listed

FEWEST = 5  # nights; of fewer no trend is judged
_MOST = 30  # the latest of them
_NAMED = 3
_SECOND = timedelta(seconds=1)  # archives say their time in whole ones

# The median absolute deviation of normal values is their standard deviation divided by this.
_NORMAL = 1.4826
_SPREADS = 6
_FEW_ROWS, _FEW = 3, 0.05

Key = tuple[str, str]


@dataclass(frozen=True)
class Night:
    """An earlier proof.

    Attributes:
        at: when it was made.
        backup: the SHA-256 of its backup.
        proof: its own.
        database: the name of live's database.
        holds: whether the backup held what it should.
        tables: what it says of each table.
    """

    at: datetime
    backup: str | None
    proof: str
    database: str | None
    holds: bool
    tables: Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True)
class Past:
    """The earlier proofs that a backup is held against.

    Attributes:
        nights: the latest of those that hold, the oldest first.
        failed: how many did not hold: they are no measure.
        left_out: what is no measure for another reason, in sentences.
    """

    nights: tuple[Night, ...] = ()
    failed: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether a trend can be judged."""
        return len(self.nights) >= FEWEST

    def of(self, key: Key, counts: str, whole: str) -> list[float]:
        """A table's past shares: of those of `whole` rows that there were, so many `counts`."""
        found = []
        for night in self.nights:
            table = night.tables.get(key)
            if table is None or table["state"] != "compared" or not table[whole]:
                continue
            found.append(table[counts] / table[whole])
        return found

    def before(self, backup: str | None, taken_at: datetime | None) -> Night | None:
        """The last night before a backup was taken, or None.

        Args:
            backup: its SHA-256.
            taken_at: when that was, where it is known.
        """
        for night in reversed(self.nights):
            if night.backup == backup:
                continue
            if taken_at is None or night.at < taken_at + _SECOND:
                return night
        return None


def limit(past: Sequence[float], rows: int, most: int | None = None) -> float:
    """Return the share up to which a night is in line with its past.

    Args:
        past: shares of past nights.
        rows: how many rows the table has now.
        most: how many rows are no trifle, however large the table is.
    """
    middle = median(past)
    spread = _NORMAL * median(abs(share - middle) for share in past)
    trifle = _FEW * rows
    if most is not None:
        trifle = min(trifle, most)
    trifle = max(_FEW_ROWS, trifle)
    if rows >= _FEW_ROWS:
        trifle = min(trifle, rows - 1)  # all rows of a table are never one
    return max(middle + max(_SPREADS * spread, trifle / rows), max(past))


# --- reading them ---------------------------------------------------------------------------------


def read_past(folder: Path, out: Path | None, database: str | None) -> Past:
    """Read earlier proofs.

    Args:
        folder: where they lie.
        out: the proof that is to be written: one of that name is of an earlier try.
        database: the name of live's database. Where there are proofs about it, others are none.

    Raises:
        UsageError: the folder is not there, or holds files of which none is a proof.
    """
    files = _files(folder, out)
    nights: list[Night] = []
    left_out: list[str] = []
    for path in files:
        try:
            nights.append(_night(path))
        except ProofError as error:
            left_out.append(f"{error.message.rstrip('.')}; it is left out of the past nights.")
    if files and not nights:
        raise UsageError(
            f"{folder} holds no proof: {counted(len(files), 'file')}. "
            f"{' '.join(left_out[:_NAMED])}",
            "Give the folder into which earlier runs of prove wrote with --out.",
        )
    chosen = _about(database, nights, left_out)
    held = [night for night in chosen if night.holds]
    held.sort(key=lambda night: night.at)
    return Past(tuple(held[-_MOST:]), len(chosen) - len(held), tuple(left_out))


def _about(database: str | None, nights: list[Night], left_out: list[str]) -> list[Night]:
    """The nights of a database, or all of them where there are none; says what is left out."""
    chosen: list[Night] = []
    others: set[str] = set()
    for night in nights:
        if database in (None, night.database):
            chosen.append(night)
        else:
            others.add(str(night.database))
    names = listed(sorted(others))
    if others and chosen:
        left_out.append(f"Proofs about {names} are left out of the past nights.")
    elif others:
        left_out.append(
            f"No earlier proof is about the database {database}: those about {names} are taken "
            "for its past."
        )
        return nights
    return chosen


def _files(folder: Path, out: Path | None) -> list[Path]:
    hint = "Give the folder into which earlier runs of prove wrote with --out."
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() == ".json"]
    except FileNotFoundError as error:
        raise UsageError(f"There is no folder {folder}.", f"{hint} mkdir makes it.") from error
    except OSError as error:
        raise UsageError(f"{folder} cannot be listed: {error.strerror}.", hint) from error
    if out is not None:
        found = [path for path in found if path.resolve() != out.resolve()]
    return sorted(found)


def _night(path: Path) -> Night:
    """Read an earlier proof.

    Raises:
        ProofError: it is none, or is not as it was written.
    """
    proof = read(path)
    if not proof.unaltered:
        raise ProofError(f"{path} was altered since it was written.")
    try:
        return _of(proof)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProofError(f"{path} is not what a proof is made of.") from error


def _of(proof: Proof) -> Night:
    tables = {}
    for table in proof["tables"]:
        counts = [table[name] for name in ("backup_rows", "live_rows", "missing", "added")]
        if table["state"] == "compared" and not all(type(number) is int for number in counts):
            raise ValueError(table["table"])
        tables[str(table["schema"]), str(table["table"])] = table
    return Night(
        at=datetime.fromisoformat(proof["made_at"]).astimezone(UTC),
        backup=proof["backup"]["sha256"],
        proof=proof.sha256,
        database=proof["live"]["database"],
        holds=proof.holds is True,
        tables=tables,
    )
