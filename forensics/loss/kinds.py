"""References to rows of several tables: what kind of row in one column, which in another.

Rails and Laravel write the kind as a class's name; Django's generic relations refer to
a row of its table of content types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.loss.columns import has, is_integer
from forensics.loss.names import refers, words
from forensics.loss.workspace import SideName, Workspace
from forensics.model import Catalog, Column, Parent, Table, TableName

_KIND = re.compile(r"^(?P<stem>.*?)_?(type|kind|class|model)$", re.I)
_CONTENT_TYPE = ("app_label", "model")


@dataclass(frozen=True)
class Kind:
    """Columns that refer to rows of several tables: what kind of row, and which.

    `models` says in which table kinds are named.
    """

    kind: str
    column: str
    models: Parent | None = None


def kinds_of(table: Table, known: Sequence[Parent], catalog: Catalog) -> list[Kind]:
    """Return the polymorphic references of a table.

    Those are Rails' and Laravel's pairs of columns, and Django's generic relations.
    """
    return [*_generic(table, known, catalog), *_polymorphic(table, known)]


def _generic(table: Table, known: Sequence[Parent], catalog: Catalog) -> list[Kind]:
    """Django's generic relations: the kind is a row of its table of content types."""
    found = []
    for parent in known:
        models = catalog.tables.get(parent.name)
        if models is None or len(parent.columns) != 1:
            continue
        if not has(models, _CONTENT_TYPE):
            continue
        kind = parent.columns[0]
        lead = kind.removesuffix("content_type_id")
        for column in (f"{lead}object_id", f"{lead}object_pk"):
            if table.column(column):
                found.append(Kind(kind, column, parent))
                break
    return found


def _polymorphic(table: Table, known: Sequence[Parent]) -> list[Kind]:
    """Pairs of columns (kind, id) by which a table refers to rows of several tables."""
    taken: set[str] = set()
    for parent in known:
        taken.update(parent.columns)
    free = [column for column in table.columns if column.name not in taken]
    found = []
    for column in free:
        named = _KIND.match(column.name)
        if named is None or is_integer(column) or column.type == "boolean":
            continue
        which = _column_beside(column, words(named["stem"]), free)
        if which is not None:
            found.append(Kind(column.name, which))
    return found


def _column_beside(kind: Column, lead: tuple[str, ...], free: Sequence[Column]) -> str | None:
    """The column that says which row of a kind is meant: it has the same lead."""
    for other in free:
        if other.name == kind.name or not refers(other.name):
            continue
        if words(other.name)[:-1] == lead:
            return other.name
    return None


def leads_of(
    work: Workspace, side: SideName, kind: Kind, values: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by value of a column of kinds, the words by which it names a table.

    `App\\Models\\Post` is (post,). Django's content types are rows, which say the app
    and the model; that is how its tables are called, unless it is told otherwise.
    """
    found = {}
    if kind.models is None:
        for value in values:
            found[value] = words(re.split(r"[\\/.:]", value)[-1])
        return found
    names = {}
    if work.holds(side, kind.models.name):
        columns = (*kind.models.parent_columns, *_CONTENT_TYPE)
        rows = work.read(side, kind.models.name, columns)
        for key, app, model in work.ask(f"SELECT c0, c1, c2 FROM {rows}"):
            names[key] = f"{app}_{model}"
    for value in values:
        found[value] = words(names.get(value, ""))
    return found


def called(lead: Sequence[str], table: TableName) -> bool:
    """Whether the words of a kind name a table; either may have a prefix."""
    ours, theirs = tuple(lead), words(table.table)
    if not ours:
        return False
    return ours == theirs or theirs[-len(ours) :] == ours or ours[-len(theirs) :] == theirs
