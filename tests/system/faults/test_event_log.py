"""The checks of an event log detect each violation."""

from tools.faults.event_log import Event, EventLog

WRITE = Event(0, 1.0, 1.1, 5)


def test_a_response_can_omit_a_write_acknowledged_in_the_last_second() -> None:
    assert EventLog([Event(1, 2.0, 2.1, 4)], [WRITE]).violations() == []
    assert len(EventLog([Event(1, 2.2, 2.3, 4)], [WRITE]).stale()) == 1


def test_a_response_with_an_age_can_omit_writes_acknowledged_within_that_age() -> None:
    assert EventLog([Event(1, 4.0, 4.1, 4, 3)], [WRITE]).violations() == []
    assert len(EventLog([Event(1, 4.2, 4.3, 4, 3)], [WRITE]).stale()) == 1


def test_the_node_of_a_write_shows_it_immediately() -> None:
    assert len(EventLog([Event(0, 1.2, 1.3, 4)], [WRITE]).backward()) == 1
    assert EventLog([Event(0, 1.05, 1.3, 4)], [WRITE]).violations() == [], "sent before the acknowledgement"


def test_a_read_goes_back_if_a_newer_response_arrived_before_the_request() -> None:
    assert len(EventLog([Event(0, 1.0, 1.1, 6), Event(0, 1.2, 1.3, 5)]).backward()) == 1
    assert EventLog([Event(0, 1.0, 1.3, 6), Event(0, 1.2, 1.4, 5), Event(1, 1.5, 1.6, 5)]).backward() == []


def test_a_write_that_is_not_newer_than_an_earlier_response_is_out_of_order() -> None:
    assert len(EventLog([Event(1, 0.8, 0.9, 5)], [WRITE]).out_of_order()) == 1
    assert len(EventLog([], [WRITE, Event(1, 1.2, 1.3, 5)]).out_of_order()) == 1


def test_a_read_without_a_response_has_failed() -> None:
    assert len(EventLog([Event(0, 1.0, 1.1, 0, status=0), Event(0, 1.2, 1.3, 0, status=503)]).failed()) == 2


def test_a_delay_ends_with_the_first_response_of_another_node_that_contains_the_write() -> None:
    reads = [Event(0, 1.2, 1.3, 5), Event(1, 1.2, 1.3, 4), Event(1, 1.3, 1.5, 6), Event(2, 1.0, 1.05, 5)]

    assert [round(delay, 3) for delay in EventLog(reads, [WRITE]).delays()] == [0.4, 0.0]
