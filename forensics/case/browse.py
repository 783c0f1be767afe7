"""Look around in the loss: choose a junction table and a row of a parent, and see its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forensics.case.held import Held
from forensics.case.junctions import CaseJunction, find_junction
from forensics.case.showing import escaped, table
from forensics.loss import is_known
from forensics.model import TableName
from forensics.text import plural, visible

if TYPE_CHECKING:
    import pandas as pd

_CHOICES = 200
# A widget has the height of a button for a line; a table in it looks as it does below a cell.
_AS_OUTPUT = "<div class='jp-RenderedHTMLCommon' style='line-height:normal'>"
_LINKS = 50
_SHOWN = 10
_COLUMNS = ["label", "state", "had", "missing", "lost", "left"]


class Browser:
    """A view on one row at a time of those that miss links.

    Shows itself as widgets, and as a table where there are none.

    Attributes:
        junction: the junction table that is looked at, None where no link is missing.
        parent: the name of the parent table that is looked at.
        key: the key of the row that is looked at.
    """

    def __init__(self, case: Held) -> None:
        self._case = case
        self._names = _hit_junctions(case)
        self.junction: CaseJunction | None = None
        self.parent = ""
        self.key: tuple[str, ...] = ()
        if self._names:
            self.choose(self._names[0])

    def choose(
        self, junction: str, parent: str | None = None, key: tuple[str, ...] | None = None
    ) -> Browser:
        """Look at a row; what is not given is the worst hit. Return the browser itself.

        Raises:
            UnknownTableError: there is no such junction table, or it has no such parent.
        """
        self.junction = find_junction(self._case, junction)
        self.parent = parent or self._parents()[0]
        rows = self.rows
        self.key = key or ()
        if not key and len(rows):
            self.key = tuple(rows.iloc[0, : self._key_width()])
        return self

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the parent table that miss links, the worst first."""
        return self._chosen().by_parent(self.parent)

    @property
    def links(self) -> pd.DataFrame:
        """The missing links of the row that is looked at, each with its class and the reason."""
        import pandas as pd

        if self.junction is None or not self.key:
            return pd.DataFrame()
        return self.junction.links_of(self.parent, self.key)

    def _chosen(self) -> CaseJunction:
        assert self.junction is not None
        return self.junction

    def _parents(self) -> list[str]:
        """The parents by name, the one with the fewest rows hit first.

        That one holds many links a row.
        """

        def order(spread: Mapping[str, Any]) -> tuple[bool, int]:
            hit = spread["affected"] + spread["gone"]
            return hit == 0, hit

        return [_name(spread) for spread in sorted(self._chosen().entry["spread"], key=order)]

    def _key_width(self) -> int:
        for spread in self._chosen().entry["spread"]:
            if _name(spread) == self.parent:
                return len(spread["key"])
        raise AssertionError(f"{self.parent} is no parent")

    # --- showing ----------------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        if self.junction is None:
            return "<p>No link of a junction table is missing.</p>"
        rows = self.rows
        keys = list(rows.columns[: self._key_width()])
        said = (
            f"<code>{escaped(str(self.junction.name))}</code>: "
            f"{len(rows):,} {plural(len(rows), 'row')} of <code>{escaped(self.parent)}</code> "
            "miss links"
        )
        return f"<p>{said}; the worst hit:</p>{table(rows.head(_SHOWN)[[*keys, *_COLUMNS]])}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = {"text/plain": repr(self)}
        if self.junction is not None:
            found |= self._widget()._repr_mimebundle_(include=include, exclude=exclude)
        return {**found, "text/html": self._repr_html_()}

    def __repr__(self) -> str:
        looked_at = "without missing links"
        if self.junction:
            looked_at = str(self.junction.name)
        return visible(f"<Browser {looked_at}>")

    def _widget(self) -> Any:
        import ipywidgets as widgets

        wide = {"layout": widgets.Layout(width="34rem"), "style": {"description_width": "7rem"}}
        junction = widgets.Dropdown(
            options=self._names,
            value=str(self._chosen().name),
            description="junction table",
            **wide,
        )
        parent = widgets.Dropdown(
            options=self._parents(), value=self.parent, description="parent", **wide
        )
        row = widgets.Dropdown(options=self._choices(), description="row", **wide)
        shown = widgets.HTML()

        def to_junction(change: dict[str, Any]) -> None:
            self.choose(change["new"])
            parent.options = self._parents()
            to_parent({"new": self.parent})

        def to_parent(change: dict[str, Any]) -> None:
            if change["new"] is not None:
                self.choose(str(self._chosen().name), change["new"])
                row.options = self._choices()
                show()

        def to_row(change: dict[str, Any]) -> None:
            if change["new"] is not None:
                self.key = change["new"]
                show()

        def show() -> None:
            links = self.links
            said = f"<p>{len(links):,} missing {plural(len(links), 'link')}</p>"
            shown.value = f"{_AS_OUTPUT}{said}{table(links.head(_LINKS))}</div>"

        junction.observe(to_junction, "value")
        parent.observe(to_parent, "value")
        row.observe(to_row, "value")
        show()
        return widgets.VBox([junction, parent, row, shown])

    def _choices(self) -> list[tuple[str, tuple[str, ...]]]:
        """The rows to choose from: what is shown of each, and its key."""
        width = self._key_width()
        found = []
        for _, row in self.rows.head(_CHOICES).iterrows():
            key = tuple(row.iloc[:width])
            label = row["label"]
            if not isinstance(label, str):
                label = ", ".join(map(str, key))
            missing = f"{row['missing']:,} of {row['had']:,} missing"
            found.append((f"{label} – {missing}", key))
        return found


def _hit_junctions(case: Held) -> list[str]:
    """The junction tables that miss links, by name, the worst first."""

    def order(entry: Mapping[str, Any]) -> tuple[int, str, str]:
        return -entry["missing"], entry["schema"], entry["table"]

    hit = [entry for entry in case.loss["junctions"] if entry["missing"] and is_known(entry)]
    return [_name(entry) for entry in sorted(hit, key=order)]


def _name(entry: Mapping[str, Any]) -> str:
    return str(TableName(entry["schema"], entry["table"]))
