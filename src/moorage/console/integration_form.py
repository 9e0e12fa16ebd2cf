"""The form of an integration: its fields follow from the provider. Credentials and headers are written, never shown."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from moorage.console.form import Form
from moorage.providers.connection import LIMITS, required_options
from moorage.providers.table import ProviderRow

_LABELS: Final = {
    "agent_base_url": "Base URL of agents",
    "ca_file": "File with certificates of authorities",
    "max_connections": "Connections at the same time",
    "retrieval_base_url": "Base URL of retrieval models",
    "timeout_between_bytes_s": "Seconds between two parts of a response",
    "timeout_connect_s": "Seconds until the connection is open",
    "timeout_first_byte_s": "Seconds until the response begins",
    "timeout_total_s": "Seconds for a call with its retries",
    "api_key": "API key",
    "access_key_id": "Access key id",
    "secret_access_key": "Secret access key",
    "session_token": "Session token",
    "access_token": "Access token",
    "service_account": "Content of a service account's file",
}

#: The credentials of a provider: alternatives, each with its fields.
_FORMS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "aws": (("access_key_id", "secret_access_key", "session_token"), ("api_key",)),
    "google": (("service_account",), ("access_token",)),
}


class Field(NamedTuple):
    """A field of the form; `usual` is the value that applies without one."""

    name: str
    label: str
    value: str = ""
    usual: str = ""
    is_required: bool = False


def credential_fields(row: ProviderRow) -> list[list[Field]]:
    """Return the fields of the credentials of a provider, by alternative. They never have a value."""
    forms = _FORMS.get(row.auth, (("api_key",),))
    return [[Field(f"credentials.{name}", label(name)) for name in names] for names in forms]


def settings_fields(row: ProviderRow, values: Mapping[str, str]) -> list[Field]:
    """Return the fields of the address and of the options of a provider."""
    url = Field(
        "base_url", "Base URL", values.get("base_url", ""), row.base_url or "", is_required=row.base_url is None
    )
    required = required_options(row)
    options = [_option(name, values, is_required=name in required) for name in row.options]
    return [*options, url] if required else [url, *options]


def limit_fields(values: Mapping[str, str]) -> list[Field]:
    """Return the fields of the options that all providers have."""
    return [*(_option(name, values, f"{LIMITS[name][2]:g}") for name in LIMITS), _option("ca_file", values)]


def label(name: str) -> str:
    """Return the words for a field of options or credentials."""
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def values_of(item: Any) -> dict[str, str]:
    """Return the values of a stored integration, by the names of the fields."""
    options = {f"options.{name}": str(value) for name, value in item["options"].items()}
    return options | {"base_url": item["base_url"] or ""}


def typed_values(form: Form) -> dict[str, str]:
    """Return what was typed, without secrets."""
    return {name: value for name, value in form.fields if name == "base_url" or name.startswith("options.")}


def body_of(form: Form, provider: str, *, has_secrets: bool) -> dict[str, Any]:
    """Return the body of the operation. Without secrets, the stored ones stay."""
    options = {
        name.removeprefix("options."): value.strip()
        for name, value in form.fields
        if name.startswith("options.") and value.strip()
    }
    body: dict[str, Any] = {"provider": provider, "options": options, "reason": form.get("reason")}
    if form.get("base_url").strip():
        body["base_url"] = form.get("base_url").strip()
    if has_secrets:
        body |= {"credentials": _credentials(form), "headers": _headers(form.get("headers"))}
    return body


def _option(name: str, values: Mapping[str, str], usual: str = "", *, is_required: bool = False) -> Field:
    field = f"options.{name}"
    return Field(field, label(name), values.get(field, ""), usual, is_required)


def _credentials(form: Form) -> dict[str, Any]:
    found: dict[str, Any] = {
        name.removeprefix("credentials."): value.strip()
        for name, value in form.fields
        if name.startswith("credentials.") and value.strip()
    }
    file = found.pop("service_account", "")
    if file:
        try:
            found |= msgspec.json.decode(file, type=dict[str, Any])
        except (ValueError, RecursionError):  # as a key that is none; the problem does not contain the text
            found["private_key"] = "not JSON"
    return found


def _headers(text: str) -> dict[str, str]:
    """Return the headers in lines such as `X-Team: support`. A line without a colon may be a secret: it has no name."""
    lines = [line.partition(":") for line in text.split("\n") if line.strip()]
    return {name.strip() if colon else "": value.strip() for name, colon, value in lines}
