"""`moorage login` and `moorage logout`: the server and the API key that commands use by default."""

import ipaddress
import sys
from urllib.parse import urlsplit

import click

from moorage.cli.client import Client
from moorage.cli.errors import ApiError
from moorage.cli.output import echo
from moorage.cli.profile import Profile, profile_path, write_profile
from moorage.cli.responses import DeploymentRow, Page
from moorage.core.escaping import visible_line
from moorage.settings import SETTINGS, SettingError, find_mistake, from_environment


@click.command()
@click.argument("url")
def login(url: str) -> None:
    """Store the URL of a server and an API key in a profile.

    The key is that of MOORAGE_API_KEY, or is read from the terminal or standard input. Only you can read the profile.
    MOORAGE_URL and MOORAGE_API_KEY take precedence. `moorage logout` deletes the profile.
    """
    api_key = _read_api_key()
    client = Client(url, api_key)
    try:
        client.get("/v2/deployments", Page[DeploymentRow], limit=1)
    except ApiError as error:
        if error.code != "insufficient_scope":
            raise
    path = write_profile(Profile(url.rstrip("/"), api_key))
    echo(f"Commands now use {client.url}, with the API key in {visible_line(path)}.")
    if _is_unprotected(url):
        echo("This URL has no TLS: everybody on the way can read the API key. Use https://.", err=True)


@click.command()
def logout() -> None:
    """Delete the profile of `moorage login`."""
    path = profile_path()
    try:
        path.unlink()
    except FileNotFoundError:
        echo("There is no profile.")
    else:
        echo(f"Deleted {visible_line(path)}. The API key is still valid: moorage keys revoke NAME revokes it.")


def _read_api_key() -> str:
    try:
        api_key = from_environment("api_key")
    except SettingError as error:
        raise click.ClickException(str(error)) from error
    if not api_key:
        is_terminal = sys.stdin.isatty()
        text = click.prompt("API key", hide_input=True, err=True) if is_terminal else sys.stdin.readline(65_536)
        api_key = text.strip()
    if mistake := find_mistake(SETTINGS["api_key"], api_key):
        raise click.ClickException(f"API key: {mistake}")
    return api_key


def _is_unprotected(url: str) -> bool:
    """Return whether an API key is sent over a network without TLS."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost"
    return parts.scheme == "http" and not is_local
