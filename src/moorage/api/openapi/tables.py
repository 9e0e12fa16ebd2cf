"""The descriptions of parameters and headers. A parameter `group:name` is `name` in the routes of that group."""

from typing import Any, get_args

from moorage.core.deployments.filter import MAX_TEXT
from moorage.core.deployments.history import ACTIONS
from moorage.core.deployments.ownership import Owner
from moorage.core.deployments.page import DEFAULT_LIMIT, MAX_LIMIT
from moorage.core.deployments.prompt_config import ModelType
from moorage.core.deployments.proposal import ProposalStatus
from moorage.core.deployments.retired_models import STATUSES
from moorage.core.environments import NAME_PATTERN

_FILTER = {"type": "string", "maxLength": MAX_TEXT}
_CURSOR = {"type": "string", "description": "The id of an item of the list."}
PARAMETERS: dict[str, dict[str, Any]] = {
    "models:limit": {
        "description": "Maximum number of models.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 1_000},
    },
    "models:after": {"description": "Returns the models after this one.", "schema": {"type": "string"}},
    "limit": {
        "description": "Maximum number of items.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    "starting_after": {"description": "Returns the items that are older than this one.", "schema": _CURSOR},
    "ending_before": {
        "description": "Returns the items just newer than this one, newest first.",
        "schema": _CURSOR,
    },
    "dry_run": {
        "description": "Return the result without storing it.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "draft": {
        "description": "Store the version, and publish nothing.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "environment": {
        "description": "The environment. Without it, that of the API key, else production; of a call, see there.",
        "schema": {"type": "string", "pattern": f"^{NAME_PATTERN}$", "default": "production"},
    },
    "emergency": {
        "description": "Make the change without approvals; needs `deployments:emergency` and a reason.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "proposals:environment": {
        "description": "Returns proposals for this environment.",
        "schema": {"type": "string"},
    },
    "proposals:status": {
        "description": "Returns proposals with this status.",
        "schema": {"enum": ["", *get_args(ProposalStatus)]},
    },
    "proposals:mine": {
        "description": "Returns proposals of your own API key.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "vendor:search": {
        "description": "Returns environments whose slug or name contains this text.",
        "schema": {"type": "string"},
    },
    "vendor:project_id": {
        "description": "The project of the API key; another one is an error.",
        "schema": {"type": "string"},
    },
    "environments:from": {
        "description": "The name of an environment.",
        "required": True,
        "schema": {"type": "string"},
    },
    "environments:to": {"description": "The name of an environment.", "required": True, "schema": {"type": "string"}},
    "file": {
        "description": "The file that manages the deployment from now on.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 1000},
    },
    "take_ownership": {
        "description": "Take over a deployment that is managed by files or, for a file, by the API.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "allow_breaking": {
        "description": "Publish although there are breaking changes; the history lists them.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "force": {
        "description": "Delete although it was served within the last 7 days.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "since": {
        "description": "A revision or the id of an event. The stream starts with the changes after it.",
        "schema": {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9A-Za-z-]{0,64})?$"},
    },
    "from": {
        "description": "The number or id of a version, `live`, or an environment.",
        "schema": {"type": "string", "default": "live"},
    },
    "to": {
        "description": "The number or id of a version, `live`, or an environment.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ids": {
        "description": "The ids of up to 25 deployments, separated by commas.",
        "required": True,
        "schema": {"type": "string"},
    },
    "owner": {
        "description": "Returns deployments that are managed by files or by the API.",
        "schema": {"enum": ["", *get_args(Owner)]},
    },
    "action": {"description": "Returns only entries with this action.", "schema": {"enum": ["", *ACTIONS]}},
    "deployment": {
        "description": "Returns only what concerns this deployment: its key or id.",
        "schema": {"type": "string"},
    },
    "variant_id": {"description": "Returns only the versions of this variant.", "schema": {"type": "string"}},
    "search": {
        "description": "Returns deployments whose key, aliases or description contain this text, case-insensitive.",
        "schema": _FILTER,
    },
    "provider": {"description": "Returns deployments of this provider.", "schema": _FILTER},
    "model": {"description": "Returns deployments of this model.", "schema": _FILTER},
    "model_type": {
        "description": "Returns deployments of this model type.",
        "schema": {"enum": ["", *get_args(ModelType)]},
    },
    "model_status": {
        "description": "Returns deployments with a retired or retiring model, also that of a variant or fallback.",
        "schema": {"enum": ["", *STATUSES]},
    },
    "updated_since": {
        "description": "Returns deployments that were updated at or after this date or time (ISO 8601).",
        "schema": _FILTER,
    },
    "after": {"description": "Alias of `starting_after`.", "schema": _CURSOR},
    "before": {"description": "Alias of `ending_before`.", "schema": _CURSOR},
}
PATH: dict[str, tuple[str, dict[str, Any]]] = {
    "key_or_id": ("The key or id of the deployment.", {"type": "string", "minLength": 1}),
    "api_key_id": ("The id of the API key.", {"type": "string", "minLength": 1}),
    "name": ("The name.", {"type": "string", "minLength": 1}),
    "case_name": ("The name of the case, without a slash.", {"type": "string", "minLength": 1, "maxLength": 100}),
    "environment_id": ("The id or slug of the environment.", {"type": "string", "minLength": 1}),
    "proposal_id": ("The id of the proposal.", {"type": "string", "minLength": 1}),
    "version_or_id": (
        "The number or id of the version, `live`, or an environment.",
        {"type": "string", "minLength": 1},
    ),
}
#: Where a PUT creates what it names, the name must be a key.
PUT_PATH = {"key_or_id": "The key of the deployment."}
#: The form of a name in the path of a PUT, unless it is a key.
PUT_PATTERNS = {"PutEnvironment": f"^{NAME_PATTERN}$"}
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("The id of the request: the one you sent, or a new one.", {"type": "string"}),
    "ETag": ("Send it as If-None-Match to get a 304 until the response changes.", {"type": "string"}),
    "X-Moorage-Revision": ("The newest committed write that the response shows.", {"type": "integer"}),
    "X-Moorage-Age": (
        "Seconds since the response was current; present while the server may be behind the database.",
        {"type": "integer"},
    ),
    "X-Moorage-Replayed": (
        "The result was stored by an earlier request with the same Idempotency-Key.",
        {"const": "true"},
    ),
    "X-Moorage-Signature": (
        "Proves that the sender has the API key; the description says how to verify it.",
        {"type": "string"},
    ),
    "X-Moorage-Unreadable": (
        "The keys of the deployments whose current version cannot be decoded, separated by commas and quoted as URLs.",
        {"type": "string"},
    ),
    "X-Moorage-Deployment": ("The key of the deployment.", {"type": "string"}),
    "X-Moorage-Version": ("The number of the resolved version.", {"type": "string"}),
    "X-Moorage-Variant": ("The name of the resolved variant.", {"type": "string"}),
    "X-Moorage-Reason": ("Why this variant was chosen.", {"enum": ["rule", "split", "default", "only"]}),
    "X-Moorage-Result": (
        "The effect of the write.",
        {"enum": ["created", "updated", "unchanged", "drafted", "proposed"]},
    ),
    "X-Moorage-Owner": ("The side that manages the deployment, if the write changed it.", {"enum": ["files", "api"]}),
    "X-Moorage-Previous-Owner": (
        "The previous owner, if the write changed it: `api`, or a file (percent-encoded).",
        {"type": "string"},
    ),
    "X-Moorage-Previous-Version": ("The version that was live before, if another one is now.", {"type": "string"}),
    "X-Moorage-Warnings": (
        "Warnings about the request, each `path: message`, separated by commas, as many as fit into a header. Commas in"
        " them, `%` and all but printable ASCII are percent-encoded.",
        {"type": "string"},
    ),
    "X-Moorage-Normalized": (
        "Paths of the body that were normalized, as many as fit into a header.",
        {"type": "string"},
    ),
    "X-Moorage-Breaking": (
        "Paths of the breaking changes that were allowed, percent-encoded, as many as fit into a header.",
        {"type": "string"},
    ),
    "X-Moorage-Environment": (
        "The environment of the response; `;follows=production` if the deployment has no own version there.",
        {"type": "string"},
    ),
    "X-Moorage-Warning": (
        "`context.environments` chose no environment: its name is unknown, or it has several.",
        {"enum": ["unknown_environment", "ambiguous_environment"]},
    ),
    "Location": ("The path of the proposal.", {"type": "string"}),
    "X-Moorage-Provider": ("The provider that responded.", {"type": "string"}),
    "Sunset": ("The date on which the provider retires the model, if it is known (RFC 8594).", {"type": "string"}),
    "Deprecation": ("The date on which its provider announced that, if it is known (RFC 9745).", {"type": "string"}),
    "Link": ("The page of the provider with these dates.", {"type": "string"}),
    "X-Moorage-Model": ("The model that responded, by the provider's name.", {"type": "string"}),
    "X-Moorage-Cache": (
        "Whether the response is from the cache; present if the variant has one.",
        {"enum": ["hit", "miss", "bypass"]},
    ),
    "Age": ("The seconds since a response from the cache was stored.", {"type": "integer"}),
    "X-Moorage-Attempts": (
        "The number of requests to providers, with retries, fallbacks and what was skipped.",
        {"type": "integer"},
    ),
    "X-Moorage-Attempt-Log": (
        "After more than one attempt: the integration, result and milliseconds of each, and why the call went on.",
        {"type": "string"},
    ),
    "X-Moorage-Overhead-Ms": ("The milliseconds in which no provider was waited for.", {"type": "number"}),
    "X-Moorage-Dropped": (
        "What the provider or the model does not take, and was not sent, such as `topK`.",
        {"type": "string"},
    ),
}
