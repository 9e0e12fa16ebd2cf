"""Output: the rendered text of a template, and the limits of size and steps that the templates of a request share."""

from moorage.core.errors.templates import OutputTooLarge, TemplateLimitExceeded

#: The maximum size of everything rendered for one request, in bytes of UTF-8, in addition to the size of its inputs,
#: which can be pictures.
MAX_OUTPUT = 1_048_576

#: The maximum number of steps for one request: lookups, iterations and pieces of text. Nested sections over lists
#: multiply, even without any output. All steps take about 20 ms.
MAX_STEPS = 100_000


class RenderBudget:
    """The remaining bytes of output and steps of a request; its templates share them. `maximum` is the first `size`."""

    __slots__ = ("maximum", "size", "steps")

    def __init__(self, size: int = MAX_OUTPUT, steps: int = MAX_STEPS) -> None:
        self.maximum = size
        self.size = size
        self.steps = steps

    def spend_step(self) -> None:
        """Count one step.

        Raises:
            TemplateLimitExceeded
        """
        self.steps -= 1
        if self.steps < 0:
            raise TemplateLimitExceeded(
                engine="mustache", reason=f"the templates of one request take more than {MAX_STEPS} steps"
            )


class Output:
    """The pieces of a rendered text; `missing` has the names without a value, in order."""

    def __init__(self, budget: RenderBudget, *, keep_placeholders: bool) -> None:
        self.missing: dict[str, None] = {}
        self.budget = budget
        self._keep_placeholders = keep_placeholders
        self._pieces: list[str] = []

    def write(self, piece: str) -> None:
        """Add a piece.

        Raises:
            OutputTooLarge: it exceeds the budget.
        """
        size = len(piece) if piece.isascii() else len(piece.encode())
        self.require(size)
        self.budget.size -= size
        self._pieces.append(piece)

    def require(self, size: int) -> None:
        """Check that this number of bytes can still be written.

        Raises:
            OutputTooLarge: they exceed the budget.
        """
        if size > self.budget.size:
            raise OutputTooLarge(maximum=self.budget.maximum)

    def mark_missing(self, name: str, placeholder: str) -> str:
        """Record a name without an input, and return its replacement: the placeholder, or nothing."""
        self.missing[name] = None
        return placeholder if self._keep_placeholders else ""

    def text(self) -> str:
        """Return the text."""
        return "".join(self._pieces)
