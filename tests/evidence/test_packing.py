"""What was packed comes out whole, however well it packed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from forensics.evidence import open_source
from forensics.model import TableName

HEAD = b"CREATE TABLE public.t (v text);\nCOPY public.t (v) FROM stdin;\n"


@pytest.mark.parametrize("over", [1, 8, 64, 259])
def test_a_stream_is_asked_until_it_holds_nothing(over: int, tmp_path: Path) -> None:
    # A little more than the unpacker gives at a time.
    length = (1 << 20) + over - len(HEAD) - 4
    packed = tmp_path / "dump.sql.gz"
    packed.write_bytes(gzip.compress(HEAD + b"x" * length + b"\n\\.\n", 9))
    with open_source(packed) as source:
        ((value,),) = source.rows_of(TableName("public", "t"), ["v"])
        assert source.damage is None
    assert value is not None
    assert len(value) == length
