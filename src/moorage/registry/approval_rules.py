"""Who may approve a proposal: nobody who made it, alone or through a key that they made."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET

from moorage.core.access import ApiKey, Scope
from moorage.core.deployments.history import KeyName
from moorage.core.deployments.proposal import (
    ApprovalItem,
    Proposal,
    ProposalDetail,
    ProposalItem,
    ProposedItem,
    closed_of,
)
from moorage.core.environments import Environment, production_of
from moorage.core.errors.rows import ApiKeyUnreadable
from moorage.core.times import iso
from moorage.store.reader import Reader

#: The longest chain of keys that made each other. A longer one counts as related.
_MAX_CHAIN = 100


def environment_of_proposal(reader: Reader, proposal: Proposal) -> Environment:
    """Return the environment of a proposal as it is now, also a deleted one."""
    found = reader.find_environment(proposal.environment_id)
    return found or production_of(proposal.project_id, proposal.created_us, proposal.rev)


def blocking_reason(reader: Reader, proposal: Proposal, items: Iterable[ProposalItem], key: ApiKey) -> str | None:
    """Return why an API key may not approve a proposal, if it may not."""
    if proposal.created_by == key.id:
        return "it made the proposal"
    for item in items:
        if item.author == key.id:
            return f"it wrote version {item.number} of deployment {item.key!r}"
    own = _makers(reader, key.id)
    for other in dict.fromkeys((proposal.created_by, *(item.author for item in items))):
        if other is None:
            continue
        makers = _makers(reader, other)
        if own is None or makers is None or other in own:
            return f"it was made by the key {other}, which made the proposal or a version of it"
        if key.id in makers:
            return f"it made the key {other}, which made the proposal or a version of it"
    return None


def describe(reader: Reader, proposal: Proposal, key: ApiKey | None, now_us: int) -> ProposalDetail:
    """Return a proposal in responses to an API key."""
    items: Sequence[ProposalItem] = reader.items_of_proposal(proposal.id)
    environment, status = environment_of_proposal(reader, proposal), proposal.status_at(now_us)
    approvals = [each for each in reader.approvals_of_proposal(proposal.id) if each.counts_at(now_us)]
    why_not: str | None
    if status != "open":
        why_not = f"it is {status}"
    elif key is None or Scope.APPROVE not in key.scopes:
        why_not = "this API key does not have the scope deployments:approve"
    elif key.environment_id not in (None, proposal.environment_id):
        why_not = "this API key is bound to another environment"
    elif any(each.api_key.id == key.id for each in approvals):
        why_not = "this API key has approved it"
    else:
        why_not = blocking_reason(reader, proposal, items, key)
    by = None if proposal.created_by is None else KeyName(proposal.created_by, proposal.created_name or "")
    return ProposalDetail(
        id=proposal.id,
        kind=proposal.kind,
        environment=environment.name,
        from_=proposal.source or UNSET,
        status=status,
        reason=proposal.reason,
        created=iso(proposal.created_us),
        created_by=by,
        expires=iso(proposal.expires_us),
        required_approvals=environment.settings.required_approvals,
        approvals=[ApprovalItem(each.api_key, iso(each.at_us), each.reason) for each in approvals],
        can_approve=why_not is None,
        why_not=UNSET if why_not is None else why_not,
        items=[ProposedItem.of(item) for item in items],
        closed=closed_of(proposal),
    )


def _makers(reader: Reader, key_id: str) -> set[str] | None:
    """Return the keys that made a key, directly or through others; None if that cannot be found out."""
    makers: set[str] = set()
    current: str | None = key_id
    while current is not None:
        try:
            key = reader.find_api_key(current)
        except ApiKeyUnreadable:
            return None
        current = None if key is None else key.created_by
        if current is not None:
            makers.add(current)
        if len(makers) > _MAX_CHAIN:
            return None
    return makers
