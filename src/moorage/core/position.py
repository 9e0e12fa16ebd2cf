"""Positions in the change feed: a revision, and the epoch it counts in."""

import re

import msgspec

_FORM = re.compile(r"([0-9]{1,18})(?:\.([0-9A-Za-z-]{0,64}))?")


class Position(msgspec.Struct, frozen=True):
    """A position of a client that has received every change up to `rev`; `epoch` is None if it is unknown."""

    rev: int
    epoch: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Parse the output of `str`, or a revision alone.

        Raises:
            ValueError: the text is neither.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"not a position: {text[:200]!r}")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return str(self.rev) if self.epoch is None else f"{self.rev}.{self.epoch}"
