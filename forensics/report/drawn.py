"""The figures of a case, one at a time, as notebooks show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics import figures
from forensics.errors import UsageError
from forensics.figures import Hit, Picture
from forensics.masking import Mask
from forensics.report.document import ParentLoss
from forensics.report.gathering import moments, parent_loss
from forensics.report.results import Results

_FIGURES = ("classes", "loss", "timeline", "totals")
_JUNCTION_FIGURES = ("by_parent", "distribution")


def figure(case: Results, name: str, width: int | None = None) -> Picture:
    """Return one figure of a case.

    Args:
        case: what was found.
        name: "loss", "totals", "timeline" or "classes".
        width: in pixels.

    Raises:
        UsageError: there is no figure of that name, or the case does not hold what it shows.
    """
    width = width or figures.WIDE
    if name == "loss":
        return figures.loss(case.results, width=width)
    if name == "totals":
        return figures.totals(case.counted, width=width)
    if name == "timeline":
        return figures.timeline(moments(case), width=width)
    if name == "classes":
        totals = case.loss["totals"]
        if totals["missing"] is None:
            raise UsageError("What became of the missing links is not known.", case.verdict)
        return figures.classes(totals, width=width)
    raise UsageError(
        f"There is no figure {name} of a case.",
        f"Choose one of {', '.join(_FIGURES)}.",
    )


def junction_figure(
    case: Results,
    entry: Mapping[str, Any],
    name: str,
    *,
    spread: Mapping[str, Any] | None = None,
    width: int | None = None,
) -> Picture:
    """Return one figure of a junction table, with the names of rows as they are.

    Args:
        case: what was found.
        entry: the junction table's entry in the loss.
        name: "by_parent" or "distribution".
        spread: the parent's entry; None takes the parent of whose rows one misses the most
            links.
        width: in pixels.

    Raises:
        UsageError: there is no figure of that name.
    """
    if name not in _JUNCTION_FIGURES:
        raise UsageError(
            f"There is no figure {name} of a junction table.",
            f"Choose one of {', '.join(_JUNCTION_FIGURES)}.",
        )
    width = width or figures.WIDE
    hit = _parent(case, entry, spread)
    parent = str(hit.name)
    if name == "distribution":
        return figures.distribution(hit.before, hit.after, parent=parent, width=width)
    hits = []
    for row in hit.worst:
        gone = " (gone)" if row.gone else ""
        hits.append(Hit(f"{row.label or row.key}{gone}", row.had, row.missing))
    return figures.parents(hits, parent=parent, width=width)


def _parent(
    case: Results,
    entry: Mapping[str, Any],
    spread: Mapping[str, Any] | None,
) -> ParentLoss:
    """A parent that was asked for, or the one of whose rows one misses the most links."""
    mask = Mask(case.catalogs[0], on=False)
    spreads = [spread] if spread else entry["spread"]
    found = [parent_loss(case, one, mask) for one in spreads]
    return min(found, key=lambda p: (not p.hit, p.hit, p.name))
