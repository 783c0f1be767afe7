"""The lists to click of `case.browse()`: table, parent, row; and below them the row itself."""

from __future__ import annotations

from typing import Any

from forensics.case.browse import CHOICES, Look
from forensics.case.ways import EVERY
from forensics.text import counted, cut, visible

# A widget has the height of a button for a line; a table in it looks as it does below a cell.
_AS_OUTPUT = "<div class='jp-RenderedHTMLCommon' style='line-height:normal'>"
_LINES = 12
_LONGEST = 90  # characters of a choice


class Browser(Look):
    """A look that shows itself as lists to click, and as tables where nothing can be clicked."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = {"text/plain": repr(self)}
        if self.table:
            found |= lists(self)._repr_mimebundle_(include=include, exclude=exclude)
        return {**found, "text/html": self._repr_html_()}


def lists(look: Look) -> Any:
    """Return the widgets; what is clicked in them is chosen in `look`.

    Args:
        look: what is looked at.
    """
    return _Lists(look).box


class _Lists:
    """Three lists beside each other. Each tells the next, and the last one shows the row."""

    def __init__(self, look: Look) -> None:
        import ipywidgets as widgets

        self._look = look
        self._silent = False
        whole = widgets.Layout(width="100%")
        self._tables = widgets.Select(options=_tables(look), rows=_LINES, layout=whole)
        self._ways = widgets.Dropdown(layout=whole, tooltip="parent table")
        self._parents = widgets.Select(rows=_LINES - 1, layout=whole)
        self._rows = widgets.Select(rows=_LINES, layout=whole)
        self._more = widgets.HTML()
        self._shown = widgets.HTML()
        self._tables.tooltip, self._parents.tooltip = "table", "parent"
        self._rows.tooltip = "row"
        steps = (
            _step("1 · table", 4, self._tables),
            _step("2 · parent", 4, self._ways, self._parents),
            _step("3 · row", 5, self._rows, self._more),
        )
        beside = widgets.HBox(steps, layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([beside, self._shown])
        self._fill_ways()
        self._tables.observe(self._to_table, "value")
        self._ways.observe(self._to_way, "value")
        self._parents.observe(self._to_parent, "value")
        self._rows.observe(self._to_row, "value")

    def _to_table(self, change: dict[str, Any]) -> None:
        if not self._silent:
            self._look.choose(change["new"])
            self._fill_ways()

    def _to_way(self, change: dict[str, Any]) -> None:
        if not self._silent:
            self._look.choose(self._look.table, change["new"])
            self._fill_parents()

    def _to_parent(self, change: dict[str, Any]) -> None:
        if not self._silent:
            self._look.choose(self._look.table, self._look.parent, change["new"])
            self._fill_rows()

    def _to_row(self, change: dict[str, Any]) -> None:
        if not self._silent:
            self._look.pair = change["new"]
            self._show()

    def _fill_ways(self) -> None:
        self._fill(self._ways, [(_way(label), label) for label in self._look.ways])
        self._fill_parents()

    def _fill_parents(self) -> None:
        self._fill(self._parents, _parents(self._look))
        self._fill_rows()

    def _fill_rows(self) -> None:
        self._fill(self._rows, _rows(self._look))
        amount, said = self._look.amount, ""
        if amount > CHOICES:
            said = f"The first {CHOICES:,} of {counted(amount, 'row')}; <code>.rows</code> has all."
        self._more.value = f"<div style='line-height:normal'>{said}</div>"
        self._show()

    def _fill(self, chooser: Any, options: list[tuple[str, Any]]) -> None:
        """Offer other choices, of which the first is what is looked at."""
        self._silent = True
        try:
            chooser.options = options
            chooser.index = 0 if options else None
        finally:
            self._silent = False

    def _show(self) -> None:
        self._shown.value = f"{_AS_OUTPUT}{self._look.row_html()}</div>"


def _step(title: str, share: int, *parts: Any) -> Any:
    import ipywidgets as widgets

    heading = widgets.HTML(f"<b>{title}</b>")
    layout = widgets.Layout(flex=f"{share} 1 0", min_width="15rem", margin="0 .5rem 0 0")
    return widgets.VBox([heading, *parts], layout=layout)


def _tables(look: Look) -> list[tuple[str, str]]:
    found = []
    for result in look.tables:
        said = _amounts(result.missing or 0, result.changed or 0)
        found.append((visible(f"{result.name} · {said}"), str(result.name)))
    return found


def _way(label: str) -> str:
    return "every row" if label == EVERY else visible(f"by {label}")


def _parents(look: Look) -> list[tuple[str, tuple[str, ...]]]:
    """The rows to choose from: what is shown of each, and its key."""
    found: list[tuple[str, tuple[str, ...]]] = []
    width = look.width
    for row in look.parents.head(CHOICES).itertuples(index=False, name=None):
        # A column of the table may be called as one of ours: they are taken by their place.
        key, told = row[:width], row[width:]
        name = ", ".join(map(str, key))
        if look.classified:
            label, _, had, _, missing, *_ = told
            name = label if isinstance(label, str) else name
            said = f"{missing:,} of {had:,} missing"
        else:
            said = _amounts(*told)
        found.append((visible(f"{cut(name, _LONGEST)} · {said}"), key))
    return found or [("every row", ())]


def _rows(look: Look) -> list[tuple[str, int]]:
    found = []
    rows = look.offered()
    alike = look.naming
    telling = [name not in alike for name in rows.columns]
    for pair, state, kind, _, *values in rows.itertuples(index=False, name=None):
        what = kind if isinstance(kind, str) else state
        told = []
        for value, tells in zip(values, telling[4:], strict=True):
            if tells and isinstance(value, str):
                told.append(value)
        found.append((visible(f"{what} · {', '.join(told)[:_LONGEST]}"), pair))
    return found


def _amounts(missing: int, changed: int) -> str:
    said = []
    if missing or not changed:
        said.append(f"{missing:,} missing")
    if changed:
        said.append(f"{changed:,} changed")
    return ", ".join(said)
