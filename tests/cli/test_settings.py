"""Settings: no value of the environment, of an option or of a file causes a traceback, and no error shows a secret."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from moorage.cli.serve import serve
from moorage.settings import MAX_LENGTH, SETTINGS, SettingError, from_environment
from tests.support.program import moorage, moorage_process
from tests.support.server import Project
from tests.support.stores import create_database

pytestmark = pytest.mark.system

#: The end of each value, by which a test finds it in an error.
MARK = "hunter2"

MISTAKES = {
    "a line feed": f"a\n{MARK}",
    "a carriage return": f"a\r{MARK}",
    "an escape": f"\x1b[2J{MARK}",
    "a C1 control": f"\x9b31m{MARK}",
    "a delete": f"\x7f{MARK}",
    "an override": f"\u202e{MARK}",
    "bytes that are not UTF-8": f"\udcff\udcfe{MARK}",
    "a length of 5,000": "x" * 5_000 + MARK,
}

SECRETS = ("api_key", "database", "database_listen")

NUMBERS = {
    "max_staleness": [
        "nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e999", "-1", "-0.5", "0", "0.999", "-1e999", "1e-999", "x",
        "1_0", "\u0661\u0660", "0x10", "1,5", "1 0", "--5", "1e", ".", "1.5.5", "1e10", "9" * 400, "9" * 5_000, "+5",
        "1e1000",
    ],
    "port": [
        "nan", "inf", "-1", "0", "65536", "1.5", "1e3", "x", "8_0", "\uff18\uff10", "0x50", "9" * 400, "9" * 5_000,
        "+80", " 80",
    ],
    "workers": ["nan", "inf", "-1", "0", "65", "1.0", "1e1", "1_0", "\uff11", "9" * 5_000, "+1"],
}  # fmt: skip


def mistake(name: str, value: str, source: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """Return the error of `moorage serve` for a value from the environment, a file or an option."""
    variable, arguments = SETTINGS[name].variable, []
    if source == "environment":
        monkeypatch.setitem(os.environ, variable, value)
    elif source == "file":
        (folder / "value").write_bytes(value.encode("utf-8", "surrogateescape"))
        monkeypatch.setitem(os.environ, f"{variable}_FILE", str(folder / "value"))
    else:
        arguments = [f"--{name.replace('_', '-')}", value]
    with pytest.raises(click.ClickException) as error:
        serve.make_context("serve", arguments)
    text = error.value.format_message()
    assert (variable if source != "option" else f"--{name.replace('_', '-')}") in text
    return text


@pytest.mark.parametrize("source", ["environment", "file", "option"])
@pytest.mark.parametrize("value", MISTAKES.values(), ids=MISTAKES.keys())
@pytest.mark.parametrize(
    "name", [name for name in SETTINGS if name not in ("url", "api_key", "environment", "secret_key")]
)
def test_a_value_with_invalid_characters_is_named(
    name: str, value: str, source: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    if source == "file" and "\n" in value:
        value = value.replace("\n", "\x00")  # the first line of a file is its value

    text = mistake(name, value, source, monkeypatch, folder)

    assert len(text) < 400
    if name in SECRETS:
        assert MARK not in text


@pytest.mark.parametrize("source", ["environment", "file", "option"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_its_range_is_rejected(
    name: str, source: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    for value in NUMBERS[name]:
        if source == "file" and value != value.strip():
            continue  # a file may end with spaces
        text = mistake(name, value, source, monkeypatch, folder)

        assert re.search("is not a valid|is not in the range|is not a number|is longer than", text), value
        assert len(text) < 400


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_staleness", "1", 1.0),
        ("max_staleness", "90.5", 90.5),
        ("max_staleness", "1e3", 1000.0),
        ("port", "080", 80),
    ],
)
def test_a_number_in_its_range_is_read(name: str, value: str, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, SETTINGS[name].variable, value)

    assert serve.make_context("serve", []).params[name] == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b" \t \nkey", "is empty"),
        (b"\xff\xfe\n", "is not UTF-8"),
        (b"\x00" * 100, "contains a control character"),
        (b"x" * 1_000_000, "is longer than"),
        (b"a b", "contains a space"),
        ("schlüssel".encode(), "not ASCII"),
    ],
    ids=ascii,
)
def test_the_content_of_a_file_that_is_no_value_is_named_and_not_shown(
    folder: Path, content: bytes, reason: str
) -> None:
    (folder / "key").write_bytes(content)

    result = moorage("deployments", "list", folder=folder, settings={"MOORAGE_API_KEY_FILE": str(folder / "key")})

    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"Error: MOORAGE_API_KEY_FILE: [^\n]{1,300}\n", result.stderr)
    assert reason in result.stderr
    assert "schl" not in result.stderr


@pytest.mark.parametrize("file", ["nowhere", ".", "/dev/zero", "a\x1b[2Jb", "x" * 5_000, "key/x", "\udcff"])
def test_a_file_that_cannot_be_read_is_one_line(folder: Path, file: str) -> None:
    (folder / "key").write_text("mrg_any")

    for name in ("API_KEY", "URL"):
        result = moorage("deployments", "list", folder=folder, settings={f"MOORAGE_{name}_FILE": file})

        assert (result.returncode, result.stdout) == (1, "")
        assert re.fullmatch(rf"Error: MOORAGE_{name}_FILE: [^\n\x1b]{{1,2000}}\n", result.stderr), result.stderr


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read(folder: Path) -> None:
    (folder / "url").write_bytes(b"\xef\xbb\xbfhttp://host:1\r\nmore\r\n\xff")

    assert from_environment("url", {"MOORAGE_URL_FILE": str(folder / "url")}) == "http://host:1"


def test_the_longest_value_is_read() -> None:
    assert from_environment("disk_cache", {"MOORAGE_DISK_CACHE": "x" * MAX_LENGTH}) == "x" * MAX_LENGTH
    with pytest.raises(SettingError):
        from_environment("disk_cache", {"MOORAGE_DISK_CACHE": "x" * (MAX_LENGTH + 1)})


API_KEYS = {
    "a line feed": "mrg_hunter2\nX-Evil: 1",
    "a line feed at the end": "mrg_hunter2\n",
    "a carriage return": "mrg_hunter2\r\n\r\nGET /x",
    "a tab": "mrg_hunter2\tx",
    "a space": "mrg_hunter2 x",
    "an escape": "mrg_hunter2\x1b[2J",
    "Latin-1": "mrg_hunter2é",
    "not Latin-1": "mrg_hunter2日本",
    "an emoji": "mrg_hunter2👋",
    "bytes that are not UTF-8": "mrg_hunter2\udcff",
    "a length of 1,000,000": "mrg_hunter2" * 90_000,
}


@pytest.mark.parametrize("key", API_KEYS.values(), ids=API_KEYS.keys())
@pytest.mark.parametrize(
    "command", ["deployments list", "apply a.yaml", "export out", "lock", "diff a.yaml", "drift", "doctor"]
)
def test_an_api_key_that_no_header_can_have_is_one_line_without_it(folder: Path, command: str, key: str) -> None:
    (folder / "a.yaml").write_text("key: a\n")
    (folder / "moorage.db").touch()

    result = moorage(*command.split(), folder=folder, settings={"MOORAGE_API_KEY": key})

    assert result.returncode == 1
    assert "MOORAGE_API_KEY" in result.stdout + result.stderr
    assert "hunter2" not in result.stdout + result.stderr
    if command != "doctor":
        assert re.fullmatch(r"Error: [^\n]{1,300}\n", result.stderr), result.stderr


URLS = [
    "nonsense", "ftp://host", "http://", "https://", "http://[", "http://[::1", "http://host:abc", "http://host:99999",
    "http://host:-1", "http://:80", "//host", "/", "http:/host", "http:host", "file:///etc/passwd", "javascript:x",
    "http://a b", "http://user:hunter2@", "http://user:hunter2@host:port", "http://host?x=1", "http://host/#x",
    "http://" + "a" * 64 + ".example", "http://" + "a." * 2_000 + "b", "http://..", "http://a..b", "http://xn--",
    "http://日本.example", "http://\u202ehost", "http://host\x1b[2J", "http://host\n", "unix:///x", "http://%", "http://%00",
    "http://hunter2@", "http://user:hunter2@host\n",
    "HTTP://", "http://127.0.0.1:0", "http://0:0", "http://127.0.0.1:1/%zz", "http://127.0.0.1:1/\x00",
    "http://256.256.256.256:1", "http://1:1:1", "http://[::g]:1", "http://[fe80::1%nowhere]:1",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS, ids=ascii)
def test_a_url_that_is_none_is_one_line(folder: Path, url: str) -> None:
    (folder / "moorage.db").touch()
    settings = {"MOORAGE_API_KEY": "mrg_any"} | ({"MOORAGE_URL": url} if "\x00" not in url else {})

    for command in ("deployments list", "doctor"):
        arguments = [*command.split(), *(["--url", url] if "\x00" in url else [])]
        result = moorage(*arguments, folder=folder, settings=settings)

        assert result.returncode in (1, 2) or command == "doctor"  # which warns about a server that is down
        assert "unexpected" not in result.stderr
        assert "hunter2" not in result.stdout + result.stderr
        assert not re.search("[\x1b\u202e\x00]", result.stdout + result.stderr)
        if command == "deployments list" and "\x00" not in url:
            assert re.fullmatch(r"Error: [^\n]{1,1000}\n", result.stderr), result.stderr


DATABASES = [
    "hunter2", "redis://:hunter2", "mysql://u:hunter2@h/d", "sqlite://x.db", "sqlite:///", "sqlite:///:memory:",
    "sqlite:////dev/null", "sqlite:////dev/zero", "sqlite:////proc/self/mem", "sqlite:////", "postgresql://[",
    "postgresql://u:hunter2@127.0.0.1:xx/d", "postgresql://u:hunter2@127.0.0.1:1/d?nonsense=1", "postgres://u:p%zz@h",
    "postgresql://u:hun@ter2@127.0.0.1/d", "postgresql://u:hunter2@127.0.0.1:1/d", "SQLITE:///x.db", " ", "://",
    "sqlite:///" + "x" * 300, "sqlite:///nowhere/x.db",
]  # fmt: skip


@pytest.mark.parametrize("database", DATABASES, ids=ascii)
def test_a_database_that_is_none_is_one_line_without_its_password(folder: Path, database: str) -> None:
    for command in ("keys list", "db check", "projects create x", "db backup a.backup", "serve"):
        if command == "serve" and database.startswith("postgres"):
            continue  # it can be down at the start, and that is tested elsewhere
        result = moorage(*command.split(), folder=folder, settings={"MOORAGE_DATABASE": database})

        assert (result.returncode, result.stdout) == (1, ""), (command, result.stderr)
        assert re.fullmatch(r"Error: [^\n]{1,1000}\n", result.stderr), result.stderr
        assert "unexpected" not in result.stderr
        assert not re.search("hunter2|ter2", result.stderr)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"MOORAGE_HOST": "a" * 64 + ".example"},
        {"MOORAGE_HOST": "nowhere.invalid"},
        {"MOORAGE_HOST": "256.256.256.256"},
        {"MOORAGE_HOST": "[::1"},
        {"MOORAGE_PORT": "x"},
        {"MOORAGE_MAX_STALENESS": "nan"},
        {"MOORAGE_JINJA": "perhaps"},
        {"MOORAGE_LOG_LEVEL": "loud"},
        {"MOORAGE_LOAD": "nowhere"},
        {"MOORAGE_LOAD": "/dev/null"},
    ],
    ids=str,
)
def test_serve_does_not_start_with_a_wrong_setting(folder: Path, settings: Mapping[str, str]) -> None:
    result = moorage_process("serve", folder=folder, settings=settings)

    assert result.returncode in (1, 2)
    assert result.stderr.splitlines()[-1]
    assert "unexpected" not in result.stderr


ARGUMENTS = [
    ("keys", "create", "x", "--expires", "0001-01-01T00:00+14:00"),
    ("keys", "create", "x", "--expires", "999999w"),
    ("keys", "create", "x", "--expires", "9" * 5_000 + "d"),
    ("keys", "create", "\x1b[2J"),
    ("keys", "create", "x", "--project", "\x1b[2J\nhidden"),
    ("keys", "create", "x", "--scope", "\x9b31m"),
    ("keys", "revoke", "\x1b]0;title\x07"),
    ("projects", "create", "\u202e\n"),
    ("projects", "create", "x" * 100_000),
    ("db", "purge", "--days", "9" * 5_000),
    ("db", "purge", "--days", "nan"),
    ("db", "copy", "--from", "sqlite:///\x1b.db", "--to", "\x9b"),
    ("db", "restore", "\x1b[2J"),
    ("deployments", "list", "--limit", "9" * 5_000),
    ("deployments", "list", "--limit", "\x1b[2J"),
    ("deployments", "get-config", "a", "--input", "\x1b[2J"),
    ("deployments", "get-config", "a", "--input", "a:=" + "[" * 100_000),
    ("deployments", "get-config", "a", "--context", "a:=1e999"),
    ("deployments", "get-config", "a", "--context", "a:=\x9b"),
    ("deployments", "show", "\x1b[2J"),
    ("deployments", "show", "\udcff"),
    ("deployments", "set-description", "a", "\udcff"),
    ("deployments", "set-aliases", "a", "\udcff"),
    ("deployments", "draft", "\x1b[2J.yaml"),
    ("deployments", "simulate", "/dev/null", "/dev/null"),
    ("apply", "\x1b[2J"),
    ("diff", "a\nb"),
    ("drift", "\x9b"),
    ("\x1b[2J",),
    ("--\x1b[2J",),
    ("deployments", "--\u202e"),
    ("completion", "\x1b"),
    ("lock", "--out", "\x1b[2J/x"),
    ("export", "/dev/null"),
    ("doctor", "--url", "\x1b[2J", "--database", "\x9b"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda arguments: ascii(" ".join(arguments))[:60])
def test_an_argument_causes_no_traceback_and_does_not_reach_the_terminal_as_it_is(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    create_database(folder)
    settings = {
        "MOORAGE_API_KEY": "mrg_any", "MOORAGE_URL": "http://127.0.0.1:1",
        "MOORAGE_DATABASE": f"sqlite:///{folder}/moorage.db",
    }  # fmt: skip

    result = moorage(*arguments, folder=folder, settings=settings)

    assert result.returncode in (1, 2), result.stdout
    assert "unexpected" not in result.stderr, result.stderr
    assert not re.search("[\x1b\x07\x9b\u202e\udcff]", result.stdout + result.stderr)
    assert len(result.stderr) < 3_000


def test_a_fault_shows_no_value(project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control of `unexpected` in other tests."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("Invalid header value b'Bearer mrg_hunter2'")

    monkeypatch.setattr("moorage.cli.http.HttpClient.send", fail)
    result = moorage("deployments", "list", folder=folder, project=project)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: unexpected ValueError, a fault of Moorage.")
    assert "hunter2" not in result.stderr


def test_text_that_the_encoding_of_the_output_does_not_have_is_escaped(project: Project, folder: Path) -> None:
    project.put("a")
    settings = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}

    shown = moorage_process(
        "deployments", "set-description", "a", "日本", folder=folder, project=project, settings=settings
    )

    assert (shown.returncode, shown.stdout) == (0, "a: \\u65e5\\u672c\n")


@pytest.mark.parametrize(
    "environment",
    [{"COLUMNS": "x"}, {"COLUMNS": "-1"}, {"COLUMNS": "²"}, {"TERM": "\x1b"}, {"COMP_CWORD": "x"}],
    ids=str,
)
def test_a_variable_of_the_terminal_causes_no_traceback(
    project: Project, folder: Path, environment: Mapping[str, str]
) -> None:
    done: subprocess.CompletedProcess[str] = moorage_process(
        "deployments", "list", folder=folder, project=project,
        settings={**environment, **({"_MOORAGE_COMPLETE": "bash_complete"} if "COMP_CWORD" in environment else {})},
    )  # fmt: skip

    assert done.returncode in (0, 1)
