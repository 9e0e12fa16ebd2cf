"""The changes that events of the change feed describe."""

import msgspec

from moorage.client.errors import InvalidResponse
from moorage.client.sse import Event
from moorage.client.state import ClientState
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.position import Position
from moorage.core.resolution.snapshot import GoneDeployment, InvalidSnapshot, read_gone, read_live

#: A change of a deployment.
Change = LiveVersion | GoneDeployment

_decode_names = msgspec.json.Decoder(tuple[str, ...]).decode


def new_changes(state: ClientState, events: list[Event]) -> tuple[list[Change] | None, int]:
    """Return the changes after a state, and their revision; no changes if they cannot be decoded.

    Raises:
        InvalidResponse: an event has an invalid id.
    """
    changes: list[Change] = []
    is_decoded, revision, start = True, state.revision, 0
    for end, event in enumerate(events, 1):
        if event.id is None:
            continue
        try:
            position = Position.parse(event.id)
        except ValueError:
            raise InvalidResponse(reason=f"the change stream has the event id {event.id[:40]!r}") from None
        if position.epoch == state.epoch and position.rev > revision:
            revision = position.rev
            try:
                changes += [_change(each) for each in events[start:end]]
            except InvalidSnapshot:
                is_decoded = False
        start = end
    return changes if is_decoded else None, revision


def has_other_names(state: ClientState, event: Event) -> bool:
    """Return whether an event has other names of environments than a state.

    Raises:
        InvalidResponse: the event cannot be decoded.
    """
    try:
        names = _decode_names(event.data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise InvalidResponse(reason="the change stream has invalid names of environments") from None
    return state.environments != (names if len(names) > 1 else ())


def _change(event: Event) -> Change:
    return read_live(event.data) if event.name == "deployment" else read_gone(event.data)
