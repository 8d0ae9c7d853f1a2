"""A relay between two outside programs: it carries their bytes and keeps them, in the order in which they came."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.peers.capture import Sent
from tests.peers.programs import PATIENCE
from tests.peers.socket_session import LOOPBACK, MOST

_PEER = {"client": "server", "server": "client"}


class Relay:
    """Takes connections one after another, and carries each to the server that listens on `port`."""

    def __init__(self, port: int, *, connections: int = 1) -> None:
        self.carried: list[list[Sent]] = []
        self._server_port = port
        self._connections = connections
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        """Where the client is to connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._thread.join(2 * PATIENCE)
        assert not self._thread.is_alive(), "every wait of the relay is bounded"

    def finish(self) -> list[list[Sent]]:
        """Wait until all connections have ended; what each carried."""
        self._thread.join(2 * PATIENCE)
        return self.carried

    def _serve(self) -> None:
        with suppress(OSError):  # no client came, or the listener was closed
            for _ in range(self._connections):
                client = self._listener.accept()[0]
                server = socket.create_connection((LOOPBACK, self._server_port), PATIENCE)
                self.carried.append([])
                with client, server:
                    self._carry({"client": client, "server": server}, self.carried[-1])

    def _carry(self, ends: dict[str, socket.socket], carried: list[Sent]) -> None:
        """Carry until both have ended, or neither says anything any more."""
        with selectors.DefaultSelector() as selector:
            for name, end in ends.items():
                selector.register(end, selectors.EVENT_READ, name)
            while selector.get_map() and (ready := selector.select(PATIENCE)):
                for key, _ in ready:
                    if not self._take(key.data, ends, carried):
                        selector.unregister(key.fileobj)

    def _take(self, sender: str, ends: dict[str, socket.socket], carried: list[Sent]) -> bool:
        """Carry what has come from one end; False at its end."""
        data = b""
        with suppress(ConnectionResetError):
            data = ends[sender].recv(MOST)
        if data:
            carried.append(Sent(sender, data))
        with suppress(OSError):  # the other end has gone
            if data:
                ends[_PEER[sender]].sendall(data)
            else:
                ends[_PEER[sender]].shutdown(socket.SHUT_WR)
        return bool(data)
