"""Measurements of Moorage, and the page that shows them (docs/benchmarks.md): `python -m bench`."""
