"""The results of `moorage db check`."""

import msgspec

#: The number of findings of one check that are kept; more are only counted.
_KEPT = 1_000


class CheckResult(msgspec.Struct, frozen=True):
    """The subject of a check, and every violation; `head` is the head of the history, in the result about it."""

    subject: str
    findings: list[str]
    head: str = ""


class BoundedFindings:
    """The first findings of a check, and the number of all others. A damaged database can have millions."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._more = 0

    def add(self, text: str) -> None:
        """Add a finding."""
        if len(self._texts) < _KEPT:
            self._texts.append(text)
        else:
            self._more += 1

    def texts(self) -> list[str]:
        """Return the findings, the last one with the number of the others."""
        return [*self._texts, f"{self._more:,} more"] if self._more else self._texts
