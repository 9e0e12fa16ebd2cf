"""Ownership: a deployment is kept in a file or through the API, and neither changes what the other keeps unasked."""

from moorage.core.deployment import Deployment
from moorage.core.errors import OwnedByApi, OwnedByFiles
from moorage.core.history import Actor
from moorage.core.ownership import Owner, Terms, may_change
from moorage.store.transaction import Transaction


def claim(write: Transaction, present: Deployment, terms: Terms) -> None:
    """Make sure that whoever asks may change the deployment, and note who keeps it from now on.

    Raises:
        OwnedByFiles, OwnedByApi: the other side keeps it, and `terms` do not take it over.
    """
    if not may_change(present.owner, present.file, terms):
        if terms.file is None:
            raise OwnedByFiles(param="take_ownership", key=present.key, file=present.file)
        raise OwnedByApi(param="take_ownership", key=present.key, file=present.file, by=terms.file)
    hand_over(write, present, terms)


def hand_over(write: Transaction, present: Deployment, terms: Terms) -> bool:
    """Note who keeps the deployment from now on; whether that is news."""
    owner: Owner = "api" if terms.file is None else "files"
    file = present.file if terms.file is None else terms.file
    is_news = (present.owner, present.file) != (owner, file)
    if is_news:
        write.set_owner(present.id, owner, file)
    return is_news


def is_handed_over(write: Transaction, present: Deployment, by: Actor, terms: Terms) -> bool:
    """What changes nothing else still says who keeps the deployment from now on; whether that is news."""
    is_asked = terms.file is not None or terms.take_ownership
    if not is_asked or not hand_over(write, present, terms):
        return False
    record_change(write, present, by.because(by.reason or f"kept in {terms.file or 'the API'} from now on"))
    return True


def record_change(write: Transaction, present: Deployment, by: Actor) -> None:
    """Say in the ledger that something changed which is no version."""
    write.record(present.project_id, present.id, "changed", by, present.live_version_id, present.live_version_id)
