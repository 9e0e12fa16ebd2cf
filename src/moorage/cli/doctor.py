"""`moorage doctor`: find problems and name their fixes, without changing anything."""

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import click
import msgspec
import urllib3

from moorage import __version__
from moorage.cli.client import error_text
from moorage.cli.options import output_option
from moorage.cli.output import one_line, print_data
from moorage.cli.serve import serve
from moorage.diagnostics.finding import Finding, State
from moorage.diagnostics.run import examine
from moorage.diagnostics.settings import conflicting_settings, unknown_settings
from moorage.settings import SETTINGS, SettingError, from_environment

_COLOURS: dict[State, str] = {"ok": "green", "warning": "yellow", "problem": "red"}

#: The settings whose value nobody else should read.
_SECRETS = ("database", "database_listen", "api_key")

_TIMEOUT = urllib3.Timeout(connect=5, read=15)


@click.command()
@click.option("--database", help="The database to look at; MOORAGE_DATABASE if it is left out.")
@click.option("--url", help="The server to ask; MOORAGE_URL if it is left out.")
@output_option
@click.pass_context
def doctor(ctx: click.Context, database: str | None, url: str | None, output: str) -> None:
    """Look at the settings, the database, what is stored in it and the server; exit code 1 if there is a problem.

    Nothing is changed: a file that is not there is not made, and an older database is not upgraded.
    """
    found: list[Finding] = []
    for finding in _examine(database, url):
        found.append(finding)
        if output == "table":
            _print(finding)
    if output != "table":
        print_data(found, output)
    ctx.exit(any(finding.state == "problem" for finding in found))


def _print(finding: Finding) -> None:
    fix = f" — {finding.fix}" if finding.fix else ""
    click.secho(f"{finding.state:8}", fg=_COLOURS[finding.state], nl=False)
    click.echo(one_line(f"{finding.what}  — {finding.finding}{fix}", 10_000))


def _examine(database: str | None, url: str | None) -> Iterator[Finding]:
    values: dict[str, str | None] = {}
    problems = []
    for name, row in SETTINGS.items():
        try:
            values[name] = from_environment(name)
        except SettingError as error:
            problems.append(Finding("problem", "settings", str(error), f"put {row.variable}_FILE right, or unset it"))
            values[name] = None
    values["database"] = database or values["database"]
    problems += [*_of_values(), *_of_files(values), *conflicting_settings(values), *unknown_settings(os.environ)]
    yield from problems or [Finding("ok", "settings", "go together")]
    if values["database"]:
        yield from examine(values["database"], values["database_listen"])
    if url := url or values["url"]:
        yield from _of_server(url, values["api_key"])


def _of_values() -> Iterator[Finding]:
    """Whether `moorage serve` takes the settings of the environment."""
    try:
        serve.make_context("serve", [])
    except click.BadParameter as error:
        row = SETTINGS[str(error.param and error.param.name)]
        yield Finding("problem", "settings", f"{row.variable}: {error.message}", f"{row.variable}: {row.help}")
    except click.ClickException:
        return  # reported as an invalid setting


def _of_files(values: dict[str, str | None]) -> Iterator[Finding]:
    """The files that settings name."""
    load = values["load"]
    if load and not Path(load).exists():
        yield Finding("problem", "settings", f"there is no {load} to load", "MOORAGE_LOAD, or unset it")
    for name in _SECRETS:
        file = os.environ.get(f"{SETTINGS[name].variable}_FILE")
        if file and Path(file).is_file() and _could_be_closed(Path(file).stat()):
            text = f"every user may read the secret in {file}"
            yield Finding("warning", "settings", text, f"chmod 600 {quote(file)}")


def _could_be_closed(file: os.stat_result) -> bool:
    """Whether every user may read it, and this one may change that: who runs a container decides on its secrets."""
    return bool(file.st_mode & 0o004) and os.geteuid() in (0, file.st_uid)


def _of_server(url: str, api_key: str | None) -> Iterator[Finding]:
    """Yield the findings about the server at `url`, and about the API key."""
    try:
        parts = urllib3.util.parse_url(url := url.rstrip("/"))
    except urllib3.exceptions.LocationParseError:
        parts = urllib3.util.Url()
    shown = parts._replace(auth=None).url
    if parts.scheme not in ("http", "https") or not parts.host:
        text = f"MOORAGE_URL is no address of a server: {shown or url.rpartition('@')[2]}"
        yield Finding("problem", "server", text, "MOORAGE_URL=http://HOST:PORT")
        return
    with urllib3.PoolManager(timeout=_TIMEOUT, retries=False) as pool:
        try:
            status, health = _get(pool, f"{url}/health/ready")
            _, document = _get(pool, f"{url}/openapi.json")
            if not isinstance(health, dict) or "status" not in health or not isinstance(document, dict):
                text = f"{shown} answers, and not as Moorage does"
                yield Finding("problem", "server", text, "set MOORAGE_URL to the address of a Moorage server")
                return
            yield _of_health(shown, status, str(health["status"]))
            yield _of_version(str(document.get("info", {}).get("version")))
            yield _of_key(pool, url, api_key)
        except urllib3.exceptions.HTTPError as error:
            text = f"there is no answer from {shown} ({error_text(error)})"
            yield Finding("warning", "server", text, "moorage serve, or MOORAGE_URL if it is elsewhere")


def _of_health(shown: str, status: int, health: str) -> Finding:
    if health == "ready":
        return Finding("ok", "server", f"{shown} is ready")
    state: State = "warning" if status == 200 else "problem"
    return Finding(state, "server", f"{shown} is up, and {health}", "its log says why; see database above")


def _of_version(version: str) -> Finding:
    if version == __version__:
        return Finding("ok", "version", f"{version}, as this program")
    text = f"the server is Moorage {version}, and this program {__version__}"
    return Finding("warning", "version", text, "install one version on both, and start the server again")


def _of_key(pool: urllib3.PoolManager, url: str, api_key: str | None) -> Finding:
    if not api_key:
        text = "MOORAGE_API_KEY is not set, so the command line cannot use the server"
        return Finding("warning", "API key", text, "export MOORAGE_API_KEY=$(moorage keys create NAME)")
    status, answer = _get(pool, f"{url}/v2/deployments?limit=1", Authorization=f"Bearer {api_key}")
    if status == 200:
        return Finding("ok", "API key", "accepted")
    message = answer.get("message") if isinstance(answer, dict) else None
    if status == 403:
        return Finding("ok", "API key", f"accepted; {message}")
    fix = "export MOORAGE_API_KEY=$(moorage keys create NAME)" if status == 401 else "the log of the server says why"
    return Finding("problem", "API key", f"the server answers {status}: {message}", fix)


def _get(pool: urllib3.PoolManager, url: str, **headers: str) -> tuple[int, Any]:
    """The status of an answer, and its JSON; None if it has none."""
    answer = pool.request("GET", url, headers=headers, redirect=False)
    try:
        return answer.status, msgspec.json.decode(answer.data)
    except msgspec.DecodeError:
        return answer.status, None
