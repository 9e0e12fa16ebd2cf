"""Output: the rendered text of a template, with a limit on its size."""

from moorage.core.errors.templates import OutputTooLarge

#: The maximum size of everything rendered for one request, in bytes of UTF-8.
MAX_OUTPUT = 1_048_576


class Output:
    """The pieces of a rendered text; `missing` has the names without a value, in order."""

    def __init__(self, budget: int, *, keep_placeholders: bool) -> None:
        self.missing: dict[str, None] = {}
        self.size = 0
        self._budget = budget
        self._keep_placeholders = keep_placeholders
        self._pieces: list[str] = []

    def write(self, piece: str) -> None:
        """Add a piece.

        Raises:
            OutputTooLarge: it exceeds the budget.
        """
        size = len(piece) if piece.isascii() else len(piece.encode())
        self.require(size)
        self.size += size
        self._pieces.append(piece)

    def require(self, size: int) -> None:
        """Check that this number of bytes can still be written.

        Raises:
            OutputTooLarge: they exceed the budget.
        """
        if self.size + size > self._budget:
            raise OutputTooLarge(maximum=MAX_OUTPUT)

    def mark_missing(self, name: str, placeholder: str) -> str:
        """Record a name without an input, and return its replacement: the placeholder, or nothing."""
        self.missing[name] = None
        return placeholder if self._keep_placeholders else ""

    def text(self) -> str:
        """Return the text."""
        return "".join(self._pieces)
