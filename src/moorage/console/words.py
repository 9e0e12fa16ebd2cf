"""Words for people in place of the names that the API has."""

from collections.abc import Mapping
from typing import Any, Final

_ACTIONS: Final = {
    "created": "created the deployment",
    "published": "published",
    "undone": "undid a change",
    "unpublished": "follows production again",
    "deleted": "deleted the deployment",
    "restored": "restored the deployment",
    "proposed": "proposed a change",
    "approved": "approved a proposal",
    "rejected": "rejected a proposal",
    "withdrawn": "withdrew a proposal",
    "stale": "a proposal became stale",
}


def action_words(entry: Mapping[str, Any]) -> str:
    """Return what an entry of the history did, in words."""
    action: str = entry["action"]
    if action == "changed":
        return f"changed the {' and the '.join(entry.get('changed') or ['deployment'])}"
    if action in ("deleted", "restored") and entry["from_version"] == entry["to_version"] is not None:
        return f"{action} version {entry['to_version']}"
    if action == "published" and entry.get("from_environment"):
        return f"promoted from {entry['from_environment']}"
    return _ACTIONS.get(action, action)
