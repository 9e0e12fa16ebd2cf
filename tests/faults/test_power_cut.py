import random
from pathlib import Path

import pytest
from bench.kept import Marked
from faults.recording import Delete, Event, Fate, Recording, Sync, Write

from faults import power_cut


def test_nothing_acknowledged_is_lost_when_the_power_fails_and_it_is_where_nobody_waits_for_the_disk(
    folder: Path,
) -> None:
    outcome = power_cut.run(50, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found, "with synchronous=NORMAL it is lost"


@pytest.mark.parametrize("fate", list(Fate))
def test_what_was_synced_is_there_after_a_cut_and_what_was_not_may_be(fate: Fate, folder: Path) -> None:
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
        assert len(found) > 4, "any of four pieces"
        assert {content[place : place + 512] for content in found for place in range(0, 2_048, 512)} == {
            old[:512],
            new[:512],
        }


def test_a_deletion_is_for_good_once_the_folder_was_synced(folder: Path) -> None:
    deleted: list[Event] = [Write("a", 0, b"a"), Sync("a"), Delete("a", is_synced=False)]

    def is_there(events: list[Event], seed: int) -> bool:
        into = folder / f"{len(events)}-{seed}"
        into.mkdir()
        Recording(events).restore(len(events), Fate.DROPPED, random.Random(seed), into)
        return (into / "a").exists()

    assert {is_there(deleted, seed) for seed in range(20)} == {True, False}
    assert not any(is_there([*deleted, Write("b", 0, b"b"), Sync("b")], seed) for seed in range(20))


def test_an_account_is_of_what_was_said_before_the_cut() -> None:
    recording = Recording()
    recording.note_sent("key", "a")
    recording.note_acknowledged("key", Marked("1.1", "a"))
    recording.note_sent("key", "b")

    assert recording.account(1).unanswered("key") == ["a"]
    assert recording.account(3).unanswered("key") == ["b"]
    assert recording.account(3).acknowledged["key"] == [Marked("1.1", "a")]
