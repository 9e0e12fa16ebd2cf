"""Validation of credentials and headers. No problem contains a value, and no unknown name that may be one."""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import UnsetType

from moorage.core.validation.messages import name_of
from moorage.core.validation.validate import Report
from moorage.providers.table import Auth, ProviderRow

MAX_VALUE: Final = 16_384
MAX_HEADERS: Final = 20
MAX_HEADER: Final = 4_096

_AWS_KEYS: Final = ("access_key_id", "secret_access_key", "session_token")
_SERVICE_ACCOUNT: Final = (
    "type", "project_id", "private_key_id", "private_key", "client_email", "client_id", "auth_uri", "token_uri",
    "auth_provider_x509_cert_url", "client_x509_cert_url", "universe_domain",
)  # fmt: skip

#: Providers that also work without credentials: servers of one's own.
_OPTIONAL: Final = frozenset({"litellm", "openailike"})

_HEADER_OF: Final[Mapping[Auth, str]] = {
    "api-key": "api-key", "x-api-key": "x-api-key", "x-goog-api-key": "x-goog-api-key", "xi-api-key": "xi-api-key",
}  # fmt: skip

#: Headers that belong to the connection or the body, and not to the caller (RFC 9110 section 7.6.1).
_RESERVED: Final = frozenset({
    "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect",
    "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[!-~]([ -~\t]*[!-~])?")
_FIELD = re.compile(r"[a-z_0-9]{1,40}")


def check_credentials(row: ProviderRow, given: Mapping[str, Any], report: Report) -> dict[str, str]:
    """Return the credentials in a body, and report what is wrong with them."""
    forms = _forms(row)
    known = tuple(dict.fromkeys(name for form in forms for name in form))
    found: dict[str, str] = {}
    for name, value in given.items():
        if report.is_full:
            break
        path = f"credentials.{name}" if _FIELD.fullmatch(name) else "credentials"
        if name not in known:
            hint = report.suggestion(name, known) if _FIELD.fullmatch(name) else ""
            report.problem(path, f"has an unknown field{hint or f'; {row.name} takes {_listed(forms)}'}")
        elif not isinstance(value, str):
            report.problem(path, f"must be a string, not {name_of(value)}")
        elif problem := _problem_of(name, value):
            report.problem(path, problem)
        else:
            found[name] = value
    if not report.problems and not _is_complete(row, found, forms):
        report.problem("credentials", f"must have {_listed(forms)}")
    return found


def check_headers(
    row: ProviderRow, given: Mapping[str, Any], credentials: Mapping[str, str] | UnsetType, report: Report
) -> dict[str, str]:
    """Return the headers in a body with names in lower case, and report what is wrong with them."""
    found: dict[str, str] = {}
    if len(given) > MAX_HEADERS:
        report.problem("headers", f"must have at most {MAX_HEADERS} fields; got {len(given)}")
        return found
    has_credential = bool(credentials) or row.id not in _OPTIONAL
    for name, value in given.items():
        path, lower = "headers", name.lower()
        if not _NAME.fullmatch(name):
            report.problem(path, "has a name that is not a header name of 1 to 128 characters")
            continue
        path = f"headers.{name}"
        if lower in _RESERVED or (has_credential and lower in ("authorization", _HEADER_OF.get(row.auth))):
            report.problem(path, "is set by Moorage; remove it")
        elif lower in found:
            report.problem(path, "occurs twice; header names are case-insensitive")
        elif not isinstance(value, str):
            report.problem(path, f"must be a string, not {name_of(value)}")
        elif len(value) > MAX_HEADER or not _VALUE.fullmatch(value):
            rule = f"must be 1 to {MAX_HEADER} printable ASCII characters, without a space at either end"
            report.problem(path, rule)
        else:
            found[lower] = value
    return found


def _forms(row: ProviderRow) -> list[tuple[str, ...]]:
    """Return the alternatives, each with its fields; the error about a mixture names all of them."""
    if row.auth == "aws":
        return [_AWS_KEYS, ("api_key",)]
    if row.auth == "google":
        return [_SERVICE_ACCOUNT, ("access_token",)]
    return [("api_key",)]


def _is_complete(row: ProviderRow, found: Mapping[str, str], forms: list[tuple[str, ...]]) -> bool:
    if not found:
        return row.id in _OPTIONAL
    form = [names for names in forms if found.keys() <= set(names)]
    if not form:
        return False
    if form[0] is _AWS_KEYS:
        return {"access_key_id", "secret_access_key"} <= found.keys()
    if form[0] is _SERVICE_ACCOUNT:
        return {"client_email", "private_key"} <= found.keys() and found.get("type", "") in ("", "service_account")
    return True


def _listed(forms: list[tuple[str, ...]]) -> str:
    names = {
        _AWS_KEYS: "access_key_id and secret_access_key (and session_token for temporary ones)",
        _SERVICE_ACCOUNT: "the content of a service account's file (type service_account, client_email, private_key)",
    }
    return ", or ".join(names.get(form, " ".join(form)) for form in forms)


def _problem_of(name: str, value: str) -> str | None:
    if not value:
        return "must not be empty"
    if len(value) > MAX_VALUE:
        return f"must be at most {MAX_VALUE} characters long; got {len(value)}"
    if name == "private_key":
        return None if "-----BEGIN" in value and value.isascii() else "must be a private key in the PEM format"
    if not re.fullmatch(r"[!-~]+", value):
        return "has a space, a line break or a character that is not ASCII"
    if name == "token_uri" and not re.match(r"https?://[^/@]+", value):
        return "must be a URL such as https://oauth2.googleapis.com/token"
    return None
