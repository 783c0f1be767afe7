"""DataFrames in a notebook: sorted, filtered, searched and paged, with nothing loaded for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.case.showing import calm
from forensics.case.waiting import display, in_notebook
from forensics.text import cut

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 2_000  # of a DataFrame that a page can hold; of a longer one it says that there are more
_LONGEST = 300  # characters of a value
_LINE = 60  # characters that stand on one line
_NULL = "∅"
_CONTROLS = ["order", ["orderAsc", "orderDesc", "spacer", "search"]]


def interactive_tables() -> None:
    """Have the DataFrames that a notebook shows sorted, filtered, searched and paged."""
    if not in_notebook():
        return
    import pandas as pd
    from IPython import get_ipython
    from itables import options
    from itables.javascript import generate_init_offline_itables_html

    display(generate_init_offline_itables_html(options.dt_bundle))
    formatter = get_ipython().display_formatter.formatters["text/html"]
    formatter.for_type(pd.DataFrame, _shown)


def _shown(frame: pd.DataFrame) -> str:
    import itables

    more = ""
    if len(frame) > _ROWS:
        said = f"The first {_ROWS:,} of {len(frame):,} rows; the DataFrame holds all of them."
        more = f"<p>{said}</p>"
    shown = _calmed(frame.head(_ROWS))
    drawn = itables.to_html_datatable(
        shown,
        connected=False,
        showIndex=False,
        maxBytes=0,
        columnControl=_CONTROLS,
        classes=f"display compact{_breaking(shown)}",
        columnDefs=[{"className": "dt-left", "targets": _texts(shown)}],
    )
    return f"{more}{drawn}"


def _calmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers and times as they are, and texts and headings of which nothing is obeyed."""
    import pandas as pd

    flat = frame.set_axis([_heading(name) for name in frame], axis=1)
    if any(frame.index.names) or not pd.api.types.is_integer_dtype(frame.index):
        names = [name or "of" for name in frame.index.names]
        flat = flat.reset_index(names=names, allow_duplicates=True)
    columns = []
    for place, name in enumerate(flat):
        column = flat.iloc[:, place].rename(calm(name))
        if not pd.api.types.is_numeric_dtype(column) and column.dtype.kind != "M":
            column = column.astype(object).map(_told)
        columns.append(column)
    if not columns:
        return flat
    return pd.concat(columns, axis=1)


def _breaking(frame: pd.DataFrame) -> str:
    """Lines break only where a text would push what stands beside it out of sight."""
    longest = 0
    for place in _texts(frame):
        for value in frame.iloc[:, place]:
            longest = max(longest, len(str(value)))
    return " nowrap" if longest <= _LINE else ""


def _texts(frame: pd.DataFrame) -> list[int]:
    """The places of columns of texts: those stand to the left, as people read them."""
    import pandas as pd

    found = []
    for place in range(frame.shape[1]):
        if not pd.api.types.is_numeric_dtype(frame.iloc[:, place]):
            found.append(place)
    return found


def _heading(name: Any) -> Any:
    """One level of headings: itables draws no row below two where the index is hidden."""
    if isinstance(name, tuple):
        return " ".join(map(str, name)).strip()
    return name


def _told(value: Any) -> Any:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return _NULL
    if isinstance(value, str):
        value = cut(value, _LONGEST)
    return calm(value)
