"""The random incidents of `test_properties`, fifty of them, in one session of Spark Connect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings

from bench.servers import Sail
from forensics.scratch import Scratch
from tests import test_properties as properties

pytestmark = pytest.mark.spark

connection = properties.connection


@pytest.fixture(scope="module")
def session(sail: Sail) -> Iterator[Any]:
    """A session that somebody has open, as in a notebook."""
    from pyspark.sql.connect.session import SparkSession

    found = SparkSession.builder.remote(sail.master).create()
    yield found
    found.stop()


@given(properties.INCIDENTS, properties.st.sampled_from(properties.FORMS), properties.ZONES)
@settings(
    max_examples=50,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=properties.QUIET,
)
def test_random_incidents(
    connection: psycopg.Connection,
    scratch: Scratch,
    session: Any,
    tmp_path: Path,
    incident: list[properties.Plan],
    form: tuple[str, ...],
    zone: str,
) -> None:
    properties.hold(connection, scratch, tmp_path, incident, form, zone, spark=session)
