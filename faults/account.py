"""Account: what was sent by those who write, and what they were told, for comparing it with what is there after."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from bench.kept import Kept, Marked


class Account:
    """Publishes on deployments, each with a mark of its own; `acknowledged` are those that were answered."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.acknowledged: defaultdict[str, list[Marked]] = defaultdict(list)

    def note_sent(self, key: str, mark: str) -> None:
        """It may be there from now on."""
        self.sent[key][mark] = None

    def note_acknowledged(self, key: str, published: Marked) -> None:
        """It must be there from now on."""
        self.acknowledged[key].append(published)

    def note_refused(self, key: str, mark: str) -> None:
        """It must not be there, then or later."""
        del self.sent[key][mark]

    def unanswered(self, key: str) -> list[str]:
        """The marks of what was sent on a deployment and not answered: it is there, or it is not."""
        answered = {published.mark for published in self.acknowledged[key]}
        return [mark for mark in self.sent[key] if mark not in answered]

    def count(self) -> int:
        """How many publishes were acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    def faults(self, key: str, kept: Kept) -> list[str]:
        """What is wrong with what is there of a deployment, in words: acknowledged and not there, there and never sent,
        there twice, a gap in the numbers of versions, a history that is not theirs."""
        found = kept.faults(self.acknowledged[key], len(self.unanswered(key)))
        known = self.sent[key]
        unknown = [f"{mark} was never sent" for _, mark in kept.versions if mark and mark not in known]
        return [f"{key}: {what}" for what in (*found.lost, *found.breaks, *unknown, *_repeated(kept))]


def _repeated(kept: Kept) -> Iterable[str]:
    times = Counter(published.mark for published in kept.versions)
    return (f"{mark} was done {times[mark]} times" for mark in sorted(times) if times[mark] > 1)
