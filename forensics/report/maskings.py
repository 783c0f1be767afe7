"""Which columns a report shows and which it masks, by the names that people type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.masking import Columns, Mask
from forensics.model import TableName
from forensics.report.results import Results
from forensics.text import near_matches


@dataclass(frozen=True)
class Masking:
    """What of the rows is masked.

    Attributes:
        on: whether values are masked at all.
        shown, hidden: columns that are shown, or masked, whatever else is.
    """

    on: bool = True
    shown: Columns = frozenset()
    hidden: Columns = frozenset()

    @classmethod
    def of(cls, asked: bool | Masking) -> Masking:
        """What was asked for, where it is but on or off as well."""
        if isinstance(asked, Masking):
            return asked
        return cls(asked)

    @property
    def whole(self) -> bool:
        """Whether no value is shown that masking would hide."""
        return self.on and not self.shown

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are shown although values are masked, as people write them."""
        if not self.on:
            return ()
        return tuple(sorted(f"{name}.{column}" for name, column in self.shown))

    def mask(self, case: Results) -> Mask:
        """Return what decides of each value whether it is shown."""
        backup = case.catalogs[0]
        return Mask(backup, on=self.on, shown=self.shown, hidden=self.hidden)


def masking(
    case: Results,
    *,
    on: bool = True,
    show: Iterable[str] = (),
    hide: Iterable[str] = (),
) -> Masking:
    """Return what is to be masked.

    Args:
        case: what was found.
        on: whether values are masked.
        show, hide: columns, as TABLE.COLUMN.

    Raises:
        UsageError: there is no such column, or one is to be shown and masked at once.
    """
    known = _known(case)
    shown = frozenset(_column(known, name) for name in show)
    hidden = frozenset(_column(known, name) for name in hide)
    both = shown & hidden
    if both:
        name, column = min(both)
        raise UsageError(
            f"{name}.{column} is to be shown and masked at once.",
            "Give one of --show and --mask for it.",
        )
    return Masking(on, shown, hidden)


def _column(known: Mapping[str, tuple[TableName, str]], wanted: str) -> tuple[TableName, str]:
    found = known.get(wanted)
    if found is None:
        every = sorted({f"{name}.{column}" for name, column in known.values()})
        raise UsageError(
            f"The case has no column {wanted}.",
            near_matches(wanted, every, "Columns are named as TABLE.COLUMN."),
        )
    return found


def _known(case: Results) -> dict[str, tuple[TableName, str]]:
    """Every column by each way to write its name."""
    tables: dict[TableName, dict[str, None]] = {}
    for catalog in case.catalogs:
        for name, table in catalog.tables.items():
            columns = tables.setdefault(name, {})
            columns.update(dict.fromkeys(column.name for column in table.columns))
    bare = Counter(name.table for name in tables)
    found: dict[str, tuple[TableName, str]] = {}
    for name, columns in tables.items():
        forms = [str(name), f"{name.schema}.{name.table}", name.sql]
        if bare[name.table] == 1:
            forms.append(name.table)
        for form in forms:
            for column in columns:
                place = (name, column)
                found[f"{form}.{column}"] = place
                found[f'{form}."{column}"'] = place
    return found
