"""`moorage lock`: write the live versions to a lockfile, for applications that cannot reach the server."""

from pathlib import Path
from urllib.parse import unquote

import click
import msgspec

from moorage.cli.client import Client
from moorage.cli.environment_options import environment_option, in_environment
from moorage.cli.errors import DIFFERENT
from moorage.cli.options import setting
from moorage.cli.output import echo, one_line, pluralize
from moorage.cli.responses import SnapshotReply
from moorage.core.environments import PRODUCTION
from moorage.files import has_content, write_file

_DEFAULT = "deployments.lock.json"

#: Fields that change although no live version of the environment does.
_OMITTED = ("epoch", "revision", "environments")


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=_DEFAULT, show_default=True,
    help="The lockfile.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Only check: exit with code 2 if the lockfile is out of date.")
@environment_option
@setting("url")
def lock(out: Path, check: bool, environment: str | None, url: str) -> None:
    """Write all live versions to a lockfile.

    `moorage.client` uses the lockfile when neither the server nor its disk cache is available. Equal versions give
    equal bytes, so the file can be committed. It has no date: the age that the client reports counts from when the
    file was written on the machine of the application, which is the time of a checkout.

    The lockfile has the versions of one environment. Clients of another environment reject it.
    """
    reply = Client.from_environment(url).get("/v2/deployments/snapshot", SnapshotReply, environment=environment)
    # Production is omitted, so that the lockfile of a project without other environments stays as it is.
    omitted = (*_OMITTED, "environment") if reply.value.environment == PRODUCTION else _OMITTED
    fields = {name: value for name, value in reply.plain().items() if name not in omitted}
    unreadable = unquote(reply.find_header("X-Moorage-Unreadable") or "")
    text = msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"
    is_current = has_content(out, text)
    is_outdated = check and not is_current
    if not is_current and not check:
        write_file(out, text)
    count = pluralize(len(reply.value.deployments), "deployment")
    if is_outdated:
        command = "moorage lock" if str(out) == _DEFAULT else f"moorage lock --out {out}"
        command += in_environment(environment)
        echo(f"{out} is out of date. Run: {command}", err=True)
    else:
        echo(f"{out}: {count}, {'unchanged' if is_current else 'written'}.")
    if unreadable:
        raise click.ClickException(
            f"The server cannot decode the current version of: {one_line(unreadable, 1_000)}. "
            "The lockfile does not have it.\nTo find out what was changed, on the server: moorage db check"
        )
    if is_outdated:
        raise click.exceptions.Exit(DIFFERENT)
