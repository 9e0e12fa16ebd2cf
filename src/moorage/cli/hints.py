"""Hints for errors of the API, in terms of the command line.

The message of an API error ends with a hint for users of the API (`error.hint`). The command line removes it and shows
its own hint, which names options of the command and the real key.
"""

import re
from collections.abc import Mapping

from moorage.cli.error_responses import ErrorDetail
from moorage.core.deployments.ids import is_segment

#: Who can create an API key.
GET_A_KEY = (
    "To create a key, on the machine of the server: export MOORAGE_API_KEY=$(moorage keys create NAME). Elsewhere, ask"
    " an operator, or somebody whose API key has the scope keys:admin; then: moorage login URL"
)

_RETRY = "Retry later. A fallback to a provider that works takes over."
_BOUND = "To create one for an environment: moorage keys create NAME --environment ENVIRONMENT"
_SET = "moorage integrations set NAME --provider PROVIDER --api-key-stdin"

#: Code -> hint. `{key}` is the key of the deployment that the error is about.
_HINTS: Mapping[str, str] = {
    "authentication_required": GET_A_KEY,
    "invalid_api_key": f"Check MOORAGE_API_KEY. {GET_A_KEY}",
    "expired_api_key": f"Check MOORAGE_API_KEY. {GET_A_KEY}",
    "insufficient_scope": "To create a key with a scope: moorage keys create NAME --scope SCOPE",
    "deployment_not_found": "To list all deployments: moorage deployments list",
    "deployment_unreadable": (
        "To return to the previous version: moorage deployments undo {key}. To find out what was changed: moorage db"
        " check"
    ),
    "version_unreadable": "To find out what was changed: moorage db check",
    "history_unreadable": "To find out what was changed: moorage db check",
    "api_key_unreadable": "To find out what was changed: moorage db check",
    "version_not_found": "To list the versions: moorage deployments versions {key}",
    "key_taken": "To change it: moorage apply FILE",
    "alias_taken": (
        "To free an alias: moorage deployments set-aliases {key} ALIASES. To free a key: moorage deployments delete"
        " {key}"
    ),
    "version_is_live": "To publish another version first: moorage deployments publish {key} VERSION",
    "owned_by_files": "Edit the file and run `moorage apply`, or pass --take-ownership to manage it through the API.",
    "owned_by_api": "To show the difference: moorage drift. To manage it by the file again, pass --take-ownership.",
    "in_use": "To delete it anyway, pass --force.",
    "breaking_change": "To publish anyway, pass --allow-breaking; the history records it.",
    "precondition_failed": "To see what changed: moorage deployments history {key}",
    "variant_not_resolved": "To return to the previous version: moorage deployments undo {key}",
    "integration_in_use": "Publish versions that name another integration, or delete the deployments first.",
    "integration_from_environment": "Unset the variable and restart the server.",
    "credentials_required": "Send the credentials again: --api-key-stdin or --credentials-stdin, and --header.",
    "integration_unreadable": "To find out what was changed: moorage db check",
    "secret_key_missing": "To create a key on the server: openssl rand -hex 32; then set MOORAGE_SECRET_KEY to it.",
    "secret_key_unusable": "Correct that on the server, or set MOORAGE_SECRET_KEY.",
    "storage_full": "Free some space on the server and retry.",
    "storage_unavailable": "Retry later.",
    "stale": "Retry later.",
    "integration_not_found": f"To list all: moorage integrations list. To create one: {_SET}",
    "integration_of_other_provider": "Name an integration of that provider in `integration_id`, or omit it.",
    "provider_credential_invalid": f"To set a valid one: {_SET}. A missing secret key belongs in MOORAGE_SECRET_KEY.",
    "provider_rejected": "Change the request or the deployment; a retry has the same result.",
    "provider_overloaded": _RETRY,
    "provider_error": _RETRY,
    "provider_timeout": "Retry, or raise the timeout of the integration: --option timeout_total_s=1800",
    "rate_limit_exceeded": "Retry later.",
    "not_supported_by_provider": "Change the deployment, or use a provider that supports it.",
    "unsupported_model_type": "To get what to send to the model: moorage deployments get-config {key}",
    "wrong_environment": f"Name the environment of the key, or use another API key. {_BOUND}",
    "environment_deleted": f"Use another API key. {_BOUND}",
    "environment_not_found": "To list all: moorage environments list. To create one: moorage environments create NAME",
    "deployment_not_in_environment": (
        "To promote it from one that has it: moorage deployments promote {key} --from NAME --to NAME"
    ),
    "version_not_published": "To publish it there first: moorage deployments publish {key} VERSION --environment NAME",
    "production_cannot_follow": (
        "To publish another version: moorage deployments publish {key} VERSION. To delete it: moorage deployments"
        " delete {key}"
    ),
    "keys_bound": "To revoke one: moorage keys revoke ID. To revoke all of them with the deletion, pass --force.",
    "too_many_environments": "To delete one: moorage environments delete NAME",
    "own_proposal": "Another person approves it, with a key of their own that has the scope deployments:approve.",
    "proposal_not_found": "To list the proposals: moorage proposals list",
    "proposal_closed": "To propose the change again, repeat the command that proposed it.",
    "reason_missing": "Pass --reason.",
    "egress_forbidden": "The operator of the server can allow private hosts with MOORAGE_PRIVATE_HOSTS.",
}

#: Codes whose API hint is a request that restores something; it is the end of the hint, after the time.
_RESTORABLE = frozenset({"deployment_deleted", "version_deleted"})

#: A message about a query parameter, which is an option of `moorage deployments list`.
_PARAMETER = re.compile(r"(limit|starting_after|ending_before|search|provider|model_type|model|updated_since) ")


#: The errors of a server without environments, about a query parameter and a route.
_TOO_OLD = re.compile(
    r"Unknown query parameter '(environment|emergency|draft)'|There is no route /v2/(environments|promotions|proposals)"
)

#: The start of the message of a failed precondition of an environment.
_CHANGED = re.compile(r"Environment '([a-z0-9-]{1,40})' (has changed|already exists)")

#: The route of a restore at the end of a hint: `/v2/deployments/{id}/restore`, or with `versions/{number}`.
_RESTORE = re.compile(r"/v2/deployments/([\w.-]{1,128})(?:/versions/([\w.-]{1,128}))?/restore", re.ASCII)


#: How to create an integration that a call needs.
_CREATE = re.compile(
    r"Create (it|one): moorage integrations set [\w.-]{1,128} --provider [a-z-]{1,20}( --base-url URL)?"
    r"( --option [a-z_]{1,20}=[A-Z_]{1,20}){0,2} --(api-key|credentials)-stdin"
    r"(\. Or set [A-Z_]{1,60}( (or|and) [A-Z_]{1,60}){0,3} for the server and restart it\.)?",
    re.ASCII,
)


def translate(error: ErrorDetail) -> tuple[str, str]:
    """Return the message of an API error and its hint, in terms of the command line."""
    message = error.message.removesuffix(error.hint).rstrip()
    parameter = _PARAMETER.match(message)
    if parameter:
        message = f"--{parameter[1].replace('_', '-')}{message[len(parameter[1]) :]}"
    if _TOO_OLD.match(message):
        return "This server has no environments: it is older than this command line.", "Update the server."
    if changed := _CHANGED.match(message):
        is_existing = changed[2] == "already exists"
        hint = f"To change it: moorage environments set {changed[1]}" if is_existing else "Run the command again."
        return f"Environment '{changed[1]}' {changed[2]}.", hint
    if error.code in _RESTORABLE:
        until, separator, path = error.hint.partition(": POST ")
        command = _restore_command(path)
        return message, f"{until}: {command}" if separator and command else until
    if error.code == "integration_not_found":
        return message, _integration_hint(error.hint)
    # The hint is a command to copy, and the key is from the server.
    return message, _HINTS.get(error.code, "").replace("{key}", error.key if is_segment(error.key) else "KEY")


def _integration_hint(hint: str) -> str:
    """Return the hint of a missing integration, if it has the form of a command of this program."""
    return hint if _CREATE.fullmatch(hint) else "To list all integrations: moorage integrations list"


def _restore_command(path: str) -> str:
    """Return the command for the route of a restore, or an empty text."""
    route = _RESTORE.fullmatch(path)
    if route is None:
        return ""
    return f"moorage deployments restore {route[1]}" + (f" --version {route[2]}" if route[2] else "")
