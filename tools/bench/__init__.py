"""Benchmarks of Moorage, and their page docs/benchmarks.md: `python -m tools.bench`."""
