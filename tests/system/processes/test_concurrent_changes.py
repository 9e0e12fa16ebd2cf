"""Many who change one deployment at once, on two workers: each change is done once, in one order, and none is lost."""

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

from moorage.diagnostics.history import verify_history
from moorage.store.opening import open_store
from tests.support.server import Project, Server, a_body
from tests.support.threads import HANG_SECONDS, until

WRITERS, EACH = 12, 25
RIVALS, ROUNDS = 8, 20


class Reply(NamedTuple):
    """What came back."""

    status: int
    etag: str
    json: Any


class Editor:
    """Someone with one connection, and so with one worker."""

    def __init__(self, project: Project) -> None:
        self._headers = {"Authorization": f"Bearer {project.token}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=HANG_SECONDS)
        self._connection.connect()
        self.number = 0

    def send(self, method: str, path: str, body: object = None, if_match: str | None = None) -> Reply:
        data = None if body is None else json.dumps(body)
        headers = self._headers | ({"If-Match": if_match} if if_match else {})
        self._connection.request(method, f"/v2/deployments/{path}", data, headers)
        answer = self._connection.getresponse()
        return Reply(answer.status, answer.headers.get("ETag", ""), json.loads(answer.read()))

    def all(self, path: str, cursor: str) -> list[Any]:
        """A list to its end; `cursor` is the field that goes on."""
        found = self.send("GET", f"{path}?limit=50").json
        items: list[Any] = found["data"]
        while found["has_more"]:
            found = self.send("GET", f"{path}?limit=50&starting_after={items[-1][cursor]}").json
            items += found["data"]
        return items

    def worker(self, server: Server) -> int:
        """The process id of the worker that has the other end of the connection."""
        self.send("GET", "nothing")  # answered, so accepted
        theirs, ours = f":{server.port:04X}", f":{self._connection.sock.getsockname()[1]:04X}"
        found: list[int] = []

        def is_found() -> bool:  # the kernel prints its table in pieces, and it may change in between
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
            ends = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(theirs) and row[2].endswith(ours)}
            found.extend(pid for pid in server.workers() if ends & sockets(pid))
            return bool(found)

        until(is_found)
        return found[0]

    def close(self) -> None:
        self._connection.close()


def sockets(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
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
    """`WRITERS` editors, alternately of the one worker and of the other. The kernel assigns connections to workers, so
    more are opened until each worker has half."""
    hands: dict[int, list[Editor]] = {pid: [] for pid in pair.workers()}

    def is_dealt() -> bool:
        editor = Editor(project)
        hand = hands[editor.worker(pair)]
        if len(hand) < WRITERS // 2:
            hand.append(editor)
        else:
            editor.close()
        return min(map(len, hands.values())) == WRITERS // 2

    until(is_dealt, shown=lambda: hands)
    assert len(hands) == 2
    chosen = [editor for turn in zip(*hands.values(), strict=False) for editor in turn][:WRITERS]
    for number, editor in enumerate(chosen):
        editor.number = number
    yield chosen
    for editor in chosen:
        editor.close()


def together(editors: list[Editor], work: Callable[[Editor], Any]) -> list[Any]:
    """Have each editor do it at once; what each got."""
    with ThreadPoolExecutor(len(editors)) as pool:
        return list(pool.map(work, editors))


def content(text: str) -> dict[str, Any]:
    """A configuration whose one message is `text`."""
    return {"prompt_config": a_body(messages=[{"role": "user", "content": text}])["prompt_config"]}


def text_of(item: dict[str, Any]) -> str:
    text: str = item["prompt_config"]["messages"][0]["content"]
    return text


def publish_many(editors: list[Editor]) -> list[tuple[str, str]]:
    """Each editor publishes `EACH` versions of the deployment `hot`: the number it was told for each text it sent."""

    def work(editor: Editor) -> list[tuple[str, str]]:
        told = []
        for turn in range(EACH):
            text = f"{editor.number}.{turn}"
            saved = editor.send("POST", "hot/versions", content(text) | {"status": "published"})
            assert (saved.status, saved.json["status"]) == (201, "live"), saved
            told.append((saved.json["version"], text))
        return told

    assert editors[0].send("PUT", "hot", content("first")).status == 201
    return [("1.0", "first"), *(each for told in together(editors, work) for each in told)]


def wrong(told: list[tuple[str, str]], reader: Editor, database: str) -> list[str]:
    """What is lost, doubled, out of order or not as it was told, in words."""
    found = []
    numbers = [f"1.{minor}" for minor in range(len(told))]
    listed = [(item["version"], text_of(item)) for item in reversed(reader.all("hot/versions", "_id"))]
    if [number for number, _ in listed] != numbers:
        found.append("the versions are not 1.0 to the last, each once and in order")
    if Counter(told) != Counter(listed):
        found.append("a writer was told another number than its text has in the list")
    history = [
        (entry["action"], entry["from_version"], entry["to_version"]) for entry in reader.all("hot/history", "id")
    ]
    moves = [("published", before, after) for before, after in pairwise(numbers)]
    if history[::-1] != [("created", None, "1.0"), *moves]:
        found.append("the history has not one entry for each version, each going on from the one before")
    with closing(open_store(database)) as store:
        found += verify_history(store)
    return found


def test_of_twelve_who_publish_at_once_each_gets_a_number_of_its_own_and_none_is_left_out(
    pair: Server, editors: list[Editor]
) -> None:
    told = publish_many(editors)

    assert len(told) == WRITERS * EACH + 1
    assert wrong(told, editors[0], pair.database) == []
    for reader in editors[:2]:
        live = reader.send("GET", "hot").json
        assert (live["version"], text_of(live)) in told
        assert live["version"] == f"1.{WRITERS * EACH}"


@pytest.mark.parametrize(
    ("loss", "count"),
    [
        ("DELETE FROM version WHERE minor = 7 AND deployment_id = ?", 3),  # and the entry that names it has no number
        ("UPDATE version SET prompt_config = replace(prompt_config, 'text 7', 'text 8') WHERE deployment_id = ?", 1),
        ("DELETE FROM history WHERE rev = (SELECT max(rev) FROM history WHERE deployment_id = ?)", 2),
        ("UPDATE history SET reason = 'none' WHERE deployment_id = ? AND action = 'created'", 1),
        ("SELECT ?", 0),
    ],
    ids=["a version", "a text", "the newest entry", "a word of an entry", "nothing"],
)
def test_the_check_finds_what_was_lost(folder: Path, loss: str, count: int) -> None:
    """The positive control, on a server of its own whose database is then harmed."""
    with Server(folder) as server:
        editor = Editor(server.new_project())
        deployment_id = editor.send("PUT", "hot", content("first")).json["id"]
        texts = [f"text {turn}" for turn in range(1, 10)]
        numbers = [editor.send("PUT", "hot", content(text)).json["version"] for text in texts]
        told = [("1.0", "first"), *zip(numbers, texts, strict=True)]
        with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
            connection.execute(loss, (deployment_id,))

        found = wrong(told, editor, server.database)
        editor.close()

    assert len(found) == count, found


def rounds(
    editors: list[Editor], change: Callable[[Editor, int, Reply], Reply], count: int
) -> Iterator[tuple[list[Reply], list[Reply]]]:
    """In each round all editors read the deployment `hot`, wait for each other, and change it: who did, and who not."""
    barrier = threading.Barrier(len(editors), timeout=HANG_SECONDS)
    for turn in range(1, count + 1):

        def work(editor: Editor, turn: int = turn) -> Reply:
            seen = editor.send("GET", "hot")
            barrier.wait()
            return change(editor, turn, seen)

        replies = together(editors, work)
        yield [each for each in replies if each.status == 200], [each for each in replies if each.status != 200]


def test_of_eight_puts_that_read_one_state_exactly_one_is_done_and_the_others_are_shown_it(
    editors: list[Editor],
) -> None:
    editors[0].send("PUT", "hot", content("first"))

    def put(editor: Editor, turn: int, seen: Reply) -> Reply:
        return editor.send("PUT", "hot", content(f"{editor.number} in {turn}"), seen.etag)

    for turn, (done, refused) in enumerate(rounds(editors[:RIVALS], put, ROUNDS), 1):
        (winner,) = done
        assert winner.json["version"] == f"1.{turn}"
        assert [reply.status for reply in refused] == [412] * (RIVALS - 1)
        for error in (reply.json["error"] for reply in refused):
            assert error["code"] == "precondition_failed"
            assert error["current"] == winner.json
            (since,) = error["history"]
            assert (since["from_version"], since["to_version"]) == (f"1.{turn - 1}", f"1.{turn}")

    assert len(editors[0].all("hot/versions", "_id")) == 1 + ROUNDS


def test_without_the_etag_all_eight_are_done(editors: list[Editor]) -> None:
    """The positive control: it is the ETag that lets one win, not chance."""
    editors[0].send("PUT", "hot", content("first"))

    def put(editor: Editor, _turn: int, _seen: Reply) -> Reply:
        return editor.send("PUT", "hot", content(str(editor.number)))

    ((done, refused),) = rounds(editors[:RIVALS], put, 1)

    assert (len(done), refused) == (RIVALS, [])
    assert len(editors[0].all("hot/versions", "_id")) == 1 + RIVALS


def test_of_publishes_and_patches_that_read_one_state_exactly_one_is_done(pair: Server, editors: list[Editor]) -> None:
    editors[0].send("PUT", "hot", content("first"))
    drafts = [editors[0].send("POST", "hot/versions", content(text)).json["version"] for text in ("second", "third")]

    def change(editor: Editor, turn: int, seen: Reply) -> Reply:
        if (editor.number + turn) % 2:
            return editor.send("PATCH", "hot", {"description": f"{editor.number} in {turn}"}, seen.etag)
        other = drafts[seen.json["version"] == drafts[0]]
        return editor.send("POST", f"hot/versions/{other}/publish", {}, seen.etag)

    for done, refused in rounds(editors[:RIVALS], change, ROUNDS):
        now = editors[0].send("GET", "hot").json
        (winner,) = done
        assert winner.json == now or (winner.json.get("status"), winner.json["version"]) == ("live", now["version"])
        assert [reply.status for reply in refused] == [412] * (RIVALS - 1)
        for error in (reply.json["error"] for reply in refused):
            assert error["current"] == now
            assert [entry["action"] for entry in error["history"]] in (["changed"], ["published"])

    assert len(editors[0].all("hot/history", "id")) == 1 + ROUNDS
    with closing(open_store(pair.database)) as store:
        assert verify_history(store) == []
