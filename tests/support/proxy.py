"""A TCP proxy that a test can interrupt."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """A proxy from `port` to `target_port`.

    If a client sends the bytes `cut_after`, the proxy closes the connection instead of forwarding the response.
    """

    def __init__(self, target_port: int) -> None:
        self.cut_after: bytes | None = None
        self.cuts = 0
        self._target_port = target_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for each in self._sockets:
            _disconnect(each)
        for thread in self._threads:
            thread.join()
        for each in (*self._sockets, self._listening):
            each.close()

    def cut(self) -> None:
        """Close all current connections."""
        for each in [*self._sockets]:
            _disconnect(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
                self._sockets += [client, server]
                is_cut = threading.Event()
                for work in (self._forward_requests, self._forward_responses):
                    thread = threading.Thread(target=work, args=(client, server, is_cut))
                    self._threads.append(thread)
                    thread.start()

    def _forward_requests(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self.cut_after is not None and self.cut_after in data:
                    is_cut.set()
                server.sendall(data)
        _disconnect(server)

    def _forward_responses(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with suppress(OSError):
            while (data := server.recv(65_536)) and not is_cut.is_set():
                client.sendall(data)
        self.cuts += is_cut.is_set()
        _disconnect(client)


def _disconnect(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
