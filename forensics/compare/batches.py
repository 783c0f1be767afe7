"""Which tables are read together: small ones, since asking for each costs more than its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.compare.comparison import Job
from forensics.evidence.source import Contents
from forensics.model import TableName

_TOGETHER = 100
_FEW_ROWS = 1000
_FEW_BYTES = 64 << 10


def in_batches(jobs: Sequence[Job], contents: Mapping[TableName, Contents]) -> list[list[Job]]:
    """Cut jobs into those that are done one after another; each stands where its first one stood.

    Args:
        jobs: one a table.
        contents: what the backup holds of each.
    """
    batches: list[list[Job]] = []
    together: list[Job] = []
    for job in jobs:
        if not _is_small(job, contents.get(job.name)):
            batches.append([job])
            continue
        if len(together) in (0, _TOGETHER):
            together = []
            batches.append(together)
        together.append(job)
    return batches


def _is_small(job: Job, held: Contents | None) -> bool:
    """Whether a table seems to be small: it may be none, and is then read by itself."""
    if job.backup is None or job.live is None or job.live.kind != "table":
        return False
    if held is None or not held.data or (held.bytes or 0) > _FEW_BYTES:
        return False
    return job.live.rows_estimate <= _FEW_ROWS
