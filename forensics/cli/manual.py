"""What each command's help ends with: an example that runs, its exit statuses, what it reads."""

from __future__ import annotations

_LOSS = "0: nothing is missing.  1: something is.  2: not answered."
_DONE = "0: done.  2: not done."
_DEBUG = "FORENSICS_DEBUG (frames of an error)"
_LIVE = f"LIVE_DSN or PG* (live), {_DEBUG}"
_SCRATCH = f"FORENSICS_PGBIN (programs of PostgreSQL), TMPDIR, {_DEBUG}"


def _manual(example: str, statuses: str, environment: str, *notes: str) -> str:
    parts = (("Example", example), ("Exit status", statuses), ("Environment", environment))
    lines = ["\b"]  # keeps the lines as they are
    for head, text in parts:
        lines += [f"{head}:", f"  {text}"]
    return "\n".join([*lines, *notes])


INSPECT = _manual(
    "forensics inspect sample_data/backup.sql.gz", "0: whole.  2: damaged, or not read.", _DEBUG
)
COMPARE = _manual(
    "forensics compare sample_data/backup.sql.gz postgresql://reader@db/app --case cases/x",
    _LOSS,
    f"{_LIVE}, FORENSICS_PGBIN, TMPDIR",
)
LOSS = _manual("forensics loss build/demo/case", _LOSS, _DEBUG)
CAUSE = _manual(
    "forensics cause build/demo/case --migrations sample_data/prisma/migrations", _LOSS, _SCRATCH
)
PREFLIGHT = _manual(
    "forensics preflight sample_data/prisma/migrations postgresql://reader@db/app",
    "0: nothing would be destroyed.  1: something would.  2: not answered, or not all of it.",
    f"{_LIVE}, FORENSICS_PGBIN, TMPDIR",
)
RECOVER = _manual(
    "forensics recover build/demo/case --out out",
    "0: done.  2: not done, or a rehearsal failed.",
    f"{_LIVE}, FORENSICS_PGBIN, TMPDIR",
)
REPORT = _manual(
    "forensics report build/demo/case --out report.html",
    _DONE,
    _DEBUG,
    "More:",
    "  forensics report build/demo/case --out report.xlsx --show hotels.name",
    "  forensics report build/demo/case --out slides.html --slides",
    "  forensics report build/demo/case --out actions.md --section actions",
)
QUERY = _manual(
    "forensics query sample_data/backup.sql.gz 'SELECT name FROM hotels ORDER BY name LIMIT 3'",
    "0: answered.  2: not answered, or of the rows that there are where a table is cut.",
    f"TMPDIR, {_DEBUG}",
    "More:",
    "  forensics query BACKUP 'SELECT * FROM shop.orders WHERE customer_id = 7' -o orders.csv",
    "  forensics query BACKUP --live DSN 'SELECT id FROM backup.hotels EXCEPT",
    "    SELECT id FROM live.hotels'",
)
VERIFY = _manual(
    "forensics verify evidence.zip",
    "0: every file is as it was.  1: one is changed, lacking or additional.  2: not asked.",
    _DEBUG,
    "Whoever can write the bundle can write its manifest as well: keep the digest of the",
    "whole file, which is printed, in another place.",
)
DEMO = _manual("forensics demo --out build/demo", _DONE, _SCRATCH)
