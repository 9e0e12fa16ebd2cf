"""Notices: what the form before a page did. The address of the page has the name and the values of its notice."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

#: The texts by their names; the values are those of query parameters.
_NOTICES: Final = {
    "sessions_ended": "All other sessions of your API key ended.",
    "case_deleted": "The case was deleted.",
    "case_saved": "The case was saved.",
    "published": "{version} is live in {where}.",
    # Of the pages that change what is live.
    "moved": "{version} is live in {where}. {before} is one undo away.",
    "undone": "The last change is undone: {version} is live in {where} again.",
    "unpublished": "{key} follows production in {where} again: {version} is live.",
    "promoted": "{count} deployments are live in {where}.",
    "removed": "{key} is no longer served in {where}.",
    "deleted": "{key} is deleted. It can be restored until {until}.",
    "restored": "{key} is restored.",
    "version_deleted": "{version} is deleted. It can be restored until {until}.",
    "version_restored": "{version} is restored.",
    "described": "The description of {key} is changed.",
    "proposal_approved": "Your approval is stored: {count} of {needed}.",
    "proposal_published": "It is approved, and live in {where}.",
    "proposal_rejected": "The proposal is rejected.",
    "proposal_withdrawn": "The proposal is withdrawn.",
    "proposed": "Nothing is changed yet: this proposal waits for approvals.",
    # Of the editor.
    "draft_saved": "Draft {version} is saved. Applications get it after you publish it.",
    "draft_saved_behind": "Draft {version} is saved. Meanwhile, {live} became live: compare both before you publish.",
    # Environments
    "environment_saved": "The settings of {where} are saved.",
    "environment_saved_few_approvers": (
        "The settings of {where} are saved. They require more approvals than there are API keys to give them, because"
        " nobody approves a change of their own: create API keys with deployments:approve."
    ),
    "environment_deleted": "The environment {where} is deleted.",
    # Integrations
    "integration_saved": "The integration {where} is saved.",
    "integration_deleted": "The integration {where} is deleted, with its credentials.",
    # API keys
    "api_key_renamed": "The API key has its new name.",
    "api_key_revoked": "The API key is revoked. Requests with it get 401 from now on.",
}

#: The pages that notices lead to: path and words.
_LINKS: Final = {
    "deleted": ("/console/deployments/{key}/restore", "Restore"),
    "version_deleted": ("/console/deployments/{key}/versions/{version}/restore", "Restore"),
    "moved": ("/console/deployments/{key}/undo", "Undo"),
}

#: Whoever sends somebody a link chooses the values, so they are names and no sentences.
_VALUE: Final = re.compile(r"[\w.~@/-]{1,128}")


def notice(parameters: Mapping[str, str]) -> str:
    """Return the text of the notice in the query of a page; nothing without one, or without a value that it needs."""
    text = _NOTICES.get(parameters.get("done", ""), "")
    values = {name: value for name, value in parameters.items() if _VALUE.fullmatch(value)}
    try:
        return text.format_map(values)
    except KeyError:
        return ""


def notice_link(parameters: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the path and the words of the link of a notice; None without one, or without a value that it needs."""
    path, words = _LINKS.get(parameters.get("done", ""), ("", ""))
    values = {name: quote(value, safe="") for name, value in parameters.items() if _VALUE.fullmatch(value)}
    try:
        return (path.format_map(values), words) if path else None
    except KeyError:
        return None
