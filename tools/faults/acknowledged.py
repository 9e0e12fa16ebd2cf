"""Log of the publishes that clients sent, for comparison with the stored versions."""

from collections import Counter, defaultdict

from tools.common.stored import MarkedVersion, StoredVersions


class Acknowledged:
    """Publishes by deployment, each with its own marker: all that were sent, and those with an acknowledgement."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.versions: defaultdict[str, list[MarkedVersion]] = defaultdict(list)

    def add_sent(self, key: str, marker: str) -> None:
        """Record that a publish can be stored from now on."""
        self.sent[key][marker] = None

    def add_acknowledged(self, key: str, version: MarkedVersion) -> None:
        """Record that a publish must be stored from now on."""
        self.versions[key].append(version)

    def add_rejected(self, key: str, marker: str) -> None:
        """Record that a publish must never be stored."""
        del self.sent[key][marker]

    def unacknowledged(self, key: str) -> list[str]:
        """Return the markers of publishes without an acknowledgement, which can be stored or not."""
        acknowledged = {version.marker for version in self.versions[key]}
        return [marker for marker in self.sent[key] if marker not in acknowledged]

    def count(self) -> int:
        """Return the number of acknowledged publishes."""
        return sum(map(len, self.versions.values()))

    def violations(self, key: str, stored: StoredVersions) -> list[str]:
        """Return lost, unknown and duplicated publishes, and errors in version numbers and history."""
        found = stored.violations(self.versions[key], len(self.unacknowledged(key)))
        sent = self.sent[key]
        unknown = [f"{marker} was never sent" for _, marker in stored.versions if marker and marker not in sent]
        times = Counter(version.marker for version in stored.versions)
        duplicated = [f"{marker} was published {times[marker]} times" for marker in sorted(times) if times[marker] > 1]
        return [f"{key}: {violation}" for violation in (*found.lost, *found.broken, *unknown, *duplicated)]
