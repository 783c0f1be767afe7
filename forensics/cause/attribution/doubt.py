"""Overwritten values of which a replay cannot tell whether a statement did it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from forensics.cause.attribution.incident import Incident, Unexplained
from forensics.cause.replay import Watched
from forensics.evidence.migrations import NOT_UNDERSTOOD
from forensics.model import TableName

# What these do their text does not say.
_ANYWHERE = ("do_stmt", "select_stmt", "call_stmt", NOT_UNDERSTOOD)


class Doubt:
    """What is doubtful of a replay's word that no statement overwrote a value.

    Args:
        incident: what was replayed.
        failed: the steps that did not run.
        complete: whether the replay had every row, and kept what the others did.
    """

    def __init__(self, incident: Incident, failed: Iterable[int], *, complete: bool) -> None:
        self._incident = incident
        self._complete = complete
        self._tables: set[TableName] = set()
        for number in failed:
            self._fail(number)

    def _fail(self, number: int) -> None:
        step = self._incident.steps[number - 1]
        if step.statement.kind in _ANYWHERE:
            self._complete = False
        for name in step.names(self._incident.history.schema):
            if name in self._incident.backup.tables:
                self._tables.add(self._incident.backup.root(name))

    def lay(self, unexplained: Unexplained, watched: Sequence[Watched]) -> None:
        """Make numbers unknown that the replay cannot tell.

        Args:
            watched: the tables that were followed.
        """
        followed: Mapping[TableName, Watched] = {one.name: one for one in watched}
        for name, column in unexplained.overwritten:
            one = followed.get(name)
            rest = unexplained.overwritten[name, column]
            if rest and (one is None or self._is_of(one, column)):
                unexplained.overwritten[name, column] = None

    def _is_of(self, one: Watched, column: str) -> bool:
        if not self._complete or one.name in self._tables:
            return True
        if one.blind or one.unseen:
            return True
        return column in one.zoned or column not in one.changed
