"""kill -9 while writes come in: what was acknowledged is there afterwards."""

import json
import random
import shutil
import threading
import time
from pathlib import Path

import urllib3

from tests.support.server import Project, Server, a_body

KILLS = 12
SEED = 20_261_122


class Writer:
    """Clients that put numbered content and note what was acknowledged, as the answer is read and not before."""

    def __init__(self, project: Project, clients: int = 3) -> None:
        self.acknowledged: dict[str, int] = {}
        self.attempted: dict[str, int] = {}
        self._project = project
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(f"hot{number}",)) for number in range(clients)]

    def __enter__(self) -> "Writer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, key: str) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=5.0)
        headers = {"Authorization": f"Bearer {self._project.token}"}
        number = self.acknowledged.get(key, 0)
        while not self._stop.is_set():
            number += 1
            self.attempted[key] = number
            body = json.dumps(a_body(messages=[{"role": "user", "content": str(number)}]))
            try:
                answer = pool.request(
                    "PUT", f"{self._project.server.url}/v2/deployments/{key}", body=body, headers=headers
                )
            except urllib3.exceptions.HTTPError:
                return
            if answer.status not in (200, 201):
                return
            self.acknowledged[key] = number


def lost(writer: Writer, project: Project) -> list[str]:
    """Acknowledged and not there, or there and never sent, as the API shows it."""
    wrong = []
    for key, acknowledged in writer.acknowledged.items():
        answer = project.get(key)
        found = int(answer.json["prompt_config"]["messages"][0]["content"]) if answer.status == 200 else 0
        if not acknowledged <= found <= writer.attempted[key]:
            wrong.append(f"{key}: acknowledged {acknowledged}, found {found}, sent {writer.attempted[key]}")
    return wrong


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(folder: Path) -> None:
    rng = random.Random(SEED)
    server = Server(folder)
    server.start()
    project = server.new_project()
    acknowledged = 0
    for _ in range(KILLS):
        with Writer(project) as writer:
            time.sleep(rng.uniform(0.05, 0.3))  # the moment of the kill is the matter of the test
            server.kill()
        server.start()
        assert lost(writer, project) == []
        acknowledged += sum(writer.acknowledged.values())
    server.kill()

    assert acknowledged > KILLS, "the check saw acknowledged writes at all"


def test_the_check_can_fail(folder: Path) -> None:
    """The positive control: give the server back its files as they were before the last writes, and it is noticed."""
    server = Server(folder)
    server.start()
    project = server.new_project()
    with Writer(project):
        time.sleep(0.2)  # some writes, however many; the test counts them
        server.kill()
    shutil.copytree(folder, folder / "before", ignore=shutil.ignore_patterns("before"))
    server.start()
    with Writer(project) as writer:
        time.sleep(0.3)  # more writes, however many
        server.kill()
    for file in (folder / "before").glob("moorage.db*"):
        shutil.copy(file, folder / file.name)
    server.start()

    try:
        assert lost(writer, project) != []
    finally:
        server.kill()
