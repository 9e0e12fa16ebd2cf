"""`moorage pull`: the live versions of a server's deployments as a lockfile, for applications when it is away."""

from pathlib import Path

import click
import msgspec

from moorage.cli.client import Client
from moorage.cli.options import setting

#: What changes without anything that is served.
_LEFT_OUT = ("epoch", "revision")


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default="deployments.lock.json", show_default=True,
    help="The lockfile.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the lockfile is not as the server is.")
@setting("url")
def pull(out: Path, check: bool, url: str) -> None:
    """Write the live versions of all deployments to a lockfile.

    `moorage.client` answers from it when neither the server nor its cache is there. The same versions are the same
    bytes, so it can be kept with the code. There is no date in it: its age, as the client tells it, is
    the seconds since the file was written where the application runs, which for a checkout is the checkout.
    """
    bundle = Client.from_environment(url).get("/v2/deployments/snapshot").value
    said = {name: value for name, value in bundle.items() if name not in _LEFT_OUT}
    text = msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"
    count = len(bundle["deployments"])
    is_current = out.exists() and out.read_bytes() == text
    if check and not is_current:
        raise click.ClickException(f"{out} is not as the server is. To write it anew: moorage pull --out {out}")
    if not is_current:
        part = out.with_name(f".{out.name}.part")
        part.write_bytes(text)
        part.replace(out)
    click.echo(f"{out}: {count} deployments, {'unchanged' if is_current else 'written'}.")
