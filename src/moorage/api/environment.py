"""The environment of a request."""

from collections.abc import Iterator

from starlette.requests import Request

from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey
from moorage.core.environments import PRODUCTION, Choice, Environment, choose
from moorage.core.errors.environments import EnvironmentGone, WrongEnvironment
from moorage.core.errors.requests import RepeatedParameter

PARAMETER = "environment"
HEADER = "X-Moorage-Environment"
RAW_HEADER = HEADER.lower().encode()
WARNING_HEADER = "X-Moorage-Warning"

#: The attribute of the context of a call that can name an environment.
ATTRIBUTE = "environments"


def bound_environment(catalog: Catalog, key: ApiKey) -> Environment | None:
    """Return the environment that an API key is bound to, also a deleted one.

    Raises:
        EnvironmentGone: this server does not know it.
    """
    if key.environment_id is None:
        return None
    found = catalog.find_environment(key.environment_id)
    if found is None:
        raise EnvironmentGone
    return found


def choose_environment(catalog: Catalog, key: ApiKey, parameter: str | None = None, attribute: object = None) -> Choice:
    """Return the environment of a request of an API key, see `moorage.core.environments.choose`.

    Raises:
        EnvironmentGone, EnvironmentNotFound, WrongEnvironment
    """
    environments = catalog.environments(key.project_id)
    if parameter is None and attribute is None and key.environment_id is None:
        return Choice(environments[PRODUCTION], "default")
    return choose(environments, bound_environment(catalog, key), parameter, attribute)


def check_bound_environment(catalog: Catalog, key: ApiKey) -> Environment | None:
    """Return the environment that an API key is bound to; check that it was not deleted.

    Raises:
        EnvironmentGone
    """
    bound = bound_environment(catalog, key)
    if bound is not None and bound.deleted_us is not None:
        raise EnvironmentGone
    return bound


def check_unbound(bound: Environment | None) -> None:
    """Check that an API key is not bound to an environment, for a request about all of them.

    Raises:
        WrongEnvironment
    """
    if bound is not None:
        raise WrongEnvironment(bound=bound.name, requested="all environments")


def check_version_name(catalog: Catalog, key: ApiKey, name: str) -> None:
    """Check that the name of a version is not that of an environment which the API key may not see.

    Raises:
        WrongEnvironment
    """
    bound = bound_environment(catalog, key)
    if bound is not None and name != bound.name and name in catalog.environments(key.project_id):
        raise WrongEnvironment(param="version", bound=bound.name, requested=repr(name))


def environment_parameter(request: Request) -> str | None:
    """Return the query parameter `environment`.

    Raises:
        RepeatedParameter
    """
    if b"environment" not in request.scope["query_string"] and b"%" not in request.scope["query_string"]:
        return None  # most requests: parsing takes longer
    values = request.query_params.getlist(PARAMETER)
    if len(values) > 1:
        raise RepeatedParameter(param=PARAMETER, name=PARAMETER)
    return values[0] if values else None


def other_parameters(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the other query parameters."""
    return (each for each in request.query_params.multi_items() if each[0] != PARAMETER)


def header_value(environment: str, *, follows: bool = False) -> str:
    """Return the value of `X-Moorage-Environment`."""
    return f"{environment};follows=production" if follows else environment
