"""A database that a tool reaches over TCP, as they do: one of the scratch server's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from forensics.scratch import Scratch


@dataclass(frozen=True)
class Place:
    """A database by its port and name."""

    port: int
    database: str
    user: str = "postgres"
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """What most tools are given."""
        return f"postgresql://{self.user}:none@{self.host}:{self.port}/{self.database}"


@contextmanager
def port_of(server: Scratch) -> Iterator[int]:
    """A port of this machine behind which the server's socket is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = str(server.folder / ".s.PGSQL.5432")
        threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, target: str) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(target)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 18):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
