"""One table of a case, with its rows as DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from forensics.case.held import Held
from forensics.case.showing import escaped, heading, points, shown
from forensics.model import COUNTS, TableName, TableResult

if TYPE_CHECKING:
    import pandas as pd


class CaseTable:
    """One table of a case: what was found, and the rows themselves.

    Attributes:
        result: the counts, the key, the state.
    """

    def __init__(self, case: Held, result: TableResult) -> None:
        self._case = case
        self.result = result

    @property
    def missing(self) -> pd.DataFrame:
        """The backup rows that live does not have, whole, as text; NULL is NA."""
        return self._rows("backup", "missing")

    @property
    def added(self) -> pd.DataFrame:
        """The live rows that the backup does not have, whole, as text; NULL is NA."""
        return self._rows("live", "added")

    @property
    def changed(self) -> pd.DataFrame:
        """Rows whose key is on both sides and that differ.

        A column pair (column, backup|live) for each column that does; for one of the key where
        it is written otherwise now.
        """
        import pandas as pd

        before = self._rows("backup", "changed", pairs=True).set_index("pair")
        after = self._rows("live", "changed", pairs=True).set_index("pair")
        key = self.result.key
        found: dict[tuple[str, str], Any] = {(column, ""): before[column] for column in key}
        for column in self.result.columns:
            old, new = before[column], after[column].reindex(before.index)
            if not all_equal(self._case, self.result.name, column, (old, new)):
                found[column, "backup"] = old
                found[column, "live"] = new
        return pd.DataFrame(found).reset_index(drop=True)

    def _rows(self, side: str, state: str, *, pairs: bool = False) -> pd.DataFrame:
        found = self._case.store.rows(self.result.name, side, (state,))
        frame = column_frame(found, found.column_names)
        if pairs:
            return frame
        return frame.iloc[:, 1:]

    def _repr_html_(self) -> str:
        result = self.result
        counts = []
        for count in COUNTS:
            number = f"<td>{shown(getattr(result, count))}</td>"
            counts.append(f"<tr>{heading(count.replace('_', ' '))}{number}</tr>")
        said = list(result.notes)
        if result.reason:
            said.append(result.reason)
        return (
            f"<h3>{escaped(result.name)}: {result.state}</h3>"
            f"<table>{''.join(counts)}</table>{points(said)}"
        )


def all_equal(case: Held, name: TableName, column: str, sides: tuple[pd.Series, pd.Series]) -> bool:
    """Whether values of a column are equal as they were compared: a changed type is none alone.

    Args:
        case: whose table it is.
        name, column: which.
        sides: the backup's values and live's, row by row.
    """
    from forensics.compare.casts import casts_of_column

    ours, theirs = sides
    casts = casts_of_column(case.catalogs, name, column)
    if casts is not None:
        ours, theirs = _cast(ours, casts[0]), _cast(theirs, casts[1])
    # To pandas a value beside a NULL is neither equal nor not.
    equal = ours.eq(theirs).fillna(value=False) | (ours.isna() & theirs.isna())
    return bool(equal.all())


def _cast(values: pd.Series, cast: Callable[[Any], Any]) -> pd.Series:
    """Write a column's values as the comparison wrote them."""
    import pandas as pd
    import pyarrow as pa

    from forensics.evidence.copytext import decode_field, encode_field
    from forensics.store.values import is_mark

    fields = []
    for value in values:
        unread = value is pd.NA or is_mark(value)
        fields.append(encode_field(None if unread else value))
    cast_fields = cast(pa.array(fields, pa.large_string())).to_pylist()
    decoded = []
    for value, field in zip(values, cast_fields, strict=True):
        long = value is not pd.NA and is_mark(value)
        decoded.append(value if long else decode_field(field))
    return pd.Series(decoded, index=values.index, dtype=pd.StringDtype())


def column_frame(found: Any, names: Sequence[str]) -> pd.DataFrame:
    """Return an Arrow table as a DataFrame, its columns taken by place.

    Two columns of a table may not share a name, but one may be called as one of ours is.
    """
    import pandas as pd

    columns = {}
    for place in range(found.num_columns):
        columns[place] = found.column(place).to_pandas(types_mapper=text_type)
    frame = pd.DataFrame(columns)
    frame.columns = pd.Index(list(names))
    return frame


def text_type(kind: Any) -> Any:
    """How pandas holds an Arrow column: text as text, so that NULL stays apart from empty."""
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.StringDtype()
    return None
