"""Which tables of live are others than those of their names that were dumped.

An archive says which object ids its tables had: the same id is the same table, and one above all
of the backup's is of a table that was made since. An id that is neither was given by another
server, or the numbers began again: then nothing is claimed. A plain dump names no ids. There a
table was made since where live says of it what could not be of the one that was dumped, and so
were those that were made no earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from forensics.cause.rebuilt.facts import Facts, Made, fell_back
from forensics.cause.rebuilt.histories import reapplied
from forensics.model import TableName
from forensics.text import counted


@dataclass
class Proof:
    """What is known of live's tables.

    Attributes:
        anew: tables made since the backup.
        kept: tables that are those which were dumped.
        strange: tables of which the ids tell neither.
        said: what proves it, in sentences.
    """

    anew: set[TableName] = field(default_factory=set)
    kept: set[TableName] = field(default_factory=set)
    strange: set[TableName] = field(default_factory=set)
    said: list[str] = field(default_factory=list)


def prove(facts: Facts) -> Proof:
    """Tell the tables that were made since the backup from those that were dumped."""
    if facts.oids is not None:
        return _by_ids(facts)
    return _by_traces(facts)


def _by_ids(facts: Facts) -> Proof:
    assert facts.oids is not None
    found = Proof()
    for name in facts.results:
        made, oid = facts.made.get(name), facts.oids.get(name)
        if made is None or oid is None:
            continue
        if made.oid == oid:
            found.kept.add(name)
        elif made.oid > facts.highest:
            found.anew.add(name)
        else:
            found.strange.add(name)
    if found.anew:
        lowest = min(facts.made[name].oid for name in found.anew)
        found.said.append(
            f"The object ids of {counted(len(found.anew), 'table')} begin at {lowest:,}, above all "
            f"of the backup's (at most {facts.highest:,}): they are not the tables that were "
            "dumped."
        )
    return found


# --- without ids ----------------------------------------------------------------------------------


def _by_traces(facts: Facts) -> Proof:
    found = Proof()
    unused = {name for name in facts.results if _never_held_its_rows(facts, name)}
    drawn = set(_drawn_anew(facts))
    later = set(_committed_since(facts))
    noted = set(_noted_anew(facts)) - drawn
    proven = unused | drawn | later | noted
    if not proven:
        return found
    found.said += _said(unused, drawn, later, noted)
    first = max(facts.made[name].age for name in proven)
    again = reapplied(facts)
    if again:
        # What noted migrations anew was made before them, and before what they made.
        ages = [facts.made[name].age for name in again.tables if _is_first(facts, name)]
        first = max([first, *ages])
    for name in facts.results:
        made = facts.made.get(name)
        if made is None:
            continue
        if _committed_before(facts, made):
            found.kept.add(name)
        elif made.age <= first:
            found.anew.add(name)
    return found


def _never_held_its_rows(facts: Facts, name: TableName) -> bool:
    """Whether the backup has rows of a table, and live's never held any."""
    made, result = facts.made.get(name), facts.results[name]
    if made is None or not result.backup_rows or result.live_rows != 0:
        return False
    if made.blank and made.inserted == made.deleted == 0:
        # As where a dump of the schema was loaded. The sequences have to say the same.
        return _all_began_again(facts, name.schema)
    return made.never_used


def _all_began_again(facts: Facts, schema: str) -> bool:
    """Whether a schema has sequences that had been called, and all began again in first files."""
    found = []
    for sequence, made in facts.draws():
        if sequence.name.schema == schema:
            found.append(bool(made.first_file) and fell_back(sequence, made))
    return bool(found) and all(found)


def _drawn_anew(facts: Facts) -> Iterator[TableName]:
    """Tables with rows whose sequence stands before where it stood, and was never set back.

    ALTER SEQUENCE and TRUNCATE give a sequence another file. `setval` does not: so the table's own
    statistics have to know of each row that it holds, and of no deletion of those that it lost.
    """
    for sequence, made in facts.draws():
        if sequence.owner is None or not made.first_file or not fell_back(sequence, made):
            continue
        name = sequence.owner[0]
        if name in facts.results and _lacks(facts, name) and facts.counts_every_row(name):
            yield name


def _noted_anew(facts: Facts) -> Iterator[TableName]:
    """Tables with rows, where the migrations ran again: as above, without a sequence."""
    if reapplied(facts) is None:
        return
    for name in facts.results:
        if name in facts.histories:
            continue
        if _lacks(facts, name) and facts.counts_every_row(name):
            yield name


def _lacks(facts: Facts, name: TableName) -> bool:
    return bool(facts.results[name].missing)


def _committed_since(facts: Facts) -> Iterator[TableName]:
    if facts.backup_at is None or not facts.certain:
        return
    for name in facts.results:
        made = facts.made.get(name)
        if made and made.committed and made.committed > facts.backup_at:
            yield name


def _committed_before(facts: Facts, made: Made) -> bool:
    if facts.backup_at is None or not facts.certain or made.committed is None:
        return False
    return made.committed <= facts.backup_at


def _is_first(facts: Facts, name: TableName) -> bool:
    """Whether a history holds nothing but what was written to it since it was made."""
    made, result = facts.made.get(name), facts.results.get(name)
    if made is None or result is None or not made.first_file or made.inserted is None:
        return False
    return made.deleted == 0 and made.inserted >= (result.live_rows or 0) > 0


def _said(
    unused: set[TableName],
    drawn: set[TableName],
    later: set[TableName],
    noted: set[TableName],
) -> Iterator[str]:
    yield "The backup does not say which object ids its tables had."
    if unused:
        yield (
            f"Of {counted(len(unused), 'table')} the primary key's first index file has never held "
            "an entry: they are not the tables whose rows were dumped."
        )
    if drawn:
        yield (
            f"The sequences of {counted(len(drawn), 'table')} stand before where they stood, in "
            "their first files, and no deletion of the rows was counted."
        )
    if noted:
        yield (
            f"The statistics of {counted(len(noted), 'table')} know every row that is there, and "
            "no deletion of those that are missing, since the migrations ran again."
        )
    if later:
        yield f"{counted(len(later), 'table')} came with transactions committed since the backup."
