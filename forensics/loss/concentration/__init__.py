"""Where a loss is concentrated: what most of a table's lost rows have in common, and few others.

Of each table the rows that are missing, added, changed or overwritten are held against all of its
rows. What is likely is found on samples; what is said is counted, on every row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.loading import lazily

if TYPE_CHECKING:
    from forensics.loss.concentration.wording import concentration_of
    from forensics.loss.concentration.work_out import concentrated

__all__ = ["concentrated", "concentration_of"]

_HOMES = {"concentrated": "work_out", "concentration_of": "wording"}

__getattr__ = lazily(__name__, _HOMES)
