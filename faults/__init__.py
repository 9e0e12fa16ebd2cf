"""Faults, put in on purpose, and the page that tells what came of them (docs/reliability.md): `python -m faults`."""
