"""Concurrent writers of one deployment on two workers: each change is applied once, in one order, and none is lost."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest

from moorage.diagnostics.ledger import verify_ledger
from moorage.store.opening import open_store
from tests.support.server import Project, Server, a_body
from tests.support.threads import HANG_SECONDS, until

WRITERS, EACH = 12, 25
RIVALS, ROUNDS = 8, 20


class Response(NamedTuple):
    """A response: status, ETag and parsed body."""

    status: int
    etag: str
    json: Any


class Editor:
    """A client with one connection, so that one worker handles all of its requests."""

    def __init__(self, project: Project) -> None:
        self._headers = {"Authorization": f"Bearer {project.token}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=HANG_SECONDS)
        self._connection.connect()
        self.number = 0

    def send(self, method: str, path: str, body: object = None, if_match: str | None = None) -> Response:
        data = None if body is None else json.dumps(body)
        headers = self._headers | ({"If-Match": if_match} if if_match else {})
        self._connection.request(method, f"/v2/deployments/{path}", data, headers)
        response = self._connection.getresponse()
        return Response(response.status, response.headers.get("ETag", ""), json.loads(response.read()))

    def all(self, path: str, cursor: str) -> list[Any]:
        """Return all items of a list; `cursor` is the field that contains the cursor."""
        page = self.send("GET", f"{path}?limit=50").json
        items: list[Any] = page["data"]
        while page["has_more"]:
            page = self.send("GET", f"{path}?limit=50&starting_after={items[-1][cursor]}").json
            items += page["data"]
        return items

    def worker(self, server: Server) -> int:
        """Return the process id of the worker that accepted the connection."""
        self.send("GET", "nothing")  # after the response, a worker has accepted the connection
        server_port, own_port = f":{server.port:04X}", f":{self._connection.sock.getsockname()[1]:04X}"
        found: list[int] = []

        def is_found() -> bool:  # the kernel returns its table in parts, and the table may change between two parts
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
            accepted = {
                f"socket:[{row[9]}]" for row in rows if row[1].endswith(server_port) and row[2].endswith(own_port)
            }
            found.extend(pid for pid in server.workers() if accepted & sockets(pid))
            return bool(found)

        until(is_found)
        return found[0]

    def close(self) -> None:
        self._connection.close()


def sockets(pid: int) -> set[str]:
    """Return the targets of the descriptors of a process."""
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            found.add(str(file.readlink()))
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pair")
    with Server(folder, "--workers", "2", database=new_database(folder)) as running:
        yield running


@pytest.fixture
def project(pair: Server) -> Project:
    return pair.new_project()


@pytest.fixture
def editors(pair: Server, project: Project) -> Iterator[list[Editor]]:
    """Return `WRITERS` editors, alternately on the first and on the second worker.

    The kernel assigns connections to workers, so the fixture opens connections until each worker has half of them.
    """
    by_worker: dict[int, list[Editor]] = {pid: [] for pid in pair.workers()}

    def are_enough() -> bool:
        editor = Editor(project)
        assigned = by_worker[editor.worker(pair)]
        if len(assigned) < WRITERS // 2:
            assigned.append(editor)
        else:
            editor.close()
        return min(map(len, by_worker.values())) == WRITERS // 2

    until(are_enough, details=lambda: by_worker)
    assert len(by_worker) == 2
    chosen = [editor for turn in zip(*by_worker.values(), strict=False) for editor in turn][:WRITERS]
    for number, editor in enumerate(chosen):
        editor.number = number
    yield chosen
    for editor in chosen:
        editor.close()


def run_concurrently(editors: list[Editor], work: Callable[[Editor], Any]) -> list[Any]:
    """Run a function for all editors concurrently; return the results."""
    with ThreadPoolExecutor(len(editors)) as pool:
        return list(pool.map(work, editors))


def content(text: str) -> dict[str, Any]:
    """Return a body with the single message `text`."""
    return {"prompt_config": a_body(messages=[{"role": "user", "content": text}])["prompt_config"]}


def text_of(item: dict[str, Any]) -> str:
    """Return the text of the message of a deployment or version."""
    text: str = item["prompt_config"]["messages"][0]["content"]
    return text


def publish_many(editors: list[Editor]) -> list[tuple[str, str]]:
    """Publish `EACH` versions of the deployment `hot` from each editor; return number and text of each version."""

    def work(editor: Editor) -> list[tuple[str, str]]:
        published = []
        for turn in range(EACH):
            text = f"{editor.number}.{turn}"
            saved = editor.send("POST", "hot/versions", content(text) | {"status": "published"})
            assert (saved.status, saved.json["status"]) == (201, "live"), saved
            published.append((saved.json["version"], text))
        return published

    assert editors[0].send("PUT", "hot", content("first")).status == 201
    return [("1.0", "first"), *(version for published in run_concurrently(editors, work) for version in published)]


def violations(published: list[tuple[str, str]], reader: Editor, database: str) -> list[str]:
    """Return the lost, duplicated, reordered and changed versions and history entries, in words."""
    found = []
    numbers = [f"1.{minor}" for minor in range(len(published))]
    listed = [(item["version"], text_of(item)) for item in reversed(reader.all("hot/versions", "_id"))]
    if [number for number, _ in listed] != numbers:
        found.append("the version numbers have gaps, duplicates or another order")
    if Counter(published) != Counter(listed):
        found.append("the list has another number for a text than the response to its publish")
    history = [
        (entry["action"], entry["from_version"], entry["to_version"]) for entry in reader.all("hot/history", "id")
    ]
    moves = [("published", before, after) for before, after in pairwise(numbers)]
    if history[::-1] != [("created", None, "1.0"), *moves]:
        found.append("the history does not have one entry for each version that starts from the previous version")
    with closing(open_store(database)) as store:
        found += verify_ledger(store)
    return found


def test_concurrent_publishes_of_twelve_clients_get_distinct_numbers_without_gaps(
    pair: Server, editors: list[Editor]
) -> None:
    published = publish_many(editors)

    assert len(published) == WRITERS * EACH + 1
    assert violations(published, editors[0], pair.database) == []
    for reader in editors[:2]:
        live = reader.send("GET", "hot").json
        assert (live["version"], text_of(live)) in published
        assert live["version"] == f"1.{WRITERS * EACH}"


@pytest.mark.parametrize(
    ("loss", "count"),
    [
        ("DELETE FROM version WHERE minor = 7 AND deployment_id = ?", 4),  # its history entry has no number, either
        ("UPDATE version SET prompt_config = replace(prompt_config, 'text 7', 'text 8') WHERE deployment_id = ?", 2),
        ("DELETE FROM history WHERE rev = (SELECT max(rev) FROM history WHERE deployment_id = ?)", 6),
        ("UPDATE history SET reason = 'none' WHERE deployment_id = ? AND action = 'created'", 1),
        ("SELECT ?", 0),
    ],
    ids=["a version", "a text", "the newest entry", "a word of an entry", "nothing"],
)
def test_the_check_detects_a_lost_or_changed_row(folder: Path, loss: str, count: int) -> None:
    """The positive control, on its own server and a damaged database."""
    with Server(folder) as server:
        editor = Editor(server.new_project())
        deployment_id = editor.send("PUT", "hot", content("first")).json["id"]
        texts = [f"text {turn}" for turn in range(1, 10)]
        numbers = [editor.send("PUT", "hot", content(text)).json["version"] for text in texts]
        published = [("1.0", "first"), *zip(numbers, texts, strict=True)]
        with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
            connection.execute(loss, (deployment_id,))

        found = violations(published, editor, server.database)
        editor.close()

    assert len(found) == count, found


def rounds(
    editors: list[Editor], change: Callable[[Editor, int, Response], Response], count: int
) -> Iterator[tuple[list[Response], list[Response]]]:
    """In each round, let all editors read the deployment `hot`, wait for each other, and change it.

    Yield the successful and the rejected responses.
    """
    barrier = threading.Barrier(len(editors), timeout=HANG_SECONDS)
    for turn in range(1, count + 1):

        def work(editor: Editor, turn: int = turn) -> Response:
            current = editor.send("GET", "hot")
            barrier.wait()
            return change(editor, turn, current)

        responses = run_concurrently(editors, work)
        successful = [response for response in responses if response.status == 200]
        yield successful, [response for response in responses if response.status != 200]


def test_exactly_one_of_eight_puts_with_the_same_etag_succeeds_and_the_others_return_its_result(
    editors: list[Editor],
) -> None:
    editors[0].send("PUT", "hot", content("first"))

    def put(editor: Editor, turn: int, current: Response) -> Response:
        return editor.send("PUT", "hot", content(f"{editor.number} in {turn}"), current.etag)

    for turn, (successful, rejected) in enumerate(rounds(editors[:RIVALS], put, ROUNDS), 1):
        (winner,) = successful
        assert winner.json["version"] == f"1.{turn}"
        assert [response.status for response in rejected] == [412] * (RIVALS - 1)
        for error in (response.json["error"] for response in rejected):
            assert error["code"] == "precondition_failed"
            assert error["current"] == winner.json
            (entry,) = error["history"]
            assert (entry["from_version"], entry["to_version"]) == (f"1.{turn - 1}", f"1.{turn}")

    assert len(editors[0].all("hot/versions", "_id")) == 1 + ROUNDS


def test_all_eight_puts_without_an_etag_succeed(editors: list[Editor]) -> None:
    """The positive control: the puts of the test above are rejected because of their ETag."""
    editors[0].send("PUT", "hot", content("first"))

    def put(editor: Editor, _turn: int, _current: Response) -> Response:
        return editor.send("PUT", "hot", content(str(editor.number)))

    ((successful, rejected),) = rounds(editors[:RIVALS], put, 1)

    assert (len(successful), rejected) == (RIVALS, [])
    assert len(editors[0].all("hot/versions", "_id")) == 1 + RIVALS


def test_exactly_one_of_eight_publishes_and_patches_with_the_same_etag_succeeds(
    pair: Server, editors: list[Editor]
) -> None:
    editors[0].send("PUT", "hot", content("first"))
    drafts = [editors[0].send("POST", "hot/versions", content(text)).json["version"] for text in ("second", "third")]

    def change(editor: Editor, turn: int, current: Response) -> Response:
        if (editor.number + turn) % 2:
            return editor.send("PATCH", "hot", {"description": f"{editor.number} in {turn}"}, current.etag)
        other = drafts[current.json["version"] == drafts[0]]
        return editor.send("POST", f"hot/versions/{other}/publish", {}, current.etag)

    for successful, rejected in rounds(editors[:RIVALS], change, ROUNDS):
        live = editors[0].send("GET", "hot").json
        (winner,) = successful
        assert winner.json == live or (winner.json.get("status"), winner.json["version"]) == ("live", live["version"])
        assert [response.status for response in rejected] == [412] * (RIVALS - 1)
        for error in (response.json["error"] for response in rejected):
            assert error["current"] == live
            assert [entry["action"] for entry in error["history"]] in (["changed"], ["published"])

    assert len(editors[0].all("hot/history", "id")) == 1 + ROUNDS
    with closing(open_store(pair.database)) as store:
        assert verify_ledger(store) == []
