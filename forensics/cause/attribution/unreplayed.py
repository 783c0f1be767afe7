"""What statements took whose text alone says it, and those that took nothing that is missing."""

from __future__ import annotations

from forensics.cause.attribution.accounts import Accounts
from forensics.cause.attribution.incident import Incident, Step
from forensics.cause.attribution.replaying import Replayed
from forensics.evidence.migrations import NOT_UNDERSTOOD
from forensics.statements.hazards import Hazard

_WHOLE = ("drop-table", "truncate", "delete-all", "drop-schema", "rename-table")
_PART = ("delete-where", "type-change")
_OF_COLUMN = ("drop-column", "rename-column", "drop-type")


def count_from_backup(incident: Incident, found: Replayed) -> None:
    """Lay what is left at statements that did not run in the replay.

    What they account for is taken out of `found.unexplained`.
    """
    for step in incident.steps:
        for hazard in step.hazards:
            if hazard.within or hazard.table is None:
                continue
            _count_values(step, hazard, found)
            _count_rows(step, hazard, found)


def _count_values(step: Step, hazard: Hazard, found: Replayed) -> None:
    """Values of a column: where the step did not run, or nobody counted them when it did."""
    if hazard.table is None or not hazard.column or hazard.code not in _OF_COLUMN:
        return
    place = (hazard.table, hazard.column)
    counted = step.number not in found.failed and place in found.measured
    if found.unexplained.values.get(place) and not counted:
        account = found.accounts.of(step.number, *place)
        account.take_from_backup(found.unexplained.values.pop(place))


def _count_rows(step: Step, hazard: Hazard, found: Replayed) -> None:
    """Rows of a table: where the step did not run, and takes all of them when it does."""
    failed = found.failed.get(step.number)
    if hazard.table is None or not failed or not found.unexplained.rows.get(hazard.table):
        return
    if hazard.code in _WHOLE:
        account = found.accounts.of(step.number, hazard.table)
        account.left_over = True
        account.take_from_backup(found.unexplained.rows.pop(hazard.table))
    elif hazard.code in _PART:
        found.notes.append(
            f"{step.migration}, line {step.statement.line}: not replayed ({failed}), "
            f"so rows of {hazard.table} that it took count as unexplained."
        )


def leave_unknown(incident: Incident, found: Replayed) -> None:
    """What nobody counted is not known: no zero stands for it.

    It is zero all the same where there is nothing left to lay at a statement.
    """
    for account in found.accounts:
        name = account.name
        if name is None or name not in incident.backup.tables:
            continue  # nothing of the backup can be lost there
        result = incident.results.get(name)
        if result is None or result.state == "failed":
            account.leave_unknown(rows=True, values=True)
        elif account.step in found.failed or name in found.unfollowed:
            left = found.unexplained.of(name, account.column)
            account.leave_unknown(rows=left > 0, values=bool(result.changed))


def list_not_understood(incident: Incident, found: Replayed) -> None:
    """Statements that nobody could read or run are listed; what they took is not known."""
    for step in incident.steps:
        if step.statement.kind != NOT_UNDERSTOOD:
            continue
        if step.number in found.failed or not found.said["ran"]:
            account = found.accounts.of(step.number, None)
            account.rows = account.moved = account.changed = account.blanked = None


def list_harmless(incident: Incident, accounts: Accounts) -> None:
    """Statements that can destroy rows and took none that is missing are listed with 0."""
    backup = incident.backup
    for step in incident.steps:
        for hazard in step.hazards:
            if hazard.table is None or not _named(hazard):
                continue
            table = backup.tables.get(hazard.table)
            if table is None:
                continue
            if hazard.column is None or table.column(hazard.column):
                # A partition's rows are counted as those of its table.
                accounts.of(step.number, backup.root(hazard.table), hazard.column)


_OF_OTHERS = ("drop-cascade", "truncate-cascade")


def _named(hazard: Hazard) -> bool:
    """Whether a hazard destroys when its statement runs, and what the statement names."""
    in_function = hazard.within is not None and hazard.within.startswith("function")
    return hazard.destroys and hazard.code not in _OF_OTHERS and not in_function
