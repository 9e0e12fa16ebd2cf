"""Ids and epochs."""

import pytest

from moorage.core.deployments.ids import new_epoch, new_id


@pytest.mark.parametrize(
    "previous", ["", "01900000-0000-7000-8000-ffffffffffff", "fffffff0-0000-7000-8000-ffffffffffff"]
)
def test_a_new_epoch_sorts_after_the_previous_ones_whatever_the_clock_shows(previous: str) -> None:
    first = new_epoch(previous, "")
    second = new_epoch("", first)

    assert previous < first < second
    assert len(first) == len(new_id())


def test_an_epoch_that_was_set_by_hand_is_replaced() -> None:
    assert len(new_epoch("another")) == len(new_id())
