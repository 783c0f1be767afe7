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
    "More:",
    "  forensics recover CASE --out out --where 'tenants.id = 7' --rehearse",
    "  forensics recover CASE --out out --into restored",
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
PROVE = _manual(
    "forensics prove sample_data/backup.sql.gz postgresql://reader@db/app --out proof.json",
    "0: it holds.  1: it does not: cut, empty, old, or out of line.  2: not asked.",
    f"{_LIVE}, TMPDIR",
    "More:",
    "  forensics prove BACKUP LIVE --out proofs/2026-01-02.json --history proofs --max-age 26h",
    "  forensics prove BACKUP LIVE --expect-tables 40 --expect orders --report proof.html",
    "  forensics prove --check proof.json BACKUP",
    "Whoever can write the proof can write its hash as well: keep the hash, which is printed,",
    "in another place.",
)
EXPORT = _manual(
    "forensics export sample_data/backup.sql.gz --table hotels --to hotels.csv",
    "0: written.  2: not written, or the rows that there are where a table is cut.",
    f"TMPDIR, {_DEBUG}",
    "More:",
    "  forensics export BACKUP --table 'shop.*' --to shop.dump",
    "  forensics export BACKUP --table orders --where 'customer_id = 7' --to seven.sql",
)
CONVERT = _manual(
    "forensics convert sample_data/backup.sql.gz --to older.sql --server-version 12",
    "0: written.  2: not written, or not all: what is damaged, or too new, is said.",
    _DEBUG,
    "More:",
    "  psql -X -v ON_ERROR_STOP=1 -d empty -f older.sql",
)
VERIFY = _manual(
    "forensics verify evidence.zip",
    "0: every file is as it was.  1: one is changed, lacking or additional.  2: not asked.",
    _DEBUG,
    "Whoever can write the bundle can write its manifest as well: keep the digest of the",
    "whole file, which is printed, in another place.",
)
DEMO = _manual("forensics demo --out build/demo", _DONE, _SCRATCH)
NOTEBOOKS = _manual(
    "forensics notebooks mine && jupyter lab mine",
    _DONE,
    "FORENSICS_CASE, or FORENSICS_BACKUP and LIVE_DSN: the case that they are about",
)
CONFIG = _manual(
    "forensics config",
    "0: shown.  2: the file is no TOML, or sets what there is not.",
    "FORENSICS_CONFIG (the file; empty: none), LIVE_DSN",
    "A forensics.toml, or [tool.forensics] of a pyproject.toml, here or above:",
    '  exclude-schema = ["auth", "storage"]     for every command that has the flag',
    "  [report]",
    '  mask = ["users.email"]                   for one',
)
LINT = _manual(
    "forensics lint sample_data/prisma/migrations/20260102103755_add_external_hotels",
    "0: nothing destroys.  1: something does.  2: something cannot be read.",
    _DEBUG,
    "A statement that is meant is allowed in a comment above it:",
    "  -- forensics: allow drop-table",
)
