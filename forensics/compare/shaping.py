"""Lines as stored, turned into lines that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare.fields import Canonical
from forensics.evidence import arrays, copytext


def after(first: Canonical | None, then: Canonical) -> Canonical:
    """Return one change after another."""
    if first is None:
        return then
    return lambda fields: then(first(fields))


class Shaper:
    """Turns lines as stored into some of their columns, in one order, in canonical text.

    Args:
        stored: the columns of a stored line, in order.
        wanted: the columns of a comparable line, in order.
        canonical: by column, where its text must be made canonical.
        counted: columns whose values that are not NULL are counted into `values` on the
            way.
    """

    def __init__(
        self,
        stored: Sequence[str],
        wanted: Sequence[str],
        canonical: Mapping[str, Canonical],
        counted: Sequence[str] = (),
    ) -> None:
        self._width = len(stored)
        self._picks = [(stored.index(c), canonical.get(c)) for c in wanted]
        self._counted = [(c, stored.index(c)) for c in counted if c in stored]
        self.values = {c: 0 for c, _ in self._counted}
        self.changes_nothing = (
            not canonical and not self._counted and tuple(stored) == tuple(wanted)
        )

    def __call__(self, lines: pa.Array) -> pa.Array:
        """Return the comparable lines of stored ones; both end in a line feed."""
        if self.changes_nothing:
            return lines
        fields = copytext.field_columns(lines, self._width)
        for name, at in self._counted:
            there = pc.sum(
                pc.not_equal(fields[at], arrays.text(copytext.NULL, fields[at].type))
            ).as_py()
            self.values[name] += there or 0
        picked = []
        for at, change in self._picks:
            field = fields[at]
            if change:
                field = change(field)
            picked.append(field)
        return _joined(picked, len(lines), lines.type)


def _joined(fields: Sequence[pa.Array], rows: int, text: pa.DataType) -> pa.Array:
    """Lines of some fields, a tab between them and a line feed at the end."""
    if not fields:
        return arrays.texts(["\n"] * rows, text)
    line = fields[0]
    if len(fields) > 1:
        line = pc.binary_join_element_wise(*fields, arrays.text("\t", text))
    return pc.binary_join_element_wise(line, arrays.text("\n", text), arrays.text("", text))
