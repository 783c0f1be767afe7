"""What is long reaches the case as what is short does, and a report opens the case once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.model import Catalog, Column, Table, TableName, TableResult
from forensics.store import Record, Store, casefile, catalogs_text, record
from forensics.store.longtexts import LONG

ODD = 'it\'s \\ "odd" ü\u2028 \t\n{} {0} $1 ?'


def test_a_long_fact_is_what_was_put(tmp_path: Path) -> None:
    store = Store(tmp_path / "case", write=True)
    for text in (ODD, ODD * LONG, "", ODD):  # in place of the one before
        store.put("fact", text)
        assert store.get("fact") == text
    store.close()
    assert Store(tmp_path / "case").get("fact") == ODD


def test_lines_of_many_words_are_what_was_recorded(tmp_path: Path) -> None:
    store = Store(tmp_path / "case", write=True)
    records = []
    for number in range(20):
        name = TableName("public", f"t{number} {ODD}")
        result = TableResult(name, "failed", reason=ODD * (LONG // len(ODD) // 10))
        records.append(Record(number, result, columns={"backup": (ODD,)}))
    record(store.connection, *records)
    store.look_again()
    assert sorted(store.results(), key=str) == sorted((one.result for one in records), key=str)
    assert store.columns(records[3].result.name, "backup") == (ODD,)
    store.close()


def test_schemas_are_those_of_the_case_that_is_asked(tmp_path: Path) -> None:
    """They are read once, and of each case for itself."""
    catalogs = []
    for number in range(2):
        name = TableName("public", f"t{number}")
        columns = tuple(Column(f"c{n}", "text") for n in range(LONG // 50))
        catalogs.append(Catalog({name: Table(name, columns=columns)}))
        with_other = Catalog({})
        store = Store(tmp_path / f"case{number}", write=True)
        store.put_text("catalogs", catalogs_text(catalogs[number], with_other))
        store.close()
    for number in (0, 1, 0):
        assert Store(tmp_path / f"case{number}").catalogs()[0] == catalogs[number]


def test_a_report_opens_the_case_once(
    sample_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    connect = casefile.connect

    def noted(*given: Any, **named: Any) -> Any:
        opened.append(str(given[1]))
        return connect(*given, **named)

    case = fx.open_case(sample_case)
    monkeypatch.setattr(casefile, "connect", noted)
    case.report(tmp_path / "report.html")
    assert len(opened) == 1
