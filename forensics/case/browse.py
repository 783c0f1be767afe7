"""From the verdict to a row: a table that differs, a parent of its rows, one row before and after.

Each is one choice, so three clicks lead to any row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from forensics.case.frames import worst_first
from forensics.case.held import Held
from forensics.case.junctions import find_junction
from forensics.case.kept import Kept
from forensics.case.names import by_name
from forensics.case.showing import cell, escaped, heading, table
from forensics.case.tables import all_equal
from forensics.case.ways import EVERY, Way, ways_of
from forensics.errors import UnknownTableError
from forensics.model import TableResult, that_count
from forensics.text import counted, cut, listed, visible

if TYPE_CHECKING:
    import pandas as pd

CHOICES = 200  # of parents and of rows that are offered to be clicked; a DataFrame has all
_SHOWN = 10
_LONGEST = 300  # characters of a value
_COLUMNS = ["label", "state", "had", "missing", "lost", "left"]
_SIDES = ["column", "backup", "live", "what"]


class Row(NamedTuple):
    """One row before and after.

    Attributes:
        said: what became of it, in a sentence.
        values: one row a column: `column`, `backup`, `live`, and `what` is the matter with it.
        beside: whether there is a row of live to be laid beside it.
    """

    said: str
    values: pd.DataFrame
    beside: bool


class Look:
    """A look at one row at a time, which shows itself as tables.

    Attributes:
        table: the name of the table that is looked at, empty where none misses or changed rows.
        parent: the parent table by which its rows are parted, or "(every row)".
        key: the key of the parent's row that is looked at.
        pair: the number of the row that is looked at, as `rows` has it; None without one.
    """

    def __init__(self, case: Held) -> None:
        self._case = case
        self._results = {}
        for result in worst_first(that_count(case.results)):
            if result.missing or result.changed:
                self._results[str(result.name)] = result
        self._ways: dict[str, Way] = {}
        self._kept: Kept | None = None
        self.table = self.parent = ""
        self.key: tuple[str, ...] = ()
        self.pair: int | None = None
        if self._results:
            self.choose(next(iter(self._results)))

    # --- choosing ---------------------------------------------------------------------------------

    def choose(
        self,
        name: str,
        parent: str | None = None,
        key: Sequence[str] | None = None,
        pair: int | None = None,
    ) -> Look:
        """Look at a row; what is not given is the worst hit. Return the look itself.

        Args:
            name: a table that misses or changed rows.
            parent: one of `ways`.
            key: the key of one of `parents`, as text.
            pair: the number of one of `rows`.

        Raises:
            UnknownTableError: there is no such table, or it has no such parent.
        """
        known = ((result.name, result) for result in self.tables)
        result = by_name(name, known, "missing or changed row of", "case.tables lists the tables.")
        ways = {way.label: way for way in ways_of(self._case, result)}
        chosen = parent or next(iter(ways))
        if chosen not in ways:
            names = listed([label for label in ways if label != EVERY])
            raise UnknownTableError(
                f"{chosen} is no parent of {result.name}.", f"Its parents are {names or 'none'}."
            )
        self._ways, self._kept = ways, Kept(self._case, result.name)
        self.table, self.parent = str(result.name), chosen
        self.key, self.pair = (), pair
        if key is not None:
            self.key = tuple(key)
        elif self._way.key:
            worst = self.parents.head(1)
            self.key = tuple(worst.iloc[0, : len(self._way.key)]) if len(worst) else ()
        if pair is None:
            first = self.offered(1)
            self.pair = next(iter(first.iloc[:, 0].tolist()), None)
        return self

    @property
    def _way(self) -> Way:
        return self._ways[self.parent]

    @property
    def _rows(self) -> Kept:
        assert self._kept is not None
        return self._kept

    # --- what there is to choose from -------------------------------------------------------------

    @property
    def tables(self) -> list[TableResult]:
        """The tables that miss or changed rows, the worst first."""
        return list(self._results.values())

    @property
    def ways(self) -> list[str]:
        """The parent tables by whose rows those of the table may be parted, and "(every row)"."""
        return list(self._ways)

    @property
    def parents(self) -> pd.DataFrame:
        """The parent's rows of which rows of the table miss or changed, the worst first.

        Key, `missing` and `changed`; of a junction table as `CaseJunction.by_parent` has them.
        """
        import pandas as pd

        if not self.table or not self._way.key:
            return pd.DataFrame()
        if self._way.spread is None:
            return self._rows.parted(self._way.key)
        name = self._results[self.table].name
        return find_junction(self._case, name.sql).by_parent(self.parent)

    @property
    def classified(self) -> bool:
        """Whether `parents` are those of a junction table whose loss was classified."""
        return bool(self._ways) and self._way.spread is not None

    @property
    def width(self) -> int:
        """How many columns of `parents` are the key."""
        return len(self._way.key)

    @property
    def naming(self) -> frozenset[str]:
        """The columns that hold the same in all `rows`: those that name the parent's row."""
        ends = self._way.ends if self.table else ()
        if len(ends) != 1:
            return frozenset()
        columns, others = ends[0]
        return frozenset((*columns, *others))

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the table that are missing or changed, of the parent's row that is chosen.

        `pair` numbers them; `class` and `reason` say what became of a junction table's.
        """
        return self.offered(None)

    def offered(self, limit: int | None = CHOICES) -> pd.DataFrame:
        """The first of `rows`."""
        import pandas as pd

        if not self.table:
            return pd.DataFrame()
        return self._rows.frame(*self._where(), limit)

    @property
    def amount(self) -> int:
        """How many `rows` there are."""
        return self._rows.amount(*self._where()) if self.table else 0

    def _where(self) -> tuple[str, list[str]]:
        """The condition that rows are of the parent's row that is chosen, and its values."""
        either: list[str] = []
        values: list[str] = []
        for term in self._way.terms(self.key):
            each = [f"{self._rows.field(column)} = ?" for column in term]
            either.append(f"({' AND '.join(each)})")
            values += term.values()
        return " OR ".join(either) or "true", values

    # --- before and after -------------------------------------------------------------------------

    @property
    def before_after(self) -> pd.DataFrame:
        """The row that is looked at, a row a column: `column`, `backup`, `live`, and `what`.

        The latter says what is the matter with the column; values are text, NULL is NA.
        """
        return self.row.values

    @property
    def row(self) -> Row:
        """The row that is looked at, before and after, and what became of it."""
        import pandas as pd

        if self.pair is None:
            return Row("There is no such row.", pd.DataFrame(columns=_SIDES), False)
        fate = self._rows.fate(self.pair)
        before = self._rows.values("backup", self.pair)
        after = self._rows.values("live", fate["beside"])
        said = ", ".join(word for word in (fate["state"], fate["class"]) if word)
        if fate["reason"]:
            said += f": {fate['reason']}"
        lines = [self._line(column, before, after) for column in {**before, **after}]
        return Row(f"{said}.", pd.DataFrame(lines, columns=_SIDES), bool(after))

    def _line(self, column: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Any, ...]:
        import pandas as pd

        old, new = before.get(column), after.get(column)
        what = ""
        if after and column not in after:
            what = "not in live"
        elif column not in before:
            what = "not in the backup"
        elif after:
            name = self._results[self.table].name
            sides = pd.Series([old], dtype="string"), pd.Series([new], dtype="string")
            if not all_equal(self._case, name, column, sides):
                what = "differs"
        return column, _or_na(old), _or_na(new), what

    # --- showing ----------------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        if not self.table:
            return "<p>No row is missing, and none changed.</p>"
        return f"{self._parents_html()}{self.row_html()}"

    def _parents_html(self) -> str:
        parents = self.parents
        if parents.empty:
            return ""
        keys = list(parents.columns[: self.width])
        shown = [name for name in _COLUMNS if name in parents] or ["missing", "changed"]
        said = (
            f"<code>{escaped(self.table)}</code>: rows of it are missing or changed for "
            f"{counted(len(parents), 'row')} of <code>{escaped(self.parent)}</code>"
        )
        return f"<p>{said}; the worst hit:</p>{table(parents.head(_SHOWN)[[*keys, *shown]])}"

    def row_html(self) -> str:
        """The row that is looked at, before and after, as HTML."""
        row = self.row
        path = [self.table]
        if self.key:
            path.append(f"{self.parent} {', '.join(map(str, self.key))}")
        where = " › ".join(f"<code>{escaped(step)}</code>" for step in path)
        sides = ("backup", "live", "") if row.beside else ("backup",)
        lines = ["<tr>", heading("column"), *map(heading, sides), "</tr>"]
        differing = row.values["what"].ne("").sort_values(ascending=False, kind="stable")
        for line in row.values.loc[differing.index].itertuples(index=False, name=None):
            column, *values = line
            cells = [cell(_told(value)) for value in values[: len(sides)]]
            lines += ["<tr>", cell(f"<b>{escaped(column)}</b>"), *cells, "</tr>"]
        return f"<p>{where}: {escaped(row.said)}</p><table>{''.join(lines)}</table>"

    def __repr__(self) -> str:
        return visible(f"<{type(self).__name__} {self.table or 'without a row to look at'}>")


def _or_na(value: Any) -> Any:
    import pandas as pd

    return pd.NA if value is None else value


def _told(value: Any) -> str:
    """A value for HTML; a NULL is not the text that stands for it."""
    if not isinstance(value, str):
        return "<i>NULL</i>"
    return escaped(cut(value, _LONGEST))
