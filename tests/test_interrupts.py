"""Ctrl-C in a notebook and at the terminal, SIGTERM, and a reader that goes away.

The end is prompt and tidy, and can be gone on with.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from jupyter_client.manager import KernelManager

import forensics as fx
from tests.clusters import Cluster, check, children_of, sessions

PROMPT = 10  # seconds, on a machine that is busy with other tests; it takes less than one


class Held:
    """Keeps a table locked: whoever reads it is caught in the act, `until` it was caught."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._connection = psycopg.connect(cluster.dsn())

    def __enter__(self) -> Held:
        self._connection.execute("LOCK TABLE hotels IN ACCESS EXCLUSIVE MODE")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def until_caught(self) -> None:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'forensics%' "
            "AND wait_event_type = 'Lock' AND query LIKE 'COPY%'"
        )
        with psycopg.connect(self._cluster.dsn(), autocommit=True) as connection:
            deadline = time.monotonic() + 60
            while not connection.execute(waiting).fetchone()[0]:  # type: ignore[index]
                assert time.monotonic() < deadline, "nobody reads"
                time.sleep(0.02)


def command(backup: Path, cluster: Cluster, case: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "forensics",
        "compare",
        str(backup),
        cluster.dsn(),
        "--case",
        str(case),
        "--lock-timeout",
        "60s",
        *more,
    ]


def nothing_is_left(cluster: Cluster) -> None:
    deadline = time.monotonic() + 5
    while sessions(cluster) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sessions(cluster) == 0


def test_a_cell_of_a_notebook(lasting: tuple[Cluster, Path], tmp_path: Path) -> None:
    cluster, backup = lasting
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "PYTHONPATH": os.getcwd()})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)

        def run(code: str, **how: object) -> tuple[str, str]:
            said: list[str] = []
            reply = client.execute_interactive(
                code,
                timeout=60,
                output_hook=lambda m: said.append(
                    m["content"].get("text", m["content"].get("ename", ""))
                ),
                **how,
            )  # type: ignore[arg-type]
            return reply["content"]["status"], "".join(said)

        assert (
            run(
                "import os, threading, forensics as fx; "
                "options = fx.Options(jobs=2, lock_timeout='60s')"
            )[0]
            == "ok"
        )
        with Held(cluster) as held:
            ask = (
                f"case = fx.compare({str(backup)!r}, {cluster.dsn()!r}, "
                f"{str(tmp_path / 'case')!r}, options=options)"
            )
            client.execute(ask)
            held.until_caught()
            began = time.monotonic()
            manager.interrupt_kernel()
            reply = client.get_shell_msg(timeout=60)
            took = time.monotonic() - began
            nothing_is_left(cluster)
        assert reply["content"]["status"] == "error"
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert took < PROMPT
        assert children_of(manager.provisioner.pid) == []  # type: ignore[union-attr]
        status, left = run(
            "print([t.name for t in threading.enumerate() if t.name.startswith(('compare', "
            "'prefetch', 'conclude', 'sha256'))])"
        )
        assert (status, left.strip()) == ("ok", "[]")
        assert run(f"fx.open_case({str(tmp_path / 'case')!r}).close()")[0] == "ok"
        assert run(ask.replace("options=options", "options=fx.Options(resume=True)"))[0] == "ok"
        assert run("case.close()")[0] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    with fx.open_case(tmp_path / "case") as case:
        check(case)


@pytest.mark.parametrize(("sign", "jobs"), [(signal.SIGINT, 4), (signal.SIGTERM, 1)])
def test_a_command_is_told_to_end(
    sign: signal.Signals, jobs: int, lasting: tuple[Cluster, Path], tmp_path: Path
) -> None:
    cluster, backup = lasting
    asked = command(backup, cluster, tmp_path / "case", "--jobs", str(jobs), "--json")
    with Held(cluster) as held:
        # A session of its own, so that the signal goes to the whole foreground process group, as a
        # terminal sends it.
        child = subprocess.Popen(
            asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        held.until_caught()
        began = time.monotonic()
        os.killpg(child.pid, sign)
        out, err = child.communicate(timeout=60)
        assert time.monotonic() - began < PROMPT
        nothing_is_left(cluster)
    assert child.returncode == 2
    assert json.loads(out)["error"]["hint"] == "Go on with --resume."
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert not (tmp_path / "case" / "spill").exists()
    with fx.open_case(tmp_path / "case") as case:
        assert not case.complete
        assert all(r.state != "failed" for r in case.results)
    if jobs == 4:
        with fx.compare(
            backup, cluster.dsn(), tmp_path / "case", options=fx.Options(resume=True)
        ) as case:
            check(case)


def test_a_reader_that_goes_away_changes_no_status(
    lasting: tuple[Cluster, Path], tmp_path: Path
) -> None:
    """`| true`, and `2>&1 | true`: the case is written and the status is what was found."""
    cluster, backup = lasting
    errors = {**os.environ, "ERRORS": str(tmp_path / "errors")}
    asked = command(backup, cluster, tmp_path / "case")
    piped = [
        "bash",
        "-c",
        '"$@" 2>"$ERRORS" | true; echo "${PIPESTATUS[0]}"',
        "bash",
        *asked,
        "--json",
    ]
    assert (
        subprocess.run(
            piped, capture_output=True, text=True, check=False, env=errors
        ).stdout.strip()
        == "1"
    )
    assert (tmp_path / "errors").read_text() == ""
    with fx.open_case(tmp_path / "case") as case:
        check(case)
    both = ["bash", "-c", '"$@" 2>&1 | true; echo "${PIPESTATUS[0]}"', "bash", *asked, "--resume"]
    assert subprocess.run(both, capture_output=True, text=True, check=False).stdout.strip() == "1"
