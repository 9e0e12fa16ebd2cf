"""All deployments of a server in the form of files."""

import msgspec

from moorage.cli.client import Client
from moorage.cli.environment_options import environment_of
from moorage.cli.output import echo
from moorage.cli.responses import ManifestPage, UnreadableItem
from moorage.core.deployments.manifest import Manifest
from moorage.core.environments import PRODUCTION
from moorage.core.escaping import visible_line


class Manifests(msgspec.Struct, frozen=True):
    """The deployments of an environment in the form of files, by key, and those that cannot be decoded, by id."""

    by_key: dict[str, Manifest]
    unreadable: dict[str, UnreadableItem]
    environment: str = PRODUCTION

    def report(self) -> bool:
        """Print the deployments that the server cannot decode; return whether there are any."""
        for each in self.unreadable.values():
            echo(f"Left out: {visible_line(each.message, 1_000)}", err=True)
        if self.unreadable:
            echo("To find out what was changed, on the server: moorage db check", err=True)
        return bool(self.unreadable)


def read_manifests(client: Client, environment: str | None = None) -> Manifests:
    """Return all deployments of an environment in the form of files."""
    found = Manifests({}, {})
    for page in client.pages("/v2/manifests", ManifestPage, environment=environment):
        found = msgspec.structs.replace(found, environment=environment_of(page))
        found.by_key.update({item.key: item for item in page.value.data})
        found.unreadable.update({each.id: each for each in page.value.unreadable})
    return found
