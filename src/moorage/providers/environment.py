"""The integrations of the environment: the variables that the providers' own tools read.

They exist in every project, and cannot be changed. An integration of the project with the same name has precedence.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.errors.integrations import CredentialsUnreadable
from moorage.core.errors.requests import InvalidBody
from moorage.core.integrations import Credentials, Integration, PutIntegration
from moorage.providers.connection import check_has_credentials, read_connection
from moorage.providers.table import PROVIDERS, ProviderRow

#: How much of the file of a service account is read.
_FILE_BYTES: Final = 65_536

_AWS_KEYS: Final = {
    "access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
}  # fmt: skip

#: Provider -> option -> the variables that it is from, the first one that is set.
_OPTIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "aws": {"region": ("AWS_REGION", "AWS_DEFAULT_REGION")},
    "google": {"location": ("GOOGLE_CLOUD_LOCATION",), "project": ("GOOGLE_CLOUD_PROJECT",)},
}
_KEY_FILE: Final = "GOOGLE_APPLICATION_CREDENTIALS"

_log = logging.getLogger("moorage.providers")


class EnvironmentIntegrations:
    """The integrations of the environment by name, which is the id of their provider."""

    def __init__(self, integrations: Mapping[str, tuple[Integration, Credentials]]) -> None:
        self.by_name = {name: integration for name, (integration, _) in integrations.items()}
        self._opened = {name: opened for name, (_, opened) in integrations.items()}

    def credentials(self, integration: Integration) -> Credentials:
        """Return the credentials of an integration of the environment.

        Raises:
            CredentialsUnreadable: it is not one of these.
        """
        if integration.name not in self._opened:
            raise CredentialsUnreadable(name=integration.name, reason="it is not in the environment")
        return self._opened[integration.name]

    def variables(self) -> list[tuple[str, str]]:
        """Return name and variables of each."""
        return [(name, ", ".join(each.variables)) for name, each in self.by_name.items()]


#: No variable is set.
NO_ENVIRONMENT: Final = EnvironmentIntegrations({})


def read_environment(environment: Mapping[str, str]) -> EnvironmentIntegrations:
    """Return the integrations of the variables that are set; an empty variable is not.

    A variable with an invalid value is logged, with its name and without its value.
    """
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    found = {}
    for row in PROVIDERS.values():
        used: dict[str, str] = {}  # the parts of the body -> their variables
        body = _body(row, values, used)
        if body is None:
            continue
        try:
            connection = read_connection(body)
            check_has_credentials(connection)
        except InvalidBody as error:
            for problem in error.problems:
                names = used.get(problem.path) or ", ".join(dict.fromkeys(used.values()))
                _log.warning("%s: there is no integration %s: %s %s", names, row.id, problem.path, problem.message)
            continue
        integration = Integration(
            id=f"env.{row.id}", project_id="", name=row.id, provider=row.id, base_url=connection.base_url,
            options=connection.options, variables=tuple(dict.fromkeys(used.values())),
        )  # fmt: skip
        found[row.id] = integration, Credentials(connection.credentials or {})
    return EnvironmentIntegrations(found)


def _body(row: ProviderRow, values: Mapping[str, str], used: dict[str, str]) -> PutIntegration | None:
    """Return the integration that variables describe, None if there is no credential."""

    def take(path: str, names: tuple[str, ...]) -> str | None:
        for name in names:
            if name in values:
                used[path] = name
                return values[name]
        return None

    credentials = _credentials(row, values, used, take)
    if credentials is None:
        return None
    options = {}
    for option, names in _OPTIONS.get(row.id, {}).items():
        if (value := take(f"options.{option}", names)) is not None:
            options[option] = value
    if row.id == "google":
        options.setdefault("location", "global")
    fields: dict[str, object] = {"provider": row.id, "credentials": credentials, "options": options}
    if (url := take("base_url", row.url_variables)) is not None:
        fields["base_url"] = _complete(url.rstrip("/"), row.url_suffix)
    return msgspec.convert(fields, PutIntegration)


def _complete(url: str, suffix: str) -> str:
    """Return a URL with what the provider's tools append to it, unless it has that, or the start of it, already."""
    parts = suffix.split("/")
    starts = ("/".join(parts[:count]) for count in range(len(parts), 1, -1))
    known = next((start for start in starts if url.endswith(start)), "")
    return url + suffix.removeprefix(known)


def _credentials(
    row: ProviderRow,
    values: Mapping[str, str],
    used: dict[str, str],
    take: Callable[[str, tuple[str, ...]], str | None],
) -> Mapping[str, object] | None:
    if (key := take("credentials.api_key", row.key_variables)) is not None:
        return {"api_key": key}
    if row.id == "aws":
        keys = {
            field: value
            for field, name in _AWS_KEYS.items()
            if (value := take(f"credentials.{field}", (name,))) is not None
        }
        return keys if {"access_key_id", "secret_access_key"} <= keys.keys() else None
    if row.id == "google" and (file := take("credentials", (_KEY_FILE,))) is not None:
        return _service_account(file)
    if row.base_url is None and any(name in values for name in row.url_variables):
        return {}  # a server of one's own, without a key
    return None


def _service_account(file: str) -> dict[str, object] | None:
    try:
        with Path(file).open("rb") as opened:
            found = msgspec.json.decode(opened.read(_FILE_BYTES), type=dict[str, object])
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not the JSON file of a service account"
        _log.warning("%s: there is no integration google: its file cannot be used: %s", _KEY_FILE, reason)
        return None
    return found


#: Providers -> the variable without which a key makes no integration.
_FURTHER: Final = {
    "aws": "AWS_REGION", "azure": "AZURE_OPENAI_ENDPOINT", "litellm": "LITELLM_PROXY_API_BASE",
}  # fmt: skip


def variables_of(row: ProviderRow) -> str:
    """Return the variables that make an integration of a provider, in words; empty if there are none."""
    keys = " or ".join((*row.key_variables, _KEY_FILE) if row.id == "google" else row.key_variables)
    return f"{keys} and {_FURTHER[row.id]}" if row.id in _FURTHER else keys
