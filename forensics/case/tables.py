"""One table of a case, with its rows as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.case.evidence import escaped, shown
from forensics.compare.canonical import Writer
from forensics.compare.casts import casts_between
from forensics.evidence.copytext import decode_field, encode_field
from forensics.model import COUNTS, TableResult

if TYPE_CHECKING:
    import pandas as pd

    from forensics.case.facade import Case


class CaseTable:
    """One table of a case: what was found, and the rows themselves.

    Attributes:
        result: the counts, the key, the state.
    """

    def __init__(self, case: Case, result: TableResult) -> None:
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
        """Rows whose key is on both sides and that differ: a column pair (column, backup|live) for each that does."""
        import pandas as pd

        before, after = (
            self._rows("backup", "changed", pairs=True),
            self._rows("live", "changed", pairs=True),
        )
        before, after = before.set_index("pair"), after.set_index("pair")
        key = list(self.result.key)
        shown: dict[tuple[str, str], Any] = {(k, ""): before[k] for k in key}
        for column in self.result.columns:
            if column in key:
                continue
            old, new = before[column], after[column].reindex(before.index)
            ours, theirs = self._comparable(column, old, new)
            if not (ours.eq(theirs) | (ours.isna() & theirs.isna())).all():
                shown[column, "backup"], shown[column, "live"] = old, new
        return pd.DataFrame(shown).reset_index(drop=True)

    def _comparable(
        self, column: str, old: pd.Series, new: pd.Series
    ) -> tuple[pd.Series, pd.Series]:
        """Values of a column as they were compared: where its type changed, equal ones have one text."""
        import pandas as pd
        import pyarrow as pa

        tables = [c.tables[self.result.name] for c in self._case.catalogs]
        was, now = (t.column(column) for t in tables)
        if was is None or now is None or was.type == now.type:
            return old, new
        writers = [Writer(c, pinned=True, old_floats=False) for c in self._case.catalogs]
        casts = casts_between(was.type, now.type, *writers)
        if casts is None:
            return old, new
        made = []
        for values, cast in zip((old, new), casts, strict=True):
            fields = cast(
                pa.array(
                    [encode_field(None if v is pd.NA else v) for v in values], pa.large_string()
                )
            ).to_pylist()
            made.append(
                pd.Series(
                    [decode_field(f) for f in fields], index=values.index, dtype=pd.StringDtype()
                )
            )
        return made[0], made[1]

    def _rows(self, side: str, state: str, *, pairs: bool = False) -> pd.DataFrame:
        import pandas as pd

        found = self._case.store.rows(self.result.name, side, (state,))
        names = found.column_names
        # Two columns of a table may not share a name, but one may be called `pair`: take them by place.
        frame = pd.DataFrame(
            {i: found.column(i).to_pandas(types_mapper=text_type) for i in range(len(names))}
        )
        frame.columns = pd.Index(names)
        return frame if pairs else frame.iloc[:, 1:]

    def _repr_html_(self) -> str:
        r = self.result
        counts = "".join(
            f"<tr><th style='text-align:left'>{c.replace('_', ' ')}</th><td>{shown(getattr(r, c))}</td></tr>"
            for c in COUNTS
        )
        said = "".join(
            f"<li>{escaped(n)}</li>" for n in (r.notes + ((r.reason,) if r.reason else ()))
        )
        return f"<h4>{escaped(r.name)}: {r.state}</h4><table>{counts}</table><ul>{said}</ul>"


def text_type(kind: Any) -> Any:
    """How pandas holds an Arrow column: text as text, so that NULL stays apart from what is empty."""
    import pandas as pd
    import pyarrow as pa

    return pd.StringDtype() if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
