"""Lan: machines that are not: namespaces of this one's network, on a switch whose cables can be pulled."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from faults.outcome import NotRun

_CLONE_NEWNET = 0x40000000
_OWN = Path("/proc/thread-self/ns/net")

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network that has nothing but itself. It goes away with this process, however that ends."""

    def __init__(self) -> None:
        """Raises `NotRun` where it cannot be made."""
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.pid = self._holder.pid
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline().strip()  # nothing, once it is there
        if said or self._holder.poll() is not None:
            self.close()
            raise NotRun(f"network namespaces cannot be made here: {said.decode()}")
        with self.inside():
            ip("link set lo up")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The block's connections, and the processes and threads that it starts, are in this network."""
        with Path(f"/proc/{self.pid}/ns/net").open() as there, _OWN.open() as here:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    def close(self) -> None:
        """Give it up; it is gone when the last process in it has ended."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait(10)
        self._holder.stdout.close()


class Lan:
    """So many namespaces, `machines`, that reach each other through a switch. Raises `NotRun` where it cannot be."""

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
                self._plug_in(number)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def address(self, number: int) -> str:
        """Where a machine is."""
        return f"10.77.0.{number + 1}"

    def cut(self, number: int) -> None:
        """Pull the cable of a machine: nothing comes through, and nobody is told."""
        with self._switch.inside():
            ip(f"link set port{number} down")

    def join(self, number: int) -> None:
        """Put the cable back."""
        with self._switch.inside():
            ip(f"link set port{number} up")

    def _new(self, stack: ExitStack) -> Namespace:
        made = Namespace()
        stack.callback(made.close)
        return made

    def _plug_in(self, number: int) -> None:
        with self._switch.inside():
            ip(f"link add port{number} type veth peer name eth0 netns {self.machines[number].pid}")
            ip(f"link set port{number} master switch up")
        with self.machines[number].inside():
            ip(f"address add {self.address(number)}/24 dev eth0")
            ip("link set eth0 up")


def ip(arguments: str) -> None:
    """`ip`, in the network that this thread is in; raises `NotRun` with what it says if it fails."""
    try:
        done = subprocess.run(["ip", *arguments.split()], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NotRun("there is no program `ip` here (iproute2)") from None
    if done.returncode:
        raise NotRun(f"ip {arguments}: {done.stderr.strip()}")


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
