"""What the backup itself leaves open, said beside the counts."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.compare.findings.finding import Finding
from forensics.errors import EvidenceError
from forensics.evidence import copytext
from forensics.evidence.garbling import Garbled, Tally, together
from forensics.evidence.source import Source
from forensics.model import TableName, TableResult

_LOOKED_AT = 1 << 20  # bytes of a table


def remarks(backup: Source) -> list[Finding]:
    """Return what is to be known of the backup's text besides damage."""
    nowhere = TableName("", "")
    return [Finding("about the backup", nowhere, text) for text in backup.remarks]


def rows_hidden(backup: Source, results: Sequence[TableResult]) -> list[Finding]:
    """Find tables of which row-level security may have hidden rows from the backup."""
    if not backup.row_security:
        return []
    found = []
    for result in results:
        table = backup.catalog.tables.get(result.name)
        if table is None or not table.row_security or result.backup_rows is None:
            continue
        text = (
            f"The backup's rows of {result.name} were read with row_security = on: its policies "
            f"may have hidden some. It holds {result.backup_rows:,}, and what is counted missing "
            "is at least so much."
        )
        found.append(Finding("rows hidden", result.name, text, None, None, result.backup_rows))
    return found


def text_garbled(backup: Source, results: Sequence[TableResult]) -> list[Finding]:
    """Find tables whose text was garbled between the dump and now.

    The beginning of each table is looked at. What live holds as well, unchanged, was so in the
    database; and an archive cannot be garbled so.
    """
    if backup.provenance.kind != "plain":
        return []
    tallies = _tallies(backup, results, whole=False)
    if together(tallies.values()).found is None:
        return []  # what is there as it was is not garbled, whatever it looks like
    tallies |= _tallies(backup, results, whole=True)
    whole = together(tallies.values()).found
    if whole is None or not whole.throughout:
        return []
    found = []
    for result in results:
        tally = tallies.get(result.name, Tally())
        garbled = tally.rows.get(whole.page)
        if not garbled:
            continue
        if garbled > (result.missing or 0) + (result.changed or 0):
            return []
        found.append(_garbled(result.name, Garbled(whole.page, garbled, tally.of)))
    return found


def _tallies(
    backup: Source, results: Sequence[TableResult], *, whole: bool
) -> dict[TableName, Tally]:
    """By table, what it begins with; of those that are there as they were, or of the others."""
    found = {}
    for result in results:
        is_whole = not (result.missing or result.changed)
        if result.state in ("compared", "dropped") and is_whole == whole:
            found[result.name] = _looked_at(backup, result.name)
    return found


def _garbled(name: TableName, share: Garbled) -> Finding:
    text = (
        f"The backup's text of {name} is garbled: {share} that were looked at are UTF-8 that was "
        f"likely taken for {share.page}. Rows that only differ by that count as changed."
    )
    return Finding("garbled text", name, text, share.page, share.rows, share.of)


def _looked_at(backup: Source, name: TableName) -> Tally:
    """A tally of the rows that a table begins with."""
    tally = Tally()
    table = backup.catalog.tables[name]
    wanted = [column.name for column in table.columns if not column.generated]
    seen = 0
    try:
        for segment in backup.segments(name, wanted):
            for block in segment.blocks():
                for batch in copytext.line_batches([block]):
                    tally.add(batch["line"])
                seen += len(block)
                if seen > _LOOKED_AT:
                    return tally
    except EvidenceError:
        pass  # that its rows cannot be read is on record already
    return tally
