"""`python -m moorage` is the same program as `moorage`."""

from moorage.cli import main

main(prog_name="moorage")
