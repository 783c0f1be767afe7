"""A case that a newer DuckDB wrote."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import duckdb
import pytest

import forensics as fx
from forensics.errors import CaseError
from forensics.store.opening import make_file

# An empty file of DuckDB 2.0, in the form that older ones cannot read.
NEWER = (
    b"c-rmPzY0MC6bE3%U{qEX4{*Cz%AdvHn*7;JR$f88fRasFJcb9bTTLdD@&slEq!d|{;ro`;>734Rw%?}Eu1%KpdE9HX"
    b"PRYbqM#UfuqWAO4pj?Tf(y$tSzH{F0j*CqG&<)qK)ij$<00000Kd~>5$GLvodGwbT&&|}W+*5kf>i_@%K>h~+0092R"
    b"6(C7Bxc"
)


def test_it_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "case.duckdb").write_bytes(zlib.decompress(base64.b85decode(NEWER)))
    try:
        duckdb.connect(str(tmp_path / "case.duckdb"), read_only=True).close()
    except duckdb.IOException:
        with pytest.raises(CaseError, match=f"newer DuckDB than the {duckdb.__version__}") as error:
            fx.open_case(tmp_path)
        assert "disk" not in str(error.value)
    else:
        pytest.skip("the DuckDB that is installed reads it")


def test_a_case_is_written_so_that_older_ones_read_it(tmp_path: Path) -> None:
    make_file(tmp_path)
    head = (tmp_path / "case.duckdb").read_bytes()[8:20]
    assert head[:4] == b"DUCK"
    assert int.from_bytes(head[4:], "little") <= 68  # what 1.5 reads
