"""The recording of file operations restores the files that a power cut can leave."""

import random
from pathlib import Path

import pytest

from tools.common.stored import MarkedVersion
from tools.faults.recording import Delete, Event, Fate, Recording, Sync, Write


@pytest.mark.parametrize("fate", list(Fate))
def test_a_power_cut_preserves_synced_content_and_can_lose_unsynced_content(fate: Fate, folder: Path) -> None:
    old, new = b"o" * 2_048, b"n" * 2_048
    recording = Recording([Write("a", 0, old), Sync("a"), Write("a", 0, new)])
    found = set()
    for seed in range(50):
        recording.restore(3, fate, random.Random(seed), folder)
        found.add((folder / "a").read_bytes())

    assert recording.restore(2, fate, random.Random(0), folder) == 0
    assert (folder / "a").read_bytes() == old
    if fate is Fate.DROPPED:
        assert found == {old}
    elif fate is Fate.HALF:
        assert found == {old, new}
    else:
        assert len(found) > 4, "combinations of four sectors"
        sectors = {content[offset : offset + 512] for content in found for offset in range(0, 2_048, 512)}
        assert sectors == {old[:512], new[:512]}


def test_a_deletion_is_permanent_after_the_sync_of_the_folder(folder: Path) -> None:
    deleted: list[Event] = [Write("a", 0, b"a"), Sync("a"), Delete("a", is_synced=False)]

    def exists(events: list[Event], seed: int) -> bool:
        target = folder / f"{len(events)}-{seed}"
        target.mkdir()
        Recording(events).restore(len(events), Fate.DROPPED, random.Random(seed), target)
        return (target / "a").exists()

    assert {exists(deleted, seed) for seed in range(20)} == {True, False}
    assert not any(exists([*deleted, Write("b", 0, b"b"), Sync("b")], seed) for seed in range(20))


def test_the_log_of_a_power_cut_contains_the_publishes_before_it() -> None:
    recording = Recording()
    recording.add_sent("key", "a")
    recording.add_acknowledged("key", MarkedVersion("1.1", "a"))
    recording.add_sent("key", "b")

    assert recording.acknowledged(1).unacknowledged("key") == ["a"]
    assert recording.acknowledged(3).unacknowledged("key") == ["b"]
    assert recording.acknowledged(3).versions["key"] == [MarkedVersion("1.1", "a")]
