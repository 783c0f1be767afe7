"""The incident window, and how many rows were written in it that nobody can see.

A row that was written after the backup and destroyed before anybody looked is in
neither side. How many there were is estimated from the table's own past: the window
from backup to incident is laid over the days before the backup, at the same hours, and
the rows that were written in each of those windows are counted. Traces in live raise
the lower bound: parents that are new since the backup, of which a known share had got
links by the end of past windows.
"""

from forensics.loss.window.estimate import Estimate, estimate
from forensics.loss.window.work_out import work_out

__all__ = ["Estimate", "estimate", "work_out"]
