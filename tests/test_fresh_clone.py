"""A bare clone, as a newcomer has it: what `make lab` starts can import the kit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

ROOT = Path(__file__).parent.parent
TOKEN = "clone"
_INSTALLING = 600.0  # seconds
_STARTING = 120.0


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files as they are now, in a folder of their own, and nothing else."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def environment(clone: Path) -> dict[str, str]:
    """What a newcomer's shell has: nothing of the environment that the tests run in."""
    here = str(Path(sys.executable).parent)
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != here]
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    runtime = clone / "build" / "runtime"
    return {**kept, "PATH": os.pathsep.join(path), "JUPYTER_RUNTIME_DIR": str(runtime)}


@pytest.fixture(scope="module")
def lab(clone: Path) -> Iterator[str]:
    """The address of the JupyterLab that `make lab` starts."""
    how = {"cwd": clone, "env": environment(clone)}
    subprocess.run(
        ["make", ".venv/.run", f"PYTHON={sys._base_executable}"],  # type: ignore[attr-defined]
        check=True,
        timeout=_INSTALLING,
        **how,  # type: ignore[call-overload]
    )
    flags = f"--no-browser --ServerApp.port=0 --IdentityProvider.token={TOKEN}"
    server = subprocess.Popen(
        ["make", "lab", f"LAB={flags}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **how,  # type: ignore[call-overload]
    )
    try:
        yield address(clone, server)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def address(clone: Path, server: subprocess.Popen[bytes]) -> str:
    """Where the server listens, as it tells in its runtime folder once it does."""
    end = time.monotonic() + _STARTING
    runtime = clone / "build" / "runtime"
    while time.monotonic() < end and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            return str(json.loads(path.read_text())["url"])
        time.sleep(0.2)
    raise AssertionError("make lab starts no server")


def asked(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST something to the server."""
    request = Request(  # noqa: S310 - the server that this test started
        url,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
    )
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
        return found


def wait_for(client: BlockingKernelClient) -> None:
    """Wait for a kernel. On a busy machine its heart may miss a beat before it answers."""
    end = time.monotonic() + _STARTING
    while True:
        try:
            client.wait_for_ready(timeout=30)
        except RuntimeError:
            if time.monotonic() > end:
                raise
        else:
            return


def test_the_kernel_of_make_lab_imports_the_kit(clone: Path, lab: str) -> None:
    kernel = asked(f"{lab}api/kernels", {"name": "python3", "path": "00_start_here.ipynb"})
    [connection] = (clone / "build" / "runtime").glob(f"kernel-{kernel['id']}.json")
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        wait_for(client)
        code = "import os, forensics as fx; fx.notebook_case; print(fx.__file__, os.getcwd())"
        printed = []
        client.execute_interactive(
            code, timeout=120, output_hook=lambda message: printed.append(message["content"])
        )
    finally:
        client.stop_channels()
    said = "".join(content.get("text", "") for content in printed)
    assert said.split() == [
        str(clone / "forensics" / "__init__.py"),
        str(clone / "notebooks"),
    ], printed


def test_the_command_works_as_the_readme_types_it(clone: Path, lab: str) -> None:
    done = subprocess.run(
        [clone / ".venv" / "bin" / "forensics", "--version"],
        cwd=clone,
        env=environment(clone),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("forensics ")
