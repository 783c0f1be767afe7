"""DataFrames in a notebook: sorted, filtered, searched and paged, with nothing loaded for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.case.showing import calm
from forensics.case.waiting import in_notebook

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 2_000  # of a DataFrame that a page can hold; of a longer one it says that there are more
_LONGEST = 300  # characters of a value
_NULL = "∅"
_CONTROLS = ["order", ["orderAsc", "orderDesc", "spacer", "search"]]


def interactive_tables() -> None:
    """Have the DataFrames that a notebook shows sorted, filtered, searched and paged."""
    if not in_notebook():
        return
    import itables
    import pandas as pd
    from IPython import get_ipython

    itables.init_notebook_mode(all_interactive=False, connected=False)
    formatter = get_ipython().display_formatter.formatters["text/html"]
    formatter.for_type(pd.DataFrame, _shown)


def _shown(frame: pd.DataFrame) -> str:
    import itables

    caption = None
    if len(frame) > _ROWS:
        caption = f"The first {_ROWS:,} of {len(frame):,} rows; the DataFrame holds all of them."
    calmed = _calmed(frame.head(_ROWS))
    return str(
        itables.to_html_datatable(
            calmed,
            caption,
            showIndex=_says_something(calmed.index),
            maxBytes=0,
            columnControl=_CONTROLS,
            classes="display compact nowrap",
        )
    )


def _says_something(index: pd.Index) -> bool:
    """Whether an index is more than the places of the rows."""
    import pandas as pd

    return any(index.names) or not pd.api.types.is_integer_dtype(index)


def _calmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers and times as they are, and texts and headings of which nothing is obeyed."""
    import pandas as pd

    columns = []
    for place, name in enumerate(frame):
        column = frame.iloc[:, place].rename(calm(_heading(name)))
        if not pd.api.types.is_numeric_dtype(column) and column.dtype.kind != "M":
            column = column.astype(object).map(_told)
        columns.append(column)
    if not columns:
        return frame
    return pd.concat(columns, axis=1)


def _heading(name: Any) -> Any:
    """One level of headings: itables draws no row below two where the index is hidden."""
    if isinstance(name, tuple):
        return " ".join(map(str, name)).strip()
    return name


def _told(value: Any) -> Any:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return _NULL
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{calm(value[:_LONGEST])}… ({len(value):,} characters)"
    return calm(value)
