"""Every page: its method, path and handler. After `/console/deployments/`, there is always a key or an id."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from starlette.responses import Response

from moorage.console import (
    api_keys,
    compare,
    deleted,
    deployment,
    deployment_list,
    description,
    drafts,
    editor,
    environment_settings,
    environments,
    history,
    imports,
    integrations,
    new_api_key,
    new_integration,
    projects,
    promote,
    proposals,
    publish,
    pulse,
    removal,
    routing,
    settings,
    sign_in,
    tryout,
    tryout_cases,
    usage,
    use_it,
    versions,
)
from moorage.console.page_request import PageRequest

Handler = Callable[[PageRequest], Awaitable[Response]]


class Page(NamedTuple):
    """A method of a path; `is_signed_in` if it requires a session.

    A form that `has_secrets` is not kept if its session has ended, because a page would have them.
    """

    method: str
    path: str
    handler: Handler
    is_signed_in: bool = True
    has_secrets: bool = False


_KEY: Final = "/console/deployments/{key_or_id}"
_ENVIRONMENT: Final = "/console/environments/{name}"
_INTEGRATION: Final = "/console/integrations/{name}"
_API_KEY: Final = "/console/keys/{api_key_id}"

PAGES: Final = (
    Page("GET", "/console/sign-in", sign_in.show_sign_in, is_signed_in=False),
    Page("POST", "/console/sign-in", sign_in.sign_in, is_signed_in=False),
    Page("POST", "/console/sign-out", sign_in.sign_out, is_signed_in=False),
    Page("GET", "/console/deployments", deployment_list.show),
    Page("GET", _KEY, deployment.show),
    Page("GET", f"{_KEY}/versions", versions.show),
    Page("GET", f"{_KEY}/versions/{{version}}", deployment.show_version),
    Page("GET", f"{_KEY}/compare", compare.show),
    Page("GET", f"{_KEY}/history", history.show),
    Page("GET", "/console/new", editor.show_new),
    Page("POST", "/console/new", editor.create),
    Page("GET", f"{_KEY}/edit", editor.show),
    Page("POST", f"{_KEY}/edit", editor.save),
    Page("GET", f"{_KEY}/routing", routing.show),
    Page("POST", f"{_KEY}/routing", routing.simulate),
    Page("GET", f"{_KEY}/usage", usage.show),
    Page("GET", f"{_KEY}/use", use_it.show),
    Page("GET", "/console/changes", history.show_changes),
    Page("GET", "/console/usage", usage.show_all),
    Page("GET", "/console/pulse", pulse.show, is_signed_in=False),  # it finds the session without extending it
    Page("GET", "/console/settings", settings.show),
    Page("POST", "/console/settings/end-sessions", settings.end_others),
    Page("GET", "/console/keyboard", settings.show_keyboard),
    Page("GET", f"{_KEY}/try", tryout.show),
    Page("POST", f"{_KEY}/try", tryout.run),
    Page("POST", f"{_KEY}/try/answer", tryout.stream),
    Page("POST", f"{_KEY}/try/cases", tryout_cases.save),
    Page("POST", f"{_KEY}/try/cases/delete", tryout_cases.delete),
    Page("POST", f"{_KEY}/try/cases/run", tryout_cases.run_all),
    Page("GET", "/console/environments", environments.show),
    Page("GET", "/console/proposals", proposals.show_list),
    # The pages that change what is live.
    Page("GET", f"{_KEY}/publish/{{version}}", publish.show_publish),
    Page("POST", f"{_KEY}/publish/{{version}}", publish.publish),
    Page("GET", f"{_KEY}/undo", publish.show_undo),
    Page("POST", f"{_KEY}/undo", publish.undo),
    Page("GET", f"{_KEY}/unpublish", publish.show_unpublish),
    Page("POST", f"{_KEY}/unpublish", publish.unpublish),
    Page("GET", f"{_KEY}/promote", promote.show),
    Page("POST", f"{_KEY}/promote", promote.promote),
    Page("GET", "/console/promote", promote.show),
    Page("POST", "/console/promote", promote.promote),
    Page("GET", "/console/deleted", deleted.show),
    Page("GET", "/console/drafts", drafts.show),
    Page("GET", "/console/proposals/{proposal_id}", proposals.show),
    Page("POST", "/console/proposals/{proposal_id}/approve", proposals.approve),
    Page("POST", "/console/proposals/{proposal_id}/reject", proposals.reject),
    Page("POST", "/console/proposals/{proposal_id}/withdraw", proposals.withdraw),
    Page("GET", f"{_KEY}/description", description.show),
    Page("POST", f"{_KEY}/description", description.save),
    Page("GET", f"{_KEY}/delete", removal.show_delete),
    Page("POST", f"{_KEY}/delete", removal.delete),
    Page("GET", f"{_KEY}/restore", removal.show_restore),
    Page("POST", f"{_KEY}/restore", removal.restore),
    Page("GET", f"{_KEY}/versions/{{version}}/delete", removal.show_delete_version),
    Page("POST", f"{_KEY}/versions/{{version}}/delete", removal.delete_version),
    Page("GET", f"{_KEY}/versions/{{version}}/restore", removal.show_restore_version),
    Page("POST", f"{_KEY}/versions/{{version}}/restore", removal.restore_version),
    # Settings of environments
    Page("GET", "/console/new-environment", environment_settings.show_new),
    Page("POST", "/console/new-environment", environment_settings.create),
    Page("GET", _ENVIRONMENT, environment_settings.show),
    Page("POST", _ENVIRONMENT, environment_settings.change),
    Page("GET", f"{_ENVIRONMENT}/delete", environment_settings.show_deletion),
    Page("POST", f"{_ENVIRONMENT}/delete", environment_settings.delete),
    # API keys
    Page("GET", "/console/keys", api_keys.show_list),
    Page("GET", "/console/keys/new", new_api_key.show),
    Page("POST", "/console/keys/new", new_api_key.create),
    Page("GET", _API_KEY, api_keys.show),
    Page("POST", _API_KEY, api_keys.rename),
    Page("GET", f"{_API_KEY}/roll", api_keys.show_roll),
    Page("POST", f"{_API_KEY}/roll", api_keys.roll),
    Page("GET", f"{_API_KEY}/revoke", api_keys.show_revocation),
    Page("POST", f"{_API_KEY}/revoke", api_keys.revoke),
    Page("GET", "/console/projects", projects.show),
    # Import
    Page("GET", "/console/import", imports.show),
    Page("POST", "/console/import", imports.plan),
    Page("POST", "/console/import/apply", imports.apply),
    # Integrations
    Page("GET", "/console/integrations", integrations.show_list),
    Page("GET", "/console/new-integration", new_integration.show),
    Page("POST", "/console/new-integration", new_integration.create, has_secrets=True),
    Page("GET", _INTEGRATION, integrations.show),
    Page("POST", _INTEGRATION, integrations.change, has_secrets=True),
    Page("POST", f"{_INTEGRATION}/test", integrations.test),
    Page("GET", f"{_INTEGRATION}/delete", integrations.show_deletion),
    Page("POST", f"{_INTEGRATION}/delete", integrations.delete),
)
