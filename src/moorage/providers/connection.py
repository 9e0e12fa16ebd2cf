"""The connection of an integration: validation of its settings against the table of providers, and its base URL."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.errors.requests import InvalidBody
from moorage.core.integrations import Integration, Option, PutIntegration
from moorage.core.validation.messages import name_of, shown
from moorage.core.validation.validate import Report
from moorage.providers.secrets import check_credentials, check_headers
from moorage.providers.table import PROVIDERS, ProviderRow

_MAX_URL = 2_048
_URL_FORM = "must be a URL such as https://api.example.com/v1, with http or https"

#: The characters of a name in a host, and of an id in a path or a header.
_HOST_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")

#: Options of every provider with their minimum, maximum and default.
LIMITS: Final[Mapping[str, tuple[float, float, float]]] = {
    "timeout_connect_s": (0.1, 60, 5),
    "timeout_first_byte_s": (0.1, 3_600, 120),
    "timeout_between_bytes_s": (0.1, 3_600, 60),
    "timeout_total_s": (1, 7_200, 900),
    "max_connections": (1, 10_000, 100),
}

#: The Vertex AI location that is not a part of the host.
_GLOBAL: Final = ("google", "global", "https://aiplatform.googleapis.com/v1")


class Connection(msgspec.Struct, frozen=True):
    """The validated settings of an integration. Credentials and headers that were not sent are UNSET."""

    provider: str
    base_url: str | None
    options: Mapping[str, Option]
    credentials: Mapping[str, str] | UnsetType
    headers: Mapping[str, str] | UnsetType

    @property
    def origins(self) -> dict[str, None]:
        """The origins to which the credentials are sent."""
        return origins(self.provider, self.base_url, self.options)


def read_connection(body: PutIntegration) -> Connection:
    """Return the settings in a body.

    Raises:
        InvalidBody: with all problems, and without a value of a credential or a header.
    """
    report, row = Report(), PROVIDERS[body.provider]
    base_url = None if body.base_url is UNSET else _checked_url(body.base_url, "base_url", report)
    if row.base_url is None and body.base_url is UNSET:
        report.problem("base_url", f"is required: {row.name} has no address of its own")
    options = _options(row, body.options, report)
    credentials = UNSET if body.credentials is UNSET else check_credentials(row, body.credentials, report)
    headers = UNSET if body.headers is UNSET else check_headers(row, body.headers, credentials, report)
    for name in _required(row, base_url, credentials):
        if row.id == "google" and name == "project" and credentials and "project_id" in credentials:
            options.setdefault(name, credentials["project_id"])
        if name not in body.options and name not in options:
            report.problem(f"options.{name}", f"is required for {row.name}")
    if report.problems:
        raise InvalidBody.of(report.problems)
    return Connection(row.id, base_url, options, credentials, headers)


def check_has_credentials(connection: Connection) -> None:
    """Raise `InvalidBody` if there are no credentials, and the provider needs some."""
    if connection.credentials is UNSET:
        report = Report()
        check_credentials(PROVIDERS[connection.provider], {}, report)
        if report.problems:
            raise InvalidBody.of(report.problems)


def url_of(integration: Integration) -> str:
    """Return the base URL to which paths are appended, without a slash at its end."""
    return base_url_of(integration.provider, integration.base_url, integration.options)


def base_url_of(provider: str, base_url: str | None, options: Mapping[str, Option]) -> str:
    """Return the base URL of a provider with the options of an integration; empty if an option is missing."""
    default = PROVIDERS[provider].base_url if provider in PROVIDERS else None
    if base_url is not None or default is None:
        return base_url or ""
    if (provider, options.get("location")) == _GLOBAL[:2]:
        return _GLOBAL[2]
    try:
        return default.format_map(options)
    except KeyError:
        return ""


def origins(provider: str, base_url: str | None, options: Mapping[str, Option]) -> dict[str, None]:
    """Return the origins of a connection: that of its base URL, and those of other URLs in its options."""
    urls = [base_url_of(provider, base_url, options)]
    urls += [str(value) for name, value in sorted(options.items()) if name.endswith("_base_url")]
    return dict.fromkeys(f"{parts.scheme}://{parts.netloc.lower()}" for parts in map(urlsplit, urls))


def limit_of(integration: Integration, name: str) -> float:
    """Return an option of `LIMITS`, or its default."""
    value = integration.options.get(name)
    return LIMITS[name][2] if value is None else float(value)


def protocol_options(integration: Integration) -> dict[str, str]:
    """Return the options that a protocol gets: those of its row in the table."""
    names = PROVIDERS[integration.provider].options
    return {name: str(integration.options[name]) for name in names if name in integration.options}


def url_problem(text: str) -> str | None:
    """Return what is wrong with a base URL, or None."""
    if len(text) > _MAX_URL:
        return f"must be at most {_MAX_URL} characters long"
    if not re.fullmatch(r"[!-~]+", text) or set("\\{}") & set(text):
        return "must have only printable ASCII characters without spaces, backslashes and braces"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return _URL_FORM
    problems = {
        _URL_FORM: parts.scheme not in ("http", "https") or not parts.hostname,
        "must not have a user or a password; send them as credentials or headers": "@" in parts.netloc,
        "must have neither a query nor a fragment; paths are appended to it": bool({"?", "#"} & set(text)),
        "must have a port from 1 to 65535, or none": port == 0 or parts.netloc.endswith(":"),
        "must not have . or .. in its path": bool({".", ".."} & {*parts.path.lower().replace("%2e", ".").split("/")}),
    }
    return next((problem for problem, is_found in problems.items() if is_found), None)


def _checked_url(text: str, path: str, report: Report) -> str:
    if problem := url_problem(text):
        report.problem(path, problem)
    return text.rstrip("/")


def required_options(row: ProviderRow) -> tuple[str, ...]:
    """Return the options that an integration must have, unless it has a base URL."""
    return ("location", "project") if row.id == "google" else row.required_options  # parts of each path


def _required(row: ProviderRow, base_url: str | None, credentials: Mapping[str, str] | UnsetType) -> tuple[str, ...]:
    if row.id == "aws" and base_url is not None and credentials and "api_key" in credentials:
        return ()
    return (
        required_options(row) if base_url is None or row.id in ("aws", "google") else ()
    )  # a signature has the region


def _options(row: ProviderRow, given: Mapping[str, Any], report: Report) -> dict[str, Option]:
    names = (*row.options, *LIMITS, "ca_file")
    found: dict[str, Option] = {}
    for name, value in given.items():
        path = f"options.{name}"
        if report.is_full:
            break
        if name not in names:
            hint = report.suggestion(name, names) or f"; the options are {', '.join(names)}"
            report.problem(path, f"is not an option of {row.name}{hint}")
        elif name in LIMITS:
            found[name] = _number(name, value, report)
        elif not isinstance(value, str):
            report.problem(path, f"must be a string, not {name_of(value)}")
        elif name.endswith("_base_url"):
            found[name] = _checked_url(value, path, report)
        else:
            is_valid, rule = _RULES.get(name, _RULES[""])
            if not is_valid(value):
                report.problem(path, f"must be {rule}; got {shown(value)}")
            found[name] = value
    return found


def _number(name: str, value: Any, report: Report) -> Option:
    """Return a number. The command line sends each option as a string."""
    low, high, _ = LIMITS[name]
    number = value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", value):
        number = float(value)
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    is_whole = is_number and number == int(number)
    if not is_number or not low <= number <= high or (name == "max_connections" and not is_whole):
        kind = "a whole number" if name == "max_connections" else "a number"
        report.problem(f"options.{name}", f"must be {kind} from {low:g} to {high:g}; got {shown(value)}")
        return low
    return int(number) if is_whole else float(number)


def _is_ca_file(value: str) -> bool:
    return value.startswith("/") and value.isprintable() and len(value) <= 4_096


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


#: Option -> its check and its rule; the empty name is for all others.
_RULES: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "ca_file": (_is_ca_file, "the absolute path of a file on the server"),
    **dict.fromkeys(
        ("resource", "region", "location"), (_matches(_HOST_PART), "1 to 63 letters, digits or hyphens, as in a host")
    ),
    "": (_matches(_ID), "1 to 128 letters, digits, dots, colons, underscores or hyphens"),
}
