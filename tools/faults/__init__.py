"""Fault injection, and its page docs/reliability.md: `python -m tools.faults`."""
