"""The choices of a response in the APIs that follow OpenAI: how many there are, and which of a stream are open."""

from collections.abc import Iterable

from moorage.providers.decoding import MAX_ITEMS
from moorage.providers.errors import MalformedResponse


class ChoiceParser:
    """The part that the parsers of one stream have in common.

    It is complete at `[DONE]`, or when all choices have a finish reason: some providers do not send `[DONE]`.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self._open: set[int] = set()

    def update(self, index: int, *, has_ended: bool) -> None:
        """Record a part of a choice.

        Raises:
            MalformedResponse: too many choices are open.
        """
        if has_ended:
            self._open.discard(index)
            self.is_complete = self.is_complete or not self._open
        elif not self.is_complete:
            self._open.add(index)
            if len(self._open) > MAX_ITEMS:
                raise MalformedResponse("it has too many choices")


def check_indexes(indexes: Iterable[int]) -> None:
    """Raise `MalformedResponse` if the index of a choice is out of range."""
    if not all(0 <= index < MAX_ITEMS for index in indexes):
        raise MalformedResponse("the index of a choice is out of range")
