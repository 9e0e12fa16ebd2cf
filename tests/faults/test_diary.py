"""The check of what several servers told finds what it must."""

from faults.diary import Diary, Told

WRITE = Told(0, 1.0, 1.1, 5)


def test_an_answer_may_lack_what_was_acknowledged_less_than_a_second_before() -> None:
    assert Diary([Told(1, 2.0, 2.1, 4)], [WRITE]).faults() == []
    assert len(Diary([Told(1, 2.2, 2.3, 4)], [WRITE]).too_old()) == 1


def test_an_answer_that_tells_its_age_may_lack_what_was_acknowledged_since() -> None:
    assert Diary([Told(1, 4.0, 4.1, 4, 3)], [WRITE]).faults() == []
    assert len(Diary([Told(1, 4.2, 4.3, 4, 3)], [WRITE]).too_old()) == 1


def test_the_node_that_took_a_write_shows_it_at_once() -> None:
    assert len(Diary([Told(0, 1.2, 1.3, 4)], [WRITE]).gone_back()) == 1
    assert Diary([Told(0, 1.05, 1.3, 4)], [WRITE]).faults() == [], "it was asked before"


def test_a_read_that_goes_back_is_found_where_one_was_answered_before_it_was_asked() -> None:
    assert len(Diary([Told(0, 1.0, 1.1, 6), Told(0, 1.2, 1.3, 5)]).gone_back()) == 1
    assert Diary([Told(0, 1.0, 1.3, 6), Told(0, 1.2, 1.4, 5), Told(1, 1.5, 1.6, 5)]).gone_back() == []


def test_a_write_that_does_not_come_after_what_was_told_before_is_found() -> None:
    assert len(Diary([Told(1, 0.8, 0.9, 5)], [WRITE]).out_of_order()) == 1
    assert len(Diary([], [WRITE, Told(1, 1.2, 1.3, 5)]).out_of_order()) == 1


def test_a_read_without_an_answer_is_found() -> None:
    assert len(Diary([Told(0, 1.0, 1.1, 0, status=0), Told(0, 1.2, 1.3, 0, status=503)]).failed()) == 2


def test_a_delay_is_from_the_acknowledgement_to_the_first_answer_of_each_other_node() -> None:
    reads = [Told(0, 1.2, 1.3, 5), Told(1, 1.2, 1.3, 4), Told(1, 1.3, 1.5, 6), Told(2, 1.0, 1.05, 5)]

    assert [round(delay, 3) for delay in Diary(reads, [WRITE]).delays()] == [0.4, 0.0]
