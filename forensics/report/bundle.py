"""The report as one .zip: every form of it, all missing rows as CSV, and a manifest of digests."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from forensics.errors import ReportError
from forensics.report.rows import MissingRows
from forensics.text import document

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same case gives the same bytes
_README = """\
report.html     the report; opens in any browser, loads nothing from anywhere
report.md       the same as text
report.xlsx     the same as a workbook, with a part of the missing rows
report.json     the numbers, for programs
rows/*.csv      every missing row, a file a table
MANIFEST.json   SHA-256, size and rows of each file

The CSV files are exact: UTF-8, a header, NULL is nothing and an empty text is "". PostgreSQL reads them with
COPY table (columns) FROM 'file' WITH (FORMAT csv, HEADER). A spreadsheet may take a value that begins
with = + - @ for a formula: open report.xlsx there instead.
"""


def write(
    files: Mapping[str, bytes], missing: Iterable[MissingRows], path: Path, *, masked: bool
) -> None:
    """Write the bundle.

    Args:
        files: the report's other forms, by name.
        missing: the missing rows, as they may be shown.
        path: where to.
        masked: whether values of rows are masked in it.

    Raises:
        ReportError: it cannot be written.
    """
    manifest = []
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in sorted({**files, "README.txt": _README.encode()}.items()):
                bundle.writestr(_entry(name), content)
                manifest.append(
                    {
                        "file": name,
                        "sha256": hashlib.sha256(content).hexdigest(),
                        "bytes": len(content),
                    }
                )
            for number, table in enumerate(missing, 1):
                name = f"rows/{number:03d}-{_slug(str(table.result.name))}.csv"
                manifest.append(
                    {
                        "file": name,
                        "schema": table.result.name.schema,
                        "table": table.result.name.table,
                        **_rows(bundle, name, table),
                    }
                )
            said = document({"masked": masked, "files": manifest})
            bundle.writestr(_entry("MANIFEST.json"), said)
    except (OSError, zipfile.LargeZipFile) as error:
        raise ReportError(f"{path} could not be written: {error}.", "Is the disk full?") from error


def _rows(bundle: zipfile.ZipFile, name: str, table: MissingRows) -> dict[str, str | int]:
    digest, size, rows = hashlib.sha256(), 0, 0
    with bundle.open(_entry(name), "w", force_zip64=True) as out:
        pending = io.StringIO()
        pending.write(_line(table.columns))
        for row in table.read():
            pending.write(_line(row))
            rows += 1
            if pending.tell() > 1 << 18:
                size += _pour(pending, out, digest)
        size += _pour(pending, out, digest)
    return {"sha256": digest.hexdigest(), "bytes": size, "rows": rows}


def _pour(pending: io.StringIO, out: object, digest: object) -> int:
    raw = pending.getvalue().encode("utf-8", "surrogateescape")
    out.write(raw)  # type: ignore[attr-defined]
    digest.update(raw)  # type: ignore[attr-defined]
    pending.seek(0)
    pending.truncate()
    return len(raw)


def _line(row: Iterable[str | None]) -> str:
    """A line of CSV as COPY writes one: NULL is nothing, every value is quoted."""
    return ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in row) + "\n"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._")[:80] or "table"
