"""Output: the text that comes out of a template, piece by piece, with a bound on its size."""

from moorage.core.errors.templates import OutputTooLarge

#: How large all that is rendered for one request may be, in bytes of UTF-8.
MAX_OUTPUT = 1_048_576


class Output:
    """Collects pieces. `missing` has the names without a value, each once, in order."""

    def __init__(self, budget: int, *, keep: bool) -> None:
        self.missing: dict[str, None] = {}
        self.size = 0
        self._room = budget
        self._keep = keep
        self._pieces: list[str] = []

    def write(self, piece: str) -> None:
        """Add a piece as it is.

        Raises:
            OutputTooLarge: there is no room for it.
        """
        size = len(piece) if piece.isascii() else len(piece.encode())
        self.require(size)
        self.size += size
        self._pieces.append(piece)

    def require(self, size: int) -> None:
        """Say that so many bytes more will be written.

        Raises:
            OutputTooLarge: there is no room for them.
        """
        if self.size + size > self._room:
            raise OutputTooLarge(maximum=MAX_OUTPUT)

    def mark_missing(self, name: str, placeholder: str) -> str:
        """Note that there is no input of that name. Return the replacement: the placeholder, or nothing."""
        self.missing[name] = None
        return placeholder if self._keep else ""

    def text(self) -> str:
        """All pieces together."""
        return "".join(self._pieces)
