"""The report of a case, written in the form that the file's suffix names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from forensics import leftovers
from forensics.errors import ReportError
from forensics.report import bundle, deck, html, markdown, workbook
from forensics.report.document import Document
from forensics.report.gathering import gather
from forensics.report.masked import report_json
from forensics.report.maskings import Masking, masking
from forensics.report.results import Results
from forensics.report.rows import MissingRows, with_missing
from forensics.report.sections import SECTIONS, Section
from forensics.text import document

SUFFIXES = (".html", ".xlsx", ".md", ".json", ".zip")

Form = Callable[[Document], str]
_RENDERS: dict[str, Callable[..., str]] = {".html": html.render, ".md": markdown.render}


def write(
    case: Results,
    path: str | Path,
    *,
    mask: bool = True,
    show: Sequence[str] = (),
    hide: Sequence[str] = (),
    sections: Sequence[str] = (),
    slides: bool = False,
) -> Path:
    """Write the report of a case; return its path.

    The file appears when it is whole; one that is there is replaced. Only its owner can read it
    where it is not masked.

    Args:
        case: an open case.
        path: where to; its suffix says in which form (`SUFFIXES`).
        mask: whether values of rows are masked.
        show, hide: columns that are shown, or masked, whatever else is: TABLE.COLUMN.
        sections: the names of sections, where only some are asked for (.html, .md).
        slides: whether to write slides for a walkthrough, not the report (.html).

    Raises:
        ReportError: there is no such form or section, or the file cannot be written.
        UsageError: there is no such column.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    masked = masking(case, on=mask, show=show, hide=hide)
    if suffix not in SUFFIXES:
        given = path.suffix or "a file without a suffix"
        raise ReportError(
            f"A report is not written as {given} ({path.name}).",
            f"Choose one of {', '.join(SUFFIXES)}.",
        )
    form = _form(suffix, sections, slides)
    try:
        # Whole or not there; unmasked, only its owner may read it.
        mode = leftovers.shared_mode() if masked.whole else 0o600
        with leftovers.whole(path, f"report{suffix}", mode) as whole:
            _write(case, whole, masked, form)
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {path}: {error.strerror or error}.",
            "Choose another place with --out.",
        ) from error
    return path


def _form(suffix: str, names: Sequence[str], slides: bool) -> Form | None:
    """What is asked for beside the whole report.

    Raises:
        ReportError: the file's form has no such thing, or there is no such section.
    """
    if slides and names:
        raise ReportError(
            "Slides have no sections.",
            "Give one of --slides and --section.",
        )
    if slides:
        if suffix != ".html":
            raise ReportError("Slides are written as .html.", "Choose --out slides.html.")
        return deck.render
    if not names:
        return None
    if suffix not in _RENDERS:
        raise ReportError(
            f"A section alone is not written as {suffix}.",
            "Choose --out with .md or .html.",
        )
    wanted = [_section(name) for name in names]
    return lambda d: _RENDERS[suffix](d, wanted)


def _section(name: str) -> Section:
    known = {section.name: section for section in SECTIONS}
    if name not in known:
        raise ReportError(
            f"The report has no section {name}.",
            f"There are {', '.join(known)}.",
        )
    return known[name]


def _write(case: Results, path: Path, mask: Masking, form: Form | None = None) -> None:
    if path.suffix == ".zip":
        _write_bundle(case, path, mask)
    elif path.suffix == ".json":
        said = document(report_json(case, mask=mask))
        path.write_text(said, encoding="utf-8")
    elif path.suffix == ".xlsx":
        workbook.write(gather(case, mask=mask), _missing(case, mask), path)
    else:
        render = form or _RENDERS[path.suffix]
        said = render(gather(case, mask=mask))
        path.write_text(said, encoding="utf-8", errors="backslashreplace")


def _write_bundle(case: Results, path: Path, mask: Masking) -> None:
    forms: dict[str, bytes] = {}
    for suffix in SUFFIXES[:-1]:
        form = path.with_suffix(suffix)
        _write(case, form, mask)
        forms[form.name] = form.read_bytes()
    bundle.write(forms, _missing(case, mask), path, mask)


def _missing(case: Results, mask: Masking) -> list[MissingRows]:
    return with_missing(case, mask.mask(case))
