"""The integration of a call: the one that the variant names, else the project's, else that of the environment."""

from moorage.catalog.catalog import Catalog
from moorage.core.errors.integrations import NoIntegration, OtherProvider
from moorage.core.integrations import Credentials, Integration
from moorage.providers.connection import required_options
from moorage.providers.environment import EnvironmentIntegrations, variables_of
from moorage.providers.table import PROVIDERS


def find_integration(
    catalog: Catalog, environment: EnvironmentIntegrations, project_id: str, named: str | None, provider: str
) -> Integration:
    """Return the integration that calls a model of a provider; `named` is the `integration_id` of its variant.

    Raises:
        NoIntegration, OtherProvider, IntegrationUnreadable
    """
    integrations = catalog.integrations(project_id)
    name = named or provider
    found = integrations.find(name) if named else _of_provider(integrations.by_name.get(name), provider)
    if found is None and not named and name in integrations.unreadable:
        raise integrations.unreadable[name]
    found = found or environment.by_name.get(name)
    if found is None:
        which = f"{named!r} in this project" if named else f"for {provider}"
        raise NoIntegration(which=which, provider=provider, action=_action(name, provider, is_named=bool(named)))
    if found.provider != provider:
        raise OtherProvider(name=found.name, found=found.provider, provider=provider)
    return found


def open_credentials(catalog: Catalog, environment: EnvironmentIntegrations, integration: Integration) -> Credentials:
    """Return the decrypted credentials of an integration.

    Raises:
        CredentialsUnreadable
    """
    return (environment if integration.is_from_environment else catalog).credentials(integration)


def _of_provider(found: Integration | None, provider: str) -> Integration | None:
    """Return an integration that is named like a provider, unless it is of another one."""
    return found if found is not None and found.provider == provider else None


def _action(name: str, provider: str, *, is_named: bool) -> str:
    row = PROVIDERS.get(provider)
    if row is None:
        return f"Moorage cannot call {provider}. Change the provider, for example to openailike."
    parts = [f"moorage integrations set {name} --provider {provider}"]
    if row.base_url is None:
        parts.append("--base-url URL")
    parts += [f"--option {option}={option.upper()}" for option in required_options(row)]
    parts.append("--credentials-stdin" if row.auth == "google" else "--api-key-stdin")
    variables = variables_of(row)
    if is_named or not variables:
        return f"Create it: {' '.join(parts)}"
    return f"Create one: {' '.join(parts)}. Or set {variables} for the server and restart it."
