"""The report of a case, in the form that the file's suffix names."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import ReportError
from forensics.masking import Mask
from forensics.report import bundle, html, markdown, workbook
from forensics.report.rows import with_missing
from forensics.report.tables import gather, report_json
from forensics.text import document

if TYPE_CHECKING:
    from forensics.case.facade import Case

SUFFIXES = (".html", ".xlsx", ".md", ".json", ".zip")


def write(case: Case, path: str | Path, *, mask: bool = True) -> Path:
    """Write the report of a case; return its path.

    The file appears when it is whole; one that is there is replaced. Only its owner can read it where it is not masked.

    Args:
        case: an open case.
        path: where to; its suffix says in which form (`SUFFIXES`).
        mask: whether values of rows are masked.

    Raises:
        ReportError: there is no such form, or the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ReportError(
            f"A report is not written as {path.suffix or 'a file without a suffix'} ({path.name}).",
            f"Choose one of {', '.join(SUFFIXES)}.",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=path.parent) as folder:
            whole = Path(folder) / f"report{suffix}"
            _write(case, whole, mask)
            os.chmod(whole, 0o644 & ~_umask() if mask else 0o600)
            os.replace(whole, path)
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {path}: {error.strerror or error}.",
            "Choose another place with --out.",
        ) from error
    return path


def _write(case: Case, path: Path, mask: bool) -> None:
    if path.suffix == ".zip":
        forms: dict[str, bytes] = {}
        for suffix in SUFFIXES[:-1]:
            form = path.with_suffix(suffix)
            _write(case, form, mask)
            forms[form.name] = form.read_bytes()
        bundle.write(forms, with_missing(case, _mask(case, mask)), path, masked=mask)
    elif path.suffix == ".json":
        path.write_text(document(report_json(case, mask=mask)), encoding="utf-8")
    elif path.suffix == ".xlsx":
        workbook.write(gather(case, mask=mask), with_missing(case, _mask(case, mask)), path)
    else:
        render = html.render if path.suffix == ".html" else markdown.render
        path.write_text(
            render(gather(case, mask=mask)), encoding="utf-8", errors="backslashreplace"
        )


def _mask(case: Case, on: bool) -> Mask:
    return Mask(case.catalogs[0], on=on)


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found
