import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from faults.slow import attack
from faults.slow_clients import KINDS
from faults.spoilt import SPOILT

from tests.support.server import Server


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Enough for the connections of this process; the server sees to its own."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_slow_connections_are_closed_and_others_are_answered_meanwhile(folder: Path) -> None:
    with Server(folder, program=(*SPOILT, "hurried")) as hurried:
        attacked = attack(hurried, 50, 15)

    assert {kind: len(times) for kind, times in attacked.closed.items()} == dict.fromkeys(KINDS, 10)
    assert attacked.failures == []
    assert attacked.probes
    assert attacked.descriptors <= 0


def test_a_server_that_does_not_close_them_is_noticed(folder: Path) -> None:
    with Server(folder, program=(*SPOILT, "patient")) as patient:
        attacked = attack(patient, 5, 3)

    assert attacked.left_open == dict.fromkeys(KINDS, 1)


@pytest.mark.usefixtures("_many_files")
def test_more_than_a_thousand_connections_that_say_nothing_keep_nobody_out(folder: Path) -> None:
    with Server(folder, program=(*SPOILT, "patient")) as server, ExitStack() as connections:
        project = server.new_project()
        for _ in range(1_200):
            connections.enter_context(socket.create_connection(("127.0.0.1", server.port)))

        assert project.page().status == 200
