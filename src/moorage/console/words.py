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


def move_words(entry: Mapping[str, Any], version: str | None = None) -> str:
    """Return what an entry of the history did, in words that follow a name in a sentence.

    `version` is the one that is live, for entries that have none.
    """
    action, live = entry["action"], entry["to_version"] or version
    if action in ("created", "published") and live:
        source = entry.get("from_environment")
        return f"promoted {live} from {source}" if source else f"{action} {live}"
    if action == "undone" and live:
        return f"undid a change: {live} is live again"
    if action == "unpublished":
        return "let it follow production again"
    return "made a proposal stale" if action == "stale" else action_words(entry)
