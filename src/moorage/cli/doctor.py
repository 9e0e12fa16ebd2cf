"""`moorage doctor`: find problems and show their fixes, without changing anything."""

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import click
import msgspec

from moorage import __version__
from moorage.cli.error_responses import ErrorReply
from moorage.cli.http import BrokenResponse, HttpClient, InvalidServerUrl, NoResponse
from moorage.cli.options import output_option
from moorage.cli.output import echo, one_line, print_data, wrapped
from moorage.cli.responses import ApiDescription, Health
from moorage.cli.serve import serve
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.diagnostics.finding import Finding, State
from moorage.diagnostics.run import diagnose
from moorage.diagnostics.settings import conflicting_settings, unknown_settings
from moorage.settings import SETTINGS, SettingError, from_environment

_COLORS: dict[State, str] = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@click.option("--database", help="The database to check.  [default: MOORAGE_DATABASE]")
@click.option("--url", help="The server to check.  [default: MOORAGE_URL]")
@output_option
@click.pass_context
def doctor(ctx: click.Context, database: str | None, url: str | None, output: str) -> None:
    """Find problems and show their fixes.

    Checks the settings, the database, the stored values and the server. With a problem, the exit code is 1. The command
    changes nothing: it does not create a missing SQLite file, and does not upgrade an older database.
    """
    findings: list[Finding] = []
    for finding in _diagnose_all(database, url):
        findings.append(finding)
        if output == "table":
            _print(finding)
    if output != "table":
        print_data(findings, output)
    ctx.exit(any(finding.state == "problem" for finding in findings))


def _print(finding: Finding) -> None:
    fix = f" — {finding.fix}" if finding.fix else ""
    echo(f"{finding.state:8}", fg=_COLORS[finding.state], nl=False)
    echo(f"\n{' ' * 8}".join(wrapped(f"{finding.subject}  — {finding.finding}{fix}", 8)))


def _diagnose_all(database: str | None, url: str | None) -> Iterator[Finding]:
    values: dict[str, str | None] = {}
    problems = []
    for name, setting in SETTINGS.items():
        try:
            values[name] = from_environment(name)
        except SettingError as error:
            variable = setting.variable + ("_FILE" if os.environ.get(f"{setting.variable}_FILE") else "")
            problems.append(Finding("problem", "settings", str(error), f"correct {variable}, or unset it"))
            values[name] = None
    values["database"] = database or values["database"]
    problems += [*_invalid_values(values), *_file_findings(values)]
    problems += [*conflicting_settings(values), *unknown_settings(os.environ)]
    yield from problems or [Finding("ok", "settings", "the settings are valid and do not conflict")]
    if values["database"]:
        yield from diagnose(values["database"], values["database_listen"], _secret_keys(values))
    if url := url or values["url"]:
        yield from _server_findings(url, values["api_key"])


def _secret_keys(values: dict[str, str | None]) -> SecretKeys:
    try:
        return SecretKeys.parse(values["secret_key"])
    except ValueError:
        return NO_KEYS  # the value has its own finding


def _invalid_values(values: dict[str, str | None]) -> Iterator[Finding]:
    """Yield a finding for each setting of the environment that `moorage serve` rejects."""
    try:
        SecretKeys.parse(values["secret_key"])
    except ValueError as error:
        yield Finding("problem", "settings", f"MOORAGE_SECRET_KEY: {error}", "create a key with: openssl rand -hex 32")
    try:
        serve.make_context("serve", [])
    except click.BadParameter as error:
        setting = SETTINGS[str(error.param and error.param.name)]
        fix = f"set {setting.variable} to a valid value: {setting.help}"
        yield Finding("problem", "settings", f"{setting.variable}: {error.message}", fix)
    except click.ClickException:
        return  # a setting that cannot be read has its own finding


def _file_findings(values: dict[str, str | None]) -> Iterator[Finding]:
    """Yield the findings about the files that the settings name."""
    load = values["load"]
    if load and not Path(load).exists():
        text = f"MOORAGE_LOAD: {load} does not exist"
        yield Finding("problem", "settings", text, "correct MOORAGE_LOAD, or unset it")
    for setting in SETTINGS.values():
        file = os.environ.get(f"{setting.variable}_FILE") if setting.is_secret else None
        if file and Path(file).is_file() and _can_be_protected(Path(file).stat()):
            text = f"every user can read the secret in {file}"
            yield Finding("warning", "settings", text, f"chmod 600 {quote(file)}")


def _can_be_protected(file: os.stat_result) -> bool:
    """Return whether every user can read a file, and this user can change that.

    In a container, secrets often belong to a user of the host.
    """
    return bool(file.st_mode & 0o004) and os.geteuid() in (0, file.st_uid)


def _server_findings(url: str, api_key: str | None) -> Iterator[Finding]:
    """Yield the findings about the server at `url`, and about the API key."""
    try:
        http = HttpClient(url)
    except InvalidServerUrl as error:
        text = f"MOORAGE_URL is not a valid server URL: {error}"
        yield Finding("problem", "server", text, "set MOORAGE_URL=http://HOST:PORT")
        return
    try:
        ready = http.send("GET", "/health/ready")
        health = msgspec.json.decode(ready.body, type=Health)
        described = msgspec.json.decode(http.send("GET", "/openapi.json").body, type=ApiDescription)
        yield _health_finding(http.url, ready.status, one_line(health.status))
        yield _version_finding(one_line(described.info.version))
        yield _api_key_finding(http, api_key)
    except (BrokenResponse, msgspec.MsgspecError, ValueError, RecursionError):
        text = f"{http.url} is not a Moorage server"
        yield Finding("problem", "server", text, "set MOORAGE_URL to the address of a Moorage server")
    except NoResponse as error:
        text = f"{http.url} is unreachable ({error})"
        fix = "moorage serve, or set MOORAGE_URL if the server is elsewhere"
        yield Finding("warning", "server", text, fix)


def _health_finding(shown: str, status: int, health: str) -> Finding:
    if health == "ready":
        return Finding("ok", "server", f"{shown} is ready")
    state: State = "warning" if status == 200 else "problem"
    return Finding(state, "server", f"{shown} is {health}", "see the log of the server, and the line `database` above")


def _version_finding(version: str) -> Finding:
    if version == __version__:
        return Finding("ok", "version", f"the server and this program have version {version}")
    text = f"the server has version {version}, and this program has version {__version__}"
    return Finding("warning", "version", text, "install the same version for both, and restart the server")


def _api_key_finding(http: HttpClient, api_key: str | None) -> Finding:
    create = "export MOORAGE_API_KEY=$(moorage keys create NAME)"
    if not api_key:
        text = "MOORAGE_API_KEY is not set, so the command line cannot use the server"
        return Finding("warning", "API key", text, create)
    response = http.send("GET", "/v2/deployments?limit=1", headers={"Authorization": f"Bearer {api_key}"})
    if response.status == 200:
        return Finding("ok", "API key", "accepted")
    message = one_line(msgspec.json.decode(response.body, type=ErrorReply).error.message, 1_000)
    if response.status == 403:
        return Finding("ok", "API key", f"accepted; {message}")
    fix = create if response.status == 401 else "see the log of the server"
    return Finding("problem", "API key", f"the server returns {response.status}: {message}", fix)
