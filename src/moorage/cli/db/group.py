"""`moorage db`: back up, restore, copy, check and purge the database."""

import click

from moorage.cli.db.authenticate import authenticate
from moorage.cli.db.backup import backup
from moorage.cli.db.check import check
from moorage.cli.db.copy import copy
from moorage.cli.db.purge import purge
from moorage.cli.db.reset_clock import reset_clock
from moorage.cli.db.restore import restore
from moorage.cli.groups import Group


@click.group(cls=Group)
def db() -> None:
    """Back up, check and move the database."""


for _command in (backup, restore, copy, check, purge, authenticate, reset_clock):
    db.add_command(_command)
