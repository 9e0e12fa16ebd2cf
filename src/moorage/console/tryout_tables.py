"""The tables of answers: vectors and their similarity, documents by relevance, and categories of harm."""

import math
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any, Final

import msgspec

#: So many numbers of a vector, and documents or categories, are shown.
_NUMBERS: Final = 4
_MAX_ROWS: Final = 200

#: A cell has at most so many characters of a text.
_MAX_TEXT: Final = 300


class Table(msgspec.Struct, frozen=True):
    """A table: its caption, the heads of its columns, and its rows, whose first cell is their head."""

    caption: str
    heads: list[str]
    rows: list[list[str]]
    more: str = ""


def vectors(found: Sequence[Sequence[float]], texts: Sequence[str] | str) -> list[Table]:
    """Return the tables of vectors, and of the cosines of the angles between them if there are several."""
    given = [texts] if isinstance(texts, str) else list(texts)
    rows = [
        [_named(index, given), f"{len(vector):,}", ", ".join(f"{number:.4f}" for number in vector[:_NUMBERS])]
        for index, vector in enumerate(found)
    ]
    tables = [Table("Vectors", ["Text", "Dimensions", "First numbers"], rows)]
    if len(found) > 1:
        numbers = [str(index + 1) for index in range(len(found))]
        lengths = [math.sqrt(_product(each, each)) for each in found]
        cosines = [
            [number, *[_cosine(vector, other, length * size) for other, size in zip(found, lengths, strict=True)]]
            for number, vector, length in zip(numbers, found, lengths, strict=True)
        ]
        tables.append(Table("Cosine similarity", ["Text", *numbers], cosines))
    return tables


def ranks(results: Sequence[Mapping[str, Any]], documents: Sequence[str]) -> Table:
    """Return the table of documents, the most relevant first."""
    ordered = sorted(results, key=lambda each: -each["relevance_score"])
    rows = [
        [f"{each['relevance_score']:.4f}", str(each["index"] + 1), _short(documents[each["index"]])]
        for each in ordered[:_MAX_ROWS]
    ]
    return Table("Documents by relevance", ["Score", "Line", "Document"], rows, _more(len(ordered), "documents"))


def categories(result: Mapping[str, Any]) -> Table:
    """Return the table of the categories of a text: the flagged ones first, then by score."""
    flags, scores = result["categories"], result["category_scores"]
    ordered = sorted(flags, key=lambda name: (not flags[name], -scores.get(name, 0.0)))
    rows = [
        [_short(name), "flagged" if flags[name] else "no", f"{scores[name]:.4f}" if name in scores else ""]
        for name in ordered[:_MAX_ROWS]
    ]
    caption = "The text is flagged" if result["flagged"] else "The text is not flagged"
    return Table(caption, ["Category", "Flagged", "Score"], rows, _more(len(ordered), "categories"))


def _named(index: int, texts: Sequence[str]) -> str:
    text = _short(texts[index]) if index < len(texts) else "the messages"
    return f"{index + 1}: {text}"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} …"


def _more(count: int, what: str) -> str:
    return f"{count - _MAX_ROWS:,} more {what} are not shown." if count > _MAX_ROWS else ""


def _cosine(first: Sequence[float], second: Sequence[float], lengths: float) -> str:
    """Return the cosine of the angle between two vectors; nothing if they cannot be compared."""
    if len(first) != len(second) or not 0 < lengths < math.inf:
        return ""
    return f"{_product(first, second) / lengths:.3f}"


def _product(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(map(mul, first, second), 0.0)
