"""A hostile program between client and server, or one that writes the client's files.

The client uses only what the server signed, and never an older state than it knows. Many tests end with a state that
the client reaches only if it rejected the attack and still works.
"""

import gzip
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from moorage.client import Config, DeploymentNotFound, Moorage, NoConfigurationError, sse, sync
from moorage.client import body as client_body
from moorage.client.cache import DiskCache
from moorage.client.errors import InvalidResponse
from moorage.core.access import hash_token
from moorage.core.position import Position
from moorage.core.resolution.snapshot import digest_of, is_signed, sign
from moorage.registry.backups import backup, checked_backup, restore
from moorage.store.opening import open_engine
from tests.support.middleman import Middleman, Reply
from tests.support.server import Project, Server, a_body
from tests.support.threads import until

SNAPSHOT = "/v2/deployments/snapshot"
FORGED = b"FORGED"


@pytest.fixture
def middleman(project: Project) -> Iterator[Middleman]:
    """Return a proxy in front of the server."""
    project.put("greeting")
    with Middleman(project.server.url) as between:
        yield between


def connect(middleman: Middleman, project: Project, cache: Path | None = None) -> Moorage:
    return Moorage(middleman.url, project.token, cache=cache, lockfile=None, report_usage=False)


def snapshot(project: Project) -> Reply:
    """Return the current snapshot as the server sends it."""
    response = project.request("GET", SNAPSHOT)
    return Reply(response.status, {"X-Moorage-Signature": response.headers["x-moorage-signature"]}, response.body)


def wait_for_version(client: Moorage, version: str, seen: list[Config] | None = None) -> Config:
    """Return the first configuration of a version; `seen` gets all others before."""
    found: list[Config] = [] if seen is None else seen

    def is_there() -> bool:
        found.append(client.get_config("greeting"))
        return found[-1].version == version

    until(is_there, details=lambda: found[-1])
    return found[-1]


def wait_for_log(caplog: pytest.LogCaptureFixture, text: str) -> None:
    until(lambda: text in caplog.text, details=lambda: caplog.text)


def forged_event(event: bytes) -> bytes:
    return event.replace(b"openai/my-gpt", FORGED)


def test_the_content_of_a_forged_event_is_never_used(middleman: Middleman, project: Project, tmp_path: Path) -> None:
    middleman.on_event = lambda event: [forged_event(event)]
    with connect(middleman, project, tmp_path) as client:
        wait_for_version(client, "1.0")
        project.put("greeting", a_body(model="openai/my-gpt-mini"))
        assert wait_for_version(client, "1.1").model == "openai/my-gpt-mini"
        assert client._sync.wait().encoded() == snapshot(project).body

    (file,) = tmp_path.iterdir()
    assert FORGED not in file.read_bytes()


@pytest.mark.parametrize(
    "event",
    [
        b'id: REVISION.EPOCH\nevent: deleted\ndata: {"id":"ID","key":"greeting"}\n\n',
        b"id: REVISION.EPOCH\nevent: deployment\ndata: {}\n\n",
        b"id: REVISION.EPOCH\nevent: deployment\ndata: \xff\xfe\n\n",
        b"id: REVISION.EPOCH\nevent: deployment\ndata: " + b"[" * 5_000 + b"\n\n",
        b"id: REVISION.other-epoch\nevent: deleted\ndata: {}\n\n",
        b"id: 999999999999999999.EPOCH\nevent: deleted\ndata: {}\n\n",
        b"id: 99999999999999999999999999999\nevent: deleted\ndata: {}\n\n",
        b"id: \xff\nevent: deleted\ndata: {}\n\n",
        b"\xff: \xff\n\n",
        b": age " + b"9" * 5_000 + b"\n\n",
        b"event: reset\ndata: {}\n\n",
        b"\n\n\n\n\n",
    ],
    ids=lambda event: event[-40:].decode("latin-1"),
)
def test_an_inserted_event_has_no_effect_on_the_state(middleman: Middleman, project: Project, event: bytes) -> None:
    start = json.loads(snapshot(project).body)
    revision, epoch = start["revision"], start["epoch"].encode()
    inserted = event.replace(b"REVISION", b"%d" % (revision + 1)).replace(b"EPOCH", epoch)
    inserted = inserted.replace(b"ID", start["deployments"][0]["id"].encode())
    middleman.on_event = lambda original: [inserted, original] if middleman.count("changes") <= 2 else [original]
    with connect(middleman, project) as client:
        until(lambda: middleman.count("changes") > 0)
        for version in ("1.1", "1.2"):
            project.put("greeting", a_body(model=version))
            assert wait_for_version(client, version).model == version
        assert client._sync.wait().encoded() == snapshot(project).body


def test_a_config_never_goes_back_while_old_snapshots_are_replayed(
    middleman: Middleman, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    old = snapshot(project)
    project.put("greeting", a_body(model="second"))
    with connect(middleman, project) as client:
        wait_for_version(client, "1.1")
        middleman.on_snapshot = lambda reply: old
        middleman.on_event = lambda event: [b"event: reset\ndata: {}\n\n"]
        project.put("greeting", a_body(model="third"))
        wait_for_log(caplog, "its snapshot is older")
        assert client.get_config("greeting").version == "1.1"

        middleman.on_snapshot, middleman.on_event = lambda reply: reply, lambda event: [event]
        seen: list[Config] = []
        wait_for_version(client, "1.2", seen)
        assert "1.0" not in {config.version for config in seen}


def test_an_old_snapshot_does_not_replace_a_newer_disk_cache(
    middleman: Middleman, project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = snapshot(project)
    project.put("greeting", a_body(model="second"))
    with connect(middleman, project, tmp_path) as client:
        wait_for_version(client, "1.1")
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    middleman.on_snapshot = lambda reply: old

    with connect(middleman, project, tmp_path) as client:
        wait_for_log(caplog, "its snapshot is older")
        config = client.get_config("greeting")

    assert (config.version, config.source) == ("1.1", "disk")
    assert file.read_bytes() == before


@pytest.mark.parametrize("status", [200, 304])
def test_an_old_signature_does_not_confirm_another_state(
    middleman: Middleman, project: Project, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The middleman confirms its forged event with the signature of another snapshot."""
    old = snapshot(project)
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        middleman.on_event = lambda event: [forged_event(event)]
        middleman.on_snapshot = lambda reply: Reply(status, old.headers, old.body.replace(b"gpt", b"ABC"))
        project.put("greeting", a_body(model="openai/my-gpt-mini"))
        wait_for_log(caplog, "not signed with this API key")
        assert client.get_config("greeting").model == "openai/my-gpt"


def test_a_304_that_the_server_did_not_sign_is_rejected(
    middleman: Middleman, project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(middleman, project, tmp_path) as client:
        wait_for_version(client, "1.0")
    middleman.on_snapshot = lambda reply: Reply(304, {}, b"")

    with connect(middleman, project, tmp_path) as client:
        wait_for_log(caplog, "not signed with this API key")
        assert client.get_config("greeting").source == "disk"


def test_dropped_events_are_made_good_by_the_next_one(middleman: Middleman, project: Project) -> None:
    dropped: list[bytes] = []

    def drop_first(event: bytes) -> list[bytes]:
        if b"event: deployment" not in event or dropped:
            return [event]
        dropped.append(event)
        return []

    middleman.on_event = drop_first
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        project.put("dropped")
        until(lambda: bool(dropped))
        project.put("greeting", a_body(model="second"))
        wait_for_version(client, "1.1")
        assert client.get_config("dropped").version == "1.0"


def test_reordered_and_repeated_events_do_not_take_a_config_back(middleman: Middleman, project: Project) -> None:
    sent: list[bytes] = []

    def reorder(event: bytes) -> list[bytes]:
        if b"event: deployment" in event:
            sent.append(event)
        return [event, *reversed(sent), *sent]

    middleman.on_event = reorder
    with connect(middleman, project) as client:
        seen: list[Config] = []
        for number in range(1, 5):
            project.put("greeting", a_body(model=f"m{number}"))
            wait_for_version(client, f"1.{number}", seen)

    versions = [config.version for config in seen]
    assert versions == sorted(versions)


def test_a_known_event_that_is_repeated_costs_no_request(middleman: Middleman, project: Project) -> None:
    middleman.on_event = lambda event: [event] * 50
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        project.put("greeting", a_body(model="second"))
        wait_for_version(client, "1.1")
        project.put("greeting", a_body(model="third"))
        wait_for_version(client, "1.2")

        assert middleman.count("snapshot") <= 3


def test_an_event_that_the_server_confirms_needs_no_second_transfer(middleman: Middleman, project: Project) -> None:
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        project.put("greeting", a_body(model="second"))
        wait_for_version(client, "1.1")
        project.request("DELETE", "/v2/deployments/greeting")

        def is_deleted() -> bool:
            with suppress(DeploymentNotFound):
                client.get_config("greeting")
                return False
            return True

        until(is_deleted)

    assert middleman.statuses == [200, 304, 304]


@pytest.mark.parametrize("length", [0, 1, 40, -1])
def test_a_truncated_snapshot_is_rejected(middleman: Middleman, project: Project, length: int) -> None:
    middleman.on_snapshot = lambda reply: Reply(reply.status, reply.headers, reply.body[:length])
    with connect(middleman, project) as client, pytest.raises(NoConfigurationError, match=r"incomplete|not signed"):
        client.get_config("greeting")


def test_a_truncated_event_is_not_applied(middleman: Middleman, project: Project) -> None:
    """Half an event has no end, so the next one completes it."""
    cut: list[bytes] = []

    def truncate(event: bytes) -> list[bytes]:
        if b"event: deployment" not in event or cut:
            return [event]
        cut.append(event)
        return [event[: len(event) // 2]]

    middleman.on_event = truncate
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        project.put("greeting", a_body(model="second"))
        until(lambda: bool(cut))
        project.put("greeting", a_body(model="third"))
        wait_for_version(client, "1.2")
        assert client._sync.wait().encoded() == snapshot(project).body


def test_an_event_without_its_id_makes_the_client_load_the_snapshot(middleman: Middleman, project: Project) -> None:
    def without_id(event: bytes) -> list[bytes]:
        _, separator, rest = event.partition(b"\nevent: deployment")
        return [b": no id" + separator + rest, b": age 0\n\n"] if separator else [event]

    middleman.on_event = without_id
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        project.put("greeting", a_body(model="second"))
        assert wait_for_version(client, "1.1").model == "second"


def test_the_snapshot_of_another_project_is_rejected(middleman: Middleman, project: Project) -> None:
    other = project.server.new_project()
    other.put("greeting")
    middleman.on_snapshot = lambda reply: snapshot(other)
    with connect(middleman, project) as client, pytest.raises(NoConfigurationError, match="not signed"):
        client.get_config("greeting")


def test_a_snapshot_of_another_project_with_the_same_signature_key_is_rejected(
    middleman: Middleman, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    body = snapshot(project).body.replace(project.id.encode(), b"other-project")
    signature = sign(hash_token(project.token), digest_of(body))
    with connect(middleman, project) as client:
        wait_for_version(client, "1.0")
        middleman.on_snapshot = lambda reply: Reply(200, {"X-Moorage-Signature": signature}, body)
        middleman.on_event = lambda event: [b"event: reset\ndata: {}\n\n"]
        project.put("other")
        wait_for_log(caplog, "belongs to another project")


def test_the_disk_cache_has_the_bytes_and_the_signature_of_the_server(
    middleman: Middleman, project: Project, tmp_path: Path
) -> None:
    with connect(middleman, project, tmp_path) as client:
        wait_for_version(client, "1.0")
        project.put("greeting", a_body(model="second"))
        wait_for_version(client, "1.1")

    (file,) = tmp_path.iterdir()
    sent = snapshot(project)
    assert file.read_bytes() == sent.headers["X-Moorage-Signature"].encode() + b"\n" + sent.body


def test_an_older_file_in_place_of_the_disk_cache_is_used_only_until_the_server_responds(
    middleman: Middleman, project: Project, tmp_path: Path
) -> None:
    with connect(middleman, project, tmp_path) as client:
        wait_for_version(client, "1.0")
    (file,) = tmp_path.iterdir()
    old, written_at = file.read_bytes(), file.stat().st_mtime - 3_600
    project.put("greeting", a_body(model="second"))
    with connect(middleman, project, tmp_path) as client:
        wait_for_version(client, "1.1")
        file.write_bytes(old)
        assert client.get_config("greeting").version == "1.1"
    assert client._sync.wait().revision > 0
    file.write_bytes(old)
    os.utime(file, (written_at, written_at))
    middleman.on_raw = lambda path, send: True

    with connect(middleman, project, tmp_path) as client:
        config = client.get_config("greeting")
        assert (config.version, config.source) == ("1.0", "disk")
        assert config.age >= 3_600
        middleman.on_raw = lambda path, send: False
        wait_for_version(client, "1.1")
    assert is_signed(
        file.read_bytes().partition(b"\n")[2], project.token, file.read_bytes().partition(b"\n")[0].decode()
    )
    assert (
        DiskCache(tmp_path, middleman.url, project.token).load().revision
        == json.loads(snapshot(project).body)["revision"]
    )


@pytest.mark.parametrize("kind", ["cut", "not JSON", "not UTF-8", "too deep", "other format", "fifo"])
def test_an_invalid_lockfile_is_reported(tmp_path: Path, project: Project, kind: str) -> None:
    project.put("greeting")
    lockfile = tmp_path / "deployments.lock.json"
    valid = snapshot(project).body
    contents = {
        "cut": valid[:-10], "not JSON": b"no", "not UTF-8": valid.replace(b"You help", b"\xff\xfe"),
        "too deep": valid.replace(b'"variables":[]', b'"variables":' + b"[" * 50_000 + b"]" * 50_000),
        "other format": valid.replace(b'"format":1', b'"format":2'),
    }  # fmt: skip
    if kind == "fifo":
        os.mkfifo(lockfile)
    else:
        lockfile.write_bytes(contents[kind])

    with (
        Moorage("http://127.0.0.1:9", project.token, cache=None, lockfile=lockfile) as client,
        pytest.raises(NoConfigurationError, match=r"Lockfile: .*deployments\.lock\.json"),
    ):
        client.get_config("greeting")


@pytest.mark.parametrize("location", ["OTHER/v2/deployments/snapshot", "/v2/deployments/snapshot"])
def test_a_redirect_is_not_followed_with_the_api_key(middleman: Middleman, project: Project, location: str) -> None:
    with Middleman(project.server.url) as other:
        target = location.replace("OTHER", other.url)
        middleman.on_snapshot = lambda reply: Reply(307, {"Location": target}, b"")
        with connect(middleman, project) as client, pytest.raises(NoConfigurationError, match="HTTP status 307"):
            client.get_config("greeting")
        assert other.requests == []


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_snapshot_that_is_too_large_is_rejected_before_it_fills_the_memory(
    middleman: Middleman, project: Project, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    maximum = 1_000_000
    monkeypatch.setattr(client_body, "MAX_SNAPSHOT", maximum)
    plain = b" " * 50_000_000
    data = gzip.compress(plain) if encoding == "gzip" else plain
    headers = {"Content-Encoding": encoding}
    inflated: list[int] = []
    create = zlib.decompressobj

    class Counted:
        def __init__(self, window: int) -> None:
            self._inner = create(window)

        def decompress(self, piece: bytes, maximum: int) -> bytes:
            result: bytes = self._inner.decompress(piece, maximum)
            inflated.append(len(result))
            return result

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    middleman.on_snapshot = lambda reply: Reply(200, headers, data)
    with connect(middleman, project) as client, pytest.raises(NoConfigurationError, match="larger than 1000000 bytes"):
        client.get_config("greeting")
    assert sum(inflated[:100]) <= (maximum + 1) * middleman.count("snapshot")


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        ({"Content-Encoding": "gzip"}, b"no gzip", "not gzip"),
        ({"Content-Encoding": "br"}, b"", "'br' was not requested"),
        ({"Content-Encoding": "gzip, gzip"}, b"", "was not requested"),
        ({"Content-Length": "100000"}, b"{}", "incomplete"),
    ],
)
def test_a_body_with_a_wrong_encoding_or_length_is_rejected(
    middleman: Middleman, project: Project, headers: dict[str, str], body: bytes, message: str
) -> None:
    middleman.on_snapshot = lambda reply: Reply(200, headers, body)
    with connect(middleman, project) as client, pytest.raises(NoConfigurationError, match=message):
        client.get_config("greeting")


def endless(start: bytes, part: bytes) -> Callable[[Callable[[bytes], None]], int]:
    """Return a response without an end; it returns the number of its bytes when the client has disconnected."""

    def respond(send: Callable[[bytes], None]) -> int:
        sent = 0
        with suppress(OSError):
            send(start)
            while True:
                send(part)
                sent += len(part)
        return sent

    return respond


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "respond",
    [
        endless(b"", b"x" * 65_536),
        endless(OK, b"X-Header: " + b"x" * 1_000 + b"\r\n"),
        endless(OK + b"X-Header: ", b"x" * 65_536),
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1" * 65_536),
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffff\r\n" + b" " * 65_536),
        endless(OK + b"\r\n", b" " * 65_536),
        endless(b"HTTP/1.1 500 Error\r\n\r\n", b" " * 65_536),
    ],
    ids=["status line", "headers", "header", "chunk size", "chunk", "body", "error"],
)
def test_an_endless_response_ends_at_a_maximum_size(
    middleman: Middleman, project: Project, monkeypatch: pytest.MonkeyPatch, respond: Callable[..., int]
) -> None:
    monkeypatch.setattr(client_body, "MAX_SNAPSHOT", 1_000_000)
    sent: list[int] = []

    def on_raw(path: str, send: Callable[[bytes], None]) -> bool:
        sent.append(respond(send))
        return True

    middleman.on_raw = on_raw
    with connect(middleman, project) as client:
        until(lambda: bool(sent))
        with pytest.raises(NoConfigurationError):
            client.get_config("greeting")
    assert sent[0] < 20_000_000, "the rest is in the buffers of the sockets"


@pytest.mark.parametrize("part", [b"HTTP/1.1 100 Continue\r\n\r\n", b""], ids=["only 100 Continue", "silence"])
def test_a_response_that_never_begins_ends_after_a_maximum_time(
    middleman: Middleman, project: Project, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr("moorage.client.http._TOTAL_SECONDS", 0.2)

    def on_raw(path: str, send: Callable[[bytes], None]) -> bool:
        with suppress(OSError):
            while part:
                send(part)
            middleman.stopped.wait()
        return True

    middleman.on_raw = on_raw
    with connect(middleman, project) as client:
        until(lambda: middleman.count("snapshot") >= 2)
        with pytest.raises(NoConfigurationError):
            client.get_config("greeting")
        middleman.on_raw = lambda path, send: False
        monkeypatch.setattr("moorage.client.http._TOTAL_SECONDS", 120.0)
        wait_for_synced(client)


def wait_for_synced(client: Moorage) -> None:
    until(lambda: client._sync._synced is not None)
    assert client._sync.wait().source == "server"


@pytest.mark.parametrize("size", [1, 1_000])
def test_an_event_has_a_maximum_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 10_000)
    taken: list[int] = []

    def pieces() -> Iterator[bytes]:
        yield b": age 0\n\ndata: "
        while True:
            taken.append(size)
            yield b"x" * size

    with pytest.raises(InvalidResponse, match="larger than 10000 bytes"):
        [*sse.events(pieces())]
    assert sum(taken) <= 10_000 + size


def test_an_event_of_many_lines_has_few_fields() -> None:
    (event,) = sse.events([b"event: deployment\ndata: {}\n" + b"a: b\n" * 100_000 + b"\n"])

    assert (event.name, event.data) == ("deployment", b"{}")


def test_bytes_that_never_complete_an_event_end_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def drip() -> Iterator[bytes]:
        while True:
            now[0] += 30
            yield b"x"

    with pytest.raises(InvalidResponse, match="no complete event of the change stream in 40 seconds"):
        [*sse.batches(drip(), 40.0)]
    assert now[0] == 60


def test_a_stream_without_changes_has_a_maximum_size(
    middleman: Middleman, project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sync, "MAX_UNCONFIRMED", 100_000)
    middleman.on_event = lambda event: [b": " + b"x" * 1_000 + b"\n\n"] * 1_000
    with connect(middleman, project) as client:
        wait_for_log(caplog, "sent 100000 bytes without a change")
        middleman.on_event = lambda event: [event]
        project.put("greeting", a_body(model="second"))
        wait_for_version(client, "1.1")


def test_a_comment_that_is_no_age_does_not_make_a_state_current(project: Project) -> None:
    for comment, is_age in ((b"age 3", True), (b"keep-alive", False), (b"", False), (b"age " + b"1" * 400, False)):
        assert (sync._AGE.fullmatch(comment) is not None) == is_age


def test_an_error_of_the_server_is_logged_without_control_characters(
    middleman: Middleman, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"message": "\x1b[2J" + "x" * 10_000}).encode()
    middleman.on_snapshot = lambda reply: Reply(500, {}, body)
    with connect(middleman, project) as client, pytest.raises(NoConfigurationError) as raised:
        client.get_config("greeting")

    assert "\x1b" not in caplog.text + str(raised.value)
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("key", ["mrg_secret\n", "mrg_secret\r\nX: y", "mrg_secret\u20ac"])
def test_an_api_key_that_http_cannot_send_is_not_logged(
    middleman: Middleman, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Moorage(middleman.url, key, cache=None, lockfile=None) as client,
        pytest.raises(NoConfigurationError, match="characters that HTTP does not allow") as raised,
    ):
        client.get_config("greeting")

    assert "mrg_secret" not in caplog.text + str(raised.value)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "http://[", "http://127.0.0.1:99999", "file:///etc"])
def test_a_url_of_another_kind_is_rejected(url: str) -> None:
    with (
        Moorage(url, "mrg_x", cache=None, lockfile=None) as client,
        pytest.raises(NoConfigurationError, match="the URL is not http"),
    ):
        client.get_config("greeting")


def restored(server: Server, file: Path) -> None:
    """Restore a backup into the database of a server."""
    with checked_backup(file) as source, closing(open_engine(server.database)) as engine:
        restore(source, engine, replace=True)


def test_a_restored_database_is_followed_and_its_earlier_epoch_rejected(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Server(folder) as server:
        project = server.new_project()
        project.put("greeting")
        with server.open_store() as store:
            backup(store, folder / "backup.db")
        project.put("greeting", a_body(model="lost"))
        lost = snapshot(project)
        with Middleman(server.url) as middleman, connect(middleman, project) as client:
            wait_for_version(client, "1.1")
            restored(server, folder / "backup.db")
            assert wait_for_version(client, "1.0").model == "openai/my-gpt"

            assert json.loads(lost.body)["revision"] > client._sync.wait().revision
            middleman.on_snapshot = lambda reply: lost
            middleman.on_event = lambda event: [b"event: reset\ndata: {}\n\n"]
            project.put("other")
            wait_for_log(caplog, "its snapshot is older")
            assert client.get_config("greeting").version == "1.0"
            middleman.on_snapshot, middleman.on_event = lambda reply: reply, lambda event: [event]
            until(lambda: client._sync.wait().encoded() == snapshot(project).body)


def test_an_unknown_key_is_compared_with_few_keys(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def count(value: Any, choices: list[str]) -> str:
        compared.append(sum(min(len(value), 100) for _ in choices))
        return ""

    project.fill(60)
    project.put("d59-answers")
    with Moorage(project.server.url, project.token, cache=None, lockfile=None) as client:
        with pytest.raises(DeploymentNotFound, match="Did you mean 'd59-answers'"):
            client.get_config("d59-answer")
        monkeypatch.setattr("moorage.client.state.nearest", count)
        for key in ("d59-answer", "", "d0", "zzz", "a" * 1_000_000, "\ud800"):
            with pytest.raises(DeploymentNotFound):
                client._sync.wait().compiled(key)
    assert max(compared) <= 400


def test_a_position_is_that_of_the_last_signed_state(middleman: Middleman, project: Project) -> None:
    """A forged id must not become the position after a reconnect."""
    revision = json.loads(snapshot(project).body)["revision"]
    forged = b"id: 999999.%b\nevent: deleted\ndata: {}\n\n" % json.loads(snapshot(project).body)["epoch"].encode()
    middleman.on_event = lambda event: [forged]
    with connect(middleman, project) as client:
        until(lambda: middleman.count("changes") >= 2)
        client.get_config("greeting")

    assert {Position.parse(position or "").rev for position in middleman.positions} == {revision}
