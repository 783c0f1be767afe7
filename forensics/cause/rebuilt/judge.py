"""Was the schema rebuilt since the backup, by no migration that anybody noted?

A schema was rebuilt where all but few of its tables that live has are others than those that were
dumped, and most of those that had rows lost all but few of them, by nothing else that is seen:

- it was not restored: neither do its sequences stand where they stood, nor its history as it was;
- no subscription fills its tables;
- they were not truncated after they were made, unless a history says that they were made anew.

Where its tables are the very ones that were dumped and lost their rows, they were emptied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from forensics.cause.rebuilt import histories
from forensics.cause.rebuilt.bounds import When, when
from forensics.cause.rebuilt.facts import Facts, facts_of, fell_back
from forensics.cause.rebuilt.proof import Proof, prove
from forensics.evidence.migrations import HistoryEntry
from forensics.model import TableName, TableResult
from forensics.store import Store
from forensics.text import counted, listed

LEAST = 2  # tables that have to be made anew: one is a table that was dropped and made again
NEARLY_ALL = 0.9  # of a schema's tables that live has
MOST = 0.5  # of those that had rows: the others may have been filled again
SOME = 0.2  # that is enough where the migration history went with the tables

Pattern = Literal["rebuilt", "emptied"]


@dataclass(frozen=True)
class Rebuilt:
    """What became of schemas as a whole.

    Attributes:
        pattern: whether they were rebuilt, or their tables emptied.
        schemas: their names.
        anew: the tables of live that were made anew; of "emptied", those that were emptied.
        gone: the backup's tables that were not made again.
        of: how many of the backup's tables of these schemas live has.
        when: its bounds; None of "emptied".
        transactions: how many made the tables.
        again: when the first of the migrations ran again, where they did.
        evidence: in sentences.
    """

    pattern: Pattern
    schemas: tuple[str, ...]
    anew: frozenset[TableName]
    gone: frozenset[TableName]
    of: int
    when: When | None
    transactions: int
    evidence: tuple[str, ...]
    again: datetime | None = None

    @property
    def tables(self) -> frozenset[TableName]:
        """The backup's tables whose rows went with it."""
        return self.anew | self.gone

    @property
    def title(self) -> str:
        """What happened, and when, as far as it is known: the beginning of a sentence."""
        names = listed([name for name in self.schemas if name != "public"])
        what = "The schema was"
        if len(self.schemas) > 1:
            what = f"The schemas {listed(self.schemas)} were"
        elif names:
            what = f"The schema {names} was"
        if self.when is None:
            return "The tables were emptied, and nothing says that the schema was rebuilt"
        return f"{what} rebuilt {self.when.words}"

    @property
    def json(self) -> dict[str, Any]:
        """As `cause.json` has it."""
        return {
            "pattern": self.pattern,
            "schemas": list(self.schemas),
            "tables": len(self.anew),
            "of": self.of,
            "gone": len(self.gone),
            "transactions": self.transactions if self.when else None,
            "when": self.when.json if self.when else None,
            "title": self.title,
            "evidence": list(self.evidence),
        }


def judge(store: Store, entries: dict[str, list[HistoryEntry]]) -> Rebuilt | None:
    """Judge a case.

    Args:
        store: the case, compared to its end; only read.
        entries: by side, "backup" and "live", its migration history.

    Returns:
        What became of the schemas; None where nothing is claimed.
    """
    facts = facts_of(store, entries)
    if facts is None or not any(result.missing for result in facts.results.values()):
        return None
    proof = prove(facts)
    return _rebuilt(facts, proof) or _emptied(facts, proof)


# --- rebuilt --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """Tables of the backup that are judged together.

    Attributes:
        there: those that live has.
        had: those that had rows to lose, without what is known to be the table that was dumped.
        lost: those of them that lost all, or all but few.
    """

    tables: set[TableName]
    there: set[TableName]
    had: set[TableName]
    lost: set[TableName]


def _group(facts: Facts, proof: Proof, tables: set[TableName]) -> _Group:
    had, lost = set(), set()
    for name in tables - proof.kept:
        emptied = facts.emptied(name)
        if emptied is not None:
            had.add(name)
        if emptied:
            lost.add(name)
    return _Group(tables, tables.intersection(facts.made), had, lost)


def _rebuilt(facts: Facts, proof: Proof) -> Rebuilt | None:
    every = _schemas(facts)
    schemas = [schema for schema in every if _was_rebuilt(facts, proof, schema)]
    if not schemas:
        return None
    tables = set()
    for schema in every:
        if schema in schemas or _went_along(facts, proof, schema):
            tables |= _tables(facts, schema)
    group = _group(facts, proof, tables)
    anew = group.there & proof.anew
    again = histories.reapplied(facts)
    made = [facts.made[name].transaction for name in anew]
    return Rebuilt(
        "rebuilt",
        tuple(sorted(set(map(_schema, tables)))),
        frozenset(anew),
        frozenset(tables - group.there),
        len(group.there),
        when(facts, anew),
        len(set(made)),
        tuple(_evidence(facts, proof, group)),
        again.first if again else None,
    )


def _was_rebuilt(facts: Facts, proof: Proof, schema: str) -> bool:
    group = _group(facts, proof, _tables(facts, schema) - facts.histories)
    anew = group.there & proof.anew
    if len(anew) < LEAST or len(anew) < NEARLY_ALL * len(group.there):
        return False
    if proof.strange & group.there or _is_subscribed(facts, group):
        return False
    enough = SOME if histories.went(facts, proof.anew) else MOST
    if not group.lost or len(group.lost) < enough * len(group.had):
        return False
    if _was_restored(facts, proof, group):
        return False
    return not _was_truncated(facts, proof, group.lost) and not _was_deleted(facts, group.lost)


def _went_along(facts: Facts, proof: Proof, schema: str) -> bool:
    """Whether all of another schema's tables were made anew as well, be they few."""
    group = _group(facts, proof, _tables(facts, schema))
    if not group.there or group.there - proof.anew or group.had != group.lost:
        return False
    return not _is_subscribed(facts, group) and not _was_restored(facts, proof, group)


def _is_subscribed(facts: Facts, group: _Group) -> bool:
    return any(facts.made[name].subscribed for name in group.there)


def _was_restored(facts: Facts, proof: Proof, group: _Group) -> bool:
    """Whether the history, or most sequences of tables that lost their rows, are as they were.

    Then the tables held the rows after they were made. Where none of these draws from a sequence,
    those of the others tell.
    """
    if histories.is_as_it_was(facts, proof.anew):
        return True
    of_lost, of_all = [0, 0], [0, 0]
    for sequence, made in facts.draws():
        owner = sequence.owner[0] if sequence.owner else None
        if owner not in group.tables:
            continue
        stands = not fell_back(sequence, made) and not _were_used_again(facts.results[owner])
        of_all[stands] += 1
        if owner in group.lost:
            of_lost[stands] += 1
    fell, stand = of_lost if any(of_lost) else of_all
    return stand > 0 and stand >= fell


def _were_used_again(result: TableResult) -> bool:
    """Whether other values stand under most of a table's keys."""
    return 2 * (result.changed or 0) >= (result.backup_rows or 0)


def _was_truncated(facts: Facts, proof: Proof, lost: Iterable[TableName]) -> bool:
    """Whether most of the tables that lost their rows were given other files since.

    Then a TRUNCATE may have taken the rows of tables that a restore had made. A history that went
    with the tables speaks against it.
    """
    first = other = 0
    for made in facts.made_of(lost):
        first += made.first_file is True
        other += made.first_file is False
    if other <= first:
        return False
    return not histories.went(facts, proof.anew)


def _was_deleted(facts: Facts, lost: set[TableName]) -> bool:
    """Whether the statistics of most of these tables counted the deletion of all that is missing.

    Then they held the rows: a restore made them.
    """
    deleted = 0
    for made in facts.made_of(lost):
        deleted += not made.never_used and facts.counted_deletion(made.name)
    return 2 * deleted >= len(lost)


def _evidence(facts: Facts, proof: Proof, group: _Group) -> Iterator[str]:
    yield from proof.said
    anew = group.there & proof.anew
    numbers = sorted(int(facts.made[name].transaction) for name in anew)
    yield f"{counted(len(anew), 'table')} of live were made by {_numbered(numbers)}."
    gone = group.tables - group.there
    if gone:
        yield f"{counted(len(gone), 'table')} of the backup were not made again."
    had, lost = group.had - facts.histories, group.lost - facts.histories
    yield (
        f"Of {counted(len(had), 'table')} that held rows {len(lost):,} have lost all of them, or "
        "all but few."
    )
    yield from _sequences(facts, set(map(_schema, anew)))
    yield from histories.said(facts, group.tables)


def _numbered(numbers: list[int]) -> str:
    if numbers[0] == numbers[-1]:
        return f"one transaction, number {numbers[0]}"
    return f"{len(set(numbers)):,} transactions, numbers {numbers[0]} to {numbers[-1]}"


def _sequences(facts: Facts, schemas: set[str]) -> Iterator[str]:
    drawn = back = never = 0
    for sequence, made in facts.draws():
        if sequence.name.schema in schemas:
            drawn += 1
            back += fell_back(sequence, made)
            never += made.last_value is None
    if drawn:
        yield (
            f"Of {counted(drawn, 'sequence')} that had been called {back:,} began again, and "
            f"{never:,} of these were not called since."
        )
    elif any(sequence.is_called for sequence in facts.sequences.values()):
        yield "Where the sequences stand could not be seen, or they are gone."


# --- emptied --------------------------------------------------------------------------------------


def _emptied(facts: Facts, proof: Proof) -> Rebuilt | None:
    """Tables that are those which were dumped, and lost their rows, nearly all of them.

    A plain dump does not say which they are. Those that were truncated, or of which a deletion
    was counted, held rows: they were emptied, unless a history says that they were made anew.
    """
    schemas = []
    tables: set[TableName] = set()
    same = proof.kept
    if facts.oids is None and not proof.anew and not histories.reapplied(facts):
        same = same.union(_emptied_in_place(facts))
    for schema in _schemas(facts):
        had, lost = 0, set()
        for name in _tables(facts, schema) - facts.histories:
            had += bool(facts.results[name].backup_rows)
            if name in same and _lost_rows(facts, name):
                lost.add(name)
        if len(lost) >= LEAST and len(lost) >= NEARLY_ALL * had:
            schemas.append(schema)
            tables |= lost
    if not tables:
        return None
    return Rebuilt(
        "emptied",
        tuple(schemas),
        frozenset(tables),
        frozenset(),
        len(tables),
        None,
        0,
        tuple(_how_emptied(facts, tables, proof)),
    )


def _emptied_in_place(facts: Facts) -> Iterator[TableName]:
    for made in facts.made_of(facts.results):
        if made.first_file is False or facts.counted_deletion(made.name):
            yield made.name


def _lost_rows(facts: Facts, name: TableName) -> bool:
    result = facts.results[name]
    if not result.backup_rows:
        return False
    return (result.missing or 0) >= NEARLY_ALL * result.backup_rows


def _how_emptied(facts: Facts, tables: set[TableName], proof: Proof) -> Iterator[str]:
    other = deleted = 0
    for made in facts.made_of(tables):
        other += made.first_file is False
        deleted += facts.counted_deletion(made.name)
    if tables <= proof.kept:
        yield (
            f"{counted(len(tables), 'table')} are those that were dumped, by their object ids or "
            "the time at which they were made."
        )
    if other:
        yield (
            f"{other:,} of {counted(len(tables), 'table')} have another file than their first, as "
            "after TRUNCATE or a rewrite."
        )
    if deleted:
        yield f"Of {counted(deleted, 'table')} the statistics counted the deletion of the rows."


# --- the backup's tables --------------------------------------------------------------------------


def _schema(name: TableName) -> str:
    return name.schema


def _schemas(facts: Facts) -> list[str]:
    return sorted(set(map(_schema, facts.results)))


def _tables(facts: Facts, schema: str) -> set[TableName]:
    """The backup's tables of a schema."""
    return {name for name in facts.results if name.schema == schema}
