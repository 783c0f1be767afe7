"""A wire of so many bits a second and so much delay, between a client and a PostgreSQL server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PIECE = 32 << 10
_AHEAD = 64  # pieces on their way


@dataclass
class Wire:
    """What goes through a wire: all connections share it.

    Attributes:
        port: where clients reach it, on this machine.
        sent, received: bytes, as the client sees them.
    """

    rate: float
    delay: float
    port: int = 0
    sent: int = 0
    received: int = 0
    _free: dict[bool, float] = field(default_factory=dict)

    def arrives(self, size: int, *, from_client: bool) -> float:
        """When a piece that is handed over now has come through."""
        now = asyncio.get_running_loop().time()
        begins = max(now, self._free.get(from_client, 0.0))
        self._free[from_client] = begins + size / self.rate
        if from_client:
            self.sent += size
        else:
            self.received += size
        return self._free[from_client] + self.delay / 2

    @property
    def bytes(self) -> int:
        """Both ways together."""
        return self.sent + self.received


async def _carry(
    wire: Wire, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, from_client: bool
) -> None:
    """Carry one direction of one connection to its end."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_AHEAD)

    async def taking() -> None:
        while piece := await source.read(_PIECE):
            await under_way.put((wire.arrives(len(piece), from_client=from_client), piece))
        await under_way.put((0.0, b""))

    taken = asyncio.ensure_future(taking())
    try:
        while True:
            at, piece = await under_way.get()
            if not piece:
                return
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            to.write(piece)
            await to.drain()
    except (ConnectionError, OSError):
        pass
    finally:
        taken.cancel()
        to.close()


@contextmanager
def throttled(socket: Path, rate: float, delay: float) -> Iterator[Wire]:
    """Lay a wire to a server's socket.

    Args:
        rate: bytes a second, each way.
        delay: seconds there and back.
    """
    wire = Wire(rate, delay)
    loop = asyncio.new_event_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to = await asyncio.open_unix_connection(str(socket))
        await asyncio.gather(
            _carry(wire, reader, to, from_client=True),
            _carry(wire, behind, writer, from_client=False),
            return_exceptions=True,
        )

    async def begin() -> Any:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        return server

    server = loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever, name="wire", daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
