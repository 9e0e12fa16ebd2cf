"""Counts words that the style guide replaces, per 10,000 words of prose: `python -m tools.word_counts [FOLDER]`.

Prose is README, CONTRIBUTING, CHANGELOG, the pages of docs, and the docstrings and comments of src, without code. The
limits are a fifth of the counts of commit f3fa2598e.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import msgspec

#: Name, pattern, and limit per 10,000 words.
PATTERNS = (
    ("what is, what was", r"what (?:\w+ )?(?:is|was)", 76 / 5),
    ("keep", r"keeps?|kept|keeping", 50 / 5),
    ("ask", r"asks?|asked|asking", 29 / 5),
    ("tell", r"tells?|told", 22 / 5),
    ("whoever", r"whoever", 10 / 5),
    ("go on", r"(?:go|goes|going|went|gone) on", 10.5 / 5),
    ("beside", r"beside", 10 / 5),
    ("mend", r"mend(?:s|ed|ing)?", 2.4 / 5),
)

_CODE = re.compile(r"```.*?```|^    .*?$|`[^`]*`", re.DOTALL | re.MULTILINE)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Count(msgspec.Struct, frozen=True):
    """Occurrences of a word per 10,000 words, and their limit."""

    word: str
    per_10_000: float
    limit: float


def count(folder: Path) -> list[Count]:
    """Count the words in the prose of a checkout."""
    pages = [folder / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    pages += sorted((folder / "docs").rglob("*.md"))
    texts = [_CODE.sub(" ", page.read_text()) for page in pages]
    texts += [re.sub(r"`[^`]*`", " ", text) for file in sorted((folder / "src").rglob("*.py")) for text in _prose(file)]
    text = "\n".join(texts)
    total = len(re.findall(r"[A-Za-z][\w'-]*", text))
    return [
        Count(word, len(re.findall(rf"\b(?:{pattern})\b", text, re.IGNORECASE)) * 1e4 / total, limit)
        for word, pattern, limit in PATTERNS
    ]


def _prose(file: Path) -> Iterator[str]:
    """Yield the docstrings and comments of a module."""
    source = file.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def main() -> None:
    """Print the counts."""
    print(f"{'word':<20}{'per 10,000 words':>18}{'limit':>8}")
    for found in count(Path(sys.argv[1] if len(sys.argv) > 1 else ".")):
        mark = "" if found.per_10_000 <= found.limit else "  above"
        print(f"{found.word:<20}{found.per_10_000:>18.1f}{found.limit:>8.2f}{mark}")


if __name__ == "__main__":
    main()
