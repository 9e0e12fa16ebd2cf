"""Merge keys: `<<: *name` inserts the fields of an object, or of several, into another one.

The rules are those of YAML 1.1. A field of the object itself wins, wherever it stands, and an earlier object of a list
wins over a later one. The fields are inserted at the place of the merge key, because the order of free JSON counts.
"""

from typing import Any, Final

import msgspec
import yaml


class _MergeKey:
    """The key of a merge; it equals no string, because a quoted `<<` is a field of this name."""

    def __repr__(self) -> str:
        return "<<"


MERGE: Final = _MergeKey()


class Merge(msgspec.Struct):
    """The merge of one object: the merge key's value with its event, until it is inserted; then the merged fields."""

    event: yaml.Event | None = None
    value: Any = None
    merged: set[Any] = msgspec.field(default_factory=set)

    def replaces(self, key: Any) -> bool:
        """Return whether a key of the object replaces a merged one. The second time, it is a duplicate."""
        is_merged = key in self.merged
        self.merged.discard(key)
        return is_merged

    def insert_into(self, target: dict[Any, Any]) -> bool:
        """Insert the fields of the value; return whether it is an object or a list of objects."""
        sources = self.value if isinstance(self.value, list) else [self.value]
        self.event = self.value = None
        for source in sources:
            if not isinstance(source, dict):
                return False
            new = {key: child for key, child in source.items() if key not in target}
            target.update(new)
            self.merged.update(new)
        return True
