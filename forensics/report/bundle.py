"""The report as one .zip: every form of it, all missing rows as CSV, a manifest of digests."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from forensics.errors import ReportError
from forensics.masking import MARK
from forensics.report.maskings import Masking
from forensics.report.rows import MissingRows
from forensics.text import document

MANIFEST = "MANIFEST.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same case gives the same bytes
_POURED = 1 << 18  # characters that are held before they are written
_README = """\
report.html     the report; opens in any browser, loads nothing from anywhere
report.md       the same as text
report.xlsx     the same as a workbook, with a part of the missing rows
report.json     the numbers, for programs
rows/*.csv      every missing row, a file a table
MANIFEST.json   SHA-256, size and rows of each file

The CSV files are UTF-8 with a header; NULL is nothing and an empty text is "". \
A spreadsheet may take a value that begins
with = + - @ for a formula: open report.xlsx there instead.

Whether anybody changed a file since: python -m forensics verify FILE.zip
(it holds the files against MANIFEST.json; whoever can write the bundle can write that too, \
so keep the digest of the
whole .zip elsewhere).

"""
_EXACT = """\
Values are NOT masked: the CSV files are exact, and PostgreSQL reads them with
COPY table (columns) FROM 'file' WITH (FORMAT csv, HEADER). \
Treat this bundle like the database itself.
"""
_MASKED = """\
Values of rows are MASKED, in the CSV files too: {mark} stands for a value. \
They show which rows are missing,
and cannot be loaded back; report CASE --out FILE.zip --unmasked writes the rows themselves.
"""
_SHOWN = "Shown although values are masked: {names}.\n"
_HIDDEN = "Masked although values are shown: {names}.\n"


def write(
    files: Mapping[str, bytes],
    missing: Iterable[MissingRows],
    path: Path,
    masking: Masking,
) -> None:
    """Write the bundle.

    Args:
        files: the report's other forms, by name.
        missing: the missing rows, as they may be shown.
        path: where to.
        masking: what of the rows is masked in it.

    Raises:
        ReportError: it cannot be written.
    """
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
            told = {**files, "README.txt": _readme(masking).encode()}
            manifest = _add_forms(bundle, told)
            for number, table in enumerate(missing, 1):
                manifest.append(_add_rows(bundle, number, table))
            said = document({"masked": masking.on, "shown": masking.names, "files": manifest})
            bundle.writestr(_entry(MANIFEST), said)
    except (OSError, zipfile.LargeZipFile) as error:
        raise ReportError(
            f"{path} could not be written: {error}.",
            "Is the disk full?",
        ) from error


def _readme(masking: Masking) -> str:
    """What is in the bundle, and whether it shows values."""
    said = _README
    if not masking.on:
        hidden = sorted(f"{name}.{column}" for name, column in masking.hidden)
        said += _EXACT if not hidden else _HIDDEN.format(names=", ".join(hidden))
        return said
    said += _MASKED.format(mark=MARK)
    if masking.names:
        said += _SHOWN.format(names=", ".join(masking.names))
    return said


def _add_forms(
    bundle: zipfile.ZipFile,
    files: Mapping[str, bytes],
) -> list[dict[str, Any]]:
    """Add the forms of the report; return their entries in the manifest."""
    entries = []
    for name, content in sorted(files.items()):
        bundle.writestr(_entry(name), content)
        digest = hashlib.sha256(content).hexdigest()
        entries.append({"file": name, "sha256": digest, "bytes": len(content)})
    return entries


def _add_rows(
    bundle: zipfile.ZipFile,
    number: int,
    table: MissingRows,
) -> dict[str, Any]:
    """Add a table's missing rows as CSV; return their entry in the manifest."""
    name = table.result.name
    file = f"rows/{number:03d}-{_slug(str(name))}.csv"
    rows = 0
    with bundle.open(_entry(file), "w", force_zip64=True) as out:
        pouring = _Pouring(out)
        pending = pouring.pending
        pending.write(_line(table.columns))
        for row in table.read():
            pending.write(_line(table.whole(row)))
            rows += 1
            if pending.tell() > _POURED:
                pouring.pour()
        pouring.pour()
    return {
        "file": file,
        "schema": name.schema,
        "table": name.table,
        "sha256": pouring.digest.hexdigest(),
        "bytes": pouring.size,
        "rows": rows,
    }


class _Pouring:
    """Writes what is pending, and keeps the digest and size of it all.

    Args:
        out: where to.
    """

    def __init__(self, out: IO[bytes]) -> None:
        self.pending = io.StringIO()
        self.digest = hashlib.sha256()
        self.size = 0
        self._out = out

    def pour(self) -> None:
        """Write what is pending."""
        raw = self.pending.getvalue().encode("utf-8", "surrogateescape")
        self._out.write(raw)
        self.digest.update(raw)
        self.size += len(raw)
        self.pending.seek(0)
        self.pending.truncate()


def _line(row: Iterable[str | None]) -> str:
    """A line of CSV as COPY writes one: NULL is nothing, every value is quoted."""
    fields = ("" if v is None else '"' + v.replace('"', '""') + '"' for v in row)
    return ",".join(fields) + "\n"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _slug(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._")
    return plain[:80] or "table"
