"""Network of simulated machines: network namespaces on a bridge whose links can be cut."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tools.faults.outcome import NotRun

_CLONE_NEWNET = 0x40000000
_OWN = Path("/proc/thread-self/ns/net")

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """Network namespace. It ends with this process."""

    def __init__(self) -> None:
        """Raises `NotRun` if the namespace cannot be created."""
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.pid = self._holder.pid
        assert self._holder.stdout is not None
        error = self._holder.stdout.readline().strip()  # empty once the namespace exists
        if error or self._holder.poll() is not None:
            self.close()
            raise NotRun(f"network namespaces cannot be created: {error.decode()}")
        with self.inside():
            ip("link set lo up")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run the block, and the processes and threads that it starts, in this namespace."""
        with Path(f"/proc/{self.pid}/ns/net").open() as target, _OWN.open() as own:
            _enter(target.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def close(self) -> None:
        """Release the namespace; it ends with its last process."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait(10)
        self._holder.stdout.close()


class Lan:
    """Namespaces, `machines`, on one bridge. Raises `NotRun` if the machine does not allow it."""

    def __init__(self, count: int) -> None:
        self.machines: list[Namespace] = []
        self._count = count
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._switch = self._new(stack)
            with self._switch.inside():
                ip("link add switch type bridge")
                ip("link set switch up")
            for number in range(self._count):
                self.machines.append(self._new(stack))
                self._connect(number)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def address(self, number: int) -> str:
        """Return the address of a machine."""
        return f"10.77.0.{number + 1}"

    def cut(self, number: int) -> None:
        """Take down the link of a machine; its connections stay open."""
        with self._switch.inside():
            ip(f"link set port{number} down")

    def join(self, number: int) -> None:
        """Bring up the link of a machine."""
        with self._switch.inside():
            ip(f"link set port{number} up")

    def _new(self, stack: ExitStack) -> Namespace:
        namespace = Namespace()
        stack.callback(namespace.close)
        return namespace

    def _connect(self, number: int) -> None:
        with self._switch.inside():
            ip(f"link add port{number} type veth peer name eth0 netns {self.machines[number].pid}")
            ip(f"link set port{number} master switch up")
        with self.machines[number].inside():
            ip(f"address add {self.address(number)}/24 dev eth0")
            ip("link set eth0 up")


def ip(arguments: str) -> None:
    """Run `ip` in the namespace of this thread; raise `NotRun` if it fails."""
    try:
        done = subprocess.run(["ip", *arguments.split()], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NotRun("the program `ip` (iproute2) is missing") from None
    if done.returncode:
        raise NotRun(f"ip {arguments}: {done.stderr.strip()}")


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
