"""What a hazard would destroy and what stands in its way, counted.

All is asked by SELECTs over the tables as they would stand, under live's read-only snapshot.
"""

from forensics.preflight.counts.counts import Counts

__all__ = ["Counts"]
