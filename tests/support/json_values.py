"""Hypothesis strategies for JSON values."""

from typing import Any

from hypothesis import strategies as st

#: Any text that JSON and a database can contain.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)

VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)

#: Names that a placeholder of every engine can have; none is a keyword of an engine.
NAMES = st.sampled_from(["name", "customer", "_x", "first_name", "Größe", "x1"])
