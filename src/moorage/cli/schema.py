"""`moorage schema`: the JSON Schema of deployment files, for editors."""

import click

from moorage.cli.output import print_data
from moorage.documents.schema import file_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of deployment files.

    With it, editors complete fields and mark mistakes while you write. Save it, and name it in the first line of a
    file:

    \b
        moorage schema > deployment.schema.json
        # yaml-language-server: $schema=deployment.schema.json
    """
    print_data(file_schema(), "json")
