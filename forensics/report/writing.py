"""The report of a case, written in the form that the file's suffix names."""

from __future__ import annotations

import os
from pathlib import Path

from forensics import leftovers
from forensics.errors import ReportError
from forensics.masking import Mask
from forensics.report import bundle, html, markdown, workbook
from forensics.report.gathering import gather
from forensics.report.masked import report_json
from forensics.report.results import Results
from forensics.report.rows import MissingRows, with_missing
from forensics.text import document

SUFFIXES = (".html", ".xlsx", ".md", ".json", ".zip")


def write(case: Results, path: str | Path, *, mask: bool = True) -> Path:
    """Write the report of a case; return its path.

    The file appears when it is whole; one that is there is replaced. Only its owner can read it
    where it is not masked.

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
        given = path.suffix or "a file without a suffix"
        raise ReportError(
            f"A report is not written as {given} ({path.name}).",
            f"Choose one of {', '.join(SUFFIXES)}.",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with leftovers.folder(path.parent, leftovers.HIDDEN) as folder:
            whole = folder / f"report{suffix}"
            _write(case, whole, mask)
            os.chmod(whole, _mode(mask))
            os.replace(whole, path)
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {path}: {error.strerror or error}.",
            "Choose another place with --out.",
        ) from error
    return path


def _write(case: Results, path: Path, mask: bool) -> None:
    if path.suffix == ".zip":
        _write_bundle(case, path, mask)
    elif path.suffix == ".json":
        said = document(report_json(case, mask=mask))
        path.write_text(said, encoding="utf-8")
    elif path.suffix == ".xlsx":
        workbook.write(gather(case, mask=mask), _missing(case, mask), path)
    else:
        render = html.render if path.suffix == ".html" else markdown.render
        said = render(gather(case, mask=mask))
        path.write_text(said, encoding="utf-8", errors="backslashreplace")


def _write_bundle(case: Results, path: Path, mask: bool) -> None:
    forms: dict[str, bytes] = {}
    for suffix in SUFFIXES[:-1]:
        form = path.with_suffix(suffix)
        _write(case, form, mask)
        forms[form.name] = form.read_bytes()
    bundle.write(forms, _missing(case, mask), path, masked=mask)


def _missing(case: Results, mask: bool) -> list[MissingRows]:
    return with_missing(case, Mask(case.catalogs[0], on=mask))


def _mode(masked: bool) -> int:
    """Who may read the file: its owner alone where it is not masked."""
    if not masked:
        return 0o600
    umask = os.umask(0o022)
    os.umask(umask)
    return 0o644 & ~umask
