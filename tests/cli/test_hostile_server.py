"""Every command that uses a server, against a server that is hostile, broken, or not Moorage."""

import copy
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.cli import client, http
from moorage.documents.document import Document
from tests.cli.test_completion import completions
from tests.support.hostile import HostileServer, Request, response
from tests.support.limited import run_limited
from tests.support.moorage_responses import (
    ERROR,
    HEADERS,
    ID,
    INTEGRATION,
    ITEM,
    MANIFEST,
    a_page,
    body_for,
    media_type,
)
from tests.support.program import moorage
from tests.support.stores import create_database

pytestmark = pytest.mark.system

Result = subprocess.CompletedProcess[str]

COMMANDS = [
    "apply a.yaml",
    "apply --prune --yes empty",
    "diff a.yaml",
    "drift",
    "export out",
    "lock --out out.json",
    "deployments list",
    "deployments list --all",
    "deployments list --all -o json",
    "deployments show a",
    "deployments show a -o yaml",
    "deployments get-config a",
    "deployments invoke a",
    "deployments invoke a --no-stream",
    "deployments invoke a -o json",
    "deployments explain a",
    "deployments simulate a.yaml contexts.json",
    "deployments create a.yaml",
    "deployments set-description a text",
    "deployments set-aliases a b",
    "deployments draft a.yaml",
    "deployments versions a",
    "deployments diff a 1.0 1.1",
    "deployments diff a 1.0 1.1 -o json",
    "deployments publish a 1.1",
    "deployments publish a 1.1 --if-live 1.0",
    "deployments undo a",
    "deployments unpublish a --environment staging",
    "deployments promote a --from staging --to production",
    "deployments promote --all --from staging --to production",
    "deployments history a",
    "deployments delete a",
    "deployments delete a --version 1.0",
    "deployments restore a",
    "deployments restore a --version 1.0",
    "environments list",
    "environments show production",
    "environments set staging --protected",
    "environments delete staging --yes",
    "environments diff staging production",
    "proposals list",
    "proposals show a",
    "proposals approve a",
    "proposals reject a",
    "integrations list",
    "integrations list -o json",
    "integrations show a",
    "integrations set a --provider openai",
    "integrations test a",
    "integrations delete a",
    "doctor --database sqlite:///moorage.db",
]

#: The commands that read all pages of a list.
LISTS = [
    command
    for command in COMMANDS
    if command.startswith(("apply --prune", "diff", "drift", "export", "deployments list --all", "integrations list"))
]

#: The route that `apply` reads first.
ENVIRONMENTS = "/v2/environments"

#: The items of each list.
LISTED: dict[str, dict[str, Any]] = {"manifests": MANIFEST, "integrations": INTEGRATION, "deployments": ITEM}

every_command = pytest.mark.parametrize("command", COMMANDS)

#: Characters that a terminal obeys or does not show, and no line feed.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0001]")

HOSTILE_TEXT = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202eevil\u2066\u2028\x85\r\nError: none [red]x[/red] \U000e0041"

#: Texts that are not the key of any deployment.
HOSTILE_KEYS = [
    "../../x", "/etc/x", "a/b", "..", ".", "", "a\x00b", "a\x1b[2J", "a\n", "a b", "get_config", ID, "a" * 129,
    "%2e%2e%2fx", "-\u202e", "$(touch x)",
]  # fmt: skip


@pytest.fixture
def place(folder: Path) -> Path:
    """Return the folder in which the commands run; everything else in `folder` must not change."""
    inside = folder / "inside"
    (inside / "empty").mkdir(parents=True)
    document = {"key": "a", "description": "Answers", "prompt_config": ITEM["prompt_config"]}
    (inside / "a.yaml").write_text(json.dumps(document))
    (inside / "contexts.json").write_text('[{"plan": "pro"}]')
    create_database(inside)
    return inside


def with_environments(respond: Callable[[Request], bytes]) -> Callable[[Request], bytes]:
    """Return a function that responds to the request for the environments as Moorage does."""
    return lambda request: as_moorage(request) if request.path == ENVIRONMENTS else respond(request)


def of_lists(server: HostileServer) -> list[Request]:
    """Return the requests without that for the environments, which is no list of pages."""
    return [request for request in server.requests if request.path != ENVIRONMENTS]


def run(
    place: Path, command: str, respond: Callable[[Request], bytes | Iterator[bytes]]
) -> tuple[Result, HostileServer]:
    """Run a command against a server; it prints no traceback, and writes only its own output files."""
    before = files(place.parent)
    with HostileServer(respond) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage(*command.split(), folder=place, settings=settings)
    assert "unexpected" not in result.stderr, result.stderr
    written = {path for path, state in files(place.parent).items() if before.get(path) != state}
    outputs = {"export out": place / "out", "lock --out out.json": place / "out.json"}
    own = outputs.get(command, place / "none")
    assert {path for path in written if path != own and own not in path.parents} == set()
    return result, server


def files(folder: Path) -> dict[Path, tuple[bool, bytes]]:
    """Return every file below a folder, with its content."""
    return {
        path: (path.is_symlink(), path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("moorage.db")
    }


def fails_in_one_line(
    place: Path, command: str, respond: Callable[[Request], bytes | Iterator[bytes]]
) -> HostileServer:
    result, server = run(place, command, respond)
    assert result.returncode == 1, (result.stdout, result.stderr)
    if command.startswith("doctor"):
        assert "problem" in result.stdout
    else:
        assert result.stdout == ""
        assert re.fullmatch(r"Error: [^\n]{1,600}\n", result.stderr), result.stderr
    assert not UNSAFE.search((result.stdout + result.stderr).replace("\n", ""))
    return server


def as_moorage(request: Request) -> bytes:
    """Respond as Moorage does."""
    body = body_for(request)
    kind = media_type(request) if isinstance(body, bytes) else "application/json"
    return response(body, 200, HEADERS | {"Content-Type": kind})


@every_command
def test_a_correct_server_is_the_control(place: Path, command: str) -> None:
    result, server = run(place, command, as_moorage)

    expected = {"diff a.yaml": 1, "drift": 2}.get(command, 0)  # the API took the deployment over
    assert result.returncode == expected, (result.stdout, result.stderr)
    assert server.requests


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"hello\n",
    "HTTP 0.9": b"<html>Welcome</html>",
    "a status that is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n{}",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "headers without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n{}",
    "200 headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n{}",
    "a header of 1 MB": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n{}",
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "a truncated body": b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"object": "list"',
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxyz",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
    "a chunk that is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a truncated chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "a chunk of 16 exabytes": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    "a negative chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a compressed body": response(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", headers={"Content-Encoding": "gzip"}),
    "no content": response(b"", 204),
    "not modified": response(b"", 304),
    "a server error without a body": response(b"", 500),
    "an error page": response(b"<html>Bad Gateway</html>", 502, {"Content-Type": "text/html"}),
    "an error with other types": response({"error": {"code": 1, "message": None}}, 400),
    "an error without a message": response({"error": {}}, 400),
    "an error that is a list": response([1, 2], 418),
    "no JSON": response(b"<html>Welcome</html>"),
    "half of a JSON": response(b'{"object": "list", "data": ['),
    "null": response(b"null"),
    "a number": response(b"5"),
    "a text": response(b'"' + b"x" * 100_000 + b'"'),
    "a list": response(b"[]"),
    "an empty object": response(b"{}"),
    "an infinite number": response(b'{"data": 1e999}'),
    "a number of 100,000 digits": response(b'{"data": ' + b"9" * 100_000 + b"}"),
    "NaN": response(b'{"data": NaN}'),
    "100,000 levels": response(b"[" * 100_000),
    "objects in 100,000 levels": response(b'{"data":' * 100_000),
    "unknown fields in 100,000 levels": response(b'{"zzz":' * 100_000),
    "bytes that are not UTF-8": response(b'{"data": "\xff\xfe"}'),
    "half a surrogate pair": response(b'{"data": "\\ud800"}'),
    "a NUL": response(b'{"data": "\x00"}'),
}  # fmt: skip


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_response_that_is_not_one_of_moorage_is_one_line(place: Path, answer: bytes) -> None:
    for command in COMMANDS:
        fails_in_one_line(place, command, lambda request: answer)


@every_command
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(place: Path, command: str, status: int) -> None:
    with HostileServer(as_moorage) as elsewhere:
        redirect = response(b"", status, {"Location": f"{elsewhere.url}/v2/deployments"})
        fails_in_one_line(place, command, lambda request: redirect)

        assert elsewhere.requests == []


@every_command
def test_a_body_without_end_is_read_up_to_the_limit(place: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_RESPONSE", 1_000_000)

    def endless(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"
        while True:
            yield b" " * 65_536

    server = fails_in_one_line(place, command, endless)

    assert server.sent < 20_000_000, "what the buffers of both sockets hold, too"


@every_command
@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_a_response_that_arrives_byte_by_byte_is_given_up(
    place: Path, command: str, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "RESPONSE_SECONDS", 0.1)
    monkeypatch.setattr(http, "CALL_SECONDS", 0.1)
    with HostileServer(lambda request: b"") as server:

        def trickle(request: Request) -> Iterator[bytes]:
            yield head
            while not server.stopping.wait(0.02):
                yield b"HTTP/1.1 100 Continue\r\n\r\n" if b"Continue" in head else b" " if head else b"H"

        server.respond = trickle
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage(*command.split(), folder=place, settings=settings)

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == (0 if command.startswith("doctor") else 1)


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("repeats", [True, False])
def test_a_list_without_end_is_read_up_to_the_limit(
    place: Path, command: str, repeats: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 20)

    def next_page(request: Request) -> bytes:
        name = "x" if repeats else "x" + request.query.get("starting_after", [""])[0]
        item = LISTED[request.path.rpartition("/")[2]] | {"id": name, "key": name}
        return response(a_page(item, has_more=True))

    server = fails_in_one_line(place, command, with_environments(next_page))

    assert len(of_lists(server)) == (2 if repeats else 20)


@pytest.mark.parametrize("command", LISTS)
def test_the_time_of_all_pages_is_limited(place: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIST_SECONDS", -1.0)

    def next_page(request: Request) -> bytes:
        item = LISTED[request.path.rpartition("/")[2]] | {"id": "x", "key": "x"}
        return response(a_page(item, has_more=True))

    server = fails_in_one_line(place, command, with_environments(next_page))

    assert len(of_lists(server)) == 1


@pytest.mark.parametrize("command", LISTS)
def test_an_empty_page_ends_a_list(place: Path, command: str) -> None:
    server = fails_in_one_line(place, command, with_environments(lambda request: response(a_page(has_more=True))))

    assert len(of_lists(server)) == 1


@pytest.mark.parametrize("command", LISTS)
def test_the_bytes_of_all_pages_are_limited(place: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_LIST", 1_000_000)

    def next_page(request: Request) -> bytes:
        name = "x" + request.query.get("starting_after", [""])[0]
        item = LISTED[request.path.rpartition("/")[2]] | {"id": name, "key": name, "zzz": "z" * 300_000}
        return response(a_page(item, has_more=True))

    server = fails_in_one_line(place, command, with_environments(next_page))

    assert len(of_lists(server)) == 4


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_key_that_no_deployment_can_have_is_used_nowhere(place: Path, key: str) -> None:
    def hostile(request: Request) -> bytes:
        return response(replaced(body_for(request), {"key", "id"}, key), headers=HEADERS)

    for command in COMMANDS:
        result, server = run(place, command, hostile)

        assert result.returncode in (0, 1)
        assert not UNSAFE.search((result.stdout + result.stderr).replace("\n", ""))
        assert all(re.fullmatch(r"/[A-Za-z0-9._/-]*", request.path) for request in server.requests)
        assert not (place / "out").exists()


def replaced(value: Any, names: set[str], text: str) -> Any:
    """Return a JSON value with another text in all fields of these names."""
    if isinstance(value, dict):
        return {
            name: text if name in names and isinstance(child, str) else replaced(child, names, text)
            for name, child in value.items()
        }
    return [replaced(child, names, text) for child in value] if isinstance(value, list) else value


def everywhere(value: Any, text: str, fixed: set[str]) -> Any:
    """Return a JSON value with another text in all fields but these."""
    if isinstance(value, dict):
        return {name: child if name in fixed else everywhere(child, text, fixed) for name, child in value.items()}
    if isinstance(value, list):
        return [everywhere(child, text, fixed) for child in value]
    return text if isinstance(value, str) else value


@every_command
@pytest.mark.parametrize("status", [200, 404])
def test_no_text_of_a_server_reaches_the_terminal_as_it_is(place: Path, command: str, status: int) -> None:
    """Fields whose values are checked have correct ones."""
    fixed = {
        "key",
        "id",
        "_id",
        "version_id",
        "version",
        "format",
        "owner",
        "model_type",
        "role",
        "status",
        "environment",
    }

    def hostile(request: Request) -> bytes:
        body = body_for(request) if status == 200 else ERROR
        if isinstance(body, bytes):
            return response(f"+{HOSTILE_TEXT}".replace("\n", "").encode(), headers={"Content-Type": "text/plain"})
        headers = HEADERS | {"X-Moorage-Breaking": "%1b%5b2J%0aError", "X-Moorage-Normalized": "\x9b31m"}
        return response(everywhere(body, HOSTILE_TEXT, fixed), status, headers)

    result, _ = run(place, command, hostile)

    shown = result.stdout + result.stderr
    assert not UNSAFE.search(shown.replace("\n", "")), ascii(shown)
    if "invoke" not in command:  # the text of a model has lines of its own
        assert not any(line.startswith("Error: none") for line in shown.splitlines())
    if status == 200 and command.endswith("-o json"):
        assert HOSTILE_TEXT in [*texts(json.loads(result.stdout)), *([HOSTILE_TEXT] if "diff" in command else [])]


def texts(value: Any) -> Iterator[str]:
    """Yield all texts of a JSON value."""
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from texts(child)
    elif isinstance(value, str):
        yield value


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of all parts of a JSON value, but those of the prompt configuration."""
    yield path
    if path[-1:] == ("prompt_config",):
        return
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from paths(child, (*path, name))


REMOVED: Any = object()

WRONG: list[Any] = [REMOVED, None, True, -1, 1e308, 10**400, "", "x", [], {}, [[]], {"": None}, "\x1b[2J" * 1_000]


def changed(value: Any, path: tuple[str | int, ...], wrong: Any) -> Any:
    """Return a JSON value with another value at a path, or without it."""
    if not path:
        return None if wrong is REMOVED else wrong
    result = copy.deepcopy(value)
    parent = result
    for name in path[:-1]:
        parent = parent[name]
    if wrong is REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = wrong
    return result


@pytest.mark.parametrize(
    ("command", "status"),
    [*((command, 200) for command in COMMANDS), ("apply a.yaml", 409), ("deployments show a", 409)],
)
def test_a_field_with_another_type_is_one_line_at_most(place: Path, command: str, status: int) -> None:
    """Each field of each response, missing and with values of all types."""
    shapes: dict[tuple[str, str], Any] = {}

    def note(request: Request) -> bytes:
        shapes[request.method, request.path] = body_for(request) if status == 200 else ERROR
        return as_moorage(request) if status == 200 else response(ERROR, status)

    run(place, command, note)
    cases = [(where, path, wrong) for where, body in shapes.items() for path in paths(body) for wrong in WRONG]
    current: list[Any] = []

    def hostile(request: Request) -> bytes:
        body = body_for(request) if status == 200 else ERROR
        where, path, wrong = current[0]
        if (request.method, request.path) != where or isinstance(body, bytes):
            return note(request)
        return response(changed(body, path, wrong), status, HEADERS)

    with HostileServer(hostile) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        for case in cases:
            current[:] = [case]
            result = moorage(*command.split(), folder=place, settings=settings)
            assert result.returncode in (0, 1, 2 if command == "drift" else 0), case
            assert "unexpected" not in result.stderr, (case, result.stderr)
            assert not UNSAFE.search((result.stdout + result.stderr).replace("\n", "")), case
    assert cases


@pytest.mark.parametrize("header", ["X-Moorage-Result", "X-Moorage-Variant", "ETag"])
def test_a_header_that_is_missing_is_one_line(place: Path, header: str) -> None:
    command = {
        "X-Moorage-Result": "apply a.yaml",
        "X-Moorage-Variant": "deployments get-config a",
        "ETag": "deployments publish a 1.1 --if-live 1.0",
    }[header]
    headers = HEADERS | {header: ""}

    fails_in_one_line(place, command, lambda request: response(body_for(request), headers=headers))


def test_a_result_that_apply_does_not_know_is_one_line(place: Path) -> None:
    headers = HEADERS | {"X-Moorage-Result": "\x9b31mhacked"}

    fails_in_one_line(place, "apply a.yaml", lambda request: response(body_for(request), headers=headers))


def test_apply_stops_at_a_server_that_is_not_moorage_and_shows_what_it_did(place: Path) -> None:
    (place / "b.yaml").write_text(json.dumps({"key": "b", "prompt_config": ITEM["prompt_config"]}))
    (place / "c.yaml").write_text(json.dumps({"key": "c", "prompt_config": ITEM["prompt_config"]}))

    result, server = run(
        place, "apply a.yaml b.yaml c.yaml",
        with_environments(lambda request: as_moorage(request) if request.path.endswith("/a") else response(b"<html>")),
    )  # fmt: skip

    assert result.returncode == 1
    assert result.stdout.split("created  updated  unchanged  failed")[1].split() == ["0", "1", "0", "0"]
    assert "is not a Moorage server" in result.stderr
    assert len(of_lists(server)) == 2


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.yaml", "x/../../secret.yaml", "a\x00b"])
def test_drift_reads_no_file_outside_its_folder(place: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.parent / "secret.yaml").write_text("key: a\nprompt_config: secret\n")
    read: list[str] = []

    def note(paths: list[str], *, is_strict: bool) -> list[Document]:
        read.extend(paths)
        return []

    monkeypatch.setattr("moorage.cli.drift.read_paths", note)

    run(place, "drift", lambda request: response(a_page(MANIFEST | {"owner": "files", "file": name})))

    assert read == []


@pytest.mark.parametrize(
    "hint",
    ["POST x", "Until: POST /v2/deployments/$(reboot)/restore", "Until: POST /v2/deployments/a/versions/;x/restore"],
)
def test_a_command_to_copy_has_nothing_of_a_hostile_server(place: Path, hint: str) -> None:
    error = {"code": "deployment_deleted", "message": f"Gone. {hint}", "hint": hint, "key": "$(reboot)"}
    undo = {"code": "variant_not_resolved", "message": "Wrong.", "key": "$(reboot)"}

    restored, _ = run(place, "deployments show a", lambda request: response({"error": error}, 404))
    undone, _ = run(place, "deployments show a", lambda request: response({"error": undo}, 404))

    assert "moorage deployments restore" not in restored.stderr
    assert "moorage deployments undo KEY" in undone.stderr


def test_an_error_with_many_problems_is_cut(place: Path) -> None:
    problems = [{"path": f"p{n}", "message": "x" * 10_000} for n in range(1_000)]
    error = {"code": "invalid_request_body", "message": "x", "problems": problems}

    result, _ = run(place, "deployments create a.yaml", lambda request: response({"error": error}, 400))

    assert result.returncode == 1
    assert len(result.stderr) < 200_000
    assert "… and 900 more" in result.stderr


@pytest.mark.parametrize("body", ["[" + "[]," * 4_000_000 + "[]]", '{"data": [' + "{}," * 4_000_000 + "{}]}"])
def test_a_response_cannot_take_many_times_its_size_in_memory(place: Path, body: str) -> None:
    answer = response(body.encode())
    program = "from moorage.cli.main import main; main(['deployments', 'list', '--all', '-o', 'json'])"
    with HostileServer(lambda request: answer) as server:
        settings = f"import os; os.environ.update(MOORAGE_URL={server.url!r}, MOORAGE_API_KEY='mrg_any');"
        done = run_limited(settings + program, cpu_seconds=120, memory=700_000_000)

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: [^\n]{1,600}\n", done.stderr), done.stderr


def test_a_body_without_end_takes_limited_memory(place: Path) -> None:
    def endless(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"
        while True:
            yield b" " * 65_536

    program = "from moorage.cli.main import main; main(['deployments', 'list'])"
    with HostileServer(endless) as server:
        settings = f"import os; os.environ.update(MOORAGE_URL={server.url!r}, MOORAGE_API_KEY='mrg_any');"
        done = run_limited(settings + program, cpu_seconds=120, memory=700_000_000)

    assert (done.returncode, done.stdout) == (1, "")
    assert "larger than" in done.stderr


@pytest.mark.parametrize("name", ["no HTTP", "no JSON", "100,000 levels", "a truncated body"])
def test_the_completion_of_keys_is_silent_about_a_broken_server(folder: Path, name: str) -> None:
    with HostileServer(lambda request: BROKEN[name]) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        assert completions("deployments", "show", "", folder=folder, settings=settings) == []
        assert server.requests


@pytest.mark.parametrize("key", ["\x1b[2J", "a\nb", "$(touch x)", "`id`", "a b", "../x"])
def test_the_completion_of_keys_offers_nothing_but_keys(folder: Path, key: str) -> None:
    with HostileServer(lambda request: response(a_page(ITEM, ITEM | {"key": key}))) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        assert completions("deployments", "show", "", folder=folder, settings=settings) == []
        server.respond = as_moorage
        assert completions("deployments", "show", "", folder=folder, settings=settings) == ["a"]


@pytest.mark.parametrize("url", ["http://[", "http://a b", "nonsense"])
def test_the_completion_of_keys_is_silent_about_a_wrong_setting(folder: Path, url: str) -> None:
    assert completions("deployments", "show", "", folder=folder, settings={"MOORAGE_URL": url}) == []
