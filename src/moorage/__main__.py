"""`python -m moorage` is the same program as `moorage`."""

from moorage.cli.main import main

main(prog_name="moorage")
